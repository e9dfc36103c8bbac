"""A format that is its file and a row: train, predict, evaluate, tokenize, ``--format``, the help; and its numbers are
never texts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from data.float_records import FLOATS, written

from rnncli.cli.main import main
from rnncli.data.dataset import Source
from rnncli.data.formats import registry, values
from rnncli.data.opening import read_dataset
from rnncli.data.records import NumberArrays
from rnncli.tasks.model import Model

RNG = np.random.default_rng(0)
# An odd third of a number, which a text of six digits would lose.
RECORDS = [
    (RNG.standard_normal((3 + k % 4, 2)) / 3 + (-1) ** k, f"note number {k}", "up" if k % 2 == 0 else "down")
    for k in range(40)
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(registry.FORMATS, FLOATS.name, FLOATS)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walks.flt").write_bytes(written(RECORDS))
    (tmp_path / "walks").write_bytes(written(RECORDS[:3]))
    return tmp_path


def test_its_arrays_reach_the_network_as_they_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "parsed", lambda text: pytest.fail(f"{text} was parsed"))
    dataset = read_dataset(Source("walks.flt", text="sequence", label="label"))
    assert isinstance(dataset.inputs, NumberArrays)
    assert dataset.inputs == [numbers for numbers, *_ in RECORDS]
    assert dataset.labels == [label for *_, label in RECORDS]
    assert list(dataset.lines) == list(range(1, 41))


def test_every_command_reads_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = ["--text", "sequence", "--label", "label"]
    assert main(["train", "walks.flt", *columns, "--epochs", "1", "--hidden", "4", "--workers", "1"]) == 0
    capsys.readouterr()
    model = Model.load("runs/latest/model.safetensors")
    expected = [one.label for one in model.predict([numbers for numbers, *_ in RECORDS])]
    assert main(["predict", "walks.flt", "--text", "sequence", "--json"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["label"] for one in shown] == expected
    assert json.loads(shown[0]["text"]) == RECORDS[0][0].tolist()
    assert main(["predict", "walks", "--format", "floats", "--text", "sequence", "--json"]) == 0
    assert [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()] == expected[:3]
    assert main(["evaluate", "latest", "walks.flt", *columns, "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    right = [found == label for found, (*_, label) in zip(expected, RECORDS, strict=True)]
    assert scores["scores"]["accuracy"] == pytest.approx(np.mean(right))
    assert main(["tokenize", "walks.flt", "--text", "note", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 40
    assert main(["tokenize", "walks.flt", "--text", "sequence"]) == 3
    assert "the inputs are numbers" in capsys.readouterr().err


def test_it_has_no_encoding(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokenize", "walks.flt", "--text", "note", "--encoding", "latin-1"]) == 2
    assert "walks.flt: floats is not text and has no encoding" in capsys.readouterr().err


def test_the_help_names_it() -> None:
    code = (
        "import sys; from data import float_records; float_records.register();"
        "from rnncli.cli.main import main; sys.exit(main(['train', '--help']))"
    )
    tests = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tests,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={"COLUMNS": "200"},
    )
    assert ", floats." in " ".join(done.stdout.split())
