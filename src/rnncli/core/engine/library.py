"""Finds the shared library of the compiled engine, loads and checks it, and says which engine computes."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Any, Literal, NamedTuple

import numpy as np

from rnncli.core.engine.sources import digest

Engine = Literal["auto", "numpy", "compiled"]
NAME = "librnncli.dylib" if sys.platform == "darwin" else "librnncli.so"


class Library:
    """The shared library, with the kernels for this processor.

    Args:
        path: of the library.
        level: of vectors; None for the best that the processor has.

    Raises:
        OSError: it cannot be loaded, or was compiled from other sources than those that are beside it.
    """

    def __init__(self, path: Path, level: str | None = None) -> None:
        if not path.exists():
            raise OSError("it was not compiled when rnncli was installed")
        try:
            self._library = ctypes.CDLL(str(path))  # the interpreter's lock is free during a call
            best, sources = (self._text(name) for name in ("rnncli_level", "rnncli_sources"))
        except OSError as error:
            raise OSError(f"the system does not load it: {error}") from None
        except AttributeError:
            raise OSError("it is of another version: compile it anew, python hatch_build.py") from None
        if digest() not in (None, sources):
            raise OSError("its sources have changed: compile it anew, python hatch_build.py")
        self.level = level or best
        self.function = cache(self._function)
        self.refused: str | None = None
        self._agreed: set[Hashable] = set()
        self._testing = RLock()  # the test of a cell asks for that of the passes over rows

    def _text(self, name: str) -> str:
        function = self._library[name]
        function.restype, function.argtypes = ctypes.c_char_p, []
        return str(function().decode())

    def _function(self, name: str, dtype: np.dtype[Any]) -> Any:
        """The C function of that name for that type; all return nothing.

        Raises:
            AttributeError: there is none.
        """
        found = self._library[f"{name}_{dtype.name}_{self.level}"]
        found.restype = None
        return found

    def agrees(self, case: Hashable, test: Callable[[], bool]) -> bool:
        """Whether a case comes out as in NumPy; tested the first time that it is asked for.

        After one that does not, or that the library lacks, none is used, and :attr:`refused` says why.
        """
        if case not in self._agreed:
            with self._testing:  # the other direction's thread waits
                if case not in self._agreed and self.refused is None:
                    try:
                        agreed = test()
                    except AttributeError as error:
                        self.refused = f"a function is missing: {error}"
                    else:
                        if agreed:
                            self._agreed.add(case)
                        elif self.refused is None:  # else by a case that this one asked for
                            self.refused = f"it does not compute what NumPy computes: {case}"
        return self.refused is None


class Status(NamedTuple):
    """Which engine computes: the compiled one, of a level, or NumPy, and why not the other where it was not chosen."""

    engine: Literal["numpy", "compiled"]
    level: str | None
    why_not: str | None

    @property
    def name(self) -> str:
        return "NumPy" if self.level is None else f"compiled ({self.level})"

    @property
    def in_words(self) -> str:
        why = "" if self.why_not is None else f"; the compiled one cannot be used here: {self.why_not}"
        return self.name + why


@cache
def _loaded() -> Library | str:
    """The library, or why there is none."""
    try:
        return Library(Path(__file__).with_name(NAME))
    except OSError as error:
        return str(error)


_engine: Engine = "auto"
# Inside of :func:`using`; a thread that side_by_side starts has that of the thread that waits for it.
_inside: ContextVar[Engine | None] = ContextVar("engine", default=None)


def use(engine: Engine) -> None:
    """Sets which engine computes in this process: ``auto`` is the compiled one where it is there.

    Raises:
        OSError: the compiled one is asked for, and is not there; says why.
    """
    global _engine
    _require(engine)
    _engine = engine


def _require(engine: Engine) -> None:
    if engine == "compiled" and (why := why_not()) is not None:
        raise OSError(why)


@contextmanager
def using(engine: Engine) -> Iterator[None]:
    """Inside, this engine computes, in this thread; other threads and the time after it keep theirs.

    Raises:
        OSError: as :func:`use`.
    """
    _require(engine)
    token = _inside.set(engine)
    try:
        yield
    finally:
        _inside.reset(token)


def _chosen() -> Engine:
    return _inside.get() or _engine


def library() -> Library | None:
    """The compiled engine, or None where NumPy computes."""
    if _chosen() == "numpy":
        return None
    found = _loaded()
    return None if isinstance(found, str) or found.refused is not None else found


def why_not() -> str | None:
    """Why the compiled engine cannot be used; None where it can."""
    found = _loaded()
    return found if isinstance(found, str) else found.refused


def status() -> Status:
    """Which engine computes in this process."""
    found = library()
    if found is not None:
        return Status("compiled", found.level, None)
    return Status("numpy", None, None if _chosen() == "numpy" else why_not())
