"""The columns of a table whose rows are the timesteps of a series, one number of which is to be predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rnncli.data.formats.values import number
from rnncli.data.tables.column import Column, best_named
from rnncli.data.tables.facts import MOSTLY, is_missing
from rnncli.data.tables.joined import ids_together, may_be_key, time_parts
from rnncli.data.tables.names import IDS, SEQUENCES, TIME_WORDS, TIMES, ends_in, label_rank, mentions, snake_case

_LISTED = 6  # columns named one by one
_SINCE_LONG_AGO = 1e9  # seconds, milliseconds, …


@dataclass(frozen=True)
class SeriesForm:
    """Which columns make a series.

    Attributes:
        id: says which series a row belongs to; None where there is one.
        time: orders the rows; None for the order of the file.
        features: the numbers of a timestep, the one to be predicted first where its past is read too.
        target: the number to be predicted.
    """

    id: str | None
    time: str | None
    features: tuple[str, ...]
    target: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that a prediction reads."""
        return tuple(name for name in (self.id, self.time, *self.features) if name is not None)

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that is read, each once."""
        return tuple(dict.fromkeys((*self.inputs, self.target)))

    @property
    def sentence(self) -> str:
        """``passengers, in order of date``."""
        names = self.features if self.target in self.features else (*self.features, self.target)
        listed = ", ".join(names) if len(names) <= _LISTED else f"{names[0]} to {names[-1]} ({len(names):,})"
        of = "" if self.id is None else f" of each {self.id}"
        return f"{listed}{of}, in {'the order of the file' if self.time is None else f'order of {self.time}'}"


def times_of(columns: Sequence[Column], id: Column | None = None) -> list[Column]:
    """The columns that may order the rows of each series, dates first: dates, numbers called times, or that count them.

    Each value is there once in a series; ``id`` says which one a row belongs to.
    """
    found = [column for column in columns if column is not id and _is_time(column, id)]
    return sorted(found, key=lambda column: (not column.dates, len(column.filled) < len(column.values)))


def ids_of(columns: Sequence[Column]) -> list[Column]:
    """What may say which series a row belongs to, where times repeat: a column, or the names of some with commas.

    Args:
        columns: without the one that is to be predicted.
    """
    found = [one for one in columns if one.repeats and not one.fractions and times_of(columns, one)]
    found = [one for one in found if not one.numeric] or [one for one in found if may_be_key(one)]
    return found or [id for id, rest in ids_together(columns) if len(id.distinct) > 1 and times_of(rest, id)][:1]


def _is_time(column: Column, id: Column | None) -> bool:
    named = column.numeric and (snake_case(column.name) in TIMES or _goes_up(column))
    if id is not None and column.numeric and not column.fractions and mentions(column.name, TIME_WORDS):
        named = True  # years, days or cycles of each series
    dated = column.dates and (not column.numeric or mentions(column.name, TIME_WORDS))  # 2490.4 is no month
    filled, least = len(column.filled), len(column.values) * (MOSTLY if dated else 1)
    if not (dated or column.counts_rows or named) or filled < max(2, least):
        return False
    ids = column.values if id is None else id.values
    rows = [pair for pair in zip(ids, column.values, strict=True) if not is_missing(pair[1])]
    return len(set(rows)) == len(rows)


def _goes_up(column: Column) -> bool:
    """Whether its numbers go up from row to row, and are times by its name, or large and equally far apart."""
    numbers = [number(value) or 0 for value in column.filled]
    steps = [after - before for before, after in pairwise(numbers)]
    if len(steps) < 2 or min(steps) <= 0:
        return False
    return mentions(column.name, TIME_WORDS) or (numbers[0] >= _SINCE_LONG_AGO and len(set(steps)) == 1)


def measured(columns: Sequence[Column], *others: Column | None) -> list[Column]:
    """The columns of numbers beside some others, without those that only count or name the rows."""
    return [
        column
        for column in columns
        if column.numeric and column not in others and not column.counts_rows and not ends_in(column.name, IDS)
    ]


def constants_of_series(columns: Sequence[Column]) -> dict[str, str]:
    """What is the same in all rows of a table of one series, by its column: its label may be among that.

    Nothing where the table has no times, no numbers or more series than one.
    """
    if not columns or len(columns[0].raw) < 2:
        return {}
    times = times_of(columns) or [one for one in columns if one.name in time_parts(columns)]
    same = [one for one in columns if len(one.distinct) == 1 and len(one.filled) == len(one.raw) and one not in times]
    others = [one for one in columns if one not in same and one not in times]
    if not times or not measured(others) or any(one.is_prose or snake_case(one.name) in SEQUENCES for one in others):
        return {}
    return {one.name: one.example for one in same if not one.fractions and not one.is_prose}


def number_beside(columns: Sequence[Column], *others: str | None) -> str | None:
    """The only column of numbers beside some others, or the one whose name says that it is what is to be predicted."""
    found = [column for column in measured(columns) if column.name not in others]
    best = found if len(found) == 1 else best_named(found, label_rank)
    return best[0].name if len(best) == 1 else None


def number_of_each(columns: Sequence[Column], id: str | None) -> str | None:
    """The only column of numbers that is the same in all rows of a sequence, and not in all sequences."""
    ids = [one for one in columns if one.name == id or (id is None and snake_case(one.name) in SEQUENCES)]
    if len(ids) != 1:
        return None
    found = []
    for column in columns:
        pairs = set(zip(ids[0].values, column.values, strict=True))
        if column is not ids[0] and column.numeric and len(pairs) == len(ids[0].distinct) and len(column.distinct) > 1:
            found.append(column)
    return found[0].name if len(found) == 1 else None
