"""The README's commands, run as they stand there, in their order."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def shown() -> list[tuple[list[str], str]]:
    """Each command of the tour with the output that the README shows below it."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    found = []
    for block in blocks:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            words = shlex.split(command)
            assert words[0] == "rnncli"
            found.append((words[1:], output))
    return found


def test_the_tour(tmp_path: Path) -> None:
    """Every command works, and prints the labels, tokens and one-hot vectors that the README shows.

    Each is a process of its own, as it is for a reader: one thread a product, where this process may use several.
    Probabilities depend on the processor in their last digits after hundreds of steps, so of those only the side of
    one half is compared, by the label.
    """
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data")
    commands = shown()
    assert [words[0] for words, _ in commands] == [
        *("tokenize", "train", "predict", "evaluate", "inspect", "inspect", "inspect", "train", "train", "inspect"),
        *("train", "predict", "inspect"),
    ]
    for words, output in commands:
        printed = subprocess.run(
            [sys.executable, "-m", "rnncli", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert printed.returncode == 0, printed.stderr
        if words[0] == "tokenize":
            assert re.findall(r"\b[01]{5}\b", printed.stdout) == re.findall(r"\b[01]{5}\b", output)
        elif words[0] == "predict":
            rows = [line.split("\t") for line in printed.stdout.splitlines()]
            assert [row[3] for row in rows] == words[1:]
            for label, probability, unknown, text in rows:
                assert re.search(
                    rf"^{label} +[01]\.\d+ +{re.escape(unknown)} +{re.escape(text)}\s*$", output, re.MULTILINE
                )
                assert float(probability) > 0.9
        elif words[:2] == ["train", "sample_data/reviews.csv"]:
            accuracies = dict(line.rsplit("\t", 1) for line in printed.stdout.splitlines()[1:])
            network = next(float(value) for name, value in accuracies.items() if name.startswith("LSTM"))
            assert network >= 0.95
            assert float(accuracies["bag of words"]) < 0.6
            before, _, _ = output.partition("…")
            assert before.count("\n") == 12
            for line in before.splitlines():
                # How many processes there are is the machine's affair, and so is what computes.
                said = line.strip().removesuffix(", 2 processes")
                assert re.sub(r"^(engine +).*", r"\1", said) in printed.stderr
        elif words[:2] == ["train", "sample_data/keys.csv"]:
            accuracy = float(printed.stdout.splitlines()[1].split("\t")[1])
            assert accuracy < 0.8 if "rnn" in words else accuracy > 0.9
        elif words[0] == "evaluate":
            assert "rows\t60\n" in printed.stdout
            assert 0.65 < float(printed.stdout.split("accuracy\t")[1].split()[0]) < 0.9
        elif words[:2] == ["inspect", "--why"]:
            rows = [line.split("\t") for line in printed.stdout.splitlines()[1:]]
            assert [row[1] for row in rows] == words[2].split()
            assert max(rows, key=lambda row: float(row[5]))[1] == "not"
            assert "movie was good" in printed.stderr
        elif words[:2] == ["inspect", "--bptt"]:
            blocks = [block.split("\n") for block in printed.stdout.strip("\n").split("\n\n")]
            assert [line.split("\t")[1] for line in blocks[0][1:]] == [*words[2].split(), "the whole"]
            assert [line.split("\t")[0] for line in blocks[2][1:]] == re.findall(r"^∂[^ ]+", output, re.MULTILINE)[1:]
        elif words[:2] == ["inspect", "--memory"]:
            table = [line.split("\t") for line in printed.stdout.splitlines()]
            lstm, rnn = (float(table[-1][column]) for column in (2, 4))  # what arrives at the first word
            assert lstm > 2 * rnn
            assert all(name in output for name in ("lstm@2: LSTM's c", "rnn@2: RNN's h"))
            drawn, shown_there = (tmp_path / "memory.svg").read_text(), (ROOT / "docs" / "memory.svg").read_text()
            words_of = [re.findall(r">([^<>]*[a-z@][^<>]*)</text>", picture) for picture in (drawn, shown_there)]
            assert words_of[0][:8] == words_of[1][:8]  # that of the README is made by this command
        elif words[:2] == ["inspect", "--by-hand"]:
            for line in output.splitlines():
                assert line[:1] in ("", " ", "…") or line in printed.stdout
        elif words[0] == "inspect":
            tokens = [line.split("\t")[1] for line in printed.stdout.splitlines()[1:]]
            assert tokens == ["movie", "was", "not", "good"]


def test_the_setup_lines_are_whole() -> None:
    """Each is one line that makes its own environment."""
    lines = [line for line in README.splitlines() if line.startswith("python3 -m venv")]
    assert len(lines) == 2
    assert "rnncli train sample_data/reviews.csv" in lines[0]
    assert lines[1].endswith(".venv/bin/pytest -n auto")
    assert (ROOT / "docs" / "timesteps.svg").exists()
