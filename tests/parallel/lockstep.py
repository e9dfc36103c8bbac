"""A third communicator, as one over a network would be: ranks that somebody else has started, each with its own arrays.

The ranks are threads, and what they hand to each other is copied. It has what MPI has (a barrier, Allgather, Alltoall),
and none of what forked processes have: no rank reads another one's memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from rnncli.core.optim.parameters import Gradients, ParameterStore
from rnncli.core.packed import Array
from rnncli.parallel.communicator import summed


class World:
    """What is between the ranks: places for what each hands over."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._places: list[Any] = [None] * size
        self._barrier = threading.Barrier(size, timeout=30)

    def exchange(self, rank: int, brought: Any) -> list[Any]:
        """What each rank has brought, in their order."""
        self._places[rank] = brought
        self._barrier.wait()
        everything = list(self._places)
        self._barrier.wait()
        return everything


class Lockstep:
    """One rank of a world."""

    part = (0, 1)  # each has all of the training's arrays

    def __init__(self, world: World, rank: int) -> None:
        self.rank, self.size, self._world = rank, world.size, world

    def empty(self, shape: int | Sequence[int], dtype: Any = np.float64) -> Array:
        return np.zeros(shape, dtype)

    def reserve(self, store: ParameterStore, rows: Mapping[str, int]) -> None:
        pass

    def barrier(self) -> None:
        self._world.exchange(self.rank, None)

    def broadcast(self, *numbers: float) -> tuple[float, ...] | None:
        sent: tuple[float, ...] | None = self._world.exchange(self.rank, numbers)[0]
        return sent

    def all_gather(self, *numbers: float) -> Array:
        return np.array(self._world.exchange(self.rank, numbers))

    def assemble(self, array: Array, rows: Array) -> None:
        for theirs, values in self._world.exchange(self.rank, (rows, array[rows])):
            array[theirs] = values

    def all_reduce(self, gradients: Gradients) -> Gradients:
        return summed(self._world.exchange(self.rank, gradients), self.part)

    def start(self, follow: Callable[[], object]) -> None:
        """Nothing to do: who has started this rank has started all of them."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._world.exchange(self.rank, None)  # the others wait for a broadcast
