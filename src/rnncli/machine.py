"""What this process may use of the machine: a container, ``ulimit`` or ``taskset`` can allow less than there is."""

from __future__ import annotations

import os
import resource
from pathlib import Path

# Where a container's limit stands: control groups of version 2, and of version 1.
_LIMIT_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


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
