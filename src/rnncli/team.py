"""Worker processes that work on the same arrays: shared memory, meeting points, and nobody left behind.

The first process forks the others, which then do what it tells them
(:meth:`Team.tell`) on arrays that all share. Between two meetings each process writes only what is its own, and sums
go over the processes in the order of their ranks, so that the same number of workers always computes the same bits.

A worker ignores the signals that end a training (the first process finishes the step and saves), and it ends with the
first process, however that ends. When a worker is killed, the first process notices at the next meeting.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from rnncli.core.packed import Array
from rnncli.core.threads import available_cores, release_helper, share_cores
from rnncli.errors import StorageError

# How often a semaphore is tried before the process goes to sleep on it: some 400 microseconds, longer than the ranks
# of a balanced step wait for each other.
SPINS = 2000
# A sleeping process looks this often whether the others are still there.
LOOK_SECONDS = 0.25

_END = -1
_PR_SET_PDEATHSIG = 1  # from Linux's prctl.h


# So many texts for each process at least, before it is worth its start.
TEXTS_EACH = 200


def helpful_workers(texts: int) -> int:
    """How many processes answer so many texts soonest."""
    if not sys.platform.startswith("linux"):
        return 1  # what a process inherits of the system's libraries may not be fit for use there
    return max(1, min(available_cores(), texts // TEXTS_EACH))


def shared_empty(shape: int | Sequence[int], dtype: Any = np.float64) -> Array:
    """An array of zeros that processes forked later share."""
    dtype = np.dtype(dtype)
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    size = math.prod(shape) * dtype.itemsize
    return np.frombuffer(mmap.mmap(-1, max(1, size)), dtype, math.prod(shape)).reshape(shape)


def end_with_parent() -> None:
    """Asks Linux to kill this process as soon as the one that forked it has ended."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Team:
    """This process and its fellows; ``rank`` is 0 in the first one.

    Args:
        count: processes in all. With one there is nothing to wait for, and every method is as good as free.
        numbers: how many numbers a rank can hand to the others at a meeting.
    """

    def __init__(self, count: int, numbers: int = 4) -> None:
        self.rank = 0
        self.count = count
        self._pids: list[int] = []
        self._parent = os.getpid()
        if count > 1:
            from multiprocessing import get_context

            context = get_context("fork")
            # One for each pair, from the one who has arrived to the one who waits for it.
            self._arrived = [[context.Semaphore(0) for _ in range(count)] for _ in range(count)]
            self._told = [context.Semaphore(0) for _ in range(count)]
            self._order = shared_empty(3, np.int64)
            self._numbers = shared_empty((count, numbers))

    def start(self, work: Callable[[int, int, int], None]) -> None:
        """Forks the others; each calls ``work`` with whatever :meth:`tell` says, until it is told to end."""
        if self.count == 1 or self._pids:
            return
        release_helper()
        share_cores(self.count)
        for rank in range(1, self.count):
            pid = os.fork()
            if pid == 0:
                self._serve(rank, work)
            self._pids.append(pid)

    def _serve(self, rank: int, work: Callable[[int, int, int], None]) -> NoReturn:
        """The life of a worker."""
        code = 1
        try:
            self.rank = rank
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            end_with_parent()
            while True:
                self._wait(self._told[rank])
                command, first, second = self._order.tolist()
                if command == _END:
                    code = 0
                    break
                work(command, first, second)
        except BaseException:  # whatever it was: the first process says that a worker is gone
            if os.environ.get("RNNCLI_DEBUG_WORKERS"):
                import traceback

                traceback.print_exc()
        finally:
            os._exit(code)  # nothing of the first process is flushed, saved or cleaned up twice

    def tell(self, command: int, first: int = 0, second: int = 0) -> None:
        """The first process tells the others what to do; it does the same itself."""
        if self.count > 1:
            self._order[:] = command, first, second
            for told in self._told[1:]:
                told.release()

    def meet(self) -> None:
        """Goes on when all have come here: what each has written before, all can read."""
        for other in range(self.count):
            if other != self.rank:
                self._arrived[self.rank][other].release()
        for other in range(self.count):
            if other != self.rank:
                self._wait(self._arrived[other][self.rank])

    def share(self, *numbers: float) -> Array:
        """Meets, and gives (count, numbers): what each rank has brought along."""
        if self.count == 1:
            return np.array([numbers])
        self._numbers[self.rank, : len(numbers)] = numbers
        self.meet()
        return self._numbers[:, : len(numbers)].copy()

    def _wait(self, semaphore: Any) -> None:
        for _ in range(SPINS):
            if semaphore.acquire(False):
                return
        while not semaphore.acquire(True, LOOK_SECONDS):
            self._require_others()

    def _require_others(self) -> None:
        """Ends a worker whose first process is gone.

        Raises:
            StorageError: in the first process, when a worker is gone.
        """
        if self.rank:
            if os.getppid() != self._parent:
                os._exit(1)
            return
        for pid in self._pids:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._pids.remove(pid)
                self._kill()
                code = os.waitstatus_to_exitcode(status)
                how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
                raise StorageError(
                    f"a worker process {how}; what was saved last is whole",
                    "a training is taken up with --resume; if memory was short, lower --workers, --batch or --hidden",
                )

    def close(self) -> None:
        """Ends the others; none is left when this returns."""
        if self.rank or not self._pids:
            return
        share_cores(1)
        self.tell(_END)
        patience = time.monotonic() + 1
        while self._pids and time.monotonic() < patience:
            self._pids = [pid for pid in self._pids if os.waitpid(pid, os.WNOHANG)[0] == 0]
            time.sleep(0.001)
        self._kill()

    def _kill(self) -> None:
        for pid in self._pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self._pids = []
