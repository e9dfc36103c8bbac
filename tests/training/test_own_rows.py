"""Trainings with files beside the data, and from a model, end in the same bits when they were stopped or killed."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from rnncli.core.optim.parameters import flatten
from rnncli.data.dataset import Source
from rnncli.errors import DataError, DivergedError, ModelFileError, StorageError, TrainingInterrupted, UsageError
from rnncli.results import Finished
from rnncli.tasks.model import Model
from rnncli.training import resuming, starting, state
from rnncli.training.continuing import Begin
from rnncli.training.parts import parts
from rnncli.training.session import Session

TINY: dict[str, Any] = {"hidden": 4, "embedding": 3, "batch": 4, "epochs": 2, "min_count": 1, "lr": 0.05, "workers": 1}
WORDS = {"p": ["good", "fine", "warm"], "n": ["bad", "poor", "cold"], "o": ["odd"]}


def rows_of(labels: str, start: int) -> str:
    lines = (f"a {WORDS[one][n % len(WORDS[one])]} film {start + n},{one}" for n, one in enumerate(labels))
    return "text,label\n" + "\n".join(lines) + "\n"


def days(count: int, season: int) -> str:
    return "day,load\n" + "".join(f"2026-01-{n + 1:02},{n % season + 0.5 * n}\n" for n in range(count))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("rnncli.core.threads.available_cores", lambda: 1)
    monkeypatch.chdir(tmp_path)
    contents = {"data": rows_of("pn" * 7, 0), "val": rows_of("pnp", 50), "test": rows_of("nnpp", 60)}
    contents |= {"new": rows_of("pon" * 4, 80), "old": rows_of("pn" * 6, 90), "load": days(24, 5), "later": days(16, 7)}
    for name, content in contents.items():
        (tmp_path / f"{name}.csv").write_text(content)
    return tmp_path


def first(**chosen: Any) -> Session:
    made = starting.start(Source("old.csv"), TINY | {"validation": 0} | chosen, Path("runs"), "old")
    finish(made)
    return made


def from_model(name: str, data: str, older: str, validation: str | float) -> Session:
    path = Path("runs/old/model.safetensors")
    model, given = Begin.of(Model.load(path), path), TINY | {"validation": validation}
    return starting.start(Source(data), given, Path("runs"), name, begin=model, keep=older)


def begin(name: str, kind: str) -> Session:
    """A training of a kind, before its first step."""
    match kind:
        case "validation and test":
            given = TINY | {"validation": "val.csv"}
            return starting.start(Source("data.csv"), given, Path("runs"), name, test="test.csv")
        case "from a model":
            return from_model(name, "new.csv", "old.csv", "val.csv")
        case "a forecast from a model":
            return from_model(name, "later.csv", "load.csv", 0.3)
        case "folds":
            given = TINY | {"validation": 0.2, "epochs": 1}
            return starting.start(Source("data.csv"), given, Path("runs"), name, folds=3, keep_folds=name == "whole")
    raise AssertionError(kind)


def finish(training: Session) -> None:
    for part in parts(training):
        assert any(isinstance(event, Finished) for event in part.events())


def stop_after(training: Session, events: int) -> bool:
    number = 0
    try:
        for part in parts(training):
            for event in part.events():
                number += 1
                if number == events and not isinstance(event, Finished):
                    part.stop_signal = signal.SIGINT
    except TrainingInterrupted:
        return True
    return False


def files(name: str) -> dict[str, bytes]:
    kept = ("model.safetensors", "state.safetensors", "config.yaml", "origin.safetensors")
    return {one: (Path("runs") / name / one).read_bytes() for one in kept if (Path("runs") / name / one).exists()}


@pytest.mark.parametrize("kind", ["validation and test", "from a model", "a forecast from a model"])
def test_stopped_after_every_event_and_resumed(folder: Path, kind: str) -> None:
    """Also where the process is killed: what is there after an event is all that a later process finds."""
    if kind == "a forecast from a model":
        finish(starting.start(Source("load.csv"), TINY | {"horizon": 2, "window": 4}, Path("runs"), "old"))
    else:
        first()
    finish(begin("whole", kind))
    shutil.rmtree("runs/old")  # what a training began with is kept with it
    wanted, events = files("whole"), 0
    assert len(wanted) == (4 if "from a model" in kind else 3)
    shutil.copytree("runs/whole", "runs/finished")
    for events in range(1, 20):
        shutil.rmtree("runs/stopped", ignore_errors=True)
        if "from a model" in kind:
            Path("runs/old").mkdir(exist_ok=True)
            shutil.copy("runs/whole/origin.safetensors", "runs/old/model.safetensors")
        stopped = stop_after(begin("stopped", kind), events)
        if "from a model" in kind:
            shutil.rmtree("runs/old")
        if not stopped:
            break
        finish(resuming.resume("stopped", Path("runs")))
        assert files("stopped") == wanted, events
    assert events > 5


@pytest.mark.parametrize(("option", "kind"), [
    ("validation", "validation and test"), ("test", "validation and test"), ("keep", "from a model"),
])  # fmt: skip
def test_a_file_that_has_changed_or_moved(folder: Path, option: str, kind: str) -> None:
    first()
    assert stop_after(begin("run", kind), 3)
    name = {"validation": "val.csv", "test": "test.csv", "keep": "old.csv"}[option]
    content = Path(name).read_text()
    before = {path: path.read_bytes() for path in Path("runs/run").iterdir()}
    Path(name).write_text(content + "a good film,p\n")
    with pytest.raises(UsageError, match=f"{name} is not the {option} file of runs/run: its contents have changed"):
        resuming.resume("run", Path("runs"))
    Path(name).rename("elsewhere.csv")
    with pytest.raises(StorageError) as absent:
        resuming.resume("run", Path("runs"))
    assert absent.value.hint == f"if it has moved: rnncli train --resume runs/run --{option} FILE"
    assert {path: path.read_bytes() for path in Path("runs/run").iterdir()} == before
    Path("elsewhere.csv").write_text(content)
    named: dict[str, Any] = {"given": {"validation": "elsewhere.csv"}}
    if option != "validation":
        named = {"beside": {option: "elsewhere.csv"}}
    finish(resuming.resume("run", Path("runs"), **named))


def test_the_copy_of_the_model_is_not_exchanged(folder: Path) -> None:
    first()
    assert stop_after(begin("run", "from a model"), 3)
    finish(starting.start(Source("old.csv"), TINY | {"validation": 0, "seed": 9}, Path("runs"), "second"))
    shutil.copy("runs/second/model.safetensors", "runs/run/origin.safetensors")
    with pytest.raises(ModelFileError, match="this is not the model that the training began with"):
        resuming.resume("run", Path("runs"))


def test_a_resumed_training_takes_no_files_that_it_did_not_have(folder: Path) -> None:
    stopped = starting.start(Source("data.csv"), TINY, Path("runs"), "run")
    assert stop_after(stopped, 2)
    with pytest.raises(UsageError, match="--test: the training to resume has no such file"):
        resuming.resume("run", Path("runs"), beside={"test": "test.csv"})
    with pytest.raises(UsageError, match=r"the training to resume has validation 0\.1, not val\.csv"):
        resuming.resume("run", Path("runs"), given={"validation": "val.csv"})


def test_states_of_before_are_read(folder: Path) -> None:
    training = starting.start(Source("data.csv"), TINY, Path("runs"), "run")
    assert stop_after(training, 2)
    start = state.load(training.folder.state).start
    assert (start.files, start.origin) == ({}, None)


def test_folds_that_were_killed_after_every_event(folder: Path) -> None:
    """What is on disk after each event, as kill -9 leaves it, leads to the same scores and the same model."""
    whole = begin("whole", "folds")
    finish(whole)
    assert len(whole.state.progress.folds) == 3
    killed, runs, count = begin("run", "folds"), Path("runs"), 0
    for part in parts(killed):
        for event in part.events():
            count += 1
            shutil.copytree(runs / "run", Path("left") / "run", dirs_exist_ok=True)
            taken_up = resuming.resume("run", Path("left"))
            finish(taken_up)
            for file in ("model.safetensors", "config.yaml"):
                left, wanted = (Path("left") / "run" / file).read_bytes(), (runs / "whole" / file).read_bytes()
                assert left == wanted, (part.fold, event)
            assert taken_up.state.progress == whole.state.progress
            assert {path.name for path in Path("left").iterdir()} - {"latest"} == {"run"}
            shutil.rmtree("left")
    assert count == 3 * 4 + 5  # steps, an epoch and the end each


@pytest.mark.parametrize("events", [1, 4, 5, 9, 13, 16])
def test_folds_that_were_stopped(folder: Path, events: int) -> None:
    finish(begin("whole", "folds"))
    if stop_after(begin("run", "folds"), events):
        finish(resuming.resume("run", Path("runs")))
    assert files("run")["model.safetensors"] == files("whole")["model.safetensors"]


def test_all_folds_have_the_same_epochs(folder: Path) -> None:
    assert stop_after(begin("run", "folds"), 5)
    with pytest.raises(UsageError, match="has folds that are not done, and all of them have the same epochs"):
        resuming.resume("run", Path("runs"), given={"epochs": 2})


def test_folds_change_nothing_of_the_model_and_are_kept_on_request(folder: Path) -> None:
    plain = starting.start(Source("data.csv"), TINY | {"validation": 0.2, "epochs": 1}, Path("runs"), "plain")
    finish(plain)
    finish(begin("whole", "folds"))
    models = [Model.load(Path("runs") / name / "model.safetensors") for name in ("plain", "whole")]
    for value, other in zip(*(dict(flatten(model.params)).values() for model in models), strict=True):
        assert (value == other).all()
    scores = models[1].record.folds
    assert [fold.rows for fold in scores] == [5, 5, 4]
    for number, fold in enumerate(scores, 1):
        kept = Model.load(Path("runs") / f"whole-fold{number}" / "model.safetensors")
        assert kept.record.test is not None
        assert (kept.record.test.score, kept.record.test.data) == (fold.score, "data.csv")
    assert Path("runs/latest").readlink() == Path("whole")
    assert not Path("runs/whole/folds").exists()


def test_folds_that_diverged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnncli.training.loop.within_bounds", lambda _: False)
    with pytest.raises(DivergedError):
        finish(begin("run", "folds"))
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    with pytest.raises(DivergedError, match="runs/run cannot be resumed"):
        finish(resuming.resume("run", Path("runs")))


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"keep_folds": True}, UsageError, "--keep-folds keeps the runs of folds, and there are none"),
    ({"folds": 20}, DataError, "data.csv: 14 records cannot be divided into 20 folds"),
    ({"folds": 2, "keep_folds": True}, UsageError, "runs/run-fold2 exists already"),
]


@pytest.mark.parametrize(("given", "error", "says"), REFUSED)
def test_folds_that_cannot_be(folder: Path, given: dict[str, Any], error: type[Exception], says: str) -> None:
    Path("runs/run-fold2").mkdir(parents=True)
    with pytest.raises(error, match=says):
        starting.start(Source("data.csv"), TINY | {"validation": 0.2}, Path("runs"), "run", **given)
    assert not Path("runs/run").exists()
