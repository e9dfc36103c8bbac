"""The Python face: what the commands do, in silence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import rnncli
from rnncli.errors import DataError, RnncliError, StorageError, UsageError
from rnncli.model import Model
from rnncli.training.loop import EpochDone, Event, Finished, StepDone

TINY = {"hidden": 4, "embedding": 3, "batch": 8, "epochs": 2, "validation": 0.25, "min_count": 1}
ROWS = "".join(f"a good film {n},pos\na bad film {n},neg\n" for n in range(12))


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rnncli.core.threads.available_cores", lambda: 1)
    Path("reviews.csv").write_text(f"text,label\n{ROWS}")


def test_train_returns_a_model_and_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    model = rnncli.train("reviews.csv", cell="gru", **TINY)
    assert isinstance(model, Model)
    assert model.labels == ("neg", "pos")
    assert model.settings.cell == "gru"
    (answer,) = model.predict(["a good film"])
    assert answer.probabilities["neg"] + answer.probabilities["pos"] == pytest.approx(1)
    assert model.trace("a good film").hidden.shape == (3, 8)
    assert capfd.readouterr() == ("", "")


def test_train_and_load_are_the_same_model() -> None:
    model = rnncli.train("reviews.csv", **TINY)
    assert sorted(os.listdir()) == ["reviews.csv", "runs"]
    texts = ["a good film", "what?", ""]
    for path in ("runs/latest", "runs/reviews-1", Path("runs/reviews-1/model.safetensors"), "reviews-1"):
        assert rnncli.load(path).predict(texts) == model.predict(texts)
    assert rnncli.load().record == model.record


def test_equal_calls_are_equal_models() -> None:
    first, second = (rnncli.train("reviews.csv", **TINY, name=name) for name in ("a", "b"))
    assert first.predict(["a good film"]) == second.predict(["a good film"])
    assert Path("runs/a/model.safetensors").read_bytes() == Path("runs/b/model.safetensors").read_bytes()
    other = rnncli.train("reviews.csv", **TINY, seed=1)
    assert other.predict(["a good film"]) != first.predict(["a good film"])


def test_events_are_passed_on() -> None:
    events: list[Event] = []
    rnncli.train("reviews.csv", on_event=events.append, **TINY)
    assert [type(event) for event in events] == [StepDone, StepDone, StepDone, EpochDone] * 2 + [Finished]


def test_how_to_read_the_file(tmp_path: Path) -> None:
    Path("data.txt").write_text(f"id;x\ty\n;\n1\t\n{ROWS.replace(',', chr(9))}", encoding="utf-16")
    model = rnncli.train(
        *("data.txt",),
        text="id;x",
        label="y",
        format="tsv",
        encoding="utf-16",
        skip_bad=True,
        runs_folder="kept",
        **TINY,
    )
    assert model.labels == ("neg", "pos")
    assert model.record.data == "data.txt"
    assert os.listdir("kept/data-1")
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("data", "chosen", "kind", "message"),
    [
        ("reviews.csv", {"hiden": 3}, UsageError, "'hiden' is not a setting; did you mean 'hidden'?"),
        ("reviews.csv", {"cell": "lstn"}, UsageError, "did you mean 'lstm'?"),
        ("reviews.csv", {"lr": "fast"}, UsageError, "lr must be a number, not 'fast'"),
        ("reviews.csv", {"hidden": 0}, UsageError, "hidden must be at least 1"),
        ("reviews.csv", {"text": "txt"}, DataError, "there is no column 'txt'; did you mean 'text'?"),
        ("reviews.csv", {"name": "../up"}, UsageError, "cannot name a run"),
        ("revews.csv", {}, StorageError, "revews.csv"),
    ],
)
def test_refusals(data: str, chosen: dict[str, Any], kind: type[RnncliError], message: str) -> None:
    with pytest.raises(kind) as caught:
        rnncli.train(data, **(TINY | chosen))
    assert message in caught.value.message
    assert os.listdir() == ["reviews.csv"]


def test_there_is_nothing_to_load() -> None:
    with pytest.raises(StorageError):
        rnncli.load()
    with pytest.raises(StorageError):
        rnncli.load("reviews.model")


def test_names_of_the_package() -> None:
    assert set(rnncli.__all__) == {"load", "train"}
    assert rnncli.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        rnncli.trian
