"""Ranks that are forked from this process and share its memory.

There is one copy of the training's arrays. Each rank updates its part of them, and puts its gradients where all ranks
read them; between two barriers a rank writes only to what is its own.
"""

from __future__ import annotations

import errno
import math
import mmap
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from rnncli.core.gradients import RowGradient
from rnncli.core.optim.parameters import Gradients, ParameterStore
from rnncli.core.packed import Array
from rnncli.parallel.communicator import summed
from rnncli.parallel.processes import Workers, say_unavailable

# How often a semaphore is tried before the process sleeps: some 400 microseconds, longer than the ranks of a balanced
# step wait for each other.
SPINS = 2000
# A sleeping process checks this often whether the others still run.
LOOK_SECONDS = 0.25
# How many numbers a rank can give to the others at once.
NUMBERS = 4


def shared_empty(shape: int | Sequence[int], dtype: Any = np.float64) -> Array:
    """An array of zeros that processes forked later share.

    Raises:
        MemoryError: there is not enough memory.
    """
    dtype = np.dtype(dtype)
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    size = math.prod(shape) * dtype.itemsize
    try:
        memory = mmap.mmap(-1, max(1, size))
    except OSError as error:
        if error.errno == errno.ENOMEM:
            raise MemoryError from error
        raise
    return np.frombuffer(memory, dtype, math.prod(shape)).reshape(shape)


class Forked:
    """This process, of rank 0, and those it forks: a communicator, as :mod:`rnncli.parallel.communicator` says.

    Where others cannot be started, it is a group of one.
    """

    def __init__(self, size: int) -> None:
        self.rank = 0
        self.size = size
        self._workers: Workers | None = None
        self._shared: list[_SharedGradients] = []  # of each rank
        # A rank that comes to a barrier has read what was written before the last one. What is written before a barrier
        # must stay until the next one.
        self._barriers = 0
        self._written_before: dict[str, int] = {}  # what was written → the number of the barrier that followed

    @property
    def part(self) -> tuple[int, int]:
        return self.rank, self.size

    def empty(self, shape: int | Sequence[int], dtype: Any = np.float64) -> Array:
        return shared_empty(shape, dtype)

    def reserve(self, store: ParameterStore, rows: Mapping[str, int]) -> None:
        self._shared = [_SharedGradients(store, rows) for _ in range(self.size)]

    def start(self, follow: Callable[[], object]) -> None:
        def serve(number: int, _: object) -> None:
            self.rank = number + 1
            follow()

        self._workers = Workers(self.size - 1, serve, at_work=self.size)
        if not (self._make_semaphores() and self._workers.start()):
            self._workers = None
            self.size = 1

    def barrier(self) -> None:
        self._barriers += 1
        for other in range(self.size):
            if other != self.rank:
                self._arrived[self.rank][other].release()
        for other in range(self.size):
            if other != self.rank:
                self._wait(self._arrived[other][self.rank])

    def broadcast(self, *numbers: float) -> tuple[float, ...]:
        return tuple(self.all_gather(*numbers)[0].tolist())

    def all_gather(self, *numbers: float) -> Array:
        if self.size == 1:
            return np.array([numbers], np.float64)
        self._before_writing("numbers")
        self._numbers[self.rank, : len(numbers)] = numbers
        self.barrier()
        return self._numbers[:, : len(numbers)].copy()

    def assemble(self, array: Array, rows: Array) -> None:
        """Nothing to do: all ranks share the array."""

    def all_reduce(self, gradients: Gradients) -> Gradients:
        if self.size == 1:
            return gradients
        self._before_writing("gradients")
        self._shared[self.rank].put(gradients)
        self.barrier()
        return summed([shared.gradients() for shared in self._shared], self.part)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._workers is not None:
            self._workers.close()
            self._workers = None

    def _make_semaphores(self) -> bool:
        """Makes the semaphores; False where the system does not allow it: they need a writable /dev/shm."""
        try:
            from multiprocessing import get_context

            context, ranks = get_context("fork"), range(self.size)
            # [arrived][waiting]: one semaphore for each pair of ranks.
            self._arrived = [[context.Semaphore(0) for _ in ranks] for _ in ranks]
        except (OSError, ImportError) as error:
            say_unavailable("semaphores", error)
            return False
        self._numbers = shared_empty((self.size, NUMBERS))
        self._first = os.getpid()
        return True

    def _before_writing(self, what: str) -> None:
        """Waits for ranks that may still read what was written last."""
        if self._written_before.get(what) == self._barriers:
            self.barrier()
        self._written_before[what] = self._barriers + 1

    def _wait(self, semaphore: Any) -> None:
        for _ in range(SPINS):
            if semaphore.acquire(False):
                return
        while not semaphore.acquire(True, LOOK_SECONDS):
            if self.rank == 0 and self._workers is not None:
                self._workers.require_all()
            elif os.getppid() != self._first:  # on Linux this process would have been killed
                raise ConnectionError("the first process is gone")


class _SharedGradients:
    """The gradients of one rank, where all ranks read them."""

    def __init__(self, store: ParameterStore, rows: Mapping[str, int]) -> None:
        self._dense, self._spans = shared_empty(len(store.dense), store.dense.dtype), store.spans
        self._tables = {
            name: (
                shared_empty(1, np.int64),  # how many of the rows that follow are used
                shared_empty(rows[name], np.int64),
                shared_empty((rows[name], table.shape[1]), table.dtype),
                (table.shape[0], table.shape[1]),
            )
            for name, table in store.tables.items()
        }

    def put(self, gradients: Gradients) -> None:
        self._dense[...] = gradients.dense
        for name, (used, rows, values, _) in self._tables.items():
            gradient = gradients.tables[name]
            used[0] = len(gradient.rows)
            rows[: used[0]] = gradient.rows
            values[: used[0]] = gradient.values

    def gradients(self) -> Gradients:
        """Views, valid until the next :meth:`put`."""
        tables = {
            name: RowGradient(rows[: used[0]], values[: used[0]], shape)
            for name, (used, rows, values, shape) in self._tables.items()
        }
        return Gradients(self._dense, tables, self._spans)
