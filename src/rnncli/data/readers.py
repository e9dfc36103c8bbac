"""Data files as a stream of records: tables, JSON lines, tagged words and plain text, also gzipped, from path or pipe.

Nothing is guessed that changes what is read: no dialect, no encoding, no silent replacement. A fault is one sentence
with file and line. Which formats there are stands in :mod:`rnncli.data.formats.registry`.
"""

from __future__ import annotations

import hashlib
import os
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from rnncli.data.advice import DataFile
from rnncli.data.columns import find_column, quoted
from rnncli.data.decoding import LINE_SLACK, check_encoding
from rnncli.data.formats.registry import FORMATS, required_format_of
from rnncli.data.sources import STDIN_NAME, check_path, open_lines
from rnncli.data.table import Ledger, Opened, Row, Table
from rnncli.errors import DataError, UsageError, closest

__all__ = ["MAX_BYTES", "MAX_FIELD", "Row", "Table", "open_table"]

MAX_BYTES = 4 << 30  # 4 GiB, as stored and as unzipped
MAX_FIELD = 10_000_000  # characters in one value


def open_table(
    source: str | os.PathLike[str],
    *,
    format: str | None = None,
    encoding: str = "utf-8",
    skip_bad: bool = False,
    stdin: BinaryIO | None = None,
    max_bytes: int = MAX_BYTES,
    max_field: int = MAX_FIELD,
    before_waiting: Callable[[], object] | None = None,
    skip_hint: str | None = None,
    ignore: str | None = None,
) -> Table:
    """Open ``source`` and read its header; the records follow as ``rows`` is iterated.

    The file is closed when its rows are exhausted or the table is dropped.

    Args:
        source: a path, or ``-`` for ``stdin``. A name that ends in ``.gz`` is unzipped on the way.
        format: ``csv``, ``tsv``, ``jsonl``, ``conll`` or ``text``; by the suffix if None, and ``csv`` for stdin.
        encoding: a text encoding that Python knows; a byte order mark at the start is dropped.
        skip_bad: leave out and count records that cannot be used alone (wrong number of values, broken JSON, missing
            key, null, value too long). What casts doubt on the rest of the file is refused all the same.
        stdin: in place of ``sys.stdin.buffer``.
        max_bytes: the most bytes in the file, and the most it may unzip to.
        max_field: the most characters in one value.
        before_waiting: is called when a pipe holds nothing more yet, all rows up to there having been handed on.
        skip_hint: what to say with the refusal of a record that ``skip_bad`` would leave out.
        ignore: columns to leave out, with commas between them.

    Raises:
        UsageError: an unknown format or encoding.
        StorageError: missing, a directory, a named pipe, a device, unreadable, larger than ``max_bytes``, or stdin is
            closed.
        DataError: unknown suffix, a broken or empty header, no text. Iterating ``rows`` raises it for a bad record,
            and when there was no record at all.
    """
    encoding = check_encoding(encoding)
    if format is not None and format not in FORMATS:
        raise UsageError(f"unknown format '{format}'{closest(format, FORMATS)}", f"Known are {', '.join(FORMATS)}.")
    name = os.fsdecode(source)
    path = None if name == "-" else name
    if path is None:
        name = STDIN_NAME
        format = format or "csv"
    else:
        check_path(path)
        format = format or required_format_of(path)
    hasher = hashlib.sha256()
    lines = open_lines(
        path,
        stdin,
        hasher=hasher,
        encoding=encoding,
        max_bytes=max_bytes,
        max_line=max_field + LINE_SLACK,
        before_waiting=before_waiting,
    )
    ledger = Ledger(DataFile(path or "-", format, encoding), skip_bad, max_field, skip_hint)
    columns, rows = FORMATS[format].open(lines, ledger)
    rows = _checked(rows, columns, ledger, hasher.hexdigest)
    if ignore is not None:
        columns, rows = _without(columns, rows, ignore)
    table = Table(name, columns, format, rows, ledger.skipped, ledger.count, "")
    ledger.table = weakref.ref(table)
    return table


def _without(columns: tuple[str, ...], rows: Iterator[Row], ignore: str) -> Opened:
    """Columns and rows without those that are to be ignored.

    Raises:
        DataError: one of them does not exist, or none would be left.
    """
    names = (ignore,) if ignore in columns else tuple(name.strip() for name in ignore.split(","))
    left_out = {find_column(columns, name, "--ignore") for name in names}
    kept = [at for at in range(len(columns)) if at not in left_out]
    if not kept:
        raise DataError("--ignore: all columns are left out, and there is nothing to read")
    return (
        tuple(columns[at] for at in kept),
        (Row(line, tuple(values[at] for at in kept)) for line, values in rows),
    )


def _checked(rows: Iterable[Row], columns: tuple[str, ...], ledger: Ledger, digest: Callable[[], str]) -> Iterator[Row]:
    """``rows`` without those that have too few, too many or too long values."""
    width = len(columns)
    max_field = ledger.max_field
    found = False
    for row in rows:
        values = row.values
        if len(values) != width:
            ledger.bad_record(row.line, f"{_values(len(values))}, but the header has {_columns(width)}")
        elif max(map(len, values)) > max_field:
            column, length = next(pair for pair in zip(columns, map(len, values), strict=True) if pair[1] > max_field)
            ledger.bad_record(row.line, f"{length:,} characters in {quoted(column)}; the most is {max_field:,}")
        else:
            found = True
            yield row
    if not found:
        raise ledger.no_records(columns if ledger.file.format in ("csv", "tsv") else ())
    ledger.finish(digest())


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count:,} values"


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count:,} columns"
