"""A training that was stopped, killed or continued ends in the same bits as one that was not."""

from __future__ import annotations

import errno
import hashlib
import io
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import CELLS, time_limit

from rnncli import model_file
from rnncli.config import Settings, settings_from_yaml
from rnncli.data.dataset import Source
from rnncli.errors import ModelFileError, StorageError, TrainingInterrupted, UsageError
from rnncli.results import EpochDone, Finished, StepDone
from rnncli.tasks.classify.network import Classifier
from rnncli.tasks.model import Model
from rnncli.training import resuming, starting
from rnncli.training.session import Session
from rnncli.training.state import EpochRecord
from rnncli.training.step import Trainer

# 30 rows, 8 of them for validation: an epoch is three steps and its end, four events.
TINY: dict[str, Any] = {
    **{"hidden": 4, "embedding": 3, "embedding_scale": 1.0, "dropout": 0.4, "min_count": 1, "validation": 0.25},
    **{"batch": 8, "epochs": 3, "patience": 3, "lr": 0.02, "seed": 5},
}
OPTIMIZERS = ("sgd", "momentum", "rmsprop", "adam", "adamw")
# What goes with each of them, so that everything is there with everything else now and then.
OTHERS = itertools.cycle(
    [
        {"input": "onehot", "bidirectional": True, "class_weights": "balanced", "schedule": "cosine"},
        {"input": "embedding", "bidirectional": False, "readout": "mean", "clip": None},
        {"input": "onehot", "bidirectional": False, "readout": "last", "class_weights": "sqrt", "warmup": 5},
        {"input": "embedding", "bidirectional": True, "layers": 2, "schedule": "constant", "dtype": "float64"},
        {"input": "embedding", "bidirectional": True, "validation": 0.0, "batch": 11},  # 30 rows: three steps too
        {"input": "onehot", "bidirectional": True, "layers": 2, "clip": 0.1, "nonlinearity": "relu", "bias": False},
        {"input": "embedding", "bidirectional": False, "tokens": "char", "max_length": 9, "patience": 1},
    ]
)
# Every optimizer with two or three cells, every cell with three or four optimizers.
CONFIGURATIONS = [
    {"cell": cell, "optimizer": optimizer} | others
    for _, cell, optimizer, others in zip(range(14), itertools.cycle(CELLS), itertools.cycle(OPTIMIZERS), OTHERS)
]
# Each cell with either engine; where there is no compiled one, ``auto`` is NumPy too.
for one, engine in zip(CONFIGURATIONS, itertools.cycle(["auto"] * len(CELLS) + ["numpy"] * len(CELLS))):
    one["engine"] = engine
# The same with three processes, for one optimizer that moves rows without gradient and one that does not.
CONFIGURATIONS += [chosen | {"workers": 3} for chosen in CONFIGURATIONS if chosen["optimizer"] in ("adamw", "sgd")]


def named(chosen: dict[str, Any]) -> str:
    return f"{chosen['cell']}-{chosen['optimizer']}-{chosen.get('engine', 'auto')}-{chosen.get('workers', 1)}"


pytestmark = pytest.mark.usefixtures("one_core")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    rng = np.random.default_rng(0)
    words = ["the", "film", "was", "so", "very", "not", "good", "bad"]
    texts = [" ".join(rng.choice(words, rng.integers(2, 9))) for _ in range(30)]
    path.write_text("text,label\n" + "".join(f"{text},{'pn'[n % 3 == 0]}\n" for n, text in enumerate(texts)))
    return path


def begin(data: Path | str, runs: Path, **chosen: Any) -> Session:
    return starting.start(Source(str(data)), TINY | chosen, runs, "run")


def take_up(runs: Path, data: Path | None = None, **given: Any) -> Session:
    return resuming.resume("run", runs, data=None if data is None else str(data), given=given)


def finish(training: Session) -> Path:
    assert any(isinstance(event, Finished) for event in training.events())
    return training.folder.path


def stop_after(training: Session, events: int) -> bool:
    """Asks it to stop while that event is looked at; False if it was over before."""
    count = 0
    try:
        for event in training.events():
            count += 1
            if count == events and not isinstance(event, Finished):
                training.stop_signal = signal.SIGINT
    except TrainingInterrupted:
        assert count == events
        return True
    return False


def files(run: Path) -> dict[str, str]:
    """SHA-256 of every file, but for the clock's words in the metrics."""
    digests = {}
    for path in run.iterdir():
        content = path.read_bytes()
        if path.name == "metrics.jsonl":
            lines = [json.loads(line) for line in content.splitlines()]
            clock = ("seconds", "words_per_second")
            content = json.dumps([{k: v for k, v in line.items() if k not in clock} for line in lines]).encode()
        digests[path.name] = hashlib.sha256(content).hexdigest()
    return digests


def spy_on_batches(monkeypatch: pytest.MonkeyPatch) -> list[list[bytes]]:
    """Every batch from now on, as it comes to the network."""
    seen: list[list[bytes]] = []
    compute = Classifier.loss_and_gradients

    def spy(self: Classifier, params: Any, batch: Any, *more: Any) -> Any:
        seen.append([ids.tobytes() + bytes([target]) for ids, target in zip(batch.inputs, batch.targets, strict=True)])
        return compute(self, params, batch, *more)

    monkeypatch.setattr(Classifier, "loss_and_gradients", spy)
    return seen


@pytest.fixture(scope="module")
def once(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a training that nothing has stopped; nobody may change it."""
    return finish(begin(data, tmp_path_factory.mktemp("once")))


# Stopped and taken up again


@pytest.mark.parametrize("chosen", CONFIGURATIONS, ids=named)
def test_interrupted_equals_uninterrupted(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, Any]
) -> None:
    """Stopped after the second step, in the next epoch, and after an epoch's end: in every file, bit for bit."""
    batches = spy_on_batches(monkeypatch)
    once = finish(begin(data, tmp_path / "once", **chosen))
    expected, batches[:] = list(batches), []
    assert stop_after(begin(data, tmp_path / "often", **chosen), 2)
    for events in (3, 3):
        resumed = take_up(tmp_path / "often")
        assert resumed.resumed
        if not stop_after(resumed, events):
            break
    often = finish(take_up(tmp_path / "often"))
    assert batches == expected  # none twice, none skipped
    assert len(batches) == 3 * len(Model.load(once / "model.safetensors").record.epochs)
    assert files(often) == files(once)
    assert set(files(once)) == {"README.md", "config.yaml", "metrics.jsonl", "model.safetensors", "state.safetensors"}


def test_everything_is_among_the_configurations() -> None:
    for name, values in {
        "cell": set(CELLS),
        "optimizer": set(OPTIMIZERS),
        "input": {"onehot", "embedding"},
        "bidirectional": {True, False},
        "class_weights": {"balanced", "sqrt", None},
        "schedule": {"cosine", "constant", None},
        "readout": {"mean", "last", None},
    }.items():
        assert {chosen.get(name) for chosen in CONFIGURATIONS} == values


def test_stopped_after_every_single_event(data: Path, once: Path, tmp_path: Path) -> None:
    stopped = stop_after(begin(data, tmp_path / "often"), 1)
    rounds = 1
    while stopped:
        stopped = stop_after(take_up(tmp_path / "often"), 1)
        rounds += 1
    assert rounds == 13  # twelve events, and a round that finds nothing left to do
    assert files(tmp_path / "often" / "run") == files(once)


@pytest.mark.parametrize("epochs", [1, 2])
def test_left_alone_after_an_epoch(data: Path, once: Path, tmp_path: Path, epochs: int) -> None:
    """The process ends without a word, and what the epoch has saved is enough."""
    for event in (events := begin(data, tmp_path / "left").events()):
        if isinstance(event, EpochDone) and event.record.epoch == epochs:
            break
    next(events)  # one more step, of which nothing is saved
    events.close()  # type: ignore[attr-defined]
    assert files(finish(take_up(tmp_path / "left"))) == files(once)


def test_what_was_not_saved_is_run_again(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = spy_on_batches(monkeypatch)
    once = finish(begin(data, tmp_path / "once"))
    expected, batches[:] = list(batches), []
    for event in begin(data, tmp_path / "left").events():
        if isinstance(event, StepDone) and (event.epoch, event.step) == (2, 2):
            break
    assert batches == expected[:5]
    batches.clear()
    assert files(finish(take_up(tmp_path / "left"))) == files(once)
    assert batches == expected[3:]


def test_the_state_comes_back_whole(data: Path, tmp_path: Path) -> None:
    training = begin(data, tmp_path, optimizer="adam")
    assert stop_after(training, 6)
    resumed = take_up(tmp_path)
    for name, value in training.state.store.flat.items():
        assert np.array_equal(resumed.state.store.flat[name], value)
        assert np.shares_memory(resumed.state.store.flat[name], training.state.store.flat[name]) is False
    for moment, groups in training.state.optimizer.moments.items():
        assert groups.keys() == resumed.state.optimizer.moments[moment].keys()
        for group, value in groups.items():
            assert np.array_equal(resumed.state.optimizer.moments[moment][group], value)
            assert np.any(value != 0)
    assert resumed.state.optimizer.step == training.state.optimizer.step == 5
    assert resumed.state.progress == training.state.progress
    assert isinstance(resumed.state.progress.history[0], EpochRecord)
    assert (resumed.state.progress.epoch, resumed.state.progress.step_in_epoch) == (1, 2)
    # Still views into one vector: an optimizer's update of it reaches what the layers compute with.
    resumed.state.store.dense[:] = 7
    assert all((value == 7).all() for name, value in resumed.state.store.flat.items() if name != "embedding/weight")


def test_best_score_and_patience_are_kept(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = iter([0.5, 0.9, 0.8, 0.7, 0.6])
    monkeypatch.setattr(Trainer, "validate", lambda _: (next(script), 1.0))
    first = begin(data, tmp_path, epochs=9, patience=3)
    assert stop_after(first, 12)
    assert (first.state.progress.best_epoch, first.state.progress.epochs_without_better) == (2, 1)
    best = Model.load(first.folder.model).params["output"]["weight"].tobytes()
    second = take_up(tmp_path)
    finish(second)
    assert second.state.progress.finished == "no better score for 3 epochs"
    assert second.state.progress.epoch == 5
    assert second.state.progress.best_epoch == 2
    assert Model.load(second.folder.model).params["output"]["weight"].tobytes() == best


def test_metrics_are_a_loss_of_timings_only(data: Path, once: Path, tmp_path: Path) -> None:
    for damage in (b"", b"[1]\n", b"not JSON", b'{"epoch": "x"}\n', b"\xff", None):
        training = begin(data, tmp_path / "damaged")
        assert stop_after(training, 5)
        if damage is None:
            training.folder.metrics.unlink()
        else:
            training.folder.metrics.write_bytes(damage)
        run = finish(take_up(tmp_path / "damaged"))
        assert {k: v for k, v in files(run).items() if k != "metrics.jsonl"} == {
            k: v for k, v in files(once).items() if k != "metrics.jsonl"
        }
        shutil.rmtree(tmp_path / "damaged")


# More epochs


@pytest.mark.parametrize("accuracies", [[0.5, 0.6, 0.7, 0.6, 0.8, 0.7], [0.5, 0.9, 0.7, 0.6, 0.8, 0.7]])
def test_more_epochs_continue(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accuracies: list[float]
) -> None:
    """With a learning rate that does not depend on their number, as if they had been asked for at once.

    Whether the best epoch is a new one or one of those before.
    """
    script = itertools.cycle(accuracies)
    monkeypatch.setattr(Trainer, "validate", lambda _: (next(script), 1.0))
    once = finish(begin(data, tmp_path / "once", schedule="constant", epochs=6, patience=6))
    finish(begin(data, tmp_path / "twice", schedule="constant", epochs=2, patience=6))
    twice = finish(take_up(tmp_path / "twice", epochs=6))
    model = Model.load(twice / "model.safetensors")
    assert len(model.record.epochs) == model.settings.epochs == 6
    assert files(twice) == files(once)


@pytest.mark.parametrize(
    ("first", "given", "patience"),
    [
        ({"patience": None}, {"epochs": 14}, 7),
        ({"patience": None}, {"epochs": 14, "patience": 9}, 9),
        ({"patience": None}, {}, 5),
        ({"patience": 2}, {"epochs": 14}, 2),
        ({"patience": 2}, {"epochs": 14, "patience": None}, 7),
    ],
)
def test_automatic_patience_goes_with_the_epochs(
    data: Path, tmp_path: Path, first: dict[str, Any], given: dict[str, Any], patience: int
) -> None:
    assert stop_after(begin(data, tmp_path, **first), 2)
    resumed = take_up(tmp_path, **given)
    assert (resumed.settings.epochs, resumed.settings.patience) == (given.get("epochs", 3), patience)
    config = settings_from_yaml((tmp_path / "run" / "config.yaml").read_bytes(), "config.yaml")
    assert Settings(**config) == resumed.settings
    resumed.stop_signal = signal.SIGINT
    with pytest.raises(TrainingInterrupted):
        finish(resumed)
    automatic = given.get("patience", first["patience"]) is None
    assert take_up(tmp_path, epochs=20).settings.patience == (10 if automatic else patience)


def test_another_number_of_workers_goes_on_and_is_kept(data: Path, tmp_path: Path) -> None:
    assert stop_after(begin(data, tmp_path, workers=1), 2)
    resumed = take_up(tmp_path, workers=2)
    assert resumed.settings.workers == 2
    assert len(Model.load(finish(resumed) / "model.safetensors").record.epochs) == 3
    assert take_up(tmp_path, workers=None).settings.workers == 2  # which is not auto


def test_automatic_patience_is_as_if_the_epochs_had_been_asked_for_at_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trainer, "validate", lambda _: (0.5, 1.0))
    chosen: dict[str, Any] = {"schedule": "constant", "patience": None}
    once = finish(begin(data, tmp_path / "once", epochs=14, **chosen))
    finish(begin(data, tmp_path / "twice", epochs=2, **chosen))
    twice = finish(take_up(tmp_path / "twice", epochs=14))
    assert len(Model.load(once / "model.safetensors").record.epochs) == 8
    assert files(twice) == files(once)


def test_a_finished_training_says_so(data: Path, tmp_path: Path) -> None:
    finish(begin(data, tmp_path))
    before = files(tmp_path / "run")
    resumed = take_up(tmp_path)
    assert list(resumed.events()) == [Finished("all 3 epochs are done")]
    assert files(tmp_path / "run") == before


@pytest.mark.parametrize(
    ("given", "reason", "epochs"),
    [
        ({}, "no better score for 2 epochs", 3),
        ({"epochs": 9}, "no better score for 2 epochs", 3),  # named again: as before
        ({"patience": 4}, "no better score for 4 epochs", 5),
        ({"epochs": 4, "patience": 4}, "all 4 epochs are done", 4),
        ({"epochs": 2}, "no better score for 2 epochs", 3),
    ],
)
def test_one_that_ran_out_of_patience(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], reason: str, epochs: int
) -> None:
    """It goes on where the patience it has now is not yet out, as if it had had that from the beginning."""
    monkeypatch.setattr(Trainer, "validate", lambda _: (0.5, 1.0))
    finish(begin(data, tmp_path, epochs=9, patience=2))
    resumed = take_up(tmp_path, **given)
    *_, last = resumed.events()
    assert last == Finished(reason)
    assert len(resumed.state.progress.history) == epochs


def test_after_no_epochs(data: Path, tmp_path: Path) -> None:
    once = finish(begin(data, tmp_path / "once", schedule="constant"))
    finish(begin(data, tmp_path / "twice", schedule="constant", epochs=0))
    twice = finish(take_up(tmp_path / "twice", epochs=3))
    assert files(twice)["model.safetensors"] == files(once)["model.safetensors"]


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("batch", [100, 8])
def test_stopped_after_the_last_step_of_an_epoch(data: Path, tmp_path: Path, workers: int, batch: int) -> None:
    """What is left to do before the next step is shared work too: to settle rows, and to validate."""
    chosen = {"workers": workers, "batch": batch, "dropout": 0.3}
    once = finish(begin(data, tmp_path / "once", **chosen))
    stopped = begin(data, tmp_path / "stopped", **chosen)
    steps = -(-stopped.prepared.train.size // batch)
    assert stop_after(stopped, steps)
    assert (stopped.state.progress.epoch, stopped.state.progress.step_in_epoch) == (0, steps)
    with time_limit(60):
        assert files(finish(take_up(tmp_path / "stopped"))) == files(once)


@pytest.mark.parametrize("what", ["fork", "semaphores"])
def test_where_processes_cannot_be_had_one_trains_and_the_state_says_so(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    alone = finish(begin(data, tmp_path / "alone", workers=1))

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr({"fork": "os.fork", "semaphores": "multiprocessing.context.BaseContext.Semaphore"}[what], refused)
        stopped = begin(data, tmp_path / "refused", workers=2)
        assert stop_after(stopped, 6)
    assert [record.message for record in caplog.records] == [
        f"one process does all of the work: {'other processes' if what == 'fork' else 'semaphores'} cannot be made "
        "(Read-only file system)"
    ]
    resumed = take_up(tmp_path / "refused")  # here two could be had, but the bits would be others
    assert resumed.settings.workers == 1
    assert files(finish(resumed)) == files(alone)


# Two at once


def test_a_run_that_is_being_trained_is_refused(data: Path, tmp_path: Path) -> None:
    training = begin(data, tmp_path, workers=2)
    events = training.events()
    next(events)
    for _ in range(2):
        with pytest.raises(StorageError, match="run is being trained at this moment, by another process"):
            take_up(tmp_path)
    with pytest.raises(UsageError, match="exists already"):
        begin(data, tmp_path)
    events.close()
    resumed = take_up(tmp_path)
    with pytest.raises(StorageError, match="is being trained"):
        take_up(tmp_path)
    finish(resumed)
    assert sorted(os.listdir(training.folder.path)) == sorted(files(training.folder.path))


def test_a_name_that_is_taken_while_the_data_are_read(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two trainings of one name, begun at the same time: the first to have its folder ready gets the name."""
    lexists, first = os.path.lexists, []

    def meanwhile(path: Any) -> bool:
        free = not lexists(path)
        if str(path).endswith("run") and not first:
            first.append(True)
            first.append(begin(data, tmp_path, hidden=3))
        return not free

    monkeypatch.setattr("os.path.lexists", meanwhile)
    with pytest.raises(UsageError, match="exists already"):
        begin(data, tmp_path)
    assert settings_from_yaml((tmp_path / "run" / "config.yaml").read_bytes(), "config.yaml")["hidden"] == 3
    assert os.listdir(tmp_path) == ["run"]


def test_the_lock_ends_with_the_process_that_holds_it(data: Path, tmp_path: Path) -> None:
    """However it ends; its workers, which may live a moment longer, do not hold it."""
    pid = os.fork()
    if pid == 0:
        events = begin(data, tmp_path, workers=2, epochs=1000, patience=1000).events()
        next(events)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert take_up(tmp_path).settings.workers == 2


# Killed

CHILD = """
import os, signal, sys, time
from pathlib import Path
from rnncli.config import Settings, settings_from_yaml
from rnncli.data.dataset import Source
from rnncli.training import resuming, starting
from rnncli.results import StepDone

data, runs, settings, event_to_die, rename_to_die, pause = eval(sys.argv[1])
renames, rename = 0, os.replace

def replace(*names):
    global renames
    renames += 1
    if renames == rename_to_die:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(*names)

os.replace = replace
training = starting.start(data, settings, Path(runs), "run")
for count, event in enumerate(training.events(), 1):
    if count == event_to_die:
        os.kill(os.getpid(), signal.SIGKILL)
    if isinstance(event, StepDone):
        time.sleep(pause)
"""


def child(
    data: Path | Source,
    runs: Path,
    event: int = 0,
    rename: int = 0,
    pause: float = 0.0,
    settings: dict[str, Any] = TINY,
) -> subprocess.Popen[bytes]:
    """A training in a process of its own that kills itself at an event, or before a file gets its name."""
    source = data if isinstance(data, Source) else Source(str(data))
    what = repr((source, str(runs), settings, event, rename, pause))
    return subprocess.Popen([sys.executable, "-c", CHILD, what], env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})


def assert_goes_on_as_if_nothing_had_been(data: Path, killed: Path, once: Path) -> None:
    assert files(finish(take_up(killed))) == files(once)
    assert sorted(os.listdir(killed / "run")) == sorted(files(once))  # no temporary file is left
    assert Model.load(killed / "latest" / "model.safetensors").record.rows == 22


# The names that are given, in order: the configuration, the state before the first step, the run; then for an epoch
# that is the best so far model, latest, metrics and state.
@pytest.mark.parametrize(
    ("event", "rename"),
    [(1, 0), (2, 0), (5, 0), (7, 0), (8, 0), (12, 0), *((0, rename) for rename in range(4, 12))],
    ids=lambda number: str(number),
)
def test_killed_at_a_chosen_moment(data: Path, once: Path, tmp_path: Path, event: int, rename: int) -> None:
    process = child(data, tmp_path / "killed", event, rename)
    assert process.wait(60) == -signal.SIGKILL
    assert_goes_on_as_if_nothing_had_been(data, tmp_path / "killed", once)


def test_killed_from_outside_in_the_middle_of_it(data: Path, once: Path, tmp_path: Path) -> None:
    process = child(data, tmp_path / "killed", pause=0.05)
    metrics, deadline = tmp_path / "killed" / "run" / "metrics.jsonl", time.monotonic() + 60
    while not metrics.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    while not (tmp_path / "killed" / "run" / "state.safetensors").exists():
        time.sleep(0.001)
    time.sleep(0.07)
    process.kill()
    # On a busy machine the training may have come to its end first, and is then taken up as a finished one.
    assert process.wait(60) in (-signal.SIGKILL, 0)
    assert_goes_on_as_if_nothing_had_been(data, tmp_path / "killed", once)


@pytest.mark.parametrize("rename", [1, 2, 3])
def test_killed_before_anything_was_saved(data: Path, once: Path, tmp_path: Path, rename: int) -> None:
    """There is no run then, and its name is free."""
    assert child(data, tmp_path / "killed", rename=rename).wait(60) == -signal.SIGKILL
    with pytest.raises(StorageError, match="there is no run 'run'"):
        take_up(tmp_path / "killed")
    assert files(finish(begin(data, tmp_path / "killed"))) == files(once)
    assert sorted(os.listdir(tmp_path / "killed")) == ["latest", "run"]


# What it refuses


@pytest.fixture
def stopped(data: Path, tmp_path: Path) -> Path:
    """A folder of runs with one that was stopped in its second epoch."""
    assert stop_after(begin(data, tmp_path / "runs"), 6)
    return tmp_path / "runs"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hidden": 5}, "the training to resume has hidden 4, not 5"),
        ({"cell": "gru"}, "has cell lstm, not gru"),
        ({"min_count": 2}, "has min_count 1, not 2"),
        ({"seed": 6}, "has seed 5, not 6"),
        ({"lr": 0.5}, "has lr 0.02, not 0.5"),
        ({"validation": 0.3}, "has validation 0.25, not 0.3"),
        ({"hiden": 4}, "did you mean 'hidden'"),
        ({"epochs": -1}, "epochs must be at least 0"),
        ({"patience": 0}, "patience must be at least 1"),
    ],
)
def test_another_setting_is_refused_by_name(stopped: Path, given: dict[str, Any], message: str) -> None:
    before = files(stopped / "run")
    with pytest.raises(UsageError) as caught:
        take_up(stopped, **given)
    assert message in caught.value.message
    assert files(stopped / "run") == before


def test_a_refused_resume_leaves_the_run_free(stopped: Path, once: Path) -> None:
    """At once, and not when the error that somebody still looks at is forgotten."""
    with pytest.raises(UsageError, match="has hidden 4, not 5") as caught:
        take_up(stopped, hidden=5)
    assert files(finish(take_up(stopped))) == files(once)
    assert caught.tb is not None


def test_the_same_settings_may_be_named_again(data: Path, once: Path, tmp_path: Path, stopped: Path) -> None:
    assert files(finish(take_up(stopped, **TINY, tokens="auto", clip=1))) == files(once)


def test_other_data_are_refused(data: Path, tmp_path: Path, stopped: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text(data.read_text() + "one more,p\n")
    before = files(stopped / "run")
    with pytest.raises(UsageError) as caught:
        take_up(stopped, other)
    assert str(other) in caught.value.message
    assert "its contents have changed" in caught.value.message
    with pytest.raises(StorageError):
        take_up(stopped, tmp_path / "not there.csv")
    assert files(stopped / "run") == before


def test_data_that_have_changed_in_place(data: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    shutil.copy(data, mine)
    assert stop_after(begin(mine, tmp_path / "runs"), 6)
    mine.write_text(data.read_text().replace("good", "fine", 1))
    with pytest.raises(UsageError, match="its contents have changed"):
        take_up(tmp_path / "runs")


def test_data_that_have_moved(data: Path, once: Path, tmp_path: Path) -> None:
    before = tmp_path / data.name
    shutil.copy(data, before)
    assert stop_after(begin(before, tmp_path / "runs"), 6)
    (tmp_path / "elsewhere").mkdir()
    after = before.rename(tmp_path / "elsewhere" / data.name)
    with pytest.raises(StorageError):
        take_up(tmp_path / "runs")
    run = finish(take_up(tmp_path / "runs", after))
    assert files(run)["model.safetensors"] == files(once)["model.safetensors"]


def test_a_relative_path_is_found_from_elsewhere(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data.parent)
    assert stop_after(begin(data.name, tmp_path / "runs"), 6)
    monkeypatch.chdir(tmp_path)
    finish(take_up(tmp_path / "runs"))


def test_data_from_a_pipe_have_to_be_named_again(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data.read_bytes())))
    assert stop_after(begin("-", tmp_path), 6)
    with pytest.raises(UsageError, match="was trained from stdin"):
        take_up(tmp_path)
    run = finish(take_up(tmp_path, data))
    assert Model.load(run / "model.safetensors").record.rows == 22


def test_there_is_nothing_to_resume(tmp_path: Path, data: Path) -> None:
    folder = finish(begin(data, tmp_path))
    (tmp_path / "latest").unlink()
    (folder / "state.safetensors").unlink()
    for name, message in (
        ("run", "holds no saved state to resume; the model that is there can be used, but not trained on"),
        ("latest", "there is no model"),
        ("runn", "mean 'run'"),
    ):
        with pytest.raises(StorageError, match=message) as caught:
            resuming.resume(name, tmp_path)
        assert caught.value.exit_code == 5


# Damage


def test_a_damaged_state_is_refused(stopped: Path) -> None:
    state = stopped / "run" / "state.safetensors"
    whole = state.read_bytes()
    rng = np.random.default_rng(0)
    flipped = []
    for place in rng.integers(0, len(whole), 40).tolist():
        content = bytearray(whole)
        content[place] ^= 1 << int(rng.integers(8))
        flipped.append(bytes(content))
    cut = [whole[:length] for length in rng.integers(0, len(whole), 20).tolist()]
    for damaged in [*flipped, *cut, b"", whole + b"x", (stopped / "run" / "model.safetensors").read_bytes()]:
        state.write_bytes(damaged)
        with pytest.raises(ModelFileError):
            take_up(stopped)
    state.write_bytes(whole)
    assert take_up(stopped).state.optimizer.step == 5


FORGERIES: dict[str, Any] = {
    "no settings": lambda m: m["context"].pop("settings"),
    "settings are a list": lambda m: m["context"].update(settings=[]),
    "settings out of range": lambda m: m["context"]["settings"].update(hidden=0),
    "an unknown setting": lambda m: m["context"]["settings"].update(module="os"),
    "another size": lambda m: m["context"]["settings"].update(hidden=5),
    "another optimizer": lambda m: m["context"]["settings"].update(optimizer="sgd"),
    "no source": lambda m: m["context"].pop("source"),
    "source with more": lambda m: m["context"]["source"].update(shell="ls"),
    "path is a number": lambda m: m["context"]["source"].update(path=0),
    "patience is neither": lambda m: m["context"].update(automatic_patience=1),
    "no digest": lambda m: m["context"].pop("digest"),
    "context is a list": lambda m: m.update(context=[]),
    "no progress": lambda m: m.pop("progress"),
    "progress with more": lambda m: m["progress"].update(more=1),
    "epoch is a text": lambda m: m["progress"].update(epoch="1"),
    "epoch below zero": lambda m: m["progress"].update(epoch=-1),
    "step is a fraction": lambda m: m["progress"].update(step_in_epoch=0.5),
    "loss is a text": lambda m: m["progress"].update(loss_sum="0"),
    "score is a text": lambda m: m["progress"].update(best_score="ab"),
    "score has one number": lambda m: m["progress"].update(best_score=[0.5]),
    "finished is a number": lambda m: m["progress"].update(finished=3),
    "history is a number": lambda m: m["progress"].update(history=3),
    "history of numbers": lambda m: m["progress"].update(history=[3]),
    "record with less": lambda m: m["progress"]["history"][0].pop("loss"),
    "record of texts": lambda m: m["progress"]["history"][0].update(epoch="one", loss="low"),
    "no count of idle steps": lambda m: m.pop("idle_steps"),
    "idle steps before the first": lambda m: m.update(idle_steps=-1),
    "more idle steps than are counted": lambda m: m.update(idle_steps=4096),
    "idle steps in words": lambda m: m.update(idle_steps="3"),
    "a row ahead of its time": lambda m: m.update(idle_steps=0),
    "step is a text": lambda m: m.update(optimizer_step="x"),
    "step below zero": lambda m: m.update(optimizer_step=-1),
    "another kind": lambda m: m.update(kind="model"),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_state_is_refused(stopped: Path, forge: Any) -> None:
    """With a right SHA-256, so that only what it says is wrong."""
    state = stopped / "run" / "state.safetensors"
    manifest, tensors = model_file.load(state)
    forge(manifest)
    model_file.save(state, manifest, tensors)
    with pytest.raises(ModelFileError) as caught:
        finish(take_up(stopped))
    assert str(state) in caught.value.message


def test_a_state_with_other_tensors_is_refused(stopped: Path) -> None:
    state = stopped / "run" / "state.safetensors"
    manifest, tensors = model_file.load(state)
    weight = tensors["parameters/output/weight"]
    for changed in (
        {name: value for name, value in tensors.items() if name != "parameters/output/weight"},
        tensors | {"parameters/more": weight},
        tensors | {"parameters/output/weight": weight.T.copy()},
        tensors | {"parameters/output/weight": weight.astype(np.float64)},
    ):
        model_file.save(state, manifest, changed)
        with pytest.raises(ModelFileError, match="does not belong to this training"):
            take_up(stopped)


# Other answers than a label: thresholds, means and deviations come again from the same bits


def films(path: Path) -> Source:
    rng = np.random.default_rng(1)
    words = {"action": "guns", "comedy": "jokes", "drama": "tears"}
    rows = []
    for _ in range(30):
        labels = [label for label in words if rng.random() < 0.4]
        text = " ".join(["the", *(words[label] for label in labels), *rng.choice(["film", "so", "was"], 2)])
        rows.append(json.dumps({"text": text, "labels": labels}))
    return written(path / "films.jsonl", rows)


def prices(path: Path) -> Source:
    rng = np.random.default_rng(2)
    rows = ["text,price"]
    for _ in range(30):
        words = rng.choice(["old", "new", "red", "car", "bus"], 4)
        rows.append(f"{' '.join(words)},{sum(map(len, words)) + rng.normal():.2f}")
    return written(path / "prices.csv", rows, label="price")


def readings(path: Path) -> Source:
    """A row in time for each number, so that an input is the last of them."""
    rng = np.random.default_rng(3)
    rows = ["hour,load,heat", *(f"{hour},{rng.normal():.2f},{rng.normal():.2f}" for hour in range(40))]
    return written(path / "readings.csv", rows, label="heat", time="hour")


def sold(path: Path) -> Source:
    rows = ["month,sold", *(f"{2000 + k // 12}-{1 + k % 12:02},{k + 30 * (k % 12)}" for k in range(60))]
    return written(path / "sold.csv", rows)


def written(path: Path, rows: list[str], **chosen: str) -> Source:
    path.write_text("\n".join(rows) + "\n")
    return Source(str(path), **chosen)


ANSWERS: list[tuple[Any, str, dict[str, Any]]] = [
    (films, "multilabel", {"cell": "lstm", "optimizer": "adamw"}),
    (films, "multilabel", {"cell": "gru", "optimizer": "sgd", "input": "onehot", "readout": "mean", "workers": 3}),
    (films, "multilabel", {"cell": "rnn", "optimizer": "adam", "validation": 0.0}),
    (prices, "regress", {"cell": "lstm", "optimizer": "adamw"}),
    (prices, "regress", {"cell": "mingru", "optimizer": "sgd", "input": "onehot", "workers": 3}),
    (readings, "regress", {"cell": "gru", "optimizer": "adam", "window": 4, "workers": 2}),
    (readings, "regress", {"cell": "rnn", "optimizer": "momentum", "validation": 0.0, "readout": "mean"}),
    (sold, "forecast", {"cell": "lstm", "optimizer": "rmsprop"}),
    (sold, "forecast", {"cell": "gru", "optimizer": "adamw", "horizon": 2, "window": 5, "workers": 3}),
]


@pytest.fixture
def answers(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Source, dict[str, Any]]:
    make, task, chosen = request.param
    numbers = {} if make in (films, prices) else {"embedding": None, "embedding_scale": None, "min_count": None}
    given = {name: value for name, value in (TINY | numbers | chosen).items() if value is not None}
    return make(tmp_path), given | {"task": task, "keep_epochs": True}


each_answer = pytest.mark.parametrize(
    "answers", ANSWERS, indirect=True, ids=lambda one: f"{one[1]}-{one[0].__name__}-{named(one[2])}"
)


def all_files(run: Path) -> dict[str, Any]:
    """As :func:`files`, with those of the epochs that were kept."""
    epochs = {path.name: path.read_bytes() for path in sorted((run / "epochs").iterdir())}
    shutil.rmtree(run / "epochs")
    return epochs | files(run)


@each_answer
def test_other_answers_interrupted_equal_uninterrupted(answers: tuple[Source, dict[str, Any]], tmp_path: Path) -> None:
    source, settings = answers
    once = finish(starting.start(source, settings, tmp_path / "once", "run"))
    assert stop_after(starting.start(source, settings, tmp_path / "often", "run"), 2)
    while stop_after(take_up(tmp_path / "often"), 3):
        pass
    often = finish(take_up(tmp_path / "often"))
    assert len(found := all_files(once)) == 5 + 4  # those of epochs 0 to 3
    assert all_files(often) == found


@each_answer
def test_other_answers_killed_at_a_chosen_moment(answers: tuple[Source, dict[str, Any]], tmp_path: Path) -> None:
    source, settings = answers
    once = all_files(finish(starting.start(source, settings, tmp_path / "once", "run")))
    event, rename = [(3, 0), (5, 0), (0, 6)][len(str(settings)) % 3]
    assert child(source, tmp_path / "killed", event, rename, settings=settings).wait(60) == -signal.SIGKILL
    assert all_files(finish(take_up(tmp_path / "killed"))) == once
