"""The same series in every writing that people have: the same model, to the bit, and every command reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from series_files import OF_ONE_NUMBER, OF_SEVERAL, nested_json, waves

import rnncli
from rnncli.tasks.model import Model

SETTINGS: dict[str, Any] = {"epochs": 2, "hidden": 4, "lr": 0.02, "seed": 3}
ONE = waves(27, (6, 12), 1, 3, seed=1)
SEVERAL = waves(24, (8, 10), 2, 2, seed=2)


@pytest.fixture(autouse=True)
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnncli.core.threads.available_cores", lambda: 1)


def trained(path: Path) -> Model:
    return rnncli.train(path, runs=path.parent / "runs", **SETTINGS)


def same_numbers(one: Any, other: Any) -> bool:
    """Whether parameters are equal to the bit."""
    if isinstance(one, np.ndarray):
        return one.tobytes() == other.tobytes()
    return one.keys() == other.keys() and all(same_numbers(value, other[name]) for name, value in one.items())


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Model, list[Any]]]:
    """The models that JSON lines train, and what each predicts of its own file."""
    folder = tmp_path_factory.mktemp("json")
    found = {}
    for name, series in (("one", ONE), ("several", SEVERAL)):
        path = folder / f"{name}.jsonl"
        path.write_text(nested_json(series))
        model = trained(path)
        found[name] = model, list(rnncli.predict(path, model))
    return found


CASES = [("one", name) for name in OF_ONE_NUMBER] + [("several", name) for name in OF_SEVERAL]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_every_writing_trains_the_same_model_and_is_read_by_it(
    kind: str, name: str, references: dict[str, tuple[Model, list[Any]]], tmp_path: Path
) -> None:
    reference, answers = references[kind]
    writers, series = (OF_ONE_NUMBER, ONE) if kind == "one" else (OF_SEVERAL, SEVERAL)
    path = tmp_path / name
    path.write_text(writers[name](series))
    model = trained(path)
    assert same_numbers(model.params, reference.params)
    saved = Model.load(model.save(tmp_path / "model.safetensors") or tmp_path / "model.safetensors")
    predicted = rnncli.predict(path, saved)
    assert [answer.probabilities for answer in predicted] == [answer.probabilities for answer in answers]
    right = sum(answer.label == one.label for answer, one in zip(answers, series, strict=True))
    assert rnncli.evaluate(path, saved).scores.accuracy == right / len(series)
