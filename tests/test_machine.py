"""How much memory a training may plan with."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from rnncli.machine import available_memory

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
