"""The training loop. It draws nothing and writes nothing: it yields what happened, and the caller decides."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from rnncli.config import Settings
from rnncli.core.optim import optimizers
from rnncli.core.optim.optimizers import OPTIMIZERS, Optimizer
from rnncli.core.optim.parameters import LARGEST, NotFiniteError, ParameterStore, within_bounds
from rnncli.core.threads import available_cores
from rnncli.data.splits import WEIGHTS, stream
from rnncli.errors import DivergedError, counted
from rnncli.parallel.group import ProcessGroup, shared_empty
from rnncli.record import EpochRecord
from rnncli.tasks.network import Network
from rnncli.tasks.prepare import Examples
from rnncli.training.state import Progress, TrainingState
from rnncli.training.step import Stepper


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


@dataclass(frozen=True)
class OneProcess:
    """Before the first step, where several processes were to train and others cannot be started."""


Event = OneProcess | StepDone | EpochDone | Finished

# `epochs: auto` aims at this many steps, and at no more than this many words: a small file is read many times, a
# large one a few.
AUTO_STEPS, AUTO_WORDS = 6_000, 13_000_000
AUTO_EPOCHS = (3, 60)
# When so many validation rows or more have all been right for so many epochs, there is nothing to go on for.
PERFECT_ROWS, PERFECT_EPOCHS = 500, 3


# A model file keeps a line of each epoch, beside which there has to be room for a vocabulary.
MOST_EPOCHS = 40_000


def auto_epochs(rows: int, words: int, batch: int, effort: float = 1.0) -> int:
    """How many epochs serve a data set of this size when the user has not said; ``effort`` times as many for a task
    that needs them."""
    steps = -(-rows // batch)
    wanted = effort * min(AUTO_STEPS / steps, AUTO_WORDS / max(1, words))
    return int(min(max(round(wanted), AUTO_EPOCHS[0]), AUTO_EPOCHS[1]))


def auto_patience(epochs: int) -> int:
    """How many epochs without a better score are borne: half of them, for small data begins slowly."""
    return max(5, epochs // 2)


# A step of fewer multiplications than these is done sooner by one process than by several that wait for each other.
SHARED_WORK = 1_000_000
# Texts of a batch that a process should have at least: below, its products get too small to be quick.
TEXTS_EACH = 8


def auto_workers(settings: Settings, rows: int, words: float) -> int:
    """How many processes train soonest when the user has not said, for rows of so many words on average."""
    batch = min(settings.batch, rows)
    directions = 2 if settings.bidirectional else 1
    a_word = directions * settings.layers * settings.hidden * (settings.hidden + settings.embedding)
    if batch * words * a_word < SHARED_WORK or not sys.platform.startswith("linux"):
        return 1
    return max(1, min(available_cores(), batch // TEXTS_EACH))


def build_optimizer(settings: Settings) -> Optimizer:
    """The optimizer that the settings name, with those of its own settings they hold."""
    own: dict[str, dict[str, Any]] = {
        "momentum": {"momentum": settings.momentum},
        "adamw": {"weight_decay": settings.weight_decay},
    }
    made: Optimizer = OPTIMIZERS[settings.optimizer](**own.get(settings.optimizer, {}))
    return made


def new_state(network: Network, settings: Settings, frozen: Iterable[str] = ()) -> TrainingState:
    """The state before the first step: a function of the network's sizes and the seed.

    Args:
        frozen: tables of which rows can be frozen; none of them is so yet.
    """
    empty = shared_empty if (settings.workers or 1) > 1 else np.empty
    store = ParameterStore(network.init(stream(settings.seed, WEIGHTS)), network.tables, empty)
    store.frozen = {table: np.zeros(len(store.tables[table]), np.int64) for table in frozen}
    state = TrainingState(store, optimizers.start(build_optimizer(settings), store, empty), Progress())
    state.carried = {name: empty(shape, store.dense.dtype) for name, shape in network.carried_shapes().items()}
    state.forget()
    return state


# The commands of the process group.
_STEP, _SETTLE, _VALIDATE = range(3)


class _Work:
    """What all processes of a training do, each its part."""

    def __init__(
        self, network: Network, state: TrainingState, train: Examples, validation: Examples, settings: Settings
    ) -> None:
        self.steps = -(-train.size // settings.batch)
        self.group: ProcessGroup[Any] = ProcessGroup(settings.workers or 1, self._part)
        self._stepper = Stepper(network, state, build_optimizer(settings), train, settings, self.steps, self.group)
        self._validation = validation
        self.order = lru_cache(maxsize=1)(lambda epoch: train.batches(settings.batch, settings.seed, epoch))

    def step(self, epoch: int, k: int) -> float:
        """Step ``k`` of an epoch; both count from 0. Returns the loss, raises NotFiniteError."""
        loss: float | NotFiniteError = self.group.run(_STEP, epoch, k)
        if isinstance(loss, NotFiniteError):
            raise loss
        return loss

    def settle(self) -> None:
        """Brings every parameter up to date."""
        self.group.run(_SETTLE)

    def validate(self) -> tuple[float, float]:
        """Accuracy and mean loss over the validation rows."""
        right, answers, losses, told = self.group.run(_VALIDATE).sum(axis=0).tolist()
        return right / answers, losses / told

    def _part(self, command: int, epoch: int, k: int) -> Any:
        """What one process does."""
        if command == _STEP:
            try:
                return self._stepper.run(self.order(epoch)[k])
            except NotFiniteError as error:  # all see it, and the first process says so
                return error
        if command == _SETTLE:
            return self._stepper.settle()
        network, params = self._stepper.network, self._stepper.state.store.params
        with np.errstate(over="ignore", invalid="ignore"):  # looked for afterwards
            own = network.metric_sums(params, self._validation, self.group.rank, self.group.size)
            return self.group.all_gather(*own)


def run(
    network: Network, state: TrainingState, train: Examples, validation: Examples, settings: Settings
) -> Generator[Event]:
    """Trains from where ``state`` stands, changing it in place, until the epochs are done or patience is out.

    After every event the state is whole: saving it then and going on from the file later leads to the same bits as
    going on at once. ``settings.epochs`` and ``patience`` are numbers here, not None. Close the iterator when it is
    not to be exhausted: it ends the worker processes.

    Raises:
        DivergedError: a loss or gradient is not finite, and nothing was updated with it; or what the epoch's last
            step left is not, and it is no epoch to save.
        StorageError: a worker process was killed.
        MemoryError: there is not enough, here or in a worker process.
    """
    assert settings.epochs is not None
    assert settings.patience is not None
    progress = state.progress
    work = _Work(network, state, train, validation, settings)
    lengths, steps = train.lengths, work.steps
    clock = _Clock(total=settings.epochs * int(lengths.sum()))
    with closing(work.group):
        while progress.finished is None and progress.epoch < min(settings.epochs, MOST_EPOCHS):
            if not work.group.start():
                yield OneProcess()
            clock.start_epoch(progress.epoch * int(lengths.sum()))
            if progress.step_in_epoch == 0:
                state.forget()
            for k in range(progress.step_in_epoch, steps):
                try:
                    progress.loss_sum += work.step(progress.epoch, k)
                except NotFiniteError as error:
                    place = f"epoch {progress.epoch + 1}, step {k + 1}"
                    raise _diverged(error.where, place, settings, "nothing was updated with it; ") from None
                progress.step_in_epoch = k + 1
                clock.count(int(lengths[work.order(progress.epoch)[k]].sum()))
                mean = progress.loss_sum / progress.step_in_epoch
                yield StepDone(progress.epoch + 1, k + 1, steps, mean, clock.speed, clock.seconds_left)
            seconds, speed = clock.epoch_seconds, clock.speed
            work.settle()
            yield EpochDone(_finish_epoch(work, network, state, validation, settings), seconds, speed)
    if progress.finished is None:
        progress.finished = "the epoch is done" if settings.epochs == 1 else f"all {settings.epochs} epochs are done"
        if progress.epoch < settings.epochs:
            progress.finished = f"a model file has room for the record of {MOST_EPOCHS:,} epochs"
    yield Finished(progress.finished)


def _diverged(
    what: str, place: str, settings: Settings, also: str = "", is_not: str = "a finite number"
) -> DivergedError:
    return DivergedError(
        f"training diverged: {what} is not {is_not} ({place})",
        f"{also}try a smaller learning rate than --lr {settings.lr:g}",
    )


def _finish_epoch(
    work: _Work, network: Network, state: TrainingState, validation: Examples, settings: Settings
) -> EpochRecord:
    """Validates, keeps the books and starts the next epoch's counts."""
    progress = state.progress
    loss = progress.loss_sum / work.steps
    accuracy, validation_loss = None, None
    # Each step has looked at its numbers before the update; nobody has yet at what the last update made of them.
    place = f"epoch {progress.epoch + 1}"
    for name, value in state.store.flat.items():
        if not within_bounds(value):
            raise _diverged(name, place, settings, is_not=f"between -{LARGEST:g} and {LARGEST:g}")
    if validation.size:
        accuracy, validation_loss = work.validate()
        if not np.isfinite(validation_loss):
            raise _diverged("the validation loss", place, settings)
        score = (accuracy, -validation_loss)
        if network.judged_by == "loss":
            score = (-validation_loss, accuracy)
    else:
        score = (0.0, -loss)
    best = progress.best_score is None or score > progress.best_score
    progress.epoch += 1
    progress.step_in_epoch, progress.loss_sum = 0, 0.0
    if best:
        progress.best_score, progress.best_epoch, progress.epochs_without_better = score, progress.epoch, 0
    else:
        progress.epochs_without_better += 1
        if validation.size and progress.epochs_without_better >= (settings.patience or 1):
            progress.finished = f"no better score for {counted(settings.patience or 1, 'epoch')}"
    record = EpochRecord(progress.epoch, loss, validation_loss, accuracy, best)
    progress.history.append(record)
    latest = [epoch.validation_accuracy for epoch in progress.history[-PERFECT_EPOCHS:]]
    if validation.size >= PERFECT_ROWS and latest == [1.0] * PERFECT_EPOCHS and progress.finished is None:
        progress.finished = f"all validation rows have been right for {PERFECT_EPOCHS} epochs"
    return record


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
