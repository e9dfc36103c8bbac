"""CSV by the standard library, strictly, and TSV by its tabs."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import chain

from rnncli.data.formats.decoding import LINE_SLACK, line_ends, lines_of
from rnncli.data.formats.table import Ledger, Opened, Row
from rnncli.data.formats.values import is_json
from rnncli.errors import DataError


def open_csv(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """Reads values with commas between them, in double quotes where they need them, a quote in a value doubled.

    Raises:
        DataError: there is no header, or it is broken.
    """
    lines = lines_of(chunks, ledger)
    first, line = _first_line(lines, ledger)
    _check_commas(first, line, ledger)
    rows = _csv_rows(chain((first,), lines), line, ledger)
    header = next(rows)
    return Opened(header.texts, _without_blanks(rows, len(header.values)), header.line)


def _first_line(lines: Iterator[str], ledger: Ledger) -> tuple[str, int]:
    """The first line that is not blank, and its number."""
    for number, line in enumerate(lines, 1):
        if line.rstrip("\r\n"):
            return line, number
    raise ledger.no_records()


def _without_blanks(rows: Iterator[Row], columns: int) -> Iterator[Row]:
    """The rows without blank lines; but in a table of one column such a line is an empty value, if more rows follow."""
    blank: list[int] = []
    for row in rows:
        if not row.values:
            blank.append(row.line)
            continue
        if columns == 1:
            yield from (Row(line, ("",)) for line in blank)
        blank.clear()
        yield row


def _check_commas(header: str, line: int, ledger: Ledger) -> None:
    """Refuses a file with another character between its columns, before the csv module takes it for one wide column."""
    if header.startswith("{") and is_json(header):
        raise ledger.fault(line, "a JSON object, and this is to be a table; read JSON lines with --format jsonl")
    bare = re.sub(r'"[^"]*+"', "", header)  # what is in quotes separates nothing
    commas = bare.count(",")
    if not commas and "\t" in bare:
        raise ledger.fault(line, "one column found; looks like tabs between the columns; use --format tsv")
    for mark, name in ((";", "semicolons"), ("|", "vertical bars")):
        if bare.count(mark) > commas:
            found = "this looks" if commas else "one column found; looks"
            reads = "rnncli reads comma-separated files (use --format tsv for tabs)"
            hint = f"Write it with commas: {ledger.file.with_commas(mark)}"
            raise ledger.fault(line, f"{found} like {name} between the columns, but {reads}", hint)


def _csv_rows(lines: Iterator[str], first_line: int, ledger: Ledger) -> Iterator[Row]:
    """The records of ``lines``, of which the first is line ``first_line`` of the file; a blank line has no values.

    The csv module's own limit is one for the whole process, and 131,072. It is set for the length of one record and
    put back.
    """
    limit = ledger.max_field + 2 * LINE_SLACK  # above any single line
    current: list[str] = []  # the lines of this record, to find the quote if it has a fault

    def kept() -> Iterator[str]:
        length = 0
        for line in lines:
            length = length + len(line) if current else len(line)
            current.append(line)
            if length > limit:  # a quote that nobody closes, or fields without end, each with a line end in it
                raise csv.Error("too long")
            yield line

    reader = csv.reader(kept(), strict=True)
    while True:
        start = first_line + reader.line_num
        before = csv.field_size_limit(limit)
        try:
            values = next(reader, None)
        except csv.Error as error:
            raise _csv_fault("".join(current), start, str(error), limit, ledger) from None
        finally:
            csv.field_size_limit(before)
        if values is None:
            return
        current.clear()
        yield Row(start, tuple(values))


_QUOTED = re.compile(r'"(?:[^"]++|"")*+')  # up to the quote that closes
_UNQUOTED = re.compile(r"[^,\r\n]*+")


def _csv_fault(record: str, start: int, reason: str, limit: int, ledger: Ledger) -> DataError:
    """Names the line where the quote opened: the csv module only knows where it noticed."""
    hint = 'A quote inside a quoted value is written twice: "".'
    quote = _faulty_quote(record)
    opened = start + line_ends(record[:quote])
    if len(record) > limit:
        if quote is not None and len(record) - quote > ledger.max_field:
            what = f"a quote opens here and is not closed within {ledger.max_field:,} characters"
            return ledger.fault(opened, what, hint)
        return ledger.fault(start, f"a record of more than {limit:,} characters")
    if quote is None:
        return ledger.fault(start, f"broken CSV ({reason})")
    if _QUOTED.fullmatch(record, quote):
        return ledger.fault(opened, "a quote opens here and is never closed", hint)
    noticed = start + line_ends(record.rstrip("\r\n"))
    where = "" if noticed == opened else f"; the quote opened on line {opened}"
    return ledger.fault(noticed, f"text after a closing quote{where}", hint)


def _faulty_quote(record: str) -> int | None:
    """Where the quote is that is not closed, or has text after the quote that closes it."""
    at = 0
    while at < len(record):
        quoted = record[at] == '"'
        found = (_QUOTED if quoted else _UNQUOTED).match(record, at)
        end = found.end() + quoted if found else at
        if quoted and (end > len(record) or record[end : end + 1] not in ("", ",", "\r", "\n")):
            return at
        if record[end : end + 1] != ",":
            return None
        at = end + 1
    return None


def open_tsv(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """Reads values with tabs between them, without quoting: a quote is always itself.

    Raises:
        DataError: there is no header, or it is broken.
    """
    lines = lines_of(chunks, ledger)
    first, line = _first_line(lines, ledger)
    names = first.split(",")
    if "\t" not in first and len(names) > 1 and all(len(name.split()) == 1 for name in names):
        raise ledger.fault(line, "one column found; looks like commas between the columns; use --format csv")
    values = first.rstrip("\r\n").split("\t")
    numbered = ((number, text.rstrip("\r\n")) for number, text in enumerate(lines, line + 1))
    rows = (Row(number, tuple(text.split("\t")) if text else ()) for number, text in numbered)
    return Opened(values, _without_blanks(rows, len(values)), line)
