"""A thousand mutations of models and saved trainings, with a right SHA-256; ``tests/fuzz.py`` has the others."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from pathlib import Path

import fuzz
import pytest

from rnncli import model_file
from rnncli.errors import ModelFileError
from rnncli.model import Model
from rnncli.training import state

MUTATIONS = 1_000


@pytest.fixture
def subjects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[fuzz.Subject]]:
    monkeypatch.chdir(tmp_path)
    before = {name: signal.signal(name, fuzz.alarmed) for name in (signal.SIGALRM, signal.SIGPROF)}
    yield fuzz.train(tmp_path)
    for name, handler in before.items():
        signal.signal(name, handler)


def test_a_changed_file_is_refused_or_harmless(subjects: list[fuzz.Subject]) -> None:
    """Refused as a file; where it is not, the commands are tried, one after the other in turn."""
    chosen = [(subject, mutation) for subject in subjects for mutation in fuzz.mutations(subject)]
    random.Random(0).shuffle(chosen)
    path, tried = Path("mutated.safetensors"), 0
    refusals: list[str] = []
    for subject, mutation in chosen[:MUTATIONS]:
        called = f"{subject.task} {mutation.where}: {mutation.what}"
        try:
            made = mutation.make()
            path.write_bytes(made if isinstance(made, bytes) else model_file.encode(*made))
            Model.load(path) if mutation.where == "model" else state.load(path)
        except ModelFileError as refusal:
            refusals.append(refusal.message)
            continue
        if mutation.where == "model":
            commands = fuzz.commands(subject, path.name)
            assert fuzz.run(commands[tried % len(commands)]) is None, (called, commands[tried % len(commands)])
            tried += 1
    assert [one for one in refusals if not one.isprintable() or len(one) > 600] == []
    assert 500 < len(refusals) < MUTATIONS
    assert tried > 30


def test_a_fault_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("text,label\n")

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("planted")

    assert fuzz.run(["tokenize", "a b"]) is None
    monkeypatch.setattr("rnncli.cli.tokenize.tokenize_command", broken)
    fault = fuzz.run(["tokenize", "a b"])
    assert fault is not None
    assert "ZeroDivisionError: planted" in fault
    assert fuzz.not_strict('{"a": NaN}') == "no strict JSON (NaN)"
    assert fuzz.not_strict('{"a": 1}\n{"a": 2}\n') is None


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity", "1e999", "null"])
def test_labels_that_read_as_numbers_stay_texts_in_json(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"a good film {k},{name}\na bad film {k},other\n" for k in range(12))
    monkeypatch.setattr(fuzz, "DATA", {"classify": ("rows.csv", f"text,label\n{rows}", ["--min-count", "1"])})
    (subject,) = fuzz.train(tmp_path)
    for arguments in fuzz.commands(subject, str(subject.run / "model.safetensors")):
        if "--json" in arguments:
            assert fuzz.run(arguments) is None, arguments
