"""Signals that stop a command: unfinished work is undone, and the process ends at once with the signal's exit code.

A handler that raises an exception raises it wherever the interpreter happens to be: in a callback of the garbage
collector, where it is printed and lost, in the release of a lock, or on the way out. This one raises nothing. It works
from the first import on, so this module imports little.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_undo: list[Callable[[], object]] = []
_message = "stopped"
_ending = False


def end_on_signals() -> None:
    """Lets each of :data:`SIGNALS` end the process. One that was ignored when it started, as by ``nohup``, stays so."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def ignore_signals() -> None:
    """Ignores them: nothing is left to stop, or another process stops it."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def say_when_stopped(message: str) -> None:
    """Sets the message of a stopped command."""
    global _message
    _message = message


@contextmanager
def undone_when_stopped(undo: Callable[[], object]) -> Iterator[None]:
    """While the block runs, a signal that ends the process calls ``undo`` first, between any two of its bytecodes."""
    _undo.append(undo)
    try:
        yield
    finally:
        _undo.remove(undo)


@contextmanager
def deferred() -> Iterator[None]:
    """Signals that come while the block runs are handled at its end."""
    came: list[int] = []
    before = {}
    try:
        for number in SIGNALS:
            handler = signal.getsignal(number)
            if handler is signal.SIG_IGN or handler is None:  # None: it is not Python's, and raises nothing
                continue
            try:
                before[number] = signal.signal(number, lambda number, _: came.append(number))
            except ValueError:  # not the main thread, in which alone handlers run
                break
        yield
    finally:
        # The handler of Ctrl-C may raise, so it comes back last.
        for number, handler in reversed(before.items()):
            signal.signal(number, handler)
        for late in came:
            signal.raise_signal(late)


def _end(number: int, frame: FrameType | None) -> None:
    global _ending
    if not _ending:  # a second signal does not wait for what the first one undoes
        _ending = True
        for undo in reversed(_undo.copy()):
            with suppress(Exception):
                undo()
        with suppress(OSError):  # stderr may be closed
            os.write(2, f"rnncli: {_message}\n".encode(errors="backslashreplace"))
    os._exit(128 + number)
