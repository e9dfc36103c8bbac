"""A table of inputs and what was predicted for them: its columns, and the format that the name of its file says.

Every row keeps the values of its input as they were read. Formats without types write lists as texts; see
:class:`~rnncli.results.Several`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any

from rnncli.data.writing.spool import Spool
from rnncli.errors import UsageError
from rnncli.storage import write_atomically

Chunks = Callable[[], Iterator[Sequence[Sequence[Any]]]]
# Names of columns, and what gives their rows as often as it is asked → the bytes of the file.
Write = Callable[[Sequence[str], Chunks], Iterable[bytes]]

_HERE = "rnncli.data.writing"
# Ending of the name → module and function; imported when such a file is written.
WRITERS = {
    ".csv": f"{_HERE}.delimited:csv_bytes",
    ".tsv": f"{_HERE}.delimited:tsv_bytes",
    ".jsonl": f"{_HERE}.json_lines:json_lines_bytes",
    ".parquet": f"{_HERE}.parquet:parquet_bytes",
}
_LIBRARIES = {".parquet": "pyarrow"}


class TableFile:
    """A table that is written once all of its rows are there.

    Args:
        path: its name ends in one of :data:`WRITERS`.
        change: what becomes of every text, in a format for spreadsheets.

    Raises:
        UsageError: the library of its format is not installed.
        StorageError: its folder cannot be written to.
    """

    def __init__(self, path: str, change: Callable[[str], str] | None = None) -> None:
        self.path, self._change = path, change
        suffix = os.path.splitext(path)[1].lower()
        self._write = _writer(suffix, path)
        self._spool = Spool(path)

    @property
    def count(self) -> int:
        return self._spool.count

    def add(self, values: Sequence[Any], order: int = 0) -> None:
        """Takes a row.

        Args:
            order: its place among the rows, where they come in another order; see :meth:`finish`.
        """
        self._spool.add((order, tuple(values)))

    def finish(self, columns: Sequence[str], in_order: bool = True) -> None:
        """Writes the file.

        Args:
            columns: a name for each value of a row; a row that is shorter has nothing in the last ones.
            in_order: whether rows are written as they came, and not sorted.

        Raises:
            DataError: the format cannot hold a value.
            StorageError: it cannot be written.
        """
        width, change = len(columns), self._change

        def filled(values: tuple[Any, ...]) -> tuple[Any, ...]:
            if change is not None:
                values = tuple(change(value) if isinstance(value, str) else value for value in values)
            return values if len(values) == width else values + (None,) * (width - len(values))

        def chunks() -> Iterator[Sequence[Sequence[Any]]]:
            if in_order:
                for chunk in self._spool.chunks():
                    yield [filled(values) for _, values in chunk]
            else:
                rows = [row for chunk in self._spool.chunks() for row in chunk]
                rows.sort(key=lambda row: row[0])  # stable
                yield [filled(values) for _, values in rows]

        write_atomically(self.path, self._write(columns, chunks))

    def close(self) -> None:
        """Gives up the room that the rows took."""
        self._spool.close()


def _writer(suffix: str, path: str) -> Write:
    library = _LIBRARIES.get(suffix)
    if library is not None:
        try:
            import_module(library)
        except ImportError:
            raise UsageError(
                f"{path}: {suffix} files are written by {library}, which is not installed",
                "pip install 'rnncli[tables]'",
            ) from None
    module, function = WRITERS[suffix].split(":")
    found: Write = getattr(import_module(module), function)
    return found


def free_names(names: Iterable[str], taken: Iterable[str]) -> list[str]:
    """The names, each with a number behind it where it is taken: ``prediction_2``."""
    used, found = set(taken), []
    for name in names:
        free, number = name, 2
        while free in used:
            free, number = f"{name}_{number}", number + 1
        used.add(free)
        found.append(free)
    return found


def distinct_names(names: Sequence[str]) -> list[str]:
    """The names of columns for a format that needs one for each: ``column 3`` for a column without."""
    found: list[str] = []
    for place, name in enumerate(names, 1):
        found.append(name if name.strip() and name not in found else f"column {place}")
    return found
