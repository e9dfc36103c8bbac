"""What one rank of a training does: its part of a step, of a validation, and of bringing all tables up to date.

In a step a rank takes every ``size``-th text of the batch, the longest first, so that all ranks have about as much to
do; computes the gradient of its texts; and updates its part of the parameters with the sum of all gradients.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import numpy as np

from rnncli.config import Settings
from rnncli.core.optim import optimizers
from rnncli.core.optim.lazy_rows import Optimizer
from rnncli.core.optim.optimizers import OPTIMIZERS
from rnncli.core.optim.parameters import Gradients, NotFiniteError, clip_by_norm
from rnncli.core.optim.schedules import SCHEDULES, with_warmup
from rnncli.core.packed import Array
from rnncli.data.splits import DROPOUT, stream
from rnncli.parallel.communicator import Communicator
from rnncli.tasks.network import Network
from rnncli.tasks.rows import EncodedRows
from rnncli.training.state import TrainingState

# An all-reduce always has space for the gradients of so many rows of a table, whatever the lengths of the texts.
SMALL_TABLE = 4096


def build_optimizer(settings: Settings) -> Optimizer:
    """The optimizer that the settings name, with its own settings."""
    own = {"momentum": {"momentum": settings.momentum}, "adamw": {"weight_decay": settings.weight_decay}}
    return OPTIMIZERS[settings.optimizer](**own.get(settings.optimizer, {}))


class Trainer:
    """One rank of a training. It is made before the ranks start, and is the same in all of them.

    Rank 0 calls :meth:`step`, :meth:`settle` and :meth:`validate`; the others :meth:`follow`.

    Args:
        network: what is trained.
        state: where the training stands; changed in place. The communicator has made its arrays.
        train, validation: the examples.
        settings: with every ``auto`` resolved.
        comm: joins the ranks.

    Attributes:
        steps: in an epoch.
        order_of_epoch: epoch → the rows of each step, a function of the seed and the epoch alone.
    """

    def __init__(
        self,
        network: Network,
        state: TrainingState,
        train: EncodedRows,
        validation: EncodedRows,
        settings: Settings,
        comm: Communicator,
    ) -> None:
        self.network, self.state, self.settings, self.comm = network, state, settings, comm
        self.train, self.validation = train, validation
        self.steps = -(-train.size // settings.batch)
        self.order_of_epoch = lru_cache(maxsize=1)(partial(train.batches, settings.batch, settings.seed))
        self._optimizer = build_optimizer(settings)
        self._commands = (self._step, self._settle, self._validate)
        # A rank reads at most as many different rows as its part of a batch has tokens; a small table, perhaps all.
        texts = -(-settings.batch // comm.size)
        tokens = int(np.sort(train.lengths)[-texts:].sum())
        comm.reserve(
            state.store, {name: min(len(rows), max(tokens, SMALL_TABLE)) for name, rows in state.store.tables.items()}
        )

    def step(self, epoch: int, k: int) -> float:
        """Step ``k`` of an epoch, both counted from 0: forward, backward, clip, update.

        Returns:
            The loss of the batch.

        Raises:
            NotFiniteError: the loss or a gradient is not finite; nothing was updated with it.
        """
        loss: float | NotFiniteError = self._together(self._step, epoch, k)
        if isinstance(loss, NotFiniteError):
            raise loss
        return loss

    def settle(self) -> None:
        """Brings every row of every table up to date."""
        self._together(self._settle)

    def validate(self) -> tuple[float, float]:
        """Accuracy, or the mean absolute error of predicted numbers, and mean loss over the validation rows."""
        right, answers, losses, counted = self._together(self._validate).sum(axis=0).tolist()
        return right / answers if answers else 0.0, losses / counted

    def follow(self) -> None:
        """Does what rank 0 does, until rank 0 closes the group."""
        while (command := self.comm.broadcast(0, 0, 0)) is not None:
            number, epoch, k = map(int, command)
            self._commands[number](epoch, k)

    def _together(self, command: Any, epoch: int = 0, k: int = 0) -> Any:
        self.comm.broadcast(self._commands.index(command), epoch, k)
        return command(epoch, k)

    def _step(self, epoch: int, k: int) -> float | NotFiniteError:
        if k == 0:
            self.state.forget()
        try:
            return self._update(self.order_of_epoch(epoch)[k])
        except NotFiniteError as error:  # every rank sees it, and rank 0 raises it
            return error

    def _settle(self, epoch: int = 0, k: int = 0) -> None:
        comm, state = self.comm, self.state
        optimizers.settle(self._optimizer, state.store, state.optimizer, *comm.part, comm.barrier)

    def _validate(self, epoch: int = 0, k: int = 0) -> Array:
        """(size, 4) the sums of each rank."""
        comm = self.comm
        with np.errstate(over="ignore", invalid="ignore"):  # the caller checks them
            sums = self.network.metric_sums(self.state.store.params, self.validation, comm.rank, comm.size)
            return comm.all_gather(*sums)

    def _update(self, rows: Array) -> float:
        comm, state = self.comm, self.state
        batch = self.train.take(rows)
        index, count = comm.part
        read = self.network.rows_read(batch)
        if count > 1:
            read = {table: rows[rows % count == index] for table, rows in read.items()}
        optimizers.catch_up(self._optimizer, state.store, state.optimizer, read)
        comm.barrier()
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            own_loss, gradients = self._gradients(batch)
            gradients = comm.all_reduce(gradients)
            # A rank that has the whole sum squares its share of it too, for equal bits.
            one_share = gradients if comm.part == (comm.rank, comm.size) else gradients.every(comm.rank, comm.size)
            loss, square = map(float, comm.all_gather(own_loss, one_share.square()).sum(axis=0))
            if not np.isfinite(loss):
                raise NotFiniteError("the loss")
            clip_by_norm(gradients, self.settings.clip, square, lambda: self._first_not_finite(gradients))
            # If the update itself makes a number infinite, the next step or the end of the epoch finds it.
            optimizers.apply(self._optimizer, state.store, gradients, state.optimizer, self._rate())
        comm.barrier()
        if state.optimizer.lazy.full:
            self._settle()
        return loss

    def _gradients(self, batch: EncodedRows) -> tuple[float, Gradients]:
        """This rank's share of the batch's loss and of its gradient."""
        comm, state = self.comm, self.state
        dropping = self.settings.dropout > 0
        rng = stream(self.settings.seed, DROPOUT, state.optimizer.step, comm.rank) if dropping else None
        part, share = batch, 1.0
        if comm.size > 1:
            rows = np.argsort(-batch.lengths, kind="stable")[comm.rank :: comm.size]
            if not rows.size:  # the last batch of an epoch may be smaller than the group
                return 0.0, state.store.no_gradients()
            part = batch.take(rows)
            share = part.weight / batch.weight
        loss, gradients = self.network.loss_and_gradients(state.store.params, part, rng, share, state.carried)
        if comm.size > 1:
            for carried in state.carried.values():
                comm.assemble(carried, rows)
        return loss, state.store.gather(gradients)

    def _first_not_finite(self, gradients: Gradients) -> str | None:
        """The first parameter whose gradient is not finite, in the part of any rank."""
        names = [*gradients.spans, *gradients.tables]
        found = gradients.first_not_finite()
        first = int(self.comm.all_gather(len(names) if found is None else names.index(found)).min())
        return names[first] if first < len(names) else None

    def _rate(self) -> float:
        settings, done = self.settings, self.state.optimizer.step
        assert settings.epochs is not None
        share = SCHEDULES[settings.schedule](done, settings.epochs * self.steps)
        return settings.lr * with_warmup(share, done, settings.warmup)
