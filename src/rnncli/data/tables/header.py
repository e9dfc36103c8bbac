"""Whether the first line of a table names its columns, or is a record that somebody would lose."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from rnncli.data.formats.advice import DataFile
from rnncli.data.tables.column import Column
from rnncli.data.tables.facts import is_date, is_missing, is_nested, is_plain_number, numbers_in
from rnncli.data.tables.names import are_languages, are_roles, is_known, is_name
from rnncli.errors import DataError, quoted

_ENOUGH = 12  # rows, before it says something that a value does not stand among them
_NEAR = 10  # rows below a name, which are like it where a file is sorted by length
_LONGEST_NAME = 4  # words
_LETTERS, _DIGITS, _MARKS = re.compile(r"[^\W\d_]+"), re.compile(r"\d+"), re.compile(r"[^\w\s]")
_SENTENCE = re.compile(r"[.!?…,;:]$|[.!?,;:] ")  # marks that a text has, and a name has not


class Header(NamedTuple):
    """What the first line of a table is.

    Attributes:
        found: whether it names the columns; False if it is a record, None where that cannot be told.
        why: what shows that it is a record, or leaves it open.
        sure: whether nothing that is known of other files should change it.
    """

    found: bool | None
    why: str = ""
    sure: bool = True


def header_of(columns: Sequence[Column]) -> Header:
    """Whether the first line of a table names its columns.

    Args:
        columns: each with what stands in the first line as its name, and the rows below as its values.
    """
    names = [column.name for column in columns]
    named = are_roles([name if name.strip() else f"column {at}" for at, name in enumerate(names, 1)])
    repeated = _repeated_number(names)
    if repeated is not None:
        return Header(False, f"{quoted(repeated)} occurs in it twice")
    if named or are_languages(names) or any(map(_heads_numbers, columns)) or _are_steps(columns):
        return Header(True)
    for column in columns:
        reason = _is_value(column, names)
        if reason is not None:
            return Header(False, reason)
    reason = next(filter(None, map(_is_like_values, columns)), None)
    if reason is not None and any(map(_heads_labels, columns)):
        return Header(None, f"{reason}, but nothing like the labels below it stands beside it", sure=False)
    if reason is not None:
        return Header(False, reason)
    if any(map(is_name, names)) or any(map(_heads_words, columns)):
        return Header(True, sure=False)
    for column in columns:
        name, filled = column.name, column.filled
        if len(name.split()) > 1 and column.words >= 1.5:
            return Header(False, f"{quoted(name)} is a text like those below it")
        if len(filled) > 1 and _MARKS.search(name) and {_shape(name)} == set(map(_shape, filled)):
            return Header(False, f"{quoted(name)} has the same form as all values below it")
    return Header(None, "it may name the columns, or be the first record", sure=False)


def _is_value(column: Column, names: Sequence[str]) -> str | None:
    """Why what stands in the first line is a value like those below it; None if nothing says so."""
    name, filled = column.name, column.filled
    if is_plain_number(name) and column.numeric and not any(map(is_known, names)):
        return f"{quoted(name)} is a number, like the values below it"
    below = column.values.count(name.strip()) if name.strip() else 0  # "-" is missing, or a label beside "+"
    # Where values repeat, a first one that is found only once more is none of them.
    once = below == 1 and len(filled) >= _ENOUGH and len(filled) >= 2 * len(column.distinct)
    if below > 1 or (below and not once and not is_name(name)):
        return f"{quoted(name)} is also a value further down"
    if filled and ((column.dates and is_date(name)) or (column.lists_of_numbers and numbers_in(name))):
        return f"{quoted(name)} looks like the values below it"
    if column.nested and is_nested(name):
        return f"{quoted(name)} is a list, like the values below it"
    return None


def _is_like_values(column: Column) -> str | None:
    """Why what stands in the first line reads like the values below it; None if it does not."""
    name = column.name
    if _are_symbols(name, column.filled) and not is_known(name):
        return f"{quoted(name)} is made of the same symbols as the values below it"
    if column.words >= 1.5 and _SENTENCE.search(name.strip()) and not is_known(name):
        return f"{quoted(name)} is a text like those below it"
    return None


def _are_symbols(name: str, values: Sequence[str]) -> bool:
    """Whether values are rows of a few symbols, and what stands above them too: the sounds of words."""
    symbols = Counter(symbol for value in values for symbol in value.split())
    if len(values) < _ENOUGH or symbols.total() < 3 * max(len(symbols), len(values) / 2) or not name.strip():
        return False
    parts = name.split()
    if len(parts) == 1 and name.strip().isalpha() and name.strip().islower():
        return False  # "plot" may head texts that speak of plots
    return all(symbols[symbol] > 1 for symbol in parts)


def _repeated_number(names: Sequence[str]) -> str | None:
    """A number that a first line of numbers has twice, as no names of columns do."""
    numeric = [is_plain_number(name) or is_missing(name) for name in names]
    seen: set[str] = set()
    for name, is_numeric in zip(names, numeric, strict=True):
        if is_numeric and name.strip() and name in seen and 2 * sum(numeric) >= len(names):
            return name
        seen.add(name)
    return None


def _heads_numbers(column: Column) -> bool:
    """Whether numbers or dates stand below what is neither, or the numbers of the rows below no name at all."""
    if not column.name.strip():
        return column.counts_rows
    alike = is_plain_number(column.name) or is_date(column.name) or is_missing(column.name)
    return (column.numeric or column.dates) and not alike


def _heads_words(column: Column) -> bool:
    """Whether one word stands above texts of several, or above labels that it is not one of."""
    name = column.name.strip()
    if not name or len(name.split()) > _LONGEST_NAME or _SENTENCE.search(name):
        return False
    near = column.filled[:_NEAR]
    if len(name.split()) == 1 and column.words >= 1.5 and sum(len(v.split()) for v in near) >= 1.5 * len(near):
        return True
    return _heads_labels(column)


def _heads_labels(column: Column) -> bool:
    """Whether it stands above labels that it is not one of."""
    labels = column.repeats and len(column.filled) >= _ENOUGH and column.words < 3
    return labels and column.name.strip() not in column.distinct


def _are_steps(columns: Sequence[Column]) -> bool:
    """Whether whole numbers go up, or down, as the names of columns do that are times, years or places."""
    stepping = [column for column in columns if is_plain_number(column.name)]
    regular = _regularity([column.name for column in stepping])
    if not regular:
        return False
    rows = list(zip(*(column.values for column in stepping), strict=True))
    return 2 * sum(_regularity(row) >= regular for row in rows) <= len(rows)  # else they are a row like the others


def _regularity(numbers: Sequence[str]) -> int:
    """3 for whole numbers in steps of one, 2 in even steps, 1 if they only go up or only go down, else 0."""
    if len(numbers) < 2 or not all(number.strip().isdigit() and len(number) < 16 for number in numbers):
        return 0
    steps = [int(after) - int(before) for before, after in pairwise(numbers)]
    if not (all(step > 0 for step in steps) or all(step < 0 for step in steps)):
        return 0
    if len(set(steps)) > 1:
        return 1
    return 3 if abs(steps[0]) == 1 else 2


def _shape(value: str) -> str:
    """A value with its letters and digits made alike: ``b-a`` and ``cd-e`` have the same shape."""
    return _DIGITS.sub("0", _LETTERS.sub("a", value))


def repeats_header(columns: Sequence[str], values: Sequence[str]) -> bool:
    """Whether a row is the header once more, as where files were put one behind the other."""
    return tuple(values) == tuple(columns) and all(map(is_name, columns))


def only_a_header(file: DataFile, values: Sequence[str]) -> DataError:
    """The refusal of a table of one line, which was read as the names of its columns."""
    if are_roles(values) or all(map(is_known, values)):
        return DataError(f"{file.name}: no records")
    names = ", ".join(map(quoted, values[:4])) + (", …" if len(values) > 4 else "")
    return DataError(
        f"{file.name}: no records: the only line was read as the header ({names})",
        f"If that line is a record: {file.command('--no-header')}",
    )


def series_of_lines(file: DataFile, label_last: bool = False) -> str:
    """The command that makes a series of each line of numbers, of which the first, or the last, is the label."""
    at, rest = ("-1", ":-1") if label_last else ("0", "1:")
    record = f'{{"sequence":[float(x) for x in r[{rest}] if x!="NaN"],"label":r[{at}]}}'
    return file.as_json(record, '(l.strip("[ ]\\n").replace(","," ").split() for l in sys.stdin)')
