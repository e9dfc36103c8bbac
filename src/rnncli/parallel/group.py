"""A process group: processes that compute in step on the same arrays.

The first process, of rank 0, names a command, and every rank does its part of it. Between two barriers each writes only
what is its own, and sums go over the processes in the order of their ranks, so that the same number of processes
always computes the same bits.
"""

from __future__ import annotations

import errno
import math
import mmap
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from rnncli.core.packed import Array
from rnncli.parallel.processes import Workers, say_unavailable

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

T = TypeVar("T")

# How often a semaphore is tried before the process goes to sleep on it: some 400 microseconds, longer than the ranks
# of a balanced step wait for each other.
SPINS = 2000
# A sleeping process looks this often whether the others are still there.
LOOK_SECONDS = 0.25


def shared_empty(shape: int | Sequence[int], dtype: Any = np.float64) -> Array:
    """An array of zeros that processes forked later share.

    Raises:
        MemoryError: there is not enough.
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


class ProcessGroup(Generic[T]):
    """This process, of rank 0, and those it forks to share its work.

    Args:
        size: processes in all. With one there is nothing to wait for, and every method is as good as free. It becomes
            one where others cannot be started.
        work: what each rank does for :meth:`run`; it finds its own rank here, and may call :meth:`barrier` and
            :meth:`all_gather`, as often as the other ranks do.
        numbers: how many numbers a rank can hand to the others at once.

    Attributes:
        rank: of this process; 0 in the first one.
    """

    def __init__(self, size: int, work: Callable[[int, int, int], T], numbers: int = 4) -> None:
        self.rank = 0
        self.size = size
        self._work, self._width = work, numbers
        self._workers: Workers | None = None

    def start(self) -> bool:
        """Forks the others, if that has not been done.

        Returns:
            False if others were wanted and cannot be started; the reason was said, and this process is a group of one.
        """
        if self.size == 1 or self._workers is not None:
            return True
        self._workers = Workers(self.size - 1, self._serve, at_work=self.size)
        if not (self._share() and self._workers.start()):
            self._workers = None
            self.size = 1
        return self.size > 1

    def run(self, command: int, first: int = 0, second: int = 0) -> T:
        """Every rank does ``work(command, first, second)``, each its part.

        Returns:
            What it gives this rank.

        Raises:
            Exception: what another rank has failed with.
            StorageError: another rank was killed.
        """
        self.start()
        if self.size > 1:
            self._order[:] = command, first, second
            for called in self._called:
                called.release()
        return self._work(command, first, second)

    def barrier(self) -> None:
        """Goes on when all ranks have come here: what each has written before, all can read."""
        for other in range(self.size):
            if other != self.rank:
                self._arrived[self.rank][other].release()
        for other in range(self.size):
            if other != self.rank:
                self._wait(self._arrived[other][self.rank])

    def all_gather(self, *numbers: float) -> Array:
        """Waits for all ranks, and gives (size, numbers): what each has brought along."""
        if self.size == 1:
            return np.array([numbers])
        self._numbers[self.rank, : len(numbers)] = numbers
        self.barrier()
        return self._numbers[:, : len(numbers)].copy()

    def close(self) -> None:
        """Ends the others; none is left when this returns."""
        if self._workers is not None:
            self._workers.close()
            self._workers = None

    def _share(self) -> bool:
        """Makes what the ranks meet by, where the system lets it: semaphores need a writable /dev/shm."""
        try:
            from multiprocessing import get_context

            context, ranks = get_context("fork"), range(self.size)
            # One for each pair, from the one who has arrived to the one who waits for it.
            self._arrived = [[context.Semaphore(0) for _ in ranks] for _ in ranks]
            self._called = [context.Semaphore(0) for _ in ranks[1:]]
        except (OSError, ImportError) as error:
            say_unavailable("semaphores", error)
            return False
        self._order = shared_empty(3, np.int64)
        self._numbers = shared_empty((self.size, self._width))
        self._first = os.getpid()
        return True

    def _serve(self, number: int, _: Connection) -> None:
        self.rank = number + 1
        while True:
            self._wait(self._called[number])
            self._work(*self._order.tolist())

    def _wait(self, semaphore: Any) -> None:
        for _ in range(SPINS):
            if semaphore.acquire(False):
                return
        while not semaphore.acquire(True, LOOK_SECONDS):
            if self.rank == 0 and self._workers is not None:
                self._workers.require_all()
            elif os.getppid() != self._first:  # Linux has ended this process by now, other systems have not
                raise ConnectionError("the first process is gone")
