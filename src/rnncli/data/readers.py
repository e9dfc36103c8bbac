"""Data files as a stream of records, in any format of :mod:`rnncli.data.formats.registry`, from a path or a pipe.

Nothing is guessed that changes what is read: no dialect, no encoding, no silent replacement. A fault is one sentence
with file and line.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import BinaryIO

from rnncli.data.formats.advice import DataFile
from rnncli.data.formats.decoding import check_encoding
from rnncli.data.formats.registry import FORMATS, required_format_of
from rnncli.data.formats.sources import check_path, open_chunks
from rnncli.data.formats.table import MAX_BYTES, Ledger, Opened, Row, Table
from rnncli.data.tables.columns import find_column, header_names
from rnncli.data.tables.header import only_a_header, refuse_repeated_values
from rnncli.errors import DataError, UsageError, closest, counted, quoted

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
    """Opens ``source`` and reads its header; the records follow as ``rows`` is iterated.

    The file is closed when its rows are exhausted or the table is dropped.

    Args:
        source: a path, or ``-`` for ``stdin``. A name that ends in ``.gz`` is unzipped on the way.
        format: its name in the registry; by the suffix if None, and ``csv`` for stdin.
        encoding: a text encoding that Python knows; a byte order mark at the start is dropped.
        skip_bad: leave out and count records that cannot be used (wrong number of values, broken JSON, missing key,
            null, value too long). A fault that casts doubt on the rest of the file is refused all the same.
        stdin: is read in place of ``sys.stdin.buffer``.
        max_bytes: the most bytes in the file, and the most it may unzip to.
        max_field: the most characters in one value.
        before_waiting: is called when a pipe holds nothing more yet, and all rows before have been yielded.
        skip_hint: the hint with a refused record that ``skip_bad`` would leave out.
        ignore: columns to leave out, with commas between them.

    Raises:
        UsageError: an unknown format or encoding.
        StorageError: the file is missing, a directory, a named pipe, a device, unreadable or larger than ``max_bytes``,
            or stdin is closed.
        DataError: its suffix is unknown, its header broken or empty, or it is not text. Iterating ``rows`` raises it
            for a bad record, and for a file without records.
    """
    encoding = check_encoding(encoding)
    if format is not None and format not in FORMATS:
        raise UsageError(f"unknown format '{format}'{closest(format, FORMATS)}", f"Known are {', '.join(FORMATS)}.")
    path = os.fsdecode(source)
    if path != "-":
        check_path(path)
    row = FORMATS[format or ("csv" if path == "-" else required_format_of(path))]
    file = DataFile(path, row, encoding)
    if row.binary and encoding != "utf-8":
        raise UsageError(f"{file.name}: {row.name} is not text and has no encoding", "leave --encoding out")
    hasher = hashlib.sha256()
    chunks = open_chunks(path, max_bytes=max_bytes, stdin=stdin, hash=hasher.update, before_waiting=before_waiting)
    ledger = Ledger(file, skip_bad, max_field, skip_hint, max_bytes)
    module, function = row.opener.split(":")
    opened: Opened = getattr(import_module(module), function)(chunks, ledger)  # imported once such a file is read
    if row.delimiter:
        refuse_repeated_values(file, opened.names, opened.line)
    columns = header_names(opened.names, f"{file.name}:{opened.line}")
    rows = _checked(opened.rows, columns, ledger, hasher.hexdigest)
    if ignore is not None:
        columns, rows = _without(columns, rows, ignore)
    return Table(file.name, columns, ledger.file.format.name, rows, ledger)


def _without(columns: tuple[str, ...], rows: Iterator[Row], ignore: str) -> tuple[tuple[str, ...], Iterator[Row]]:
    """Columns and rows without the ignored ones."""
    names = (ignore,) if ignore in columns else tuple(name.strip() for name in ignore.split(","))
    left_out = {find_column(columns, name, "--ignore") for name in names}
    kept = [at for at in range(len(columns)) if at not in left_out]
    if not kept:
        raise DataError("--ignore: all columns are left out, and there is nothing to read")
    return (
        tuple(columns[at] for at in kept),
        (Row(line, tuple(values[at] for at in kept)) for line, values in rows),
    )


def _checked(rows: Iterator[Row], columns: tuple[str, ...], ledger: Ledger, digest: Callable[[], str]) -> Iterator[Row]:
    """The rows without those of too few, too many or too long values."""
    width, max_field = len(columns), ledger.max_field
    found = False
    for row in rows:
        values = row.values
        if len(values) != width:
            have = counted(len(values), "value")
            ledger.bad_record(row.line, f"{have}, but the header has {counted(width, 'column')}")
            continue
        try:
            longest = max(map(len, values))  # type: ignore[arg-type]
        except TypeError:  # a number has no length
            longest = max([len(value) for value in values if isinstance(value, str)], default=0)
        if longest > max_field:
            lengths = zip(columns, (len(value) if hasattr(value, "__len__") else 0 for value in values), strict=True)
            column, length = next(pair for pair in lengths if pair[1] > max_field)
            ledger.bad_record(row.line, f"{length:,} characters in {quoted(column)}; the most is {max_field:,}")
            continue
        found = True
        yield row
    if not found:
        only_header = ledger.file.format.delimiter and not ledger.count
        raise only_a_header(ledger.file, columns) if only_header else ledger.no_records()
    ledger.digest = digest()
