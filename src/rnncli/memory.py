"""Whether there is room for what is to be made: asked before, for afterwards it is too late to say so in a sentence."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from rnncli.errors import StorageError
from rnncli.machine import available_memory

# Pages of this process, on Linux: the virtual ones, and those that are in memory.
_PAGES = Path("/proc/self/statm")


def memory_left() -> int:
    """Bytes that this process can still take."""
    virtual, resident = _taken()
    left = available_memory() - resident
    address_space, _ = resource.getrlimit(resource.RLIMIT_AS)
    return left if address_space == resource.RLIM_INFINITY else min(left, address_space - virtual)


def require_room(more: int, what: str, hint: str) -> None:
    """Refuses what would not fit.

    Args:
        more: bytes that are needed beside those that are taken already.
        what: needs them; begins a sentence.
        hint: what to do about it.

    Raises:
        StorageError: there is no room for so many.
    """
    left = memory_left()
    if more > left:
        needed = f"{what} needs about {size_words(more)} of memory more"
        raise StorageError(f"{needed}, and there is room for {size_words(left)}", hint)


def _taken() -> tuple[int, int]:
    """Bytes of address space and of memory that this process has; at least those of memory that it once had."""
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
