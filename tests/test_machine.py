"""How much memory a training may plan with."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from rnncli.machine import available_memory, control_group_limits

GIB = 2**30


def test_the_smallest_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", {"SC_PHYS_PAGES": 2**21, "SC_PAGE_SIZE": 2**12}.__getitem__)
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr("resource.getrlimit", lambda which: unlimited)
    container, none, missing = tmp_path / "memory.max", tmp_path / "none", tmp_path / "missing"
    container.write_text(f"{2 * GIB}\n")
    none.write_text("max\n")
    assert available_memory(()) == 8 * GIB
    assert available_memory((missing, none)) == 8 * GIB
    assert available_memory((missing, none, container)) == 2 * GIB
    container.write_text(f"{2**63 - 4096}\n")  # how version 1 says that there is no limit
    assert available_memory((container,)) == 8 * GIB
    monkeypatch.setattr("resource.getrlimit", lambda which: (GIB, GIB) if which == resource.RLIMIT_AS else unlimited)
    assert available_memory((container,)) == GIB


@pytest.mark.parametrize(
    ("groups", "mount", "limits"),
    [
        (
            "0::/user.slice/run-7.scope\n",
            "30 23 0:26 / {top} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate",
            {"user.slice/run-7.scope": "max", "user.slice": str(GIB), "": None},
        ),
        (
            "12:cpu,cpuacct:/else\n4:memory:/slurm/uid_0/job_5\n1:name=systemd:/init.scope\n0::/init.scope\n",
            "36 25 0:31 / {top} rw shared:11 - cgroup cgroup rw,memory",
            {"slurm/uid_0/job_5": str(GIB), "slurm": str(2**63 - 4096), "": str(2**63 - 4096)},
        ),
        (  # a container that sees its own group as the top of the mount
            "0::/docker/abc/inner\n",
            "30 23 0:26 /docker/abc {top} rw - cgroup2 cgroup rw",
            {"inner": str(GIB), "": str(2 * GIB)},
        ),
        ("0::/\n", "30 23 0:26 / {top} rw - cgroup2 cgroup2 rw", {"": str(GIB)}),
        (  # moved out of what is mounted: at least that is looked at
            "0::/../elsewhere\n",
            "30 23 0:26 / {top} rw - cgroup2 cgroup2 rw",
            {"": str(GIB)},
        ),
    ],
    ids=["systemd", "slurm", "container", "top", "outside"],
)
def test_the_limits_of_nested_control_groups_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: str, mount: str, limits: dict[str, str | None]
) -> None:
    """The smallest of all around the process, for any of them is enough to be killed by."""
    version2 = "cgroup2" in mount
    for group, limit in limits.items():
        folder = tmp_path / "cgroup" / group
        folder.mkdir(parents=True, exist_ok=True)
        if limit is not None:
            (folder / ("memory.max" if version2 else "memory.limit_in_bytes")).write_text(limit + "\n")
    process = tmp_path / "self"
    process.mkdir()
    (process / "cgroup").write_text(groups)
    other = "22 1 8:1 / / rw,relatime - ext4 /dev/root rw\n37 25 0:32 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
    (process / "mountinfo").write_text(other + mount.format(top=tmp_path / "cgroup") + "\n")
    monkeypatch.setattr("os.sysconf", {"SC_PHYS_PAGES": 2**21, "SC_PAGE_SIZE": 2**12}.__getitem__)
    monkeypatch.setattr("resource.getrlimit", lambda which: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    found = control_group_limits(process)
    assert len(found) == len(set(found))
    assert available_memory(found) == GIB
    assert control_group_limits(tmp_path / "missing") == []
