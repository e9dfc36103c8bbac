"""Refuses work that memory does not suffice for, while a message can still be printed."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnncli.errors import StorageError
from rnncli.machine import available_memory

# Pages of this process, on Linux: the virtual ones, and those that are in memory.
_PAGES = Path("/proc/self/statm")


def memory_left() -> int:
    """Returns the bytes that this process can still allocate."""
    virtual, resident = _taken()
    left = available_memory() - resident
    address_space, _ = resource.getrlimit(resource.RLIMIT_AS)
    return left if address_space == resource.RLIM_INFINITY else min(left, address_space - virtual)


def require_room(more: int, what: str, hint: str) -> None:
    """Refuses work that needs more memory than is left.

    Args:
        more: bytes needed in addition to those in use.
        what: needs them; begins the message.
        hint: what the user can do about it.

    Raises:
        StorageError: there are fewer.
    """
    left = memory_left()
    if more > left:
        raise StorageError(f"{what} needs about {size_words(more)} more memory, and {size_words(left)} is left", hint)


@contextmanager
def allocations_limited() -> Iterator[None]:
    """Makes an allocation fail that finds no memory, in place of the process being killed once it uses it.

    For libraries that unpack what a file says, however much that is: their failure is an error that can be caught.
    """
    limit, most = resource.getrlimit(resource.RLIMIT_AS)
    virtual, _ = _taken()
    room = virtual + max(0, memory_left())
    chosen = room if limit == resource.RLIM_INFINITY else min(limit, room)
    with contextlib.suppress(OSError, ValueError):  # a system that has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (chosen, most))
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (limit, most))


def _taken() -> tuple[int, int]:
    """Returns the bytes of address space and of memory in use; on another system than Linux, the most ever used."""
    try:
        virtual, resident, *_ = map(int, _PAGES.read_text().split())
        size = os.sysconf("SC_PAGE_SIZE")
        return virtual * size, resident * size
    except (OSError, ValueError):  # another system
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most, most  # of macOS, in bytes


def size_words(count: int) -> str:
    """``1.5 GiB``, or ``300 MiB``."""
    count = max(0, count)
    return f"{count / 2**30:,.1f} GiB" if count >= 2**30 else f"{count / 2**20:,.0f} MiB"
