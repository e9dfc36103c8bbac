"""CSV and TSV, which read back equal: by :mod:`rnncli.data.formats.delimited`, and by other programs."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import Any

from rnncli.data.formats.values import as_text
from rnncli.data.writing.table import Chunks
from rnncli.errors import DataError, quoted
from rnncli.results import Several

_NOT_IN_TSV = ("\t", "\n", "\r")


def csv_bytes(columns: Sequence[str], chunks: Chunks) -> Iterator[bytes]:
    """Values with commas between them, in double quotes where they need them; a line ends in LF."""
    lines = _Lines()
    # With CRLF as the end of a line the module quotes values with either of them.
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(columns)
    yield lines.bytes()
    for rows in chunks():
        writer.writerows([_texts(values) for values in rows])
        yield lines.bytes()


class _Lines:
    """Takes a line at a time from the csv module."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def write(self, line: str) -> int:
        self._lines.append(line[:-2])
        return len(line)

    def bytes(self) -> bytes:
        text = "".join(f"{line}\n" for line in self._lines)
        self._lines = []
        return text.encode("utf-8", "backslashreplace")  # an argument of the shell may be no UTF-8


def tsv_bytes(columns: Sequence[str], chunks: Chunks) -> Iterator[bytes]:
    """Values with tabs between them, and no quotes.

    Raises:
        DataError: one has a tab or a line end itself.
    """

    def line(values: Sequence[str], number: int) -> str:
        for name, value in zip(columns, values, strict=True):
            if any(mark in value for mark in _NOT_IN_TSV):
                raise DataError(
                    f"{quoted(name)} in row {number:,} has a tab or a line end, which a .tsv file cannot hold",
                    "Write to a name that ends in .csv, .jsonl or .parquet.",
                )
        return "\t".join(values) + "\n"

    yield line(columns, 0).encode("utf-8", "backslashreplace")
    number = 0
    for rows in chunks():
        text = "".join(line(_texts(values), number + k) for k, values in enumerate(rows, 1))
        number += len(rows)
        yield text.encode("utf-8", "backslashreplace")


def _texts(values: Sequence[Any]) -> list[str]:
    return [value if type(value) is str else _text(value) for value in values]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.text if isinstance(value, Several) else as_text(value)
