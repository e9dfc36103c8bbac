"""How the ranks of a training talk to each other, however they are joined: in one process, forked, over a network.

A rank is a process with its number, from 0 on. Every rank makes the same training, and calls the same methods in the
same order. Rank 0 is the one that has a terminal and writes files. Sums are taken in the order of the ranks, so that
the same number of ranks computes the same bits, whichever communicator joins them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np

from rnncli.core.gradients import RowGradient
from rnncli.core.optim.parameters import Gradients, ParameterStore
from rnncli.core.packed import Array


class Communicator(Protocol):
    """What a rank of a training sees of the others.

    Attributes:
        rank: of this process.
        size: how many ranks there are.
        part: (index, count) of the part of the training's arrays that this rank updates: every ``count``-th row of a
            table, and that share of the dense vector. (0, 1), all of it, where each rank has a copy of its own.

    Each method that waits for other ranks can raise:

    Raises:
        StorageError: another rank is gone.
        Exception: what another rank has failed with.
    """

    @property
    def rank(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def part(self) -> tuple[int, int]: ...

    def empty(self, shape: int | Sequence[int], dtype: Any = np.float64) -> Array:
        """Makes an array of the training's state, zeros, before the ranks start.

        If every rank updates its :attr:`part` of it, after a :meth:`barrier` all read the same.

        Raises:
            MemoryError: there is not enough.
        """

    def reserve(self, store: ParameterStore, rows: Mapping[str, int]) -> None:
        """Makes room for :meth:`all_reduce`, before the ranks start.

        Args:
            store: what the gradients are of.
            rows: table → the most rows of which one rank has a gradient.
        """

    def barrier(self) -> None:
        """Waits until all ranks have come here."""

    def broadcast(self, *numbers: float) -> tuple[float, ...] | None:
        """The numbers of rank 0; the others bring as many of their own. None after rank 0 has closed the group."""

    def all_gather(self, *numbers: float) -> Array:
        """(size, numbers): what each rank has brought."""

    def assemble(self, array: Array, rows: Array) -> None:
        """After a :meth:`barrier` all ranks read the rows of an array of the state that this rank alone has written.

        Args:
            rows: which this rank has written; each rank has others.
        """

    def all_reduce(self, gradients: Gradients) -> Gradients:
        """The sum of the gradients of all ranks, in the order of the ranks: of the :attr:`part` that this one updates.

        The result may share memory with the argument.
        """


class Group(Communicator, Protocol):
    """A communicator in the hands of rank 0, which starts the others and ends them: ``with group: …``."""

    def start(self, follow: Callable[[], object]) -> None:
        """Lets the other ranks begin, where they have not begun by themselves; each calls ``follow()``.

        Where they cannot be started, the reason is said, and :attr:`size` is 1 from here on.
        """

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None:
        """Ends the other ranks; none is left afterwards."""


class Alone:
    """One process: nobody to wait for."""

    rank, size, part = 0, 1, (0, 1)

    def empty(self, shape: int | Sequence[int], dtype: Any = np.float64) -> Array:
        return np.zeros(shape, dtype)

    def reserve(self, store: ParameterStore, rows: Mapping[str, int]) -> None:
        pass

    def barrier(self) -> None:
        pass

    def broadcast(self, *numbers: float) -> tuple[float, ...]:
        return numbers

    def all_gather(self, *numbers: float) -> Array:
        return np.array([numbers], np.float64)

    def assemble(self, array: Array, rows: Array) -> None:
        pass

    def all_reduce(self, gradients: Gradients) -> Gradients:
        return gradients

    def start(self, follow: Callable[[], object]) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def summed(brought: Sequence[Gradients], part: tuple[int, int]) -> Gradients:
    """The sum of the gradients that the ranks have brought, in their order, of one part of the parameters."""
    index, count = part
    first = brought[0]
    span = first.span_of(index, count)
    dense = first.dense[span].copy()
    for other in brought[1:]:
        dense += other.dense[span]
    tables = {
        name: _summed_rows([gradients.tables[name] for gradients in brought], index, count) for name in first.tables
    }
    return Gradients(dense, tables, first.spans, span)


def _summed_rows(brought: Sequence[RowGradient], index: int, count: int) -> RowGradient:
    """Of every ``count``-th row of a table."""
    size, width = brought[0].shape
    chosen = [gradient.every(index, count) for gradient in brought]
    has_gradient = np.zeros(size, np.bool_)
    for gradient in chosen:
        has_gradient[gradient.rows] = True
    rows = np.flatnonzero(has_gradient)
    place = np.empty(size, np.intp)  # of a row among those that have one
    place[rows] = np.arange(len(rows))
    values = np.zeros((len(rows), width), brought[0].values.dtype)
    for gradient in chosen:  # a rank names each row once
        values[place[gradient.rows]] += gradient.values
    return RowGradient(rows, values, (size, width))
