"""What the first rows of a delimited table tell: whether they have a header, empty columns, numbers with commas.

It is found out once, as the table is opened, so that every command reads a file in the same way.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

from rnncli.data.formats.advice import command
from rnncli.data.formats.dialect import Dialect, called
from rnncli.data.formats.numbers import Writing, with_point, writing_of
from rnncli.data.formats.peek import Peeked, failing
from rnncli.data.formats.registry import is_array
from rnncli.data.formats.table import Ledger, Opened, Row
from rnncli.data.formats.values import as_text
from rnncli.data.tables.column import Column, columns_of
from rnncli.data.tables.columns import header_names
from rnncli.data.tables.facts import MOSTLY
from rnncli.data.tables.header import header_of, repeats_header
from rnncli.data.tables.names import IDS, ends_in, is_name, text_rank
from rnncli.data.tables.several import numbered_lists
from rnncli.errors import DataError, counted, listed, quoted

_SEEN_ROWS, _SEEN_VALUES = 200, 200_000
_UNNAMED = re.compile(r"\s*|Unnamed: \d+(?:_level_\d+)?")  # as pandas reads, and then writes, a column without a name
_FEW_ROWS = 4  # have names that are all different by chance
_TITLES = 10  # lines above a header
_LISTED = 4  # columns that are named one by one


@dataclass(frozen=True)
class Expected:
    """What is known of a table's columns before it is read.

    Attributes:
        named: columns that the user named.
        columns: those that a model reads, in a file like its own.
        header: whether the model's own file had a header; None where it does not say.
        by_model: whether a model reads the file.
        lists: columns of several labels in each value.
    """

    named: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    header: bool | None = None
    by_model: bool = False
    lists: tuple[str, ...] = ()


@dataclass(frozen=True)
class FirstRows:
    """A table with what its first rows tell.

    Attributes:
        top: the header, or the first row, as wide as the rows are.
        names: of all columns; numbers from 1 where there is no header.
        rows: all of them, as they are in the file.
        dialect: what was found.
    """

    top: tuple[str, ...]
    names: tuple[str, ...]
    rows: Iterator[Row]
    dialect: Dialect

    def read(self, rows: Iterator[Row], ledger: Ledger) -> tuple[tuple[str, ...], Iterator[Row]]:
        """The names that are kept, and rows of as many values as there are columns as they are to be read.

        A value in a column that was taken for an empty one makes a bad record.
        """
        dialect = self.dialect
        if dialect.rewritten:
            rows = _rewritten(rows, dict(dialect.rewritten))
        if not dialect.left_out:
            return self.names, rows
        left_out = set(dialect.left_out)
        kept = [at for at in range(len(self.names)) if at not in left_out]
        return tuple(self.names[at] for at in kept), _without(rows, kept, dialect.empty, ledger)


def read_first_rows(opened: Opened, ledger: Ledger, expected: Expected | None, *, patient: bool = True) -> FirstRows:
    """Finds out what the first rows tell, as far as the user has not said it.

    Args:
        expected: None to find out nothing: without a word of the user, a header is there, and all is read as it is.
        patient: whether to wait for more rows than it takes to be sure of the header.

    Raises:
        DataError: it cannot be told whether the first row is a header.
    """
    asked, found = ledger.asked, opened.dialect
    assert found is not None
    top, rows, known = tuple(opened.names), Peeked(opened.rows), expected or Expected()
    said = [*found.said]
    has_header = asked.header if asked.header is not None else _told_by_names(top, known)
    if expected is None:
        has_header, patient = asked.header is not False, asked.decimal is not None
    # Of a table with commas between its columns more rows tell nothing, once its first line is known to name them all.
    waits = patient or has_header is None or (expected is not None and (found.delimiter != "," or "" in top))
    seen = [row.texts for row in rows.peek(_SEEN_ROWS if waits else 1, _SEEN_VALUES)] if expected else []
    if has_header is None and expected is not None:
        _refuse_title(top, rows.peek(_SEEN_ROWS if waits else 1, _SEEN_VALUES), ledger)
    unlike = _unlike_header(top, seen, found.delimiter) if has_header is not False else None
    fault = None
    if unlike is None and len(seen) > _FEW_ROWS and not ledger.skip_bad and ledger.watch is None:
        fault = _other_width(top, seen, opened.line, found.delimiter or ",", ledger)
    if unlike is not None:
        found = replace(found, width=len(unlike.names), names=unlike.names)
        top, has_header = unlike.names, True
        rows = Peeked(_as_wide(rows.rest(), len(top)))
        said.append(unlike.said)
    sample = [row.texts for row in rows.peek(_SEEN_ROWS, _SEEN_VALUES)] if waits else []
    sample = [texts for texts in sample if len(texts) == len(top) and not repeats_header(top, texts)]
    prose = any(column.is_prose for column in columns_of(top, sample))
    may_count = [
        column
        for column in columns_of(top, sample)
        if not {column.name, str(column.at + 1)} & set(known.lists)
        and not (prose and asked.decimal is None and numbered_lists(column.filled))
    ]
    numbers = _numbers(may_count, asked.decimal, found.delimiter)
    as_number = _rewriting(dict.fromkeys(numbers.unsure, ",") | numbers.rewritten)  # whichever number it is
    columns = columns_of(as_number(top), map(as_number, sample))
    if has_header is None:
        has_header = _header(columns, opened.line, ledger, known)
    left: Iterator[Row] = rows.rest() if fault is None else failing(fault)
    where = f"{ledger.file.name}:{opened.line}"
    if has_header:
        names = header_names(top, where)
    else:
        names = header_names([str(place) for place in range(1, len(top) + 1)], where)
        left = chain((Row(opened.line, top),), left)
    empty, numbering = _without_names(columns, has_header, known.named) if expected and sample else ((), ())
    if not has_header:
        said.append("no header: columns are called by their numbers")
    commas = [names[at] for at in numbers.commas]
    if commas:
        said.append(f"decimal commas in {_listing(commas)}")
    if empty:
        said.append(f"left out: {counted(len(empty), 'empty column')}")
    if numbering:
        said.append("left out: a column without a name that numbers the rows")
    dialect = replace(
        found,
        header=has_header,
        decimal=numbers.decimal,
        rewritten=tuple(numbers.rewritten.items()),
        unsure=tuple(names[at] for at in numbers.unsure),
        empty=empty,
        left_out=(*empty, *numbering),
        said=tuple(said),
    )
    return FirstRows(top, names, left, dialect)


class _Unlike(NamedTuple):
    """The names of a header that is narrower or wider than the rows below it, and what is said of that."""

    names: tuple[str, ...]
    said: str


def _unlike_header(top: tuple[str, ...], rows: Sequence[tuple[str, ...]], delimiter: str | None) -> _Unlike | None:
    """A header that differs from most of the rows by a delimiter at the end, or lacks a name for that of each row."""
    others = [row for row in rows if len(row) != len(top)]
    if 2 * len(others) <= len(rows):
        return None
    named = len(top)
    while named > 1 and not top[named - 1].strip():
        named -= 1
    if all(len(row) == named for row in others):
        return _Unlike(top[:named], f"left out: what stands behind the last name, {called(delimiter or ',')}")
    if all(len(row) > len(top) and not any(value.strip() for value in row[len(top) :]) for row in others):
        return _Unlike(top, f"left out: empty values behind the last column, {len(others[0]) - len(top)} in a row")
    if len(others) == len(rows) and all(len(row) == len(top) + 1 for row in rows):  # as R writes a table
        first = Column("", 0, [row[0] for row in rows])
        distinct = len(first.distinct) == len(rows) > _FEW_ROWS and (delimiter == "\t" or first.words == 1)
        if (first.counts_rows or distinct) and not ends_in(top[0], IDS):
            return _Unlike(("", *top), "the header has no name for the first column, that of the rows' names")
    return None


def _refuse_title(top: tuple[str, ...], rows: Sequence[Row], ledger: Ledger) -> None:
    """Raises DataError: what stands in the first lines is no row, and names of columns stand below it."""
    for at, row in enumerate(rows[:_TITLES]):
        above = [top, *(one.texts for one in rows[:at])]
        if not all(sum(map(bool, map(str.strip, texts))) < 2 for texts in above):
            return
        below = [one.texts for one in rows[at + 1 :] if len(one.values) == len(row.values)]
        if len(row.values) < 2 or len(below) < _FEW_ROWS or not all(map(str.strip, row.texts)):
            continue
        if header_of(columns_of(row.texts, below)).found:
            made = ledger.file.piped(f"tail -n +{row.line}", ledger.file.format.name)
            names = ", ".join(map(quoted, row.texts[:_LISTED])) + ", …" * (len(row.values) > _LISTED)
            what = f"these seem to be the names of the columns ({names}), and no header stands above them"
            raise ledger.fault(row.line, what, f"To leave out the lines above: {made}")


def _other_width(
    top: Sequence[str], rows: Sequence[Sequence[str]], line: int, delimiter: str, ledger: Ledger
) -> DataError | None:
    """The refusal of a table most of whose rows are as wide as each other, and not as the first: few would be left."""
    ((width, count),) = Counter(map(len, rows)).most_common(1)
    if width == len(top) or 2 * count <= len(rows):
        return None
    hint = f"Write a header with {counted(width, 'name')}"
    if width > len(top):
        names = "".join(f"{delimiter}column {at}" for at in range(len(top) + 1, width + 1))
        made = ledger.file.piped(command("sed", f"1s/$/{names}/"), ledger.file.format.name)
        hint = f"To name the others: {made}"
        texts = [at for at, name in enumerate(top) if text_rank(name) is not None]
        if len(texts) == 1:
            first, after = texts[0], len(top) - 1 - texts[0]
            row = f"r[:{first}]+[d.join(r[{first}:len(r)-{after}])]+r[len(r)-{after}:]"
            split = f'd="{delimiter}";w=csv.writer(sys.stdout,delimiter=d,lineterminator="\\n")'
            script = (
                f'import csv,sys;{split};[w.writerow({row}) for r in (l.rstrip("\\r\\n").split(d) for l in sys.stdin)]'
            )
            joined = ledger.file.python(script, ledger.file.format.name)
            so = f"If these are {called(delimiter)} in {quoted(top[first])}"
            hint = f"{so}, to put quotes around it: {joined}; t{hint[1:]}"
    return ledger.fault(
        line, f"the header has {counted(len(top), 'column')}, and most rows have {counted(width, 'value')}", hint
    )


def _as_wide(rows: Iterator[Row], width: int) -> Iterator[Row]:
    """The rows without empty values behind their last column."""
    for row in rows:
        values = row.values
        while len(values) > width and isinstance(values[-1], str) and not values[-1].strip():
            values = values[:-1]
        yield row if values is row.values else Row(row.line, values)


def _told_by_names(top: Sequence[str], expected: Expected) -> bool | None:
    """Whether the first row has a name of a column that is known; None if it has none."""
    named = (name for name in (*expected.named, *expected.columns) if not name.isdigit())
    return True if any(name in top for name in named) else None


def _header(columns: Sequence[Column], line: int, ledger: Ledger, expected: Expected) -> bool:
    """Whether the first row is a header, by its looks, or where they do not tell by what is known.

    Raises:
        DataError: nothing tells.
    """
    header = header_of(columns)
    if expected.header is False and not header.sure:
        return False
    if header.found is not None:
        return header.found
    if any(is_array(column.example) and not is_array(column.name) for column in columns):
        return True  # it stands above names of files
    if expected.by_model:  # whose names of columns are not there
        if any(len(column.name.split()) > 1 and not is_name(column.name) for column in columns):
            return False
    elif not columns[0].raw:
        return True  # and there are no records, as reading says
    if expected.named:
        return not all(name.isdigit() for name in expected.named)
    first = ", ".join(quoted(column.name) for column in columns[:_LISTED]) + ", …" * (len(columns) > _LISTED)
    what = f"cannot tell whether the first line ({first}) is a header: {header.why}"
    named = ""
    if len(columns) == 2 and all(2 * len(column.distinct) > len(column.values) for column in columns):  # pairs
        named = command("--task", "seq2seq", "--text", columns[0].name, "--label", columns[1].name)
    read = ledger.file.command(*filter(None, ("--header", named)))
    ways = f"If it is: {read}; if it is a record: {ledger.file.command('--no-header')}"
    raise ledger.file.refusal(what, ways, line)


def _without_names(
    columns: Sequence[Column], has_header: bool, named: Sequence[str]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The places of columns without a name that are empty, and of those that number the rows; never all columns."""
    if not has_header:
        empty = tuple(column.at for column in columns if not any((column.name.strip(), *column.values)))
        return (empty if len(empty) < len(columns) else ()), ()
    unnamed = [column for column in columns if _UNNAMED.fullmatch(column.name)]
    unnamed = [column for column in unnamed if not {column.name, f"column {column.at + 1}"} & set(named)]
    if len(unnamed) == len(columns):
        return (), ()
    empty = tuple(column.at for column in unnamed if not any(column.values))
    return empty, tuple(column.at for column in unnamed if column.at == 0 and column.counts_rows)


def _listing(names: Sequence[str]) -> str:
    shown = [quoted(name) for name in names[:_LISTED]]
    return listed(shown) if len(names) <= _LISTED else f"{', '.join(shown)} and {len(names) - _LISTED:,} more"


class _Numbers(NamedTuple):
    """How the numbers of a table are written.

    Attributes:
        rewritten: places of columns to read with points, and what a comma in them is: ``,`` before decimals, ``.``
            between thousands.
        unsure: places of columns that may be read in two ways.
        decimal: what is before decimals.
        commas: places of columns in which commas before decimals were seen.
    """

    rewritten: dict[int, str]
    unsure: Sequence[int]
    decimal: str
    commas: Sequence[int] = ()


def _numbers(columns: Sequence[Column], asked: str | None, delimiter: str | None) -> _Numbers:
    """How numbers are written: a column that tells decides for those that do not."""
    if asked is None and not any("," in value for column in columns for value in column.raw):
        return _Numbers({}, [], ".")
    writings = {column.at: writings for column in columns if (writings := _writings(column))}
    if asked is not None:
        return _Numbers(dict.fromkeys(writings, asked), [], asked)
    if delimiter == ",":  # a comma in quotes is not what is usual there, whatever it means
        return _Numbers({}, [at for at, found in writings.items() if found & _WITH_COMMA], ".")
    commas = {at for at, found in writings.items() if Writing.COMMA in found}
    points = {at for at, found in writings.items() if found & {Writing.POINT, Writing.THOUSANDS}}
    mixed, decimal = commas & points, "," if commas - points else "."
    rewritten = dict.fromkeys(sorted(commas - points), ",")
    rewritten |= {at: "." for at in sorted(points - commas) if writings[at] & _WITH_COMMA}
    unsure = sorted(mixed)
    told = bool(commas - points) != bool(points - commas)  # all columns that tell agree
    for at, found in writings.items():
        if at in commas or at in points:
            continue
        if Writing.COMMA_OR_THOUSANDS in found and told:
            rewritten[at] = decimal
        elif Writing.COMMA_OR_THOUSANDS in found or (Writing.POINT_OR_THOUSANDS in found and decimal == ","):
            unsure.append(at)
        elif decimal == ",":
            rewritten[at] = ","  # whole numbers so far
    seen = [at for at, comma in sorted(rewritten.items()) if comma == "," and writings[at] & _WITH_COMMA]
    return _Numbers(rewritten, unsure, decimal, seen)


_WITH_COMMA = {Writing.COMMA, Writing.THOUSANDS, Writing.COMMA_OR_THOUSANDS}


def _writings(column: Column) -> set[Writing]:
    """How the numbers of a column are written; nothing if it is no column of numbers."""
    found = [writing_of(value) for value in column.filled]
    numbers = [writing for writing in found if writing is not None]
    return set(numbers) if found and len(numbers) >= MOSTLY * len(found) else set()


def _rewriting(marks: dict[int, str]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """The function that writes the numbers of a row with points."""
    if not marks:
        return tuple
    return lambda texts: tuple(with_point(text, marks[at]) if at in marks else text for at, text in enumerate(texts))


def _rewritten(rows: Iterator[Row], marks: dict[int, str]) -> Iterator[Row]:
    rewrite = _rewriting(marks)
    return (Row(line, rewrite(values)) for line, values in rows)  # type: ignore[arg-type]  # all are texts


def _without(rows: Iterator[Row], kept: Sequence[int], empty: Sequence[int], ledger: Ledger) -> Iterator[Row]:
    """The rows with the values that are kept."""
    for line, values in rows:
        full = next((at for at in empty if as_text(values[at]).strip()), None)
        if full is None:
            yield Row(line, tuple(values[at] for at in kept))
        else:
            ledger.bad_record(line, f"a value in column {full + 1}, which was empty so far and is left out")
