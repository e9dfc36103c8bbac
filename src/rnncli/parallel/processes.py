"""Processes forked from this one: they end with it, it can end them at any moment, and it knows why one has ended.

Every process that rnncli forks comes from here. Signals wait while processes are forked and ended, so that none of them
is left over. A worker ignores the signals that end a command (the first process handles them), and it is killed when
the first process ends, however that happens. Nothing ever waits for a worker to end by itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from rnncli import stopping
from rnncli.core.threads import available_cores, release_helper, share_cores
from rnncli.errors import StorageError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

logger = logging.getLogger("rnncli.parallel")

_PR_SET_PDEATHSIG = 1  # from Linux's prctl.h
# A process is not worth its start for fewer texts.
TEXTS_EACH = 200


def helpful_workers(texts: int) -> int:
    """How many processes answer so many texts fastest."""
    if not sys.platform.startswith("linux"):
        return 1  # after a fork, the system's libraries may not work there
    return max(1, min(available_cores(), texts // TEXTS_EACH))


def say_unavailable(what: str, error: Exception) -> None:
    """Logs why one process does all the work."""
    why = getattr(error, "strerror", None) or error
    logger.warning("one process does all of the work: %s cannot be made (%s)", what, why)


class Workers:
    """Forked processes, each with a connection to this one.

    Args:
        count: how many to fork.
        serve: what a process does, given its number from 0 on and its end of the connection; then the process ends.
        at_work: how many processes compute at the same time, this one included if it does.
    """

    def __init__(self, count: int, serve: Callable[[int, Connection], None], at_work: int) -> None:
        self._count, self._serve, self._at_work = count, serve, at_work
        self._pids: list[int] = []
        self._connections: list[Connection] = []
        self._ended: dict[int, int] = {}  # number → exit code
        self._undo = contextlib.ExitStack()

    def start(self) -> bool:
        """Forks. The caller has to call :meth:`close`, whatever happens.

        Returns:
            Whether that was possible. If not, the reason is logged, and no worker is left.
        """
        # A process should have no threads when it is forked: what they hold locked stays locked in the child.
        release_helper()
        try:
            with stopping.deferred():
                self._undo.enter_context(stopping.undone_when_stopped(self._end))
                for number in range(self._count):
                    self._fork(number)
                share_cores(self._at_work)
        except (OSError, ImportError) as error:  # too many files or processes, too little memory, or not allowed
            self.close()
            say_unavailable("other processes", error)
            return False
        return True

    def send(self, number: int, message: object) -> None:
        """Sends to a worker that takes messages; if both ends only sent, both would block.

        Raises:
            Exception: what the worker has failed with.
        """
        try:
            self._connections[number].send(message)
        except ConnectionError:
            self._raise_failure(number)

    def receive(self, number: int) -> Any:
        """Waits for what a worker sends.

        Raises:
            Exception: what the worker has failed with.
        """
        try:
            message = self._connections[number].recv()
        except (EOFError, ConnectionError):
            self._raise_failure(number)
        if isinstance(message, _Failure):
            raise message.error
        return message

    def require_all(self) -> None:
        """Checks that all workers still run.

        Raises:
            Exception: what one of them has failed with.
        """
        for number in range(len(self._pids)):
            if self._has_ended(number, os.WNOHANG):
                self._raise_failure(number)

    def close(self) -> None:
        """Ends all workers before it returns."""
        with stopping.deferred():
            self._end()
            for connection in self._connections:
                connection.close()
            self._connections = []
            self._undo.close()
            share_cores(1)

    def _fork(self, number: int) -> None:
        from multiprocessing.connection import Pipe

        here, there = Pipe()
        self._connections.append(here)
        first = os.getpid()
        try:
            pid = os.fork()
            if pid == 0:
                self._be_worker(number, there, first)
            self._pids.append(pid)
        finally:
            there.close()

    def _be_worker(self, number: int, there: Connection, first: int) -> NoReturn:
        code = 1
        try:
            stopping.ignore_signals()
            _end_with_parent()
            for connection in self._connections:
                connection.close()
            share_cores(self._at_work)
            if os.getppid() == first:  # else it ended before _end_with_parent
                self._serve(number, there)
            code = 0
        except BaseException as error:
            error.add_note(f"in worker process {number}:\n{traceback.format_exc()}")
            with contextlib.suppress(Exception):  # it cannot be pickled, or nobody reads it
                there.send(_Failure(error))
        finally:
            os._exit(code)  # nothing of the first process is flushed, saved or cleaned up twice

    def _end(self) -> None:
        """Kills: workers have nothing to save. A signal that ends the process calls this between any two bytecodes."""
        running = [number for number in range(len(self._pids)) if number not in self._ended]
        for number in running:
            with contextlib.suppress(OSError):
                os.kill(self._pids[number], signal.SIGKILL)
        for number in running:
            self._has_ended(number, 0)
        self._pids, self._ended = [], {}

    def _has_ended(self, number: int, options: int) -> bool:
        if number not in self._ended:
            try:
                pid, status = os.waitpid(self._pids[number], options)
            except ChildProcessError:  # something else has waited for it
                pid, status = self._pids[number], 0
            if pid:
                self._ended[number] = os.waitstatus_to_exitcode(status)
        return number in self._ended

    def _raise_failure(self, number: int) -> NoReturn:
        """Raises what a worker has failed with, or else an error that names its exit code."""
        message: object = None
        with contextlib.suppress(EOFError, OSError):
            while not isinstance(message, _Failure) and self._connections[number].poll():
                message = self._connections[number].recv()
        if isinstance(message, _Failure):
            raise message.error
        self._has_ended(number, 0)
        code = self._ended[number]
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise StorageError(
            f"a worker process {how}; what was saved last is complete",
            "if memory was short, lower --workers, --batch or --hidden; go on with a training by --resume",
        )


class _Failure(NamedTuple):
    """What a worker sends when it fails."""

    error: BaseException


def _end_with_parent() -> None:
    """Asks Linux to kill this process as soon as the process that forked it has ended."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
