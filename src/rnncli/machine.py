"""What this process may use of the machine: a container, ``ulimit`` or ``taskset`` can allow less than there is."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
from pathlib import Path

# Where a container's limit stands: control groups of version 2, and of version 1.
_LIMIT_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def keep_freed_memory() -> None:
    """Tells the C library, where it is glibc, to keep what is freed for the next request.

    A training step frees some tens of megabytes and asks for as many again; given back to the system and fetched anew
    page by page, they cost up to a sixth of the step.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_TRIM_THRESHOLD, 2**30)
        mallopt(_M_MMAP_THRESHOLD, 2**30)


def available_memory(limit_files: tuple[Path, ...] = _LIMIT_FILES) -> int:
    """Bytes that this process can have at most.

    Args:
        limit_files: hold a number of bytes, or ``max``; those that are not there are passed over.
    """
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    address_space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if address_space != resource.RLIM_INFINITY:
        limits.append(address_space)
    for path in limit_files:
        try:
            limits.append(int(path.read_text()))
        except (OSError, ValueError):  # not there, or "max"
            continue
    return min(limits)
