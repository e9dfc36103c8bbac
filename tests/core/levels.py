"""The library that is installed here, at each level of vectors."""

from __future__ import annotations

from pathlib import Path

from rnncli.core.engine import library

LIBRARY = Path(library.__file__).with_name(library.NAME)
LEVELS = ("plain", "avx2", "avx512")


def engine_of_level(level: str) -> library.Library:
    return library.Library(LIBRARY, level)


def levels(path: Path = LIBRARY) -> tuple[str, ...]:
    """Those that this processor has; the first of them where nothing is compiled."""
    try:
        best = library.Library(path).level
    except OSError:
        best = "plain"
    return LEVELS[: 1 + LEVELS.index(best)]
