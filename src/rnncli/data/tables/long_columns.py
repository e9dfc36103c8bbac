"""Which columns of a table in long form say what: the id, the times, the numbers, the label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rnncli.data.formats.numbers import Floats
from rnncli.data.formats.values import number
from rnncli.data.tables.column import Column, best_named
from rnncli.data.tables.long_form import MOST_CATEGORIES, Category, LongForm
from rnncli.data.tables.names import (
    GROUPS,
    IDS,
    SEQUENCES,
    TIME_WORDS,
    TIMES,
    ends_in,
    label_rank,
    mentions,
    snake_case,
    text_rank,
)

_TELLING = 1  # a label's name of this rank or better decides before the values do
_SINCE_LONG_AGO = 1e8  # seconds, milliseconds, …: no measurement is as large
_ROWS_A_SEQUENCE = 3  # on average, where the name of the ids is not one of sequences


@dataclass(frozen=True)
class Said:
    """What the user says of the columns of a long table, or a model; None where that is to be guessed."""

    label: str | None = None
    id: str | None = None
    time: str | None = None
    features: tuple[str, ...] | None = None
    label_changes: bool = False  # whether a label is looked for that is not the same in all rows of a sequence


def recognize_long_form(columns: Sequence[Column], said: Said) -> tuple[LongForm, dict[str, str]] | None:
    """The columns of a table in long form, and why others are not read; None if it is no such table.

    Values that are missing or broken are for the reading to refuse, with their line: a column is one of numbers if most
    of its values are.

    Args:
        columns: with values of some rows.
    """
    if not columns or not columns[0].raw:
        return None
    for id in _ids(columns, said.id):
        others = [column for column in columns if column is not id]
        labelled = _label(id, others, said)
        if labelled is None:
            continue
        found = _features(id, [column for column in others if column is not labelled], said)
        if found is None:
            continue
        time, features, ignored = found
        certain = said.id is not None or snake_case(id.name) in SEQUENCES
        if not certain and not _is_evident(id, features if time is None else [*features, time]):
            continue
        words = tuple(Category(column.name, ()) for column in features if not _is_numeric(column))
        form = LongForm(
            id.name,
            None if time is None else time.name,
            tuple(column.name for column in features),
            labelled.name,
            words,
        )
        return form, ignored
    return None


def _is_numeric(column: Column) -> bool:
    """Whether it holds numbers, few of which are broken."""
    return bool(column.filled) and column.holds_numbers


def _ids(columns: Sequence[Column], named: str | None) -> list[Column]:
    """The columns that may say which sequence a row belongs to, the likeliest first."""
    if named is not None:
        return [column for column in columns if column.name == named]
    certain = [column for column in columns if _says_which_sequence(column)]
    if certain:
        return certain if len(certain) == 1 else []
    possible = [column for column in columns if groups_rows(column)]
    return sorted(
        possible, key=lambda column: (not mentions(column.name, GROUPS), column.numeric, -len(column.distinct))
    )


def _says_which_sequence(column: Column) -> bool:
    """Whether its name says that it is an id of sequences, and its values repeat."""
    return snake_case(column.name) in SEQUENCES and len(set(column.values)) < len(column.values)


def groups_rows(column: Column) -> bool:
    """Whether its values may say which sequence a row belongs to, though its name is not one of sequences."""
    if (
        len(column.filled) < len(column.values)
        or len(column.distinct) < 2
        or _ROWS_A_SEQUENCE * len(column.distinct) > len(column.values)
    ):
        return False
    if column.fractions or column.dates or column.is_prose or label_rank(column.name) is not None:
        return False
    runs = 1 + sum(before != after for before, after in pairwise(column.values))
    return mentions(column.name, GROUPS) or (runs <= len(column.distinct) * 1.5 and not column.numeric)


def _is_evident(id: Column, features: Sequence[Column]) -> bool:
    """Whether numbers are measured for each of the ids, whatever the ids are called."""
    return len(id.raw) >= 4 and any(column.numeric and not column.counts_rows for column in features)


def _label(id: Column, others: Sequence[Column], said: Said) -> Column | None:
    """The column that is named, or whose name says that it holds labels, or the only other one without numbers."""
    fitting = [column for column in others if is_constant(id, column) is not said.label_changes]
    if said.label_changes:
        fitting = [column for column in fitting if column.repeats and not column.fractions]
    if said.label is not None:
        return next((column for column in fitting if column.name == said.label), None)
    words = [column for column in others if not _is_numeric(column) and not column.dates]
    best = best_named([column for column in fitting if label_rank(column.name) is not None], label_rank)
    if not best or (words and (label_rank(best[0].name) or 0) > _TELLING):
        # Words below the name of a text may be what is to be predicted from the numbers beside them.
        best = [column for column in words if text_rank(column.name) is None and column in fitting]
        best = [column for column in best if len(column.distinct) > 1] or best
    return best[0] if len(best) == 1 else None


def _features(
    id: Column, others: Sequence[Column], said: Said
) -> tuple[Column | None, list[Column], dict[str, str]] | None:
    """The column of times, those of a timestep, and why others are neither; None if a column can be none of these."""
    time = _time(id, others, said)
    if time is None and said.time is not None:
        return None
    if said.features is not None:
        features = [column for name in said.features for column in others if column.name == name and column is not time]
        return (time, features, {}) if len(features) == len(said.features) else None
    features, ignored = [], {}
    for column in others:
        if column is time:
            continue
        if _is_numeric(column):
            if ends_in(column.name, IDS) and column.counts_rows:
                ignored[column.name] = "counts the rows"
            else:
                features.append(column)
        elif not column.filled:
            ignored[column.name] = "empty"
        elif column.dates:
            ignored[column.name] = "dates"
        elif len(column.distinct) == 1 and len(column.filled) == len(column.raw) and len(column.raw) > 1:
            ignored[column.name] = "constant"
        elif column.nested or column.lists_of_numbers or column.amounts or _are_texts(column):
            return None
        else:
            features.append(column)
    return (time, features, ignored) if any(_is_numeric(column) for column in features) else None


def _are_texts(column: Column) -> bool:
    """Whether it holds texts, or so many different words that they are no categories."""
    if column.is_prose or text_rank(column.name) is not None:
        return True
    return len(column.distinct) > MOST_CATEGORIES or not column.repeats


def _time(id: Column, others: Sequence[Column], said: Said) -> Column | None:
    """The column that orders the rows: by its name, by its dates, or because it counts the rows of each sequence."""
    if said.time is not None:
        return next((column for column in others if column.name == said.time), None)
    others = [column for column in others if said.features is None or column.name not in said.features]
    dated = [column for column in others if column.dates and not column.numeric]
    timely = [column for column in others if _is_numeric(column)] + dated
    for name in TIMES:
        found = next((column for column in timely if snake_case(column.name) == name), None)
        if found is not None:
            return found
    moving = [column for column in dated if not is_constant(id, column)]
    if len(moving) == 1:
        return moving[0]
    each = {column.name: _numbers_of_each(id, column) for column in timely}
    counting = [one for one in timely if mentions(one.name, TIME_WORDS) and _goes_on(each[one.name])]
    counting = counting or [one for one in timely if _counts_from_one(each[one.name])]
    return counting[0] if len(counting) == 1 else None


def _numbers_of_each(id: Column, column: Column) -> list[Floats]:
    """The numbers of each sequence in the order of their rows; none where a value is no number."""
    found: dict[str, list[float | None]] = {}
    for one, value in zip(id.values, column.values, strict=True):
        found.setdefault(one, []).append(number(value))
    return [] if any(None in one for one in found.values()) else [np.array(one) for one in found.values()]


def _goes_on(each: Sequence[Floats]) -> bool:
    """Whether numbers go up in each sequence from row to row, or would if its rows were in order.

    In another order they are equally far apart, or so large that they count from a year long ago; none is there twice.
    """
    if not each or all((np.diff(one) > 0).all() for one in each):
        return bool(each)
    steps = [np.diff(np.sort(one)) for one in each]
    if not all((one > 0).all() for one in steps):
        return False
    return min(float(one.min()) for one in each) >= _SINCE_LONG_AGO or all(
        np.allclose(one, one[:1], rtol=1e-3) for one in steps
    )


def _counts_from_one(each: Sequence[Floats]) -> bool:
    """Whether numbers count the rows of each sequence from 0 or 1, in any order, whatever the column is called."""
    if sum(map(len, each)) < _ROWS_A_SEQUENCE * max(len(each), 1):
        return False
    return any(all((np.sort(one) == np.arange(first, first + len(one))).all() for one in each) for first in (0, 1))


def is_constant(id: Column, column: Column) -> bool:
    """Whether it never changes within a sequence; missing values are another matter."""
    first: dict[str, str] = {}
    filled = ((one, value) for one, value in zip(id.values, column.raw, strict=True) if one and value.strip())
    return all(first.setdefault(one, value) == value for one, value in filled)
