"""No output is an input, by whatever name, forced or not (44, 119)."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys

import pytest

from rnncli.cli import app
from rnncli.cli.arguments.command import roles_of
from rnncli.cli.arguments.paths import Reads, Writes


def test_every_parameter_that_names_a_file_says_what_it_is():
    """By its metavar: a new option cannot forget it."""
    seen = set()
    for command in app.COMMANDS:
        parameters = inspect.signature(app.function_of(command)).parameters
        roles = roles_of(list(parameters.values()))
        for name, parameter in parameters.items():
            if name == "context":
                continue
            (option,) = [one for one in parameter.annotation.__metadata__ if hasattr(one, "metavar")]
            metavar = str(option.metavar)
            if metavar in ("FILE", "DATA", "MODEL", "RUN", "TEXT|FILE", "TEXT|DATA") or name == "sentence":
                assert name in roles, (command, name)
                seen.add((metavar, type(roles[name])))
    assert ("MODEL", Reads) in seen
    assert ("RUN", Writes) in seen


def spellings(folder, name):
    """Other names of a file that an option takes for a picture's."""
    os.symlink(name, folder / "link.svg")
    os.link(folder / name, folder / "hard.svg")
    (folder / "sub").mkdir()
    os.symlink("..", folder / "sub" / "up")
    os.symlink("link.svg", folder / "twice.svg")
    return [
        "link.svg",
        "hard.svg",
        "./link.svg",
        "sub/../link.svg",
        "sub/up/hard.svg",
        "twice.svg",
        str(folder / "hard.svg"),
    ]


@pytest.fixture
def two(trained):
    same = ["--config", "runs/reviews-1/config.yaml", "--epochs", "1"]
    trained.works("train", "reviews.csv", *same, "--seed", "1", "--name", "other")
    trained.write("data.svg", (trained.folder / "reviews.csv").read_bytes())
    return trained


READING = {
    "doctor": (["--doctor", "data.svg", "--format", "csv"], "data.svg"),
    "fires": (["--fires", "0", "--data", "data.svg", "--format", "csv"], "data.svg"),
    "diff of a file": (["--diff", "other", "--data", "data.svg", "--format", "csv"], "data.svg"),
    "diff": (["--diff", "other", "good"], "runs/other/model.safetensors"),
    "compare": (["--memory", "--compare", "other", "good"], "runs/other/model.safetensors"),
    "model": (["--timesteps", "good"], "runs/reviews-1/model.safetensors"),
    "state": (["--timesteps", "good"], "runs/reviews-1/state.safetensors"),
    "metrics of the other": (["--diff", "other", "good"], "runs/other/metrics.jsonl"),
    "text": (["--timesteps", "data.svg", "--format", "csv"], "data.svg"),
}


@pytest.mark.parametrize("name", READING)
def test_a_picture_never_replaces_what_is_read(two, name):
    arguments, read = READING[name]
    for output in [read, *spellings(two.folder, read)]:
        for force in ([], ["--force"]):
            two.refuses(2, "is also the input", "inspect", "-m", "reviews-1", *arguments, "--svg", output, *force)


def test_a_page_neither(two):
    os.symlink("runs/reviews-1/model.safetensors", two.folder / "x.html")
    two.refuses(2, "is also the input", "inspect", "good", "-m", "reviews-1", "--html", "x.html", "--force")


def test_a_link_to_something_else_is_not_written_through(trained):
    trained.write("notes.npy", b"mine")
    os.symlink("notes.npy", trained.folder / "x.svg")
    trained.refuses(2, "x.svg leads to", "inspect", "--svg", "x.svg", "--force")
    os.symlink("new.svg", trained.folder / "y.svg")
    trained.refuses(2, "y.svg exists already", "inspect", "--svg", "y.svg")
    trained.works("inspect", "--svg", "y.svg", "--force")
    assert (trained.folder / "y.svg").is_symlink()
    assert (trained.folder / "new.svg").read_text("utf-8").startswith("<svg")


def test_two_outputs_are_two_files(trained):
    os.symlink("page.html", trained.folder / "x.svg")
    both = ["--svg", "x.svg", "--html", "page.html", "--force"]
    trained.refuses(2, "in a file of its own", "inspect", "--why", "good", *both)


def test_standard_input_is_an_input(trained):
    trained.write("data.svg", (trained.folder / "reviews.csv").read_bytes())
    before = (trained.folder / "data.svg").read_bytes()
    command = [sys.executable, "-m", "rnncli", "inspect", "--doctor", "-", "--svg", "data.svg", "--force"]
    with open("data.svg", "rb") as data:
        done = subprocess.run(command, stdin=data, capture_output=True, timeout=60)
    assert (done.returncode, b"data.svg is also the input" in done.stderr) == (2, True)
    assert (trained.folder / "data.svg").read_bytes() == before


@pytest.mark.parametrize("name", ["-", "lines.txt"])
def test_standard_output_is_an_output(trained, name):
    """``>> lines.txt`` would be read again and again."""
    trained.write("lines.txt", "good\nbad\n")
    command = [sys.executable, "-m", "rnncli", "predict", name]
    with open("lines.txt", "rb") as data, open("lines.txt", "ab") as out:
        done = subprocess.run(command, stdin=data, stdout=out, stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, b"standard output is also an input" in done.stderr) == (2, True)
    assert (trained.folder / "lines.txt").read_bytes() == b"good\nbad\n"


def test_a_resumed_training_writes_to_nothing_that_it_reads(cli, tiny, reviews):
    cli.write("reviews.csv", reviews)
    cli.works("train", "reviews.csv", *tiny, "--name", "r")
    cli.refuses(2, "runs/r/config.yaml is also", "train", "--resume", "latest", "--config", "runs/r/config.yaml")
    (cli.folder / "runs" / "r" / "metrics.jsonl").unlink()
    os.symlink("../../reviews.csv", cli.folder / "runs" / "r" / "metrics.jsonl")
    says = ["runs/r/metrics.jsonl is also the input", "reviews.csv"]
    cli.refuses(2, says, "train", "--resume", "r", "--epochs", "30")
    cli.refuses(2, says, "train", "reviews.csv", "--resume", "r", "--epochs", "30")


def test_the_checks_are_those_of_every_command():
    """Each command is wrapped; none is added past the checks."""
    assert {app.function_of(name).__module__ for name in app.COMMANDS} == {"rnncli.cli.arguments.command"}
