"""Processes that train together: the same numbers as one alone, the same bits each time, and none left behind."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training.test_loop import NONE, TRAIN, VALIDATION, Training, bits, order_problem

from rnncli.errors import DivergedError, StorageError
from rnncli.parallel.forked import shared_empty
from rnncli.results import EpochDone
from rnncli.tasks.classify.network import Classifier
from rnncli.tasks.many_to_one.network import Examples
from rnncli.training import loop
from rnncli.training.loop import auto_workers


def children() -> list[int]:
    """Processes of ours that run, or have ended and were not waited for."""
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in listed]


@pytest.fixture(autouse=True)
def nobody_left() -> Any:
    before = children()
    yield
    assert children() == before


KINDS = [
    {"optimizer": "adamw", "cell": "lstm", "bidirectional": True},
    {"optimizer": "sgd", "input": "onehot"},
    {"optimizer": "momentum", "layers": 2, "class_weights": "none"},
    {"optimizer": "rmsprop", "cell": "rnn"},
    {"optimizer": "adam", "clip": 0.01, "batch": 3},  # the last batch of 20 texts has two: fewer than processes
]


@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize("chosen", KINDS, ids=lambda chosen: "-".join(map(str, chosen.values())))
def test_together_they_compute_what_one_computes(chosen: dict[str, Any], workers: int) -> None:
    alone, together = (Training(dtype="float64", workers=count, **chosen) for count in (1, workers))
    states = [training.finish() for training in (alone, together)]
    for name, value in states[0].store.flat.items():
        np.testing.assert_allclose(states[1].store.flat[name], value, rtol=1e-9, atol=1e-11, err_msg=name)
    for one, other in zip(alone.history, together.history, strict=True):
        assert other.loss == pytest.approx(one.loss, rel=1e-9)
        assert other.validation_loss == pytest.approx(one.validation_loss, rel=1e-9)
        assert (other.validation_accuracy, other.best) == (one.validation_accuracy, one.best)


def test_weights_of_rows_count_over_the_whole_batch() -> None:
    weights = np.linspace(0.2, 3, len(TRAIN.inputs))
    weighted = Examples(TRAIN.inputs, TRAIN.targets, weights)
    alone, together = (Training(weighted, dtype="float64", workers=count).finish() for count in (1, 2))
    for name, value in alone.store.flat.items():
        np.testing.assert_allclose(together.store.flat[name], value, rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("workers", [2, 3])
def test_the_same_number_of_workers_gives_the_same_bits(workers: int) -> None:
    first, second = (bits(Training(dropout=0.5, workers=workers).finish()) for _ in range(2))
    assert first == second
    assert first != bits(Training(dropout=0.5).finish())  # sums in another order, other random numbers


def test_rows_are_settled_when_their_count_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnncli.core.optim.lazy_rows.CAPACITY", 2)
    alone, together = (Training(dtype="float64", workers=count, epochs=2).finish() for count in (1, 2))
    for name, value in alone.store.flat.items():
        np.testing.assert_allclose(together.store.flat[name], value, rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("where", ["early", "late"])
def test_divergence_is_noticed_by_all(where: str) -> None:
    training = Training(workers=2, lr=1e9 if where == "late" else 0.1, cell="rnn", nonlinearity="relu")
    if where == "early":
        training.state.store.flat["output/weight"][0, 0] = np.nan
    with pytest.raises(DivergedError, match="not a finite number"):
        training.finish()


def test_the_gradient_that_is_not_finite_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it is in the part of another process."""
    backward = Classifier.backward
    first = os.getpid()

    def spoiled(self: Any, *args: Any) -> Any:
        grads = backward(self, *args)
        if os.getpid() != first:
            grads["output"]["weight"][0, 0] = np.inf
        return grads

    monkeypatch.setattr(Classifier, "backward", spoiled)
    training = Training(workers=2)
    before = bits(training.state)
    with pytest.raises(DivergedError, match="the gradient of output/weight"):
        training.finish()
    assert bits(training.state) == before


def test_a_killed_worker_ends_the_training() -> None:
    events = Training(workers=2, epochs=1000, patience=1000).events()
    next(events)
    (worker,) = children()
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(StorageError, match="a worker process was killed by signal 9; what was saved last is complete"):
        list(events)


def test_a_worker_that_fails_ends_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = Classifier.forward
    first = os.getpid()

    def failing(self: Any, *args: Any) -> Any:
        if os.getpid() != first:
            raise MemoryError
        return forward(self, *args)

    monkeypatch.setattr(Classifier, "forward", failing)
    with pytest.raises(MemoryError):
        Training(workers=2).finish()


def test_an_abandoned_training_leaves_no_process() -> None:
    events = Training(workers=3).events()
    next(events)
    assert len(children()) == 2
    events.close()
    assert children() == []


def test_signals_to_the_group_do_not_end_the_workers() -> None:
    """Ctrl-C reaches every process of a terminal; the first one finishes the step and saves."""
    events = Training(workers=2, epochs=2).events()
    next(events)
    (worker,) = children()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(worker, number)
    assert sum(isinstance(event, EpochDone) for event in events) == 2


def test_no_process_is_forked_for_nothing() -> None:
    events = Training(workers=2, epochs=0).events()
    next(events)
    assert children() == []


def test_workers_end_with_their_first_process(tmp_path: Path) -> None:
    """However it ends: here by a signal that it cannot catch."""
    pid = os.fork()
    if pid == 0:
        training = Training(order_problem(400), NONE, workers=2, epochs=1_000_000, patience=1_000_000)
        events = training.events()
        next(events)
        (tmp_path / "worker").write_text(json.dumps(children()))
        for _ in events:
            pass
        os._exit(0)
    deadline = time.monotonic() + 120
    while not (tmp_path / "worker").exists() or not (tmp_path / "worker").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (worker,) = json.loads((tmp_path / "worker").read_text())
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while Path(f"/proc/{worker}").exists() and "Z" not in Path(f"/proc/{worker}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline, "the worker lingers"
        time.sleep(0.01)


def test_shared_arrays_are_zero_and_shared() -> None:
    array = shared_empty((2, 3), "float32")
    assert (array.shape, array.dtype, array.any()) == ((2, 3), np.float32, False)
    assert shared_empty(0).shape == (0,)
    pid = os.fork()
    if pid == 0:
        array[1, 2] = 7
        os._exit(0)
    os.waitpid(pid, 0)
    assert array[1, 2] == 7


@pytest.mark.parametrize(
    ("chosen", "words", "cores", "workers"),
    [
        ({"hidden": 128}, 200, 2, 2),
        ({"hidden": 128}, 200, 1, 1),
        ({"hidden": 128, "batch": 64}, 200, 64, 8),
        ({"hidden": 128, "batch": 8}, 200, 4, 1),
        ({"hidden": 2, "embedding": 2}, 5, 4, 1),
    ],
)
def test_auto_workers(
    monkeypatch: pytest.MonkeyPatch, chosen: dict[str, int], words: float, cores: int, workers: int
) -> None:
    monkeypatch.setattr(loop, "available_cores", lambda: cores)
    settings = Training(**({"batch": 32} | chosen)).settings
    assert auto_workers(settings, 1000, words) == workers
    assert auto_workers(settings, 8, words) == 1


def test_validation_is_shared_too() -> None:
    for workers in (1, 2, 3):
        training = Training(TRAIN, VALIDATION, workers=workers, epochs=1)
        state = training.finish()
        right, answers, losses, _ = training.network.metric_sums(state.store.params, VALIDATION)
        record = training.history[0]
        assert record.validation_accuracy == right / answers
        assert record.validation_loss == pytest.approx(losses / answers, rel=1e-5)
