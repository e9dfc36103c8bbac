"""One step of training, alone or shared among the processes of a group.

Every process takes every ``count``-th text of the batch, the longest first, so that all have about as much to do;
computes the gradient of its part; and then updates its part of the parameters with the sum of all gradients: a slice
of the dense vector, and of each table the rows whose number leaves its rank as remainder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.config import Settings
from rnncli.core.gradients import RowGradient
from rnncli.core.optim import optimizers
from rnncli.core.optim.optimizers import Optimizer
from rnncli.core.optim.parameters import Gradients, NotFiniteError, clip_by_norm
from rnncli.core.optim.schedules import SCHEDULES, with_warmup
from rnncli.core.packed import Array
from rnncli.data.splits import DROPOUT, stream
from rnncli.parallel.group import ProcessGroup, shared_empty
from rnncli.tasks.network import Network
from rnncli.tasks.prepare import Examples
from rnncli.training.state import TrainingState

# Rows of a table for all of which there is room in the exchange, whatever the lengths of the texts.
SMALL_TABLE = 4096


@dataclass
class Stepper:
    """What a step needs. Made before the group starts, it is the same in all of its processes.

    Args:
        steps: in an epoch.
    """

    network: Network
    state: TrainingState
    optimizer: Optimizer
    train: Examples
    settings: Settings
    steps: int
    group: ProcessGroup[Any]

    def __post_init__(self) -> None:
        if self.group.size > 1:
            self._exchange = _Exchange(self)

    def run(self, rows: Array) -> float:
        """Forward, backward, clip, update; returns the batch's loss.

        Raises:
            NotFiniteError: the loss or a gradient is not finite; nothing was updated with it.
        """
        group, state = self.group, self.state
        whole = self.train.take(rows)
        own = {table: self._own_rows(read) for table, read in self.network.rows_read(whole).items()}
        optimizers.catch_up(self.optimizer, state.store, state.optimizer, own)
        group.barrier()
        with np.errstate(over="ignore", invalid="ignore"):  # looked for below, and reported in words
            own_loss, gradients = self._gradients(whole)
            loss, square = map(float, group.all_gather(own_loss, gradients.square()).sum(axis=0))
            if not np.isfinite(loss):
                raise NotFiniteError("the loss")
            clip_by_norm(gradients, self.settings.clip, square, self._exchange.everything if group.size > 1 else None)
            # What the update itself makes infinite, the next step or the epoch's end sees.
            optimizers.apply(self.optimizer, state.store, gradients, state.optimizer, self._rate())
        group.barrier()
        if state.optimizer.idle.full:
            self.settle()
        return loss

    def settle(self) -> None:
        """Brings every row of every table up to date."""
        group, state = self.group, self.state
        optimizers.settle(self.optimizer, state.store, state.optimizer, group.rank, group.size, group.barrier)

    def _gradients(self, whole: Examples) -> tuple[float, Gradients]:
        """This rank's share of the batch's loss, and the part of the summed gradients that it is to update."""
        group, state = self.group, self.state
        dropping = self.settings.dropout > 0
        rng = stream(self.settings.seed, DROPOUT, state.optimizer.step, group.rank) if dropping else None
        if group.size == 1:
            loss, grads = self.network.loss_and_gradients(state.store.params, whole, rng, 1.0, state.carried)
            return loss, state.store.gather(grads)
        part = whole.take(np.argsort(-whole.lengths, kind="stable")[group.rank :: group.size])
        loss = 0.0
        if part.size:
            share = part.weight / whole.weight
            loss, grads = self.network.loss_and_gradients(state.store.params, part, rng, share, state.carried)
            self._exchange.bring(state.store.gather(grads))
        else:  # the last batch of an epoch may be smaller than the group
            self._exchange.bring(None)
        group.barrier()
        return loss, self._exchange.fetch()

    def _own_rows(self, rows: Array) -> Array:
        return rows if self.group.size == 1 else rows[rows % self.group.size == self.group.rank]

    def _rate(self) -> float:
        settings, done = self.settings, self.state.optimizer.step
        assert settings.epochs is not None
        share = SCHEDULES[settings.schedule](done, settings.epochs * self.steps)
        return settings.lr * with_warmup(share, done, settings.warmup)


class _Exchange:
    """Where the ranks lay down their gradients, and pick up the sums of what they update."""

    def __init__(self, stepper: Stepper) -> None:
        self._group, self._store = stepper.group, stepper.state.store
        count, dense, tables = self._group.size, self._store.dense, self._store.tables
        self._dense = shared_empty((count, len(dense)), dense.dtype)
        # A rank reads at most as many different rows as its part of a batch has tokens; a small table, perhaps all.
        texts = -(-stepper.settings.batch // count)
        tokens = int(np.sort(stepper.train.lengths)[-texts:].sum())
        room = {name: min(len(table), max(tokens, SMALL_TABLE)) for name, table in tables.items()}
        self._used = shared_empty((count, len(tables)), np.int64)
        self._rows = {name: shared_empty((count, room[name]), np.int64) for name in tables}
        self._values = {
            name: shared_empty((count, room[name], table.shape[1]), table.dtype) for name, table in tables.items()
        }

    def bring(self, gradients: Gradients | None) -> None:
        """Lays this rank's gradients down; None are zeros."""
        rank = self._group.rank
        self._dense[rank] = 0 if gradients is None else gradients.dense
        for k, name in enumerate(self._store.tables):
            used = 0 if gradients is None else len(gradients.tables[name].rows)
            self._used[rank, k] = used
            if gradients is not None:
                self._rows[name][rank, :used] = gradients.tables[name].rows
                self._values[name][rank, :used] = gradients.tables[name].values

    def fetch(self) -> Gradients:
        """The sums of what this rank updates."""
        rank, count, size = self._group.rank, self._group.size, len(self._store.dense)
        return self._sums(slice(size * rank // count, size * (rank + 1) // count), (rank, count))

    def everything(self) -> Gradients:
        """All sums, for a look at what went wrong."""
        return self._sums(slice(0, len(self._store.dense)), (0, 1))

    def _sums(self, part: slice, own: tuple[int, int]) -> Gradients:
        dense = self._dense[0, part].copy()
        for other in self._dense[1:]:
            dense += other[part]
        tables = {name: self._table_sums(k, name, *own) for k, name in enumerate(self._store.tables)}
        return Gradients(dense, tables, self._store.spans, part)

    def _table_sums(self, k: int, name: str, rank: int, count: int) -> RowGradient:
        table = self._store.tables[name]
        brought: list[tuple[Array, Array]] = []
        any_brings = np.zeros(len(table), np.bool_)
        for other in range(self._group.size):
            used = int(self._used[other, k])
            rows = self._rows[name][other, :used]
            chosen = np.flatnonzero(rows % count == rank)
            brought.append((rows[chosen], self._values[name][other, :used].take(chosen, axis=0)))
            any_brings[brought[-1][0]] = True
        rows = np.flatnonzero(any_brings)
        place = np.empty(len(table), np.intp)  # of a row among the chosen ones
        place[rows] = np.arange(len(rows))
        values = np.zeros((len(rows), table.shape[1]), table.dtype)
        for theirs, of_theirs in brought:  # in the order of the ranks; a rank names each row once
            values[place[theirs]] += of_theirs
        return RowGradient(rows, values, (table.shape[0], table.shape[1]))
