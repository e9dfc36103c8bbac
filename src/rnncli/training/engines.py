"""Which engine computes: chosen for a training and kept with it, or for one question to a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from rnncli import blas
from rnncli.config import Engine, Settings
from rnncli.core.cells.compiled import tested
from rnncli.core.engine import library
from rnncli.errors import UsageError
from rnncli.tasks.network import stack_of


@contextmanager
def computing(engine: str) -> Iterator[None]:
    """Inside, this engine computes.

    Raises:
        UsageError: there is none of this name, or the compiled one is asked for and cannot be used here.
    """
    chosen = Settings(engine=engine).engine  # type: ignore[arg-type]  # which checks it
    require(chosen)
    with library.using(chosen):
        yield


def why_not(engine: Engine) -> str | None:
    """Why an engine cannot be used here; None where it can."""
    return library.why_not() if engine == "compiled" else None


def require(engine: Engine) -> None:
    """Raises UsageError: the compiled engine is asked for, and cannot be used here."""
    why = why_not(engine)
    if why is not None:
        raise UsageError(
            f"--engine compiled: the compiled engine cannot be used here: {why}",
            "compute with NumPy: leave --engine out, or name numpy",
        )


def chosen_for(settings: Settings) -> Literal["numpy", "compiled"]:
    """The engine of a training: ``auto`` is the compiled one where it computes the training's cell as NumPy does.

    Raises:
        UsageError: as :func:`require`, or the compiled one computes it otherwise.
    """
    require(settings.engine)
    with library.using(settings.engine):
        found = tested(layer.cell for layer in stack_of(settings, 1).layers)
    require(settings.engine)
    return found.engine


def in_words() -> str:
    """What computes here, as far as the bits of a training depend on it: ``compiled (avx512), OpenBLAS SkylakeX``."""
    engine, kernel = library.status().name, blas.kernel()
    return engine if kernel is None else f"{engine}, OpenBLAS {kernel}"
