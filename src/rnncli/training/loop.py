"""The training loop. It draws nothing and writes nothing: it yields what happened, and the caller decides."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.config import Settings
from rnncli.core import optimizers
from rnncli.core.optimizers import OPTIMIZERS, Optimizer
from rnncli.core.packed import Array
from rnncli.core.parameters import NotFiniteError, ParameterStore, clip_by_norm
from rnncli.core.schedules import SCHEDULES, with_warmup
from rnncli.data.splits import DROPOUT, WEIGHTS, batches, stream
from rnncli.errors import DivergedError
from rnncli.tasks.classify import Classifier, Examples
from rnncli.training.state import EpochRecord, Progress, TrainingState


@dataclass(frozen=True)
class StepDone:
    """After each step."""

    epoch: int  # counts from 1
    step: int  # in the epoch, counts from 1
    steps: int
    loss: float  # mean of the epoch's steps so far
    words_per_second: float
    seconds_left: float  # until the last epoch ends, at the speed so far; validation not counted


@dataclass(frozen=True)
class EpochDone:
    """After each epoch and its validation; ``record.best`` says that these parameters are the best so far."""

    record: EpochRecord
    seconds: float
    words_per_second: float


@dataclass(frozen=True)
class Finished:
    """The last event: why no further epoch follows."""

    reason: str


Event = StepDone | EpochDone | Finished

# `epochs: auto` aims at this many steps, and at no more than this many words: a small file is read many times, a
# large one a few.
AUTO_STEPS, AUTO_WORDS = 6_000, 13_000_000
AUTO_EPOCHS = (3, 60)


def auto_epochs(rows: int, words: int, batch: int) -> int:
    """How many epochs serve a data set of this size when the user has not said."""
    steps = -(-rows // batch)
    wanted = min(AUTO_STEPS / steps, AUTO_WORDS / max(1, words))
    return int(min(max(round(wanted), AUTO_EPOCHS[0]), AUTO_EPOCHS[1]))


def auto_patience(epochs: int) -> int:
    """How many epochs without a better score are borne: half of them, for small data begins slowly."""
    return max(5, epochs // 2)


def build_optimizer(settings: Settings) -> Optimizer:
    """The optimizer that the settings name, with those of its own settings they hold."""
    own: dict[str, dict[str, Any]] = {
        "momentum": {"momentum": settings.momentum},
        "adamw": {"weight_decay": settings.weight_decay},
    }
    made: Optimizer = OPTIMIZERS[settings.optimizer](**own.get(settings.optimizer, {}))
    return made


def new_state(network: Classifier, settings: Settings) -> TrainingState:
    """The state before the first step: a function of the network's sizes and the seed."""
    store = ParameterStore(network.init(stream(settings.seed, WEIGHTS)), network.tables)
    return TrainingState(
        store,
        optimizers.start(build_optimizer(settings), store),
        stream(settings.seed, DROPOUT),
        Progress(),
    )


def run(
    network: Classifier, state: TrainingState, train: Examples, validation: Examples, settings: Settings
) -> Iterator[Event]:
    """Trains from where ``state`` stands, changing it in place, until the epochs are done or patience is out.

    After every event the state is whole: saving it then and going on from the file later leads to the same bits as
    going on at once. ``settings.epochs`` and ``patience`` are numbers here, not None.

    Raises:
        DivergedError: a loss or gradient is not finite, and nothing was updated with it; or what the epoch's last
            step left is not, and it is no epoch to save.
    """
    assert settings.epochs is not None
    assert settings.patience is not None
    optimizer, progress = build_optimizer(settings), state.progress
    lengths = train.lengths
    steps = -(-len(lengths) // settings.batch)
    clock = _Clock(total=settings.epochs * int(lengths.sum()))
    while progress.finished is None and progress.epoch < settings.epochs:
        order = batches(lengths, settings.batch, settings.seed, progress.epoch)
        clock.start_epoch(progress.epoch * int(lengths.sum()))
        for k, rows in enumerate(order[progress.step_in_epoch :], progress.step_in_epoch):
            progress.loss_sum += _step(network, state, optimizer, train.take(rows), settings, steps)
            progress.step_in_epoch = k + 1
            clock.count(int(lengths[rows].sum()))
            mean = progress.loss_sum / progress.step_in_epoch
            yield StepDone(progress.epoch + 1, k + 1, steps, mean, clock.speed, clock.seconds_left)
        seconds, speed = clock.epoch_seconds, clock.speed
        optimizers.catch_up(optimizer, state.store, state.optimizer)
        record = _finish_epoch(network, state, validation, steps, settings)
        yield EpochDone(record, seconds, speed)
    if progress.finished is None:
        progress.finished = f"all {settings.epochs} epochs are done"
    yield Finished(progress.finished)


def _step(
    network: Classifier,
    state: TrainingState,
    optimizer: Optimizer,
    batch: Examples,
    settings: Settings,
    steps: int,
) -> float:
    """Forward, backward, clip, update; returns the loss."""
    assert settings.epochs is not None
    optimizers.catch_up(optimizer, state.store, state.optimizer, network.rows_read(batch.inputs))
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # looked for below, and reported in words
            loss, grads = network.loss_and_gradients(state.store.params, batch, state.rng)
            if not np.isfinite(loss):
                raise NotFiniteError("the loss")
            gradients = state.store.gather(grads)
            clip_by_norm(gradients, settings.clip)
    except NotFiniteError as error:
        place = f"epoch {state.progress.epoch + 1}, step {state.progress.step_in_epoch + 1}"
        raise _diverged(error.where, place, settings, "nothing was updated with it; ") from None
    done = state.optimizer.step
    share = with_warmup(SCHEDULES[settings.schedule](done, settings.epochs * steps), done, settings.warmup)
    with np.errstate(over="ignore", invalid="ignore"):  # the next step or the epoch's end sees it
        optimizers.apply(optimizer, state.store, gradients, state.optimizer, settings.lr * share)
    return loss


def _diverged(what: str, place: str, settings: Settings, also: str = "") -> DivergedError:
    return DivergedError(
        f"training diverged: {what} is not a finite number ({place})",
        f"{also}try a smaller learning rate than --lr {settings.lr:g}",
    )


def _finish_epoch(
    network: Classifier, state: TrainingState, validation: Examples, steps: int, settings: Settings
) -> EpochRecord:
    """Validates, keeps the books and starts the next epoch's counts."""
    progress = state.progress
    loss = progress.loss_sum / steps
    accuracy, validation_loss = None, None
    # Each step has looked at its numbers before the update; nobody has yet at what the last update made of them.
    place = f"epoch {progress.epoch + 1}"
    for name, value in state.store.flat.items():
        if not np.isfinite(value).all():
            raise _diverged(name, place, settings)
    if validation.inputs:
        accuracy, validation_loss = validate(network, state.store.params, validation)
        if not np.isfinite(validation_loss):
            raise _diverged("the validation loss", place, settings)
        score = (accuracy, -validation_loss)
    else:
        score = (0.0, -loss)
    best = progress.best_score is None or score > progress.best_score
    progress.epoch += 1
    progress.step_in_epoch, progress.loss_sum = 0, 0.0
    if best:
        progress.best_score, progress.best_epoch, progress.epochs_without_better = score, progress.epoch, 0
    else:
        progress.epochs_without_better += 1
        if validation.inputs and progress.epochs_without_better >= (settings.patience or 1):
            progress.finished = f"no better score for {settings.patience} epochs"
    record = EpochRecord(progress.epoch, loss, validation_loss, accuracy, best)
    progress.history.append(record)
    return record


def validate(network: Classifier, params: dict[str, Any], examples: Examples) -> tuple[float, float]:
    """Accuracy and mean loss over examples, without dropout."""
    with np.errstate(over="ignore", invalid="ignore"):  # the caller looks for it
        logits = network.logits(params, examples.inputs)
        loss, _ = network.loss(logits, examples.targets)
    predicted: Array = network.probabilities(logits).argmax(axis=1)
    return float((predicted == examples.targets).mean()), loss


class _Clock:
    """Words a second over the running epoch, and what that says of the time left."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._before = self._words = 0
        self._began = time.perf_counter()

    def start_epoch(self, before: int) -> None:
        self._before, self._words, self._began = before, 0, time.perf_counter()

    def count(self, words: int) -> None:
        self._words += words

    @property
    def epoch_seconds(self) -> float:
        return time.perf_counter() - self._began

    @property
    def speed(self) -> float:
        return self._words / max(self.epoch_seconds, 1e-9)

    @property
    def seconds_left(self) -> float:
        return (self._total - self._before - self._words) / max(self.speed, 1e-9)
