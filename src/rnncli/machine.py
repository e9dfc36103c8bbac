"""The memory that this process may use: a container or ``ulimit`` can allow less than the machine has."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def keep_freed_memory() -> None:
    """Makes the C library, where it is glibc, keep freed memory for the next request.

    A training step frees some tens of megabytes and asks for as many again; given back to the system and fetched anew
    page by page, they cost up to a sixth of the step.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_TRIM_THRESHOLD, 2**30)
        mallopt(_M_MMAP_THRESHOLD, 2**30)


def available_memory(limit_files: Iterable[Path] | None = None) -> int:
    """Returns the most bytes that this process can have.

    Args:
        limit_files: each holds a number of bytes, or ``max``; missing files are skipped. None for those of the control
            groups that this process is in.
    """
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    address_space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if address_space != resource.RLIM_INFINITY:
        limits.append(address_space)
    for path in control_group_limits() if limit_files is None else limit_files:
        try:
            limits.append(int(path.read_text()))
        except (OSError, ValueError):  # not there, or "max"
            continue
    return min(limits)


def control_group_limits(process: Path = Path("/proc/self")) -> list[Path]:
    """The files that limit the memory of a process's control group, and of each of those around it.

    A scheduler or systemd nests groups; the limit of any of them is enough to be killed by. The formats are those of
    cgroups(7) and proc_pid_mountinfo(5).

    Args:
        process: its folder in /proc; an empty list where that says nothing, as on another system than Linux.
    """
    try:
        groups = (process / "cgroup").read_text().splitlines()
        mounts = (process / "mountinfo").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    within = {}  # file name → where the group is in the hierarchy that has such files
    for line in groups:  # 4:memory:/job_5, or 0::/job_5 in version 2
        number, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            within["memory.limit_in_bytes"] = PurePosixPath(path)
        elif number == "0":
            within["memory.max"] = PurePosixPath(path)
    found = []
    for line in mounts:  # 30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw
        left, _, right = line.partition(" - ")
        kind, *_, options = right.split(" ")
        name = {"cgroup2": "memory.max", "cgroup": "memory.limit_in_bytes"}.get(kind, "")
        if name not in within or (kind == "cgroup" and "memory" not in options.split(",")):
            continue
        root, top = left.split(" ")[3:5]
        # In a container the mount may begin at its own group, under which a nested one stands.
        nested = within[name].is_relative_to(root) and within[name].relative_to(root)
        folder = Path(top) / (nested or "")
        found += [parent / name for parent in (folder, *folder.parents) if parent.is_relative_to(top)]
    return found
