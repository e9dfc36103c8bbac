"""Finds the shared library of the compiled engine, loads it, and says which engine computes."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

Engine = Literal["auto", "numpy", "compiled"]
NAME = "librnncli.dylib" if sys.platform == "darwin" else "librnncli.so"


class Library:
    """The shared library, with the kernels for this processor.

    Args:
        path: of the library.
        level: of vectors; None for the best that the processor has.

    Raises:
        OSError: it cannot be loaded.
    """

    def __init__(self, path: Path, level: str | None = None) -> None:
        self._library = ctypes.CDLL(str(path))  # the interpreter's lock is free during a call
        best = self._library.rnncli_level
        best.restype, best.argtypes = ctypes.c_char_p, []
        self.level = level or best().decode()
        self.function = cache(self._function)

    def _function(self, name: str, dtype: np.dtype[Any]) -> Any:
        """The C function of that name for that type; all return nothing.

        Raises:
            AttributeError: there is none.
        """
        found = self._library[f"{name}_{dtype.name}_{self.level}"]
        found.restype = None
        return found


@cache
def _load() -> Library | None:
    try:
        return Library(Path(__file__).with_name(NAME))
    except OSError:
        return None


_engine: Engine = "auto"


def use(engine: Engine) -> None:
    """Sets which engine computes in this process: ``auto`` is the compiled one where it is there.

    Raises:
        OSError: the compiled one is asked for, and is not there.
    """
    global _engine
    if engine == "compiled" and _load() is None:
        raise OSError("the compiled engine is not there")
    _engine = engine


def library() -> Library | None:
    """The compiled engine, or None where NumPy computes."""
    return None if _engine == "numpy" else _load()
