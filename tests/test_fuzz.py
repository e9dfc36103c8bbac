"""A thousand mutations of models and saved trainings, with a right SHA-256; ``tests/fuzz.py`` has the others."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import fuzz
import pytest
from every_task import Kind

from rnncli import model_file
from rnncli.errors import ModelFileError
from rnncli.tasks.model import Model
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
        called = f"{subject.kind} {mutation.where}: {mutation.what}"
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
    monkeypatch.setattr("rnncli.cli.tokens.tokens_of", broken)
    fault = fuzz.run(["tokenize", "a b"])
    assert fault is not None
    assert "ZeroDivisionError: planted" in fault
    assert fuzz.not_strict('{"a": NaN}') == "no strict JSON (NaN)"
    assert fuzz.not_strict('{"a": 1}\n{"a": 2}\n') is None


def test_labels_that_read_as_numbers_stay_texts_in_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    labels = ["NaN", "Infinity", "-Infinity", "1e999", "null"]
    rows = "".join(f"a w{k % 5} film {k},{labels[k % 5]}\n" for k in range(40))
    meant = ["--min-count", "1", "--task", "classify", "--text", "text", "--label", "label"]  # NaN, as a class
    monkeypatch.setattr(fuzz, "KINDS", {"classify": Kind("rows.csv", f"text,label\n{rows}", meant, "a")})
    (subject,) = fuzz.train(tmp_path)
    assert sorted(subject.manifest["labels"]) == sorted(labels)
    for arguments in fuzz.commands(subject, str(subject.run / "model.safetensors")):
        if "--json" in arguments:
            assert fuzz.run(arguments) is None, arguments


def test_odd_values_load_and_are_decided_by_their_number(subjects: list[fuzz.Subject]) -> None:
    """So that every command goes on with them; none of the first of them is at fault."""
    for number in range(12):
        subject, make = next(islice(fuzz.chosen(5, subjects, True, print), number, None))
        mutation = make()
        assert fuzz.loads(mutation.where, *mutation.make()), mutation
        again = next(islice(fuzz.chosen(5, subjects, True, print), number, None))[1]()
        assert again.what == mutation.what
        if mutation.where == "model":
            commands = fuzz.commands(subject, "loads.safetensors")
            assert fuzz.run(commands[7 * number % len(commands)]) is None, mutation
