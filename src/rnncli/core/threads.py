"""Two independent computations at once, on two cores."""

from __future__ import annotations

import contextvars
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def side_by_side(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """The results of both, computed at the same time where there are two cores.

    NumPy releases the interpreter's lock while it multiplies and applies functions to larger arrays, so two threads do
    overlap. They write to nothing that both use: the bits are the same as one after the other.
    """
    if available_cores() // _processes < 2:
        return first(), second()
    try:
        # The other thread keeps this one's settings, such as np.errstate.
        future = _helper().submit(contextvars.copy_context().run, second)
    except RuntimeError:  # no thread can be started: a limit on processes counts threads too
        _helper.cache_clear()  # it holds what was submitted
        return first(), second()
    try:
        result = first()
    finally:
        future.exception()  # waits: after an error here, nothing goes on in the background
    return result, future.result()


_processes = 1


def share_cores(processes: int) -> None:
    """Sets how many processes like this one compute at the same time."""
    global _processes
    _processes = processes


@cache
def available_cores() -> int:
    """Cores this process may use: a container or ``taskset`` can allow fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _helper() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="rnncli")


def release_helper() -> None:
    """Ends the other thread, if there is one; the next :func:`side_by_side` makes it anew.

    A process should have no threads when it is forked: what they hold locked stays locked in the child.
    """
    if _helper.cache_info().currsize:
        _helper().shutdown()
        _helper.cache_clear()


if hasattr(os, "register_at_fork"):
    # A forked child inherits the executor without its thread, and would wait for it forever.
    os.register_at_fork(after_in_child=_helper.cache_clear)
