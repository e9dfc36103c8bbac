"""Strictness for the numerical core: no operation may overflow, underflow, divide by zero or make a NaN unnoticed; and
every test under both engines.

A test that names engines runs under these alone: ``pytest.mark.engines("numpy")`` where nothing is computed that C
has, ``pytest.mark.engines("compiled")`` where the library itself is tested. Where there is no library, tests of the
compiled engine are deselected, and test_engine.py fails if a compiler could have made one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from core.levels import engine_of_level, levels

from rnncli.core.engine import library

pytest.register_assert_rewrite("core.checks")

HERE = ("numpy", "compiled") if library.why_not() is None else ("numpy",)


def engines_of(definition: pytest.Item) -> list[str]:
    asked = definition.get_closest_marker("engines")
    return [engine for engine in HERE if asked is None or engine in asked.args]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("engine", engines_of(metafunc.definition) or ["compiled"], indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    without = [item for item in items if item.get_closest_marker("engines") and not engines_of(item)]
    if without:
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The engine that computes, to the end: a self-test that fails leaves the rest to NumPy, and is not to pass."""
    with library.using(request.param):
        yield request.param
        assert library.status().engine == request.param, library.status().why_not


@pytest.fixture(params=levels())
def at_level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled engine, at each level of vectors."""
    found = engine_of_level(request.param)
    monkeypatch.setattr(library, "_loaded", lambda: found)


@pytest.fixture(autouse=True, scope="module")
def strict_floats() -> Iterator[None]:
    before = np.seterr(all="raise")
    yield
    np.seterr(**before)


@pytest.fixture(autouse=True, scope="module")
def one_core() -> Iterator[None]:
    """Handing a direction of three units to another thread takes longer than computing it.

    test_layers.py has the test that two threads give the same bits.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnncli.core.threads.available_cores", lambda: 1)
        yield
