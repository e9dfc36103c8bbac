"""Whether the first line of a table names its columns, or is a record that somebody would lose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from rnncli.data.formats.advice import DataFile
from rnncli.data.tables.column import Column, unnamed
from rnncli.data.tables.facts import is_date, is_fraction, is_missing, is_nested, is_plain_number, numbers_in
from rnncli.data.tables.names import are_roles, is_known, is_name
from rnncli.errors import DataError, quoted

READS_SERIES = 'rnncli reads a series as {"sequence": [0.5, 1.25], "label": "ok"}, or as rows below id,time,x,label'
_NO_HEADER = "the first line looks like data, not like a header with the names of the columns"
_ENOUGH = 12  # rows, before it says something that a value does not stand among them
_LETTERS, _DIGITS, _MARKS = re.compile(r"[^\W\d_]+"), re.compile(r"\d+"), re.compile(r"[^\w\s]")


def missing_header(columns: Sequence[Column]) -> str | None:
    """Why the first line is more likely a record than a header; None if it names columns, or may well do so.

    Args:
        columns: each with what stands in the first line as its name, and the rows below as its values.
    """
    names = [column.name for column in columns]
    if any(map(_heads_numbers, columns)) or _are_steps(list(filter(is_plain_number, names))) or are_roles(names):
        return None
    for column in columns:
        name = column.name
        if is_plain_number(name) and column.numeric and not any(map(is_known, names)):
            return f"{quoted(name)} is a number, like the values below it"
        below = column.filled.count(name.strip())
        # Where values repeat, a first one that is found only once more is none of them.
        once = below == 1 and len(column.filled) >= _ENOUGH and len(column.filled) >= 2 * len(column.distinct)
        if below > 1 or (below and not once and not is_name(name)):
            return f"{quoted(name)} is also a value further down"
        if column.filled and ((column.dates and is_date(name)) or (column.lists_of_numbers and numbers_in(name))):
            return f"{quoted(name)} looks like the values below it"
        if column.nested and is_nested(name):
            return f"{quoted(name)} is a list, like the values below it"
    if any(is_name(column.name) or _heads_words(column) for column in columns):
        return None
    for column in columns:
        name, filled = column.name, column.filled
        if len(name.split()) > 1 and column.words >= 1.5:
            return f"{quoted(name)} is a text like those below it"
        if len(filled) > 1 and _MARKS.search(name) and {_shape(name)} == set(map(_shape, filled)):
            return f"{quoted(name)} has the same form as all values below it"
    return None


def _heads_numbers(column: Column) -> bool:
    """Whether numbers or dates stand below what is neither, or any values below no name at all."""
    if column.nameless:
        return bool(column.filled)
    alike = is_plain_number(column.name) or is_date(column.name) or is_missing(column.name)
    return (column.numeric or column.dates) and not alike


def _heads_words(column: Column) -> bool:
    """Whether one word stands above texts of several, or above labels that it is not one of."""
    if len(column.name.split()) == 1 and column.words >= 1.5:
        return True
    labels = column.repeats and len(column.filled) >= _ENOUGH and column.words < 3
    return labels and column.name.strip() not in column.distinct


def _are_steps(names: Sequence[str]) -> bool:
    """Whether whole numbers go up, or down, as the names of columns do that are times, years or places."""
    if len(names) < 2 or not all(name.strip().isdigit() and len(name) < 16 for name in names):
        return False
    steps = [int(after) - int(before) for before, after in pairwise(names)]
    return all(step > 0 for step in steps) or all(step < 0 for step in steps)


def _shape(value: str) -> str:
    """A value with its letters and digits made alike: ``b-a`` and ``cd-e`` have the same shape."""
    return _DIGITS.sub("0", _LETTERS.sub("a", value))


def repeats_header(columns: Sequence[str], values: Sequence[str]) -> bool:
    """Whether a row is the header once more, as where files were put one behind the other."""
    return tuple(values) == tuple(columns) and all(map(is_name, columns))


def likely_names(columns: Sequence[Column]) -> list[str]:
    """Names for columns that have none: ``text,label`` or, where nothing repeats, ``source,target``."""
    labels = [column.at for column in columns if column.repeats and not column.is_prose]
    texts = [column for column in columns if not (column.numeric or column.dates)]
    texts_at = [column.at for column in sorted(texts, key=lambda column: -column.words)]
    names = [f"column_{column.at + 1}" for column in columns]
    last = columns[-1]
    label = labels[-1] if labels else None
    if label is None and len(columns) > 1 and max(len(column.filled) for column in columns) < _ENOUGH:
        label = last.at if last.words < 1.5 else None
    texts_at = [at for at in texts_at if at != label]
    if label is None and len(texts_at) > 1:
        for at, name in zip(sorted(texts_at)[:2], ("source", "target"), strict=True):
            names[at] = name
        return names
    if label is None and len(columns) > 1:
        label = next((column.at for column in reversed(columns) if column.at not in texts_at[:1]), None)
    if label is not None:
        names[label] = "label"
    if texts_at:
        names[texts_at[0]] = "text"
    return names


def refuse_repeated_values(file: DataFile, values: Sequence[str], line: int) -> None:
    """Raises DataError: a first line of numbers has one twice, as no names of columns do."""
    numeric = [is_plain_number(value) or is_missing(value) for value in values]
    twice = next((value for at, value in enumerate(values) if numeric[at] and value and value in values[:at]), None)
    if twice is None or 2 * sum(numeric) < len(values):
        return
    reason = f"{quoted(twice)} occurs in it twice"
    if sum(numeric) + 1 >= len(values) > 3:
        raise headerless_series(file, reason, not numeric[-1] or is_fraction(values[0]), line)
    raise headerless(file, reason, likely_names(unnamed([values])), line)


def headerless(file: DataFile, reason: str, names: Sequence[str], line: int = 1) -> DataError:
    """The refusal of a table without names for its columns."""
    return file.refusal(
        f"{_NO_HEADER}: {reason}", f"Add a header, and read the new file: {file.with_header(names)}", line
    )


def headerless_series(file: DataFile, reason: str, label_last: bool, line: int = 1) -> DataError:
    """The refusal of a series a row, without names, with its label as the last value of a row or as the first."""
    place = "last" if label_last else "first"
    return file.refusal(
        f"{_NO_HEADER}: {reason}",
        f"{READS_SERIES}. If each row is a series, with its label {place}: {series_of_lines(file, label_last)}",
        line,
    )


def only_a_header(file: DataFile, values: Sequence[str]) -> DataError:
    """The refusal of a table of one line, which was read as the names of its columns."""
    if are_roles(values) or all(map(is_known, values)):
        return DataError(f"{file.name}: no records")
    names = ", ".join(map(quoted, values[:4])) + (", …" if len(values) > 4 else "")
    made = file.with_header(likely_names(unnamed([values])))
    return DataError(
        f"{file.name}: no records: the only line was read as the header ({names})",
        f"If that line is a record, add a header, and read the new file: {made}",
    )


def series_of_lines(file: DataFile, label_last: bool = False) -> str:
    """The command that makes a series of each line of numbers, of which the first, or the last, is the label."""
    at, rest = ("-1", ":-1") if label_last else ("0", "1:")
    record = f'{{"sequence":[float(x) for x in r[{rest}] if x!="NaN"],"label":r[{at}]}}'
    return file.as_json(record, '(l.replace(","," ").split() for l in sys.stdin)')
