"""The tests compute as the program does: one thread a product, decided before anything imports NumPy.

Hypothesis tries the same examples in every run, and as long as they take: a busy machine, or luck, fails no test.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args, get_type_hints

import pytest
from hypothesis import HealthCheck, settings

from rnncli import blas

blas.set_up()

STAND_INS = Path(__file__).parent / "stand_ins"

settings.register_profile("rnncli", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rnncli")


@pytest.fixture(scope="module")
def one_core() -> Iterator[None]:
    """Handing a direction of few units to another thread takes longer than computing it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnncli.core.threads.available_cores", lambda: 1)
        yield


@pytest.fixture
def numpy_engine() -> Iterator[None]:
    """For what compares bits with those that NumPy computes, as all views of ``inspect`` do."""
    from rnncli.core.engine import library

    with library.using("numpy"):
        yield


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that has no compiled library."""
    from rnncli.core.engine import library

    monkeypatch.setattr(library, "_loaded", lambda: "no compiler was found")


@pytest.fixture
def stand_in_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells that ours are not like, added as any is: a file each, and a name each among the choices of ``cell``."""
    from rnncli.core import cells

    names = tuple(path.stem for path in sorted((STAND_INS / "cells").glob("*.py")))
    monkeypatch.setattr(cells, "__path__", [*cells.__path__, str(STAND_INS / "cells")])
    add_choices(monkeypatch, "cell", names)


@pytest.fixture
def stand_in_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sixth task, added as any is: its package, its adapter, and a row in the table of tasks."""
    from rnncli import config
    from rnncli.inspection import adapters

    row = config.TaskRow("stand_ins.tasks.stars", "a text → how many stars", "mean error")
    monkeypatch.setitem(config.TASKS, "stars", row)
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__, str(STAND_INS / "adapters")])
    add_choices(monkeypatch, "task", ("stars",))


def add_choices(monkeypatch: pytest.MonkeyPatch, setting: str, names: tuple[str, ...]) -> None:
    """Choices of a setting, as if they stood in ``rnncli.config``."""
    from rnncli import config

    choices = get_args(get_type_hints(config.Settings)[setting])
    monkeypatch.setitem(config.Settings.__annotations__, setting, Literal[(*choices, *names)])
    monkeypatch.setattr(config, "_TYPES", get_type_hints(config.Settings))  # read anew
