"""Data files as a stream of records, in any format of :mod:`rnncli.data.formats.registry`, from a path or a pipe.

No encoding is guessed, and nothing is silently replaced. What separates the values of a table is found out from its
first lines; whether the first of them is a header, and how numbers are written, only where that is asked for. A fault
is one sentence with file and line.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from typing import BinaryIO

from rnncli.data.formats.advice import DataFile, command
from rnncli.data.formats.decoding import check_encoding
from rnncli.data.formats.dialect import Dialect, delimiter_named, option
from rnncli.data.formats.peek import Peeked
from rnncli.data.formats.registry import FORMATS, Format, format_of, required_format_of
from rnncli.data.formats.sources import check_path, display_name, open_chunks
from rnncli.data.formats.table import MAX_BYTES, Ledger, Opened, Row, Table, Watch
from rnncli.data.formats.values import Value
from rnncli.data.tables.column import columns_of
from rnncli.data.tables.columns import header_names
from rnncli.data.tables.first_rows import Expected, read_first_rows
from rnncli.data.tables.header import header_of, only_a_header
from rnncli.errors import UsageError, closest, counted, quoted

_SEEN_ROWS = 200  # by which the names of columns are told from a record
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
    delimiter: str | None = None,
    header: bool | None = None,
    decimal: str | None = None,
    expected: Expected | None = None,
    reader: str = "rnncli train",
    given: Sequence[str] = (),
    sheet: str | None = None,
    usual_sheet: str | None = None,
    watch: Watch | None = None,
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
        delimiter: what separates the values of a line, the character or its name; found out if None.
        header: whether the first line names the columns; without one they are called by their numbers from 1.
        decimal: ``,`` or ``.``, the character before the decimals of a number.
        expected: what is known of the columns. Without it a header is there, and numbers are as they are written, if
            ``header`` and ``decimal`` do not say otherwise; with it, both are found out.
        reader: the beginning of the command that reads the file, for messages.
        given: more options that the user gave, each as it is typed, for the commands in messages.
        sheet: of an Excel workbook, by its name or its number from 1.
        usual_sheet: the one that is read where none is named and the workbook has it.
        watch: sees every row as it is read; then a bad record is no error.

    Raises:
        UsageError: an unknown format, encoding or delimiter; or a delimiter, a header or decimals of a file that is no
            delimited text, or a sheet of one that is no workbook.
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
    asked = Dialect(None if delimiter is None else delimiter_named(delimiter), header, decimal)
    row = _format_of(path, format, asked)
    if sheet is not None and row.name != "xlsx":
        what = f"--sheet is for Excel workbooks, and {display_name(path)} is read as {row.name}"
        raise UsageError(what, "leave it out, or say --format xlsx")
    options = (*given, *_options(format, encoding, asked, sheet))
    file = DataFile(path, row, encoding, reader=reader, options=options)
    if row.binary and encoding != "utf-8":
        raise UsageError(f"{file.name}: {row.name} is not text and has no encoding", "leave --encoding out")
    hasher = hashlib.sha256()
    chunks = open_chunks(path, max_bytes=max_bytes, stdin=stdin, hash=hasher.update, before_waiting=before_waiting)
    ledger = Ledger(file, skip_bad, max_field, skip_hint, max_bytes, asked, watch, sheet=sheet, usual_sheet=usual_sheet)
    module, function = row.opener.split(":")
    opened: Opened = getattr(import_module(module), function)(chunks, ledger)  # imported once such a file is read
    if opened.dialect is None:
        if opened.found_names and expected is not None:
            opened = _with_a_header(opened, ledger)
        columns = header_names(opened.names, f"{file.name}:{opened.line}")
        rows = ledger.watched(opened.rows, opened.names, columns)
        return _table(columns, _checked(rows, columns, ledger, hasher.hexdigest), ledger)
    first = read_first_rows(opened, ledger, expected, patient=before_waiting is None)
    ledger.file = replace(ledger.file, dialect=first.dialect)
    in_file = first.top if first.dialect.header else first.names
    rows = ledger.watched(first.rows, in_file, first.names)
    rows = _checked(rows, first.names, ledger, hasher.hexdigest, first.dialect)
    return _table(*first.read(rows, ledger), ledger, first.dialect)


def _with_a_header(opened: Opened, ledger: Ledger) -> Opened:
    """A table whose first row names its columns.

    Raises:
        DataError: it is a record like those below it.
    """
    rows = Peeked(opened.rows)
    sample = [row.texts for row in rows.peek(_SEEN_ROWS)]
    header = header_of(columns_of(opened.names, sample))
    if header.found is False and header.sure:
        book = "openpyxl.load_workbook(io.BytesIO(sys.stdin.buffer.read()),data_only=True)"
        sheets = f"{book}.worksheets" if ledger.sheet is None else f"[{book}[{ledger.sheet!r}]]"
        script = f"import csv,io,sys,openpyxl;[csv.writer(sys.stdout).writerows(s.values) for s in {sheets}]"
        made = ledger.file.unpacked(script, "csv")
        ways = f"Name the columns in a row above it; or read it as CSV, without names: {made}"
        raise ledger.fault(opened.line, f"the first row is a record, and no names of columns: {header.why}", ways)
    return opened._replace(rows=rows.rest())


def _format_of(path: str, name: str | None, asked: Dialect) -> Format:
    """The format of a file, or of standard input.

    Raises:
        UsageError: it has no delimiter, no header or no decimals, and somebody said which.
        DataError: the name does not say the format.
    """
    given = next((field for field in ("delimiter", "header", "decimal") if getattr(asked, field) is not None), None)
    known = name or ("csv" if path == "-" else format_of(path))
    if name is None and given is not None and (known is None or FORMATS[known].holds == "texts"):
        known = "csv"  # of a table, whatever its file is called
    row = FORMATS[known or required_format_of(path)]
    if given is not None and not row.delimiter:
        raise UsageError(
            f"--{given} is for a table in a text file, such as CSV, and {display_name(path)} is read as {row.name}",
            f"leave it out, or say --format {' or '.join(name for name, one in FORMATS.items() if one.delimiter)}",
        )
    return row


def _options(format: str | None, encoding: str, asked: Dialect, sheet: str | None) -> tuple[str, ...]:
    """What the user said of how a file is read, as it is typed."""
    options = [] if format is None else [f"--format {format}"]
    if sheet is not None:
        options.append(command("--sheet", sheet))
    if encoding != "utf-8":
        options.append(f"--encoding {encoding}")
    if asked.delimiter is not None:
        options.append(option(asked.delimiter))
    if asked.header is not None:
        options.append("--header" if asked.header else "--no-header")
    return (*options, *([] if asked.decimal is None else [f"--decimal {asked.decimal}"]))


def _table(columns: tuple[str, ...], rows: Iterator[Row], ledger: Ledger, dialect: Dialect | None = None) -> Table:
    return Table(ledger.file.name, columns, ledger.file.format.name, rows, ledger, dialect)


def _checked(
    rows: Iterator[Row],
    columns: tuple[str, ...],
    ledger: Ledger,
    digest: Callable[[], str],
    dialect: Dialect | None = None,
) -> Iterator[Row]:
    """The rows without those of too few, too many or too long values."""
    width, max_field = len(columns), ledger.max_field
    first = "header" if dialect is None or dialect.header else "first row"
    found = False
    for row in rows:
        values = row.values
        if len(values) != width:
            have = counted(len(values), "value")
            ledger.bad_record(row.line, f"{have}, but the {first} has {counted(width, 'column')}")
            continue
        if ledger.has_nul and any(map(_has_nul, values)):
            ledger.bad_record(row.line, "a NUL character")
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
        only_header = dialect is not None and dialect.header and not ledger.count
        raise only_a_header(ledger.file, columns) if only_header else ledger.no_records()
    ledger.digest = digest()


def _has_nul(value: Value) -> bool:
    """Whether a text, or a list of words, has a NUL character; JSON with one is broken."""
    return any("\0" in text for text in ((value,) if isinstance(value, str) else value if type(value) is tuple else ()))
