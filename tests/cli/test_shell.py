"""What a shell and its programs see: completion, the sample files, silence, and a log to follow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rnncli import samples, train
from rnncli.cli.app import COMMANDS, SHELLS
from rnncli.cli.main import COMPLETION
from rnncli.cli.samples import SAMPLES
from rnncli.errors import UsageError

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"


def test_the_list_of_samples_is_the_folder(cli):
    assert sorted(SAMPLES) == sorted(path.name for path in SAMPLE_DATA.iterdir() if path.name != "README.md")
    assert [row[0] for row in cli.works("samples").rows[1:]] == list(SAMPLES)
    assert [one["written"] for one in cli.works("samples", "--json").json] == [None] * len(SAMPLES)
    assert not list(cli.folder.iterdir())


def test_samples_are_written_whole_and_over_nothing(cli):
    assert cli.works("samples", "-o", "here").rows == [[f"here/{name}"] for name in SAMPLES]
    for name in SAMPLES:
        assert (cli.folder / "here" / name).read_bytes() == (SAMPLE_DATA / name).read_bytes()
    assert cli.works("samples", "notes.csv").rows == [["notes.csv"]]
    cli.write("notes.csv", "mine")
    cli.refuses(2, "notes.csv exists already", "samples", "notes.csv")
    assert (cli.folder / "notes.csv").read_text() == "mine"
    cli.works("samples", "notes.csv", "--force")
    assert (cli.folder / "notes.csv").read_bytes() == (SAMPLE_DATA / "notes.csv").read_bytes()
    cli.refuses(2, "there is no sample 'note.csv'; did you mean 'notes.csv'?", "samples", "note.csv")
    with pytest.raises(UsageError, match="there is no sample"):
        samples("none.csv")


def test_quiet_leaves_warnings_errors_and_results(cli, tiny):
    cli.write("r.csv", "text,label\n" + "good one,pos\nbad one,neg\n" * 8 + "bad,\n")
    loud = cli.works("train", "r.csv", *tiny, "--skip-bad")
    quiet = cli.works("train", "r.csv", *tiny, "--skip-bad", "--quiet")
    assert quiet.out == loud.out
    assert "reading r.csv" in loud.err
    warnings = [line.strip() for line in loud.err.splitlines() if "warning" in line]
    assert warnings == 2 * [line.strip() for line in quiet.err.splitlines()]  # said again at the end
    assert quiet.err.count("1 bad record was left out") == 1
    cli.refuses(3, "r.csv:18: the label is empty", "train", "r.csv", *tiny, "-q")


def lines_of(cli, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (cli.folder / name).read_text().splitlines()]


def test_a_log_has_each_event_as_a_line(cli, tiny):
    cli.write("r.csv", "text,label\n" + "good one,pos\nbad one,neg\n" * 8)
    result = cli.works("train", "r.csv", *tiny, "--batch", "1", "--log", "t.jsonl", "--json").json
    lines = lines_of(cli, "t.jsonl")
    assert [line["event"] for line in lines if line["event"] != "step"] == ["start", "epoch", "epoch", "finished"]
    start, steps = lines[0], [line for line in lines if line["event"] == "step"]
    assert (start["run"], start["data"], start["settings"]["batch"]) == ("runs/r-1", "r.csv", 1)
    assert start["report"] == result["report"]
    assert [(one["epoch"], one["step"]) for one in steps] == [(e, s) for e in (1, 2) for s in range(1, 11)]
    epochs = [line for line in lines if line["event"] == "epoch"]
    assert [{key: one[key] for key in result["epochs"][0]} for one in epochs] == result["epochs"]
    cli.refuses(2, "t.jsonl exists already", "train", "r.csv", *tiny, "--log", "t.jsonl")
    cli.refuses(2, "r.csv is also the input", "train", "r.csv", *tiny, "--log", "r.csv", "--force")
    cli.refuses(2, "--log writes a file whose name ends in .jsonl", "train", "r.csv", *tiny, "--log", "t.csv")


def test_a_log_says_why_a_training_ended(cli, tiny):
    assert cli("train", "none.csv", "--log", "t.jsonl").code == 5
    (line,) = lines_of(cli, "t.jsonl")
    assert line["event"] == "failed"
    assert "there is no such file" in line["error"]
    data = Path(cli.write("r.csv", "text,label\ngood,pos\n"))
    before = data.read_bytes()
    with pytest.raises(UsageError, match="is also the input"):
        train(data, log=data)
    assert data.read_bytes() == before


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script(shell):
    made = subprocess.run([sys.executable, "-m", "rnncli", "--show-completion", shell], capture_output=True, text=True)
    assert made.returncode == 0
    assert COMPLETION in made.stdout
    assert made.stderr == ""


def completed(words: str) -> list[str]:
    environment = os.environ | {
        COMPLETION: "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    run = [sys.executable, "-m", "rnncli"]
    return subprocess.run(run, env=environment, capture_output=True, text=True).stdout.splitlines()


def test_commands_and_their_options_are_completed(cli):
    assert completed("rnncli ") == list(COMMANDS)
    assert completed("rnncli train --hid") == ["--hidden"]
    assert "--timesteps" in completed("rnncli inspect --time")
    cli.refuses(2, "'tcsh' is none of bash, zsh, fish", "--show-completion", "tcsh")


@pytest.mark.parametrize(
    ("name", "task", "options", "beaten"),
    [
        ("tickets.csv", "multilabel", ["--epochs", "8"], "commonest_labels"),
        ("flats.csv", "regress", ["--task", "regress", "--epochs", "8"], "mean"),
        ("ferry.csv", "forecast", ["--horizon", "7", "--epochs", "6"], "naive"),
    ],
)
def test_samples_of_tasks_that_are_no_classes_are_learned(cli, name, task, options, beaten):
    shown = cli.works("train", SAMPLE_DATA / name, *options, "--workers", "1", "--json").json
    assert shown["settings"]["task"] == task
    best, weak = shown["best_value"], shown["baselines"][beaten]
    assert best > 1.2 * weak if task == "multilabel" else best < 0.8 * weak


@pytest.mark.parametrize("name", ["reviews.csv", "ferry.csv", "vibration.jsonl"])
def test_what_is_advised_after_a_training_works(cli, name):
    """A model of numbers is asked about a file, and no line ends within a command, however narrow the window."""
    cli.works("samples", name)
    cli.at_terminal(40)
    said = cli.works("train", name, "--epochs", "1", "--workers", "1").err
    (asked, opened) = re.findall(r"(?:ask|open) it: rnncli (.+?)(?:,|$)", said, re.MULTILINE)
    assert cli.works(*asked.split()).out
    assert "Hidden state after every" in cli.works(*opened.split()).out
