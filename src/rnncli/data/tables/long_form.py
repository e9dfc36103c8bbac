"""Sequences of numbers as a table in long form: a row is a timestep, and a column says which sequence it belongs to.

    id,time,ax,ay,label
    1,0,0.12,0.98,walking
    1,1,0.31,1.04,walking
    2,0,0.01,1.00,standing

The rows of a sequence need not stand together. Each sequence becomes the array that it would be in JSON lines, so that
nothing after this needs to know which of the two a file was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rnncli.data.formats.numbers import as_json, exact_number
from rnncli.data.formats.table import Row
from rnncli.data.formats.values import Numbers, as_text
from rnncli.data.tables.column import Column, best_named
from rnncli.data.tables.columns import find_column
from rnncli.data.tables.described import numbers_at
from rnncli.data.tables.names import SEQUENCES, TIMES, label_rank, snake_case, text_rank
from rnncli.errors import DataError, UsageError, quoted

_TELLING = 1  # a label's name of this rank or better decides before the values do
_LISTED = 6  # columns named one by one


@dataclass(frozen=True)
class LongForm:
    """Which columns make a sequence.

    Attributes:
        id: says which sequence a row belongs to.
        time: orders the rows of a sequence; None for the order of the file.
        features: the numbers of a timestep.
        label: of the sequence, the same in all its rows; None where it is not read.
    """

    id: str
    time: str | None
    features: tuple[str, ...]
    label: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that is read."""
        return tuple(name for name in (self.id, self.time, *self.features, self.label) if name is not None)

    @property
    def listed(self) -> str:
        """``ax, ay, az``, or ``p0 to p63 (64)``."""
        if len(self.features) <= _LISTED:
            return ", ".join(self.features)
        return f"{self.features[0]} to {self.features[-1]} ({len(self.features):,})"

    @property
    def order(self) -> str:
        return "the file" if self.time is None else self.time

    @property
    def sentence(self) -> str:
        return f"{self.listed} of each {self.id}, in order of {self.order}"

    def labelled(self, columns: Sequence[str], named: str | None, file: str) -> LongForm:
        """The same columns of another table whose labels are to be read too.

        Args:
            named: the label's column, if the user said it.
            file: its name, for messages.

        Raises:
            UsageError: ``named`` is one of the other columns.
            DataError: the column is not there.
        """
        if named is not None:
            find_column(columns, named, "--label")
            if named in replace(self, label=None).names:
                raise UsageError(
                    f"--label: {quoted(named)} tells the model how to read the numbers, so it cannot hold the labels"
                )
        elif self.label not in columns:
            where = "with labels" if self.label is None else f"{quoted(self.label)}, which held the labels in training"
            raise DataError(
                f"{file}: there is no column {where}", "Name the column that holds the labels with --label COLUMN."
            )
        return replace(self, label=named or self.label)


def guess_long_form(columns: Sequence[Column], label: str | None = None, id: str | None = None) -> LongForm | None:
    """The columns of a table in long form; None if it is no such table.

    Values that are missing or broken are for the reading to refuse, with their line: a column is one of numbers if most
    of its values are.

    Args:
        columns: with values of some rows.
        label: the label's column, if the user gave it.
        id: the column of the sequences, if it is known.
    """
    if not columns or not columns[0].raw:
        return None
    ids = [column for column in columns if column.name == id or (id is None and _says_which_sequence(column))]
    if len(ids) != 1:
        return None
    others = [column for column in columns if column is not ids[0]]
    labelled = _label(ids[0], others, label)
    if labelled is None:
        return None
    features = [column for column in others if column is not labelled]
    times = (column for name in TIMES for column in features if column.half_numeric and snake_case(column.name) == name)
    time = next(times, None)
    features = [column for column in features if column is not time]
    if not features or not all(column.half_numeric for column in features):
        return None
    names = tuple(column.name for column in features)
    return LongForm(ids[0].name, None if time is None else time.name, names, labelled.name)


def _says_which_sequence(column: Column) -> bool:
    """Whether its name says that it is an id of sequences, and its values repeat."""
    return snake_case(column.name) in SEQUENCES and len(set(column.values)) < len(column.values)


def _label(id: Column, others: Sequence[Column], named: str | None) -> Column | None:
    """The column that is named, or whose name says that it holds labels, or the only other one without numbers."""
    if named is not None:
        return next((column for column in others if column.name == named and _is_constant(id, column)), None)
    words = [column for column in others if not column.half_numeric]
    ranked = [column for column in others if label_rank(column.name) is not None and _is_constant(id, column)]
    best = best_named(ranked, label_rank)
    if not best or (words and (label_rank(best[0].name) or 0) > _TELLING):
        # Words below the name of a text may be what is to be predicted from the numbers beside them.
        best = [column for column in words if text_rank(column.name) is None and _is_constant(id, column)]
    return best[0] if len(best) == 1 else None


def _is_constant(id: Column, column: Column) -> bool:
    """Whether it never changes within a sequence; missing values are another matter."""
    first: dict[str, str] = {}
    filled = ((one, value) for one, value in zip(id.values, column.raw, strict=True) if one and value.strip())
    return all(first.setdefault(one, value) == value for one, value in filled)


class NumberRecord(NamedTuple):
    """One record: the arguments of :meth:`Records.add <rnncli.data.records.Records.add>`.

    Attributes:
        line: of a sequence, that of its first row.
        numbers: (T, D) of a sequence, else (D,).
        label: "" where no labels are read.
        name: where the numbers have one.
    """

    line: int
    numbers: Numbers
    label: str
    name: str | None = None


@dataclass
class _Open:
    """A sequence of which more rows may come."""

    line: int
    label: str
    times: list[float] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    steps: list[list[float]] = field(default_factory=list)


def read_sequences(
    rows: Iterable[Row], columns: Sequence[str], form: LongForm, leave_out: Callable[[int, str], object]
) -> Iterator[NumberRecord]:
    """The sequences by their first rows; all of the file is read before the first of them is handed on.

    Args:
        columns: of ``rows``; every one that ``form`` names is among them.
        leave_out: is told the line and what is wrong with it, where a sequence cannot be used. If it does not raise,
            all of the sequence is left out; a row without an id is left out alone.
    """
    places = {name: columns.index(name) for name in form.names}
    id_at, label_at = places[form.id], None if form.label is None else places[form.label]
    numeric = [places[name] for name in form.features]
    if form.time is not None:
        numeric.append(places[form.time])
    read: dict[str, _Open | None] = {}  # None: left out
    for line, values in rows:
        id = as_text(values[id_at]).strip()
        if not id:
            leave_out(line, f"the value of {quoted(form.id)} is missing")
            continue
        label = "" if label_at is None else as_text(values[label_at])
        if id not in read:
            read[id] = _Open(line, label)
        one = read[id]
        if one is None:
            continue
        try:
            numbers = numbers_at(values, columns, numeric)
            if label_at is not None and not label.strip():
                raise ValueError("the label is empty")
            if label != one.label:
                before = f"{quoted(one.label)} on line {one.line}"
                raise ValueError(f"the sequence {quoted(id)} has the label {quoted(label)} here, but {before}")
        except ValueError as error:
            leave_out(line, str(error))
            read[id] = None
            continue
        if form.time is not None:
            time = numbers.pop()
            # Nanoseconds since 1970 have more digits than a float.
            one.times.append(time if abs(time) < 2**53 else exact_number(as_text(values[numeric[-1]])))
        one.lines.append(line)
        one.steps.append(numbers)
    for id, one in read.items():
        if one is None:
            continue
        again = _put_in_order(one) if one.times else None
        if again is not None:
            first, second, time = again
            leave_out(second, f"the sequence {quoted(id)} has the time {as_json(time)} here and on line {first}")
            continue
        yield NumberRecord(one.line, np.array(one.steps) + 0.0, one.label, id)  # -0 is 0


def _put_in_order(one: _Open) -> tuple[int, int, float] | None:
    """Orders the timesteps by their times; where a time appears twice, its two lines and the time."""
    times = one.times
    if all(before < after for before, after in pairwise(times)):
        return None
    order = sorted(range(len(times)), key=times.__getitem__)
    for before, after in pairwise(order):
        if times[before] == times[after]:
            return one.lines[before], one.lines[after], times[after]
    one.steps = [one.steps[row] for row in order]
    return None
