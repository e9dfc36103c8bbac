"""How the ranks of a training exchange numbers: within one process, between forked ones, or over a network.

A rank is a process with a number, from 0 on. Every rank runs the same training, and calls the same methods in the same
order. Rank 0 has the terminal and writes the files. Sums are taken in the order of the ranks, so that the same number
of ranks computes the same bits with every communicator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np

from rnncli.core.engine import rows as compiled_rows
from rnncli.core.gradients import RowGradient
from rnncli.core.optim.parameters import Gradients, ParameterStore
from rnncli.core.packed import Array


class Communicator(Protocol):
    """A rank's connection to the others.

    Attributes:
        rank: of this process.
        size: how many ranks there are.
        part: (index, count) of the part of the training's arrays that this rank updates: every ``count``-th row of a
            table, and that share of the dense vector. (0, 1), everything, where each rank has a copy of its own.

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
        """Makes an array of zeros for the training's state, before the ranks start.

        If every rank updates its :attr:`part` of it, after a :meth:`barrier` all read the same.

        Raises:
            MemoryError: there is not enough memory.
        """

    def reserve(self, store: ParameterStore, rows: Mapping[str, int]) -> None:
        """Allocates what :meth:`all_reduce` needs, before the ranks start.

        Args:
            store: what the gradients are of.
            rows: table → the most rows of which one rank has a gradient.
        """

    def barrier(self) -> None:
        """Waits until all ranks have called it."""

    def broadcast(self, *numbers: float) -> tuple[float, ...] | None:
        """The numbers of rank 0; the others pass as many, which are ignored. None after rank 0 has closed the group."""

    def all_gather(self, *numbers: float) -> Array:
        """(size, numbers): those of each rank."""

    def assemble(self, array: Array, rows: Array) -> None:
        """Lets all ranks read, after a :meth:`barrier`, what this rank has written to an array of the state.

        Args:
            rows: those that this rank has written; each rank has others.
        """

    def all_reduce(self, gradients: Gradients) -> Gradients:
        """The sum of the gradients of all ranks, in their order, for the :attr:`part` that this rank updates.

        The result may share memory with the argument.
        """


class Group(Communicator, Protocol):
    """The communicator of rank 0, which starts the other ranks and ends them: ``with group: …``."""

    def start(self, follow: Callable[[], object]) -> None:
        """Starts the other ranks, where nothing else has started them; each calls ``follow()``.

        Where they cannot be started, the reason is logged, and :attr:`size` becomes 1.
        """

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None:
        """Ends the other ranks before it returns."""


class Alone:
    """One process."""

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


def summed(of_ranks: Sequence[Gradients], part: tuple[int, int]) -> Gradients:
    """The sum of the gradients of all ranks, in their order, for one part of the parameters."""
    index, count = part
    first = of_ranks[0]
    span = first.span_of(index, count)
    dense = first.dense[span].copy()
    for other in of_ranks[1:]:
        dense += other.dense[span]
    tables = {name: _summed_rows([gradients.tables[name] for gradients in of_ranks], part) for name in first.tables}
    return Gradients(dense, tables, first.spans, span)


def _summed_rows(of_ranks: Sequence[RowGradient], part: tuple[int, int]) -> RowGradient:
    size, width = of_ranks[0].shape
    compiled = compiled_rows.merged([(gradient.rows, gradient.values) for gradient in of_ranks], size, *part)
    if compiled is not None:
        return RowGradient(*compiled, (size, width))
    of_ranks = [gradient.every(*part) for gradient in of_ranks]
    has_gradient = np.zeros(size, np.bool_)
    for gradient in of_ranks:
        has_gradient[gradient.rows] = True
    rows = np.flatnonzero(has_gradient)
    index = np.empty(size, np.intp)  # of a row among those that have a gradient
    index[rows] = np.arange(len(rows))
    values = np.zeros((len(rows), width), of_ranks[0].values.dtype)
    for gradient in of_ranks:  # a rank has each row once
        values[index[gradient.rows]] += gradient.values
    return RowGradient(rows, values, (size, width))
