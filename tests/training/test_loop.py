"""The loop by itself: its events, its numbers, and what it does when these stop being numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers import CELLS

from rnncli.config import Settings
from rnncli.core.gradients import values_of
from rnncli.core.optim import optimizers
from rnncli.core.optim.parameters import flatten
from rnncli.core.optim.schedules import SCHEDULES
from rnncli.errors import DivergedError, counted
from rnncli.parallel import group_of
from rnncli.results import EpochDone, Event, Finished, StepDone
from rnncli.tasks.classify.network import Classifier
from rnncli.tasks.many_to_one.network import Examples
from rnncli.training import loop
from rnncli.training.loop import auto_epochs, auto_patience
from rnncli.training.state import TrainingState
from rnncli.training.step import Trainer, build_optimizer

V = 6
TINY = {
    **{"cell": "gru", "hidden": 4, "embedding": 3, "embedding_scale": 1.0, "bidirectional": False, "dropout": 0.0},
    **{"batch": 8, "epochs": 3, "patience": 5, "lr": 0.05, "optimizer": "adam"},
}
pytestmark = pytest.mark.usefixtures("one_core")


def order_problem(rows: int, seed: int = 0) -> Examples:
    """Token 0 and token 1 stand once in each text, and the label says which comes first: a matter of order alone."""
    rng = np.random.default_rng(seed)
    inputs, targets = [], rng.integers(0, 2, rows)
    for target in targets:
        text = rng.integers(2, V, rng.integers(3, 7))
        places = np.sort(rng.choice(len(text), 2, replace=False))
        text[places] = (0, 1) if target == 0 else (1, 0)
        inputs.append(text.astype(np.int32))
    return Examples(inputs, targets)


TRAIN, VALIDATION = order_problem(20), order_problem(10, seed=1)
NONE = Examples([], np.empty(0, np.int64))


class Training:
    """A tiny one that is ready to run."""

    def __init__(self, train: Examples = TRAIN, validation: Examples = VALIDATION, **chosen: Any) -> None:
        self.settings = Settings(**(TINY | chosen))
        self.network = Classifier(self.settings, V, 2)
        self.group = group_of(self.settings.workers or 1)
        self.state = loop.new_state(self.network, self.settings, self.group)
        self.train, self.validation = train, validation

    def events(self) -> Iterator[Event]:
        return loop.run(self.network, self.state, self.train, self.validation, self.settings, self.group)

    def finish(self) -> TrainingState:
        list(self.events())
        return self.state

    @property
    def history(self) -> list[Any]:
        return self.state.progress.history


def bits(state: TrainingState) -> list[bytes]:
    """Every parameter and moment, and the optimizer's step."""
    moments = [array.tobytes() for groups in state.optimizer.moments.values() for array in groups.values()]
    return [*(array.tobytes() for array in state.store.flat.values()), *moments, bytes([state.optimizer.step])]


# Events


def test_events_in_order() -> None:
    events = list(Training(epochs=2).events())
    kinds = [type(event) for event in events]
    assert kinds == [StepDone, StepDone, StepDone, EpochDone] * 2 + [Finished]
    steps = [event for event in events if isinstance(event, StepDone)]
    assert [(step.epoch, step.step, step.steps) for step in steps] == [(e, s, 3) for e in (1, 2) for s in (1, 2, 3)]
    assert [event.record.epoch for event in events if isinstance(event, EpochDone)] == [1, 2]
    assert events[-1] == Finished("all 2 epochs are done")
    assert all(step.words_per_second > 0 and step.seconds_left >= 0 for step in steps)
    assert steps[-1].seconds_left == 0


def test_a_batch_larger_than_the_data_is_one_step() -> None:
    events = list(Training(batch=1000, epochs=2).events())
    assert [type(event) for event in events] == [StepDone, EpochDone] * 2 + [Finished]


def test_no_epochs_change_nothing() -> None:
    training = Training(epochs=0)
    before = bits(training.state)
    assert list(training.events()) == [Finished("all 0 epochs are done")]
    assert bits(training.state) == before


def test_every_epoch_has_its_own_order(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[list[int]] = []
    take = Examples.take
    monkeypatch.setattr(Examples, "take", lambda self, rows: taken.append(rows.tolist()) or take(self, rows))
    Training(epochs=3, seed=4, validation=NONE).finish()
    orders = [[rows.tolist() for rows in TRAIN.batches(8, 4, epoch)] for epoch in range(3)]
    assert taken == orders[0] + orders[1] + orders[2]
    assert orders[0] != orders[1] != orders[2]
    assert sorted(itertools.chain(*taken[3:6])) == list(range(20))


def test_the_loss_is_the_mean_of_the_epochs_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    losses: list[float] = []
    compute = Classifier.loss_and_gradients

    def spy(*args: Any) -> Any:
        loss, grads = compute(*args)
        losses.append(loss)
        return loss, grads

    monkeypatch.setattr(Classifier, "loss_and_gradients", spy)
    training = Training(epochs=2)
    shown = [event.loss for event in training.events() if isinstance(event, StepDone)]
    expected = [np.mean(losses[start : start + n]) for start in (0, 3) for n in (1, 2, 3)]
    assert shown == pytest.approx(expected)
    assert [record.loss for record in training.history] == pytest.approx([expected[2], expected[5]])


def test_the_first_loss_is_that_of_guessing_and_it_falls() -> None:
    training = Training(order_problem(100), epochs=12)
    training.finish()
    losses = [record.loss for record in training.history]
    assert losses[0] == pytest.approx(math.log(2), abs=0.15)
    assert losses[-1] < 0.5 * losses[0]


def test_equal_seeds_are_equal_bits() -> None:
    assert bits(Training(dropout=0.5).finish()) == bits(Training(dropout=0.5).finish())
    assert bits(Training(dropout=0.5).finish()) != bits(Training(dropout=0.5, seed=1).finish())


def test_real_labels_are_learned_and_shuffled_ones_are_not() -> None:
    train, validation = order_problem(200), order_problem(100, seed=1)
    shuffled = Examples(train.inputs, np.random.default_rng(7).permutation(train.targets))
    accuracies = []
    for examples in (train, shuffled):
        training = Training(examples, validation, hidden=8, epochs=12, patience=12, batch=16)
        training.finish()
        accuracies.append(training.history[-1].validation_accuracy)
    assert accuracies[0] >= 0.97
    assert accuracies[1] <= 0.65


def test_validation_sees_no_dropout_and_leaves_no_trace() -> None:
    training = Training(dropout=0.5)
    params = training.state.store.params
    right, answers, losses, _ = training.network.metric_sums(params, VALIDATION)
    assert training.network.metric_sums(params, VALIDATION) == (right, answers, losses, answers)
    assert answers == VALIDATION.size
    logits = training.network.logits(params, VALIDATION.inputs)
    assert right == ((logits[:, 0] > 0) == VALIDATION.targets).sum()
    signs = 2 * VALIDATION.targets - 1
    assert losses == pytest.approx(float(np.log1p(np.exp(-signs * logits[:, 0])).sum()), rel=1e-5)
    without = Training(dropout=0.5, validation=NONE).finish()
    assert bits(without) == bits(Training(dropout=0.5).finish())


# How long


@pytest.mark.parametrize(
    ("rows", "words", "batch", "epochs"),
    [
        (22_500, 5_000_000, 32, 3),  # 2.6 by the words
        (6_400, 100_000, 32, 30),  # 200 steps
        (6_400, 500_000, 32, 26),  # 26 by the words
        (700, 5_000, 32, 60),
        (1, 1, 32, 60),
        (1_000_000, 10_000_000, 1, 3),
        (33, 0, 32, 60),
    ],
)
def test_auto_epochs(rows: int, words: int, batch: int, epochs: int) -> None:
    assert auto_epochs(rows, words, batch) == epochs


def test_auto_epochs_of_a_task_that_needs_more() -> None:
    assert auto_epochs(120_000, 1_900_000, 64, effort=4.0) == 13  # 4 · 6,000 steps / 1,875


def test_a_training_without_a_wrong_validation_row_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    accuracies = iter([0.5, 1.0, 1.0, 0.9, 1.0, 1.0, 1.0, 1.0])
    losses = iter(range(99, 0, -1))
    monkeypatch.setattr(Trainer, "validate", lambda _: (next(accuracies), float(next(losses))))
    monkeypatch.setattr(loop, "PERFECT_ROWS", VALIDATION.size)
    training = Training(epochs=8)
    training.finish()
    assert len(training.history) == 7
    assert training.state.progress.finished == "all validation rows have been right for 3 epochs"
    accuracies = iter([1.0] * 8)
    monkeypatch.setattr(loop, "PERFECT_ROWS", VALIDATION.size + 1)  # so few may all be right by chance
    training = Training(epochs=8)
    training.finish()
    assert len(training.history) == 8


@pytest.mark.parametrize(("epochs", "patience"), [(3, 5), (10, 5), (11, 5), (12, 6), (60, 30)])
def test_auto_patience(epochs: int, patience: int) -> None:
    assert auto_patience(epochs) == patience


# Learning rate and optimizer


def rates(monkeypatch: pytest.MonkeyPatch, **chosen: Any) -> list[float]:
    used: list[float] = []
    apply = optimizers.apply

    def spy(*args: Any) -> None:
        used.append(args[-1])
        apply(*args)

    with monkeypatch.context() as patch:
        patch.setattr(optimizers, "apply", spy)
        Training(epochs=2, lr=0.5, **chosen).finish()
    return used


@pytest.mark.parametrize(
    ("chosen", "shares"),
    [
        ({"schedule": "constant"}, [1, 1, 1, 1, 1, 1]),
        ({"schedule": "linear"}, [1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]),
        ({"schedule": "cosine"}, [(1 + math.cos(math.pi * k / 6)) / 2 for k in range(6)]),
        ({"schedule": "constant", "warmup": 4}, [1 / 4, 2 / 4, 3 / 4, 1, 1, 1]),
        ({"schedule": "linear", "warmup": 2}, [1 / 2, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]),
    ],
)
def test_the_schedule_is_applied(monkeypatch: pytest.MonkeyPatch, chosen: dict[str, Any], shares: list[float]) -> None:
    assert rates(monkeypatch, **chosen) == pytest.approx([0.5 * share for share in shares])


def test_every_schedule_is_tried_above() -> None:
    assert set(SCHEDULES) == {"constant", "linear", "cosine"}


@pytest.mark.parametrize(
    ("name", "chosen", "made"),
    [
        ("sgd", {}, optimizers.SGD()),
        ("momentum", {"momentum": 0.7}, optimizers.Momentum(0.7)),
        ("rmsprop", {}, optimizers.RMSprop()),
        ("adam", {"weight_decay": 0.5}, optimizers.Adam()),
        ("adamw", {"weight_decay": 0.5}, optimizers.Adam(weight_decay=0.5)),
    ],
)
def test_optimizers_get_their_own_settings(name: str, chosen: dict[str, Any], made: Any) -> None:
    assert build_optimizer(Settings(optimizer=name, **chosen)) == made


def test_one_step_of_gradient_descent_by_hand() -> None:
    """Forward, backward, clip and update, put together here once more."""
    training = Training(optimizer="sgd", lr=0.5, schedule="constant", clip=0.01, batch=100, epochs=1)
    before = {name: value.copy() for name, value in training.state.store.flat.items()}
    batch = training.train.take(training.train.batches(100, 0, 0)[0])
    _, grads = training.network.loss_and_gradients(training.state.store.params, batch)
    flat = dict(flatten(grads))
    norm = math.sqrt(sum(float((values_of(gradient) ** 2).sum()) for gradient in flat.values()))
    assert norm > 0.01
    training.finish()
    for name, value in training.state.store.flat.items():
        gradient = flat[name] if isinstance(flat[name], np.ndarray) else flat[name].dense()
        np.testing.assert_allclose(value, before[name] - 0.5 * gradient * 0.01 / norm, rtol=1e-4, atol=1e-7)


def test_class_weights_count_in_the_loss() -> None:
    weights = np.where(TRAIN.targets == 0, 0.0, 1.0)
    training = Training(replace(TRAIN, weights=weights), epochs=10)
    predicted = training.network.logits(training.finish().store.params, VALIDATION.inputs)[:, 0] > 0
    assert predicted.all()  # label 0 counts nothing, so there is only one answer worth giving


# Not a number


def run_out(training: Training) -> tuple[str | None, list[bytes], list[Event]]:
    """Runs until it ends or diverges: with which message, the state's bits after the last event, and the events."""
    before, seen = bits(training.state), []
    try:
        for event in training.events():
            seen.append(event)
            before = bits(training.state)
    except DivergedError as error:
        return f"{error.message}; {error.hint}", before, seen
    return None, before, seen


@pytest.mark.parametrize("clip", [None, 1.0])
@pytest.mark.parametrize("plant", ["loss", "dense NaN", "dense infinity", "table NaN"])
@pytest.mark.parametrize(("step", "place"), [(1, "epoch 1, step 1"), (5, "epoch 2, step 2"), (6, "epoch 2, step 3")])
def test_a_planted_nan_stops_before_the_update(
    monkeypatch: pytest.MonkeyPatch, clip: float | None, plant: str, step: int, place: str
) -> None:
    compute, calls = Classifier.loss_and_gradients, itertools.count(1)

    def planted(*args: Any) -> Any:
        loss, grads = compute(*args)
        if next(calls) == step:
            if plant == "loss":
                loss = math.nan
            elif plant == "table NaN":
                grads["embedding"]["weight"].values[0, 0] = math.nan
            else:
                grads["output"]["weight"][1, 0] = math.nan if plant == "dense NaN" else -math.inf
        return loss, grads

    monkeypatch.setattr(Classifier, "loss_and_gradients", planted)
    training = Training(clip=clip)
    said, before, seen = run_out(training)
    assert said is not None
    assert bits(training.state) == before
    assert training.state.optimizer.step == step - 1
    assert sum(isinstance(event, StepDone) for event in seen) == step - 1
    culprit = {"loss": "the loss", "table NaN": "the gradient of embedding/weight"}
    assert f"{culprit.get(plant, 'the gradient of output/weight')} is not a finite number ({place})" in said
    assert "nothing was updated with it; try a smaller learning rate than --lr 0.05" in said
    assert DivergedError.exit_code == 6


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("clip", [None, 1.0])
@pytest.mark.parametrize("batch", [8, 20])
def test_a_learning_rate_of_a_million(cell: str, clip: float | None, batch: int) -> None:
    """It ends in numbers, or in words; never in a warning or in a state that is not a number."""
    training = Training(
        cell=cell, nonlinearity="relu", lr=1e6, clip=clip, batch=batch, optimizer="sgd", schedule="constant", epochs=6
    )
    said, before, seen = run_out(training)
    assert bits(training.state) == before
    assert all(np.isfinite(value).all() for value in training.state.store.flat.values())
    assert isinstance(seen[-1], Finished) is (said is None)
    # A ReLU has nothing to stop it, nor has what minGRU's state is a mean of.
    assert said is None or (cell in ("rnn", "mingru") and "(epoch " in said)
    losses = [(record.loss, record.validation_loss) for record in training.history]
    assert np.isfinite(losses).all()


def test_a_validation_that_is_not_a_number_is_no_best_epoch() -> None:
    """The one step of the epoch had a finite loss; what it led to has not."""
    training = Training(cell="rnn", nonlinearity="relu", lr=1e6, optimizer="adamw", batch=64)
    said, _, seen = run_out(training)
    assert [type(event) for event in seen] == [StepDone]
    assert "the validation loss is not a finite number (epoch 1)" in str(said)
    assert training.state.progress.best_score is None
    assert training.history == []


def test_parameters_that_will_overflow_are_no_epoch_either() -> None:
    """Weight decay makes them a billion times larger with each step; the last one's loss is finite still."""
    training = Training(
        validation=NONE, optimizer="adamw", weight_decay=1.0, lr=1e9, schedule="constant", batch=64, epochs=9
    )
    said, _, seen = run_out(training)
    assert [type(event) for event in seen] == [StepDone, EpochDone, StepDone]
    assert "is not between -1e+15 and 1e+15 (epoch 2)" in str(said)
    assert [record.epoch for record in training.history] == [1]


# The best epoch, and when to stop


def scripted(monkeypatch: pytest.MonkeyPatch, scores: list[tuple[float, float]]) -> None:
    """Validation gives these accuracies and losses, epoch by epoch."""
    script = iter(scores)
    monkeypatch.setattr(Trainer, "validate", lambda _: next(script))


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([(0.5, 1.0), (0.6, 2.0), (0.55, 0.1)], [True, True, False]),  # accuracy counts first
        ([(0.5, 1.0), (0.5, 0.9), (0.5, 0.95)], [True, True, False]),  # then the loss
        ([(0.5, 1.0), (0.5, 1.0), (0.4, 0.1)], [True, False, False]),  # as good is not better
        ([(0.5, 1.0), (0.4, 1.0), (0.7, 1.0)], [True, False, True]),
    ],
)
def test_the_best_epoch(monkeypatch: pytest.MonkeyPatch, scores: list[tuple[float, float]], best: list[bool]) -> None:
    scripted(monkeypatch, scores)
    training = Training(epochs=3)
    training.finish()
    progress = training.state.progress
    assert [record.best for record in progress.history] == best
    assert [(r.validation_accuracy, r.validation_loss) for r in progress.history] == scores
    assert progress.best_epoch == 1 + max(k for k in range(3) if best[k])
    assert progress.best_score == (scores[progress.best_epoch - 1][0], -scores[progress.best_epoch - 1][1])
    assert progress.epochs_without_better == 3 - progress.best_epoch


@pytest.mark.parametrize(
    ("patience", "accuracies", "epochs"),
    [
        (1, [0.5, 0.4], 2),
        (2, [0.5, 0.4, 0.3], 3),
        (2, [0.5, 0.4, 0.6, 0.5, 0.5], 5),
        (3, [0.5, 0.6, 0.6, 0.6, 0.6], 5),
        (9, [0.5] * 6, 6),
    ],
)
def test_early_stopping(monkeypatch: pytest.MonkeyPatch, patience: int, accuracies: list[float], epochs: int) -> None:
    scripted(monkeypatch, [(accuracy, 1.0) for accuracy in accuracies])
    training = Training(epochs=6, patience=patience)
    *_, last = training.events()
    assert len(training.history) == epochs
    out_of_patience = training.state.progress.epochs_without_better == patience
    assert out_of_patience is (epochs < 6)
    why = f"no better score for {counted(patience, 'epoch')}" if out_of_patience else "all 6 epochs are done"
    assert last == Finished(why)


def test_without_validation_the_lowest_loss_is_best_and_nothing_stops_early() -> None:
    training = Training(validation=NONE, epochs=8, patience=1, lr=2.0, schedule="constant")
    training.finish()
    assert len(training.history) == 8
    losses = [record.loss for record in training.history]
    assert training.state.progress.best_epoch == 1 + int(np.argmin(losses))
    assert [record.best for record in training.history] == [
        loss < min(losses[:k], default=math.inf) for k, loss in enumerate(losses)
    ]
    assert {(record.validation_loss, record.validation_accuracy) for record in training.history} == {(None, None)}


def test_a_finished_training_only_says_so() -> None:
    training = Training(epochs=1)
    training.finish()
    before = bits(training.state)
    assert list(training.events()) == [Finished("the epoch is done")]
    assert bits(training.state) == before
    assert training.state.progress.finished == "the epoch is done"
