"""The training loop. It draws nothing and writes nothing: it yields what happened, and the caller decides."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterable

import numpy as np

from rnncli.config import Settings
from rnncli.core.optim import optimizers
from rnncli.core.optim.parameters import LARGEST, NotFiniteError, ParameterStore, within_bounds
from rnncli.core.threads import available_cores
from rnncli.data.splits import WEIGHTS, stream
from rnncli.errors import DivergedError, counted
from rnncli.parallel.communicator import Communicator, Group
from rnncli.record import EpochRecord
from rnncli.results import EpochDone, Event, Finished, StepDone
from rnncli.tasks.network import Network
from rnncli.tasks.rows import EncodedRows
from rnncli.training.state import Progress, TrainingState
from rnncli.training.step import Trainer, build_optimizer

# `epochs: auto` aims at this many steps, and at no more than this many words: a small file is read often, a large one a
# few times.
AUTO_STEPS, AUTO_WORDS = 6_000, 13_000_000
AUTO_EPOCHS = (3, 60)
# Training stops when at least so many validation rows have all been right for so many epochs.
PERFECT_ROWS, PERFECT_EPOCHS = 500, 3
# A model file keeps a line for each epoch, and needs room for a vocabulary too.
MOST_EPOCHS = 40_000


def auto_epochs(rows: int, words: int, batch: int, effort: float = 1.0) -> int:
    """A number of epochs for a data set of this size; ``effort`` times as many for a task that needs them."""
    steps = -(-rows // batch)
    wanted = effort * min(AUTO_STEPS / steps, AUTO_WORDS / max(1, words))
    return int(min(max(round(wanted), AUTO_EPOCHS[0]), AUTO_EPOCHS[1]))


def auto_patience(epochs: int) -> int:
    """After how many epochs without a better score training stops: half of all, since small data begin slowly."""
    return max(5, epochs // 2)


# One process finishes a step of fewer multiplications sooner than several that wait for each other.
SHARED_WORK = 1_000_000
# The fewest texts of a batch that a process should have; the products of fewer are too small to be quick.
TEXTS_EACH = 8


def auto_workers(settings: Settings, rows: int, words: float) -> int:
    """How many processes train fastest on rows of so many words on average."""
    batch = min(settings.batch, rows)
    directions = 2 if settings.bidirectional else 1
    a_word = directions * settings.layers * settings.hidden * (settings.hidden + settings.embedding)
    if batch * words * a_word < SHARED_WORK or not sys.platform.startswith("linux"):
        return 1
    return max(1, min(available_cores(), batch // TEXTS_EACH))


def new_state(network: Network, settings: Settings, comm: Communicator, frozen: Iterable[str] = ()) -> TrainingState:
    """The state before the first step: a function of the network's sizes and the seed.

    Args:
        comm: of the ranks that train; it makes the arrays.
        frozen: tables of which rows can be frozen; none of them is frozen yet.
    """
    store = ParameterStore(network.init(stream(settings.seed, WEIGHTS)), network.tables, comm.empty)
    store.frozen = {table: np.zeros(len(store.tables[table]), np.int64) for table in frozen}
    state = TrainingState(store, optimizers.start(build_optimizer(settings), store, comm.empty), Progress())
    state.carried = {name: comm.empty(shape, store.dense.dtype) for name, shape in network.carried_shapes().items()}
    return state


def _epochs_left(state: TrainingState, settings: Settings) -> bool:
    assert settings.epochs is not None
    return state.progress.finished is None and state.progress.epoch < min(settings.epochs, MOST_EPOCHS)


def run(
    network: Network,
    state: TrainingState,
    train: EncodedRows,
    validation: EncodedRows,
    settings: Settings,
    group: Group,
) -> Generator[Event]:
    """Trains with the ranks of a group, as :func:`lead` says; closing the iterator ends them.

    Args:
        state: with arrays that the group has made.
    """
    trainer = Trainer(network, state, train, validation, settings, group)
    with group:
        if _epochs_left(state, settings):
            group.start(trainer.follow)
        yield from lead(trainer)


def lead(trainer: Trainer) -> Generator[Event]:
    """Trains as rank 0 from where the state stands, changing it in place, until the epochs are done or patience is out.

    After every event the state is complete: saving it then and resuming from the file leads to the same bits as going
    on at once. The settings' ``epochs`` and ``patience`` are numbers here, not None.

    Raises:
        DivergedError: a loss or gradient is not finite, and nothing was updated with it; or a parameter is not after
            the last step of an epoch, which is then not to be saved.
        StorageError: another rank is gone.
        MemoryError: there is not enough, here or in another rank.
    """
    state, settings, lengths = trainer.state, trainer.settings, trainer.train.lengths
    progress = state.progress
    assert settings.epochs is not None
    clock = _Clock(total=settings.epochs * int(lengths.sum()))
    while _epochs_left(state, settings):
        clock.start_epoch(progress.epoch * int(lengths.sum()))
        for k in range(progress.step_in_epoch, trainer.steps):
            try:
                progress.loss_sum += trainer.step(progress.epoch, k)
            except NotFiniteError as error:
                place = f"epoch {progress.epoch + 1}, step {k + 1}"
                raise _diverged(error.where, place, settings, "nothing was updated with it; ") from None
            progress.step_in_epoch = k + 1
            clock.count(int(lengths[trainer.order_of_epoch(progress.epoch)[k]].sum()))
            mean = progress.loss_sum / progress.step_in_epoch
            yield StepDone(progress.epoch + 1, k + 1, trainer.steps, mean, clock.speed, clock.seconds_left)
        seconds, speed = clock.epoch_seconds, clock.speed
        trainer.settle()
        yield EpochDone(_finish_epoch(trainer), seconds, speed)
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


def _finish_epoch(trainer: Trainer) -> EpochRecord:
    """Validates, records the epoch and starts the counts of the next one."""
    state, settings, validation = trainer.state, trainer.settings, trainer.validation
    progress = state.progress
    loss = progress.loss_sum / trainer.steps
    accuracy: float | None = None
    error: float | None = None
    validation_loss: float | None = None
    judged_by = trainer.network.judged_by
    # Each step checks its numbers before the update; what the last update made of them is checked here.
    place = f"epoch {progress.epoch + 1}"
    for name, value in state.store.flat.items():
        if not within_bounds(value):
            raise _diverged(name, place, settings, is_not=f"between -{LARGEST:g} and {LARGEST:g}")
    if validation.size:
        figure, validation_loss = trainer.validate()
        if not np.isfinite(validation_loss):
            raise _diverged("the validation loss", place, settings)
        if judged_by == "error":
            error, score = figure, (-figure, -validation_loss)
        else:
            accuracy, score = figure, (figure, -validation_loss)
            score = score[::-1] if judged_by == "loss" else score
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
    record = EpochRecord(progress.epoch, loss, validation_loss, accuracy, best, error)
    progress.history.append(record)
    latest = [epoch.validation_accuracy for epoch in progress.history[-PERFECT_EPOCHS:]]
    if validation.size >= PERFECT_ROWS and latest == [1.0] * PERFECT_EPOCHS and progress.finished is None:
        progress.finished = f"all validation rows have been right for {PERFECT_EPOCHS} epochs"
    return record


class _Clock:
    """Words a second in the present epoch, and the time left at this speed for ``total`` words of all epochs."""

    def __init__(self, total: int) -> None:
        self._total = total
        self.start_epoch(0)

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
