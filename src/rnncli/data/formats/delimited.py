"""Delimited text: CSV by the standard library, strictly, whatever stands between its values; TSV by its tabs."""

from __future__ import annotations

import csv
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any

from rnncli.data.formats.decoding import LINE_SLACK, line_ends, lines_of
from rnncli.data.formats.dialect import Dialect, called, option
from rnncli.data.formats.peek import Peeked
from rnncli.data.formats.table import Ledger, Opened, Row
from rnncli.data.formats.values import is_json
from rnncli.errors import DataError

_CANDIDATES = (",", ";", "\t", "|")
_SNIFFED_LINES, _SNIFFED_CHARACTERS = 100, 1 << 20
_FITS = 0.9  # of the first rows are as wide as the first one, if they are cut at the right character
_LIKELY = 0.5  # of them, where some rows are faulty
_SAYS_DELIMITER = re.compile(r'"?sep=(.)"?[\s;,]*', re.IGNORECASE)  # the line that Excel writes above a table
_IN_QUOTES = re.compile(r'"[^"]*+"')
_QUOTED_NAMES = re.compile(r'"[^"]*+"(?: "[^"]*+")++\s*+')  # with spaces between them, as R writes a table
_WITH_COMMA = re.compile(r"\s*[+-]?\d+(?:\.\d{3})*,\d+\s*")


def open_csv(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """Reads values with a delimiter between them, in double quotes where they need them, a quote in a value doubled.

    The delimiter is the one that was asked for, or that of an Excel line ``sep=;``, or the one by which the first rows
    are equally wide. The first row is the first that is given, be it a header or not.

    Raises:
        DataError: the first row is broken, or two delimiters are equally likely.
    """
    return _open(chunks, ledger, ",")


def open_tsv(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """As :func:`open_csv`; but with tabs between the values there is no quoting: a quote is always itself.

    Raises:
        DataError: the first row is broken, or two delimiters are equally likely.
    """
    return _open(chunks, ledger, "\t")


def _open(chunks: Iterator[bytes], ledger: Ledger, usual: str) -> Opened:
    """Opens a table whose format has a usual delimiter."""
    lines = Peeked(lines_of(chunks, ledger))
    first, line = _first_line(lines, ledger)
    delimiter = ledger.asked.delimiter
    told = _SAYS_DELIMITER.fullmatch(first.rstrip("\r\n"))
    if told is not None and told[1] not in '"\r\n':
        delimiter = delimiter or told[1]
        first, after = _first_line(lines, ledger)
        line += after
    if first.startswith("{") and is_json(first):
        raise ledger.fault(line, "a JSON object, and this is to be a table; read JSON lines with --format jsonl")
    if delimiter is None:
        delimiter = _sniffed(first, line, lines, usual, ledger)
    said = () if delimiter == usual else (f"{called(delimiter)} between the columns",)
    records: Iterator[str] = chain((first,), lines.rest())
    if delimiter == " ":
        records = (f"{text.rstrip()}\n" for text in records)
    if delimiter == usual == "\t":
        rows = _tab_rows(records, line)
    else:
        rows = _csv_rows(records, line, delimiter, ledger)
    top = next(rows)
    dialect = Dialect(delimiter, width=len(top.values), above=line - 1 if told else 0, said=said)
    return Opened(top.texts, _without_blanks(rows, len(top.values)), top.line, dialect)


def _first_line(lines: Iterator[str], ledger: Ledger) -> tuple[str, int]:
    """The first line that is not blank, and how many lines it took."""
    for number, line in enumerate(lines, 1):
        if line.rstrip("\r\n"):
            return line, number
    raise ledger.no_records()


def _without_blanks(rows: Iterator[Row], columns: int) -> Iterator[Row]:
    """The rows without blank lines; but in a table of one column such a line is an empty value, if more rows follow."""
    blank = array("q")
    for row in rows:
        if row.values:
            if blank:
                yield from (Row(line, ("",)) for line in blank)
                del blank[:]
            yield row
        elif columns == 1:
            blank.append(row.line)


def _sniffed(first: str, line: int, lines: Peeked[str], usual: str, ledger: Ledger) -> str:
    """The character between the values, by the first lines; the usual one where nothing speaks for another.

    Raises:
        DataError: two are equally likely.
    """
    found = _in_first_record(first, lines)
    if not found and _QUOTED_NAMES.fullmatch(first):
        return " "
    if not found or found == [usual]:
        return usual
    head = [first, *lines.peek(_SNIFFED_LINES, _SNIFFED_CHARACTERS)]
    cut = {mark: _cut(head, mark, quoting=mark != usual or mark != "\t") for mark in found}
    alike = {mark: _alike(rows) for mark, rows in cut.items()}
    fitting = [mark for mark in found if alike[mark] >= _FITS]
    if "," in fitting and any(_commas_are_decimal(cut[mark]) for mark in fitting if mark != ","):
        fitting.remove(",")
    if len(fitting) > 1:
        widths = {mark: len(cut[mark][0]) for mark in fitting}
        widest = [mark for mark in fitting if widths[mark] == max(widths.values())]
        if len(widest) == 1 and (usual not in fitting or usual in widest):
            return widest[0]
        raise _two_delimiters(ledger, line, fitting)
    if fitting == [","] != [usual] and all(", " in text for text in head if "," in text):
        raise _two_delimiters(ledger, line, [",", usual])  # a comma in each line of prose
    if fitting or usual in found:
        return fitting[0] if fitting else usual
    below = {mark: _alike(_commonest_first(rows[1:])) for mark, rows in cut.items()}
    likely = max(found, key=below.__getitem__)
    if below[likely] >= _LIKELY:  # and the first row, or some others, are faulty: reading says which
        return likely
    if not any(mark in text for text in head[1:] for mark in found):
        return usual
    raise _two_delimiters(ledger, line, [likely, usual])


def _in_first_record(first: str, lines: Peeked[str]) -> list[str]:
    """The candidates that stand in the first record outside of quotes."""
    record, read = first, 0
    while record.count('"') % 2 and len(record) < _SNIFFED_CHARACTERS:  # it goes on after a line end in quotes
        read += 1
        more = lines.peek(read, _SNIFFED_CHARACTERS)
        if len(more) < read:
            break
        record += more[-1]
    bare = _IN_QUOTES.sub("", record)
    return [mark for mark in _CANDIDATES if mark in bare]


def _cut(head: Sequence[str], delimiter: str, *, quoting: bool) -> list[list[str]]:
    """The first rows that are not blank, cut at a delimiter; those that can be cut."""
    if not quoting:
        return [text.rstrip("\r\n").split(delimiter) for text in head if text.strip("\r\n")]
    rows: list[list[str]] = []
    with suppress(csv.Error):  # a value that is too long for the module; reading itself says what is wrong
        rows.extend(row for row in csv.reader(head, **_csv_way(delimiter)) if row)
    return rows


def _csv_way(delimiter: str) -> dict[str, Any]:
    """The csv module's arguments; any number of spaces are one delimiter."""
    return {"delimiter": delimiter, "skipinitialspace": delimiter == " "}


def _commonest_first(rows: list[list[str]]) -> list[list[str]]:
    """The rows in the order of how many are of the same width."""
    counts = Counter(map(len, rows))
    return sorted(rows, key=lambda row: -counts[len(row)])


def _alike(rows: Sequence[Sequence[str]]) -> float:
    """The share of the rows that are as wide as the first; 0 if it is not cut."""
    widths = list(map(len, rows))
    return widths.count(widths[0]) / len(widths) if widths and widths[0] > 1 else 0.0


def _commas_are_decimal(rows: Sequence[Sequence[str]]) -> bool:
    """Whether all values with commas, of a table that is cut at something else, are numbers: ``12,50``."""
    values = [value for row in rows[1:] or rows for value in row if "," in value]
    return bool(values) and all(map(_WITH_COMMA.fullmatch, values))


def _two_delimiters(ledger: Ledger, line: int, marks: Sequence[str]) -> DataError:
    """The refusal of a file that can be cut in two ways."""
    commands = "; or ".join(ledger.file.command(option(mark)) for mark in marks)
    what = f"cannot tell what separates the columns, {' or '.join(called(mark) for mark in marks)}"
    return ledger.fault(line, what, f"Say which: {commands}")


def _tab_rows(lines: Iterator[str], first_line: int) -> Iterator[Row]:
    """As :func:`_csv_rows`, without quoting."""
    numbered = ((number, text.rstrip("\r\n")) for number, text in enumerate(lines, first_line))
    return (Row(number, tuple(text.split("\t")) if text else ()) for number, text in numbered)


def _csv_rows(lines: Iterator[str], first_line: int, delimiter: str, ledger: Ledger) -> Iterator[Row]:
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

    reader = csv.reader(kept(), strict=True, **_csv_way(delimiter))
    new = tuple.__new__  # as Row(...), without the call of Python that a named tuple makes: a table has a million rows
    while True:
        start = first_line + reader.line_num
        before = csv.field_size_limit(limit)
        try:
            values = next(reader, None)
        except csv.Error as error:
            raise _csv_fault("".join(current), start, str(error), limit, delimiter, ledger) from None
        finally:
            csv.field_size_limit(before)
        if values is None:
            return
        current.clear()
        yield new(Row, (start, tuple(values)))


_QUOTED = re.compile(r'"(?:[^"]++|"")*+')  # up to the quote that closes


def _csv_fault(record: str, start: int, reason: str, limit: int, delimiter: str, ledger: Ledger) -> DataError:
    """Names the line where the quote opened: the csv module only knows where it noticed."""
    hint = 'A quote inside a quoted value is written twice: "".'
    if '\\"' in record:
        doubled = ledger.file.piped('sed \'s/\\\\"/""/g\'', ledger.file.format.name)
        hint = f"{hint} To write those so that have a backslash before them: {doubled}"
    quote = _faulty_quote(record, delimiter)
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


def _faulty_quote(record: str, delimiter: str) -> int | None:
    """Where the quote is that is not closed, or has text after the quote that closes it."""
    unquoted, at = re.compile(rf"[^{re.escape(delimiter)}\r\n]*+"), 0
    while at < len(record):
        quoted = record[at] == '"'
        found = (_QUOTED if quoted else unquoted).match(record, at)
        end = found.end() + quoted if found else at
        if quoted and (end > len(record) or record[end : end + 1] not in ("", delimiter, "\r", "\n")):
            return at
        if record[end : end + 1] != delimiter:
            return None
        at = end + 1
    return None
