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

from rnncli.data.formats.numbers import Floats, as_json, exact_number, is_number
from rnncli.data.formats.table import Row
from rnncli.data.formats.values import as_text
from rnncli.data.tables.columns import find_column, label_rank, text_rank, words_of
from rnncli.data.tables.described import numbers_at
from rnncli.errors import DataError, UsageError, quoted

# Words of a column's name that says which sequence a row belongs to. A sample, a frame or a window counts the timesteps
# as often as the sequences, and so has to say that it is an id.
_ID_WORDS = frozenset(
    {("id",), ("seq",), ("sequence",), ("series",), ("recording",), ("trial",), ("session",), ("episode",)}
    | {
        (of, "id")
        for of in ("seq", "sequence", "series", "recording", "trial", "session", "episode", "sample", "window", "track")
    }
)
# The first that there is orders the rows.
_TIME_WORDS = (("time",), ("t",), ("timestep",), ("time", "step"), ("step",), ("timestamp",), ("frame",))
_TELLING = 1  # a label's name of this rank or better stands before the look of the columns
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
                raise UsageError(f"--label: {quoted(named)} is a column that the model reads the numbers by")
        elif self.label not in columns:
            where = "for the labels" if self.label is None else f"{quoted(self.label)}, where the labels were"
            raise DataError(f"{file}: there is no column {where}", "Name the column of the labels with --label.")
        return replace(self, label=named or self.label)


def guess_long_form(
    columns: Sequence[str], sample: Sequence[Sequence[str]], label: str | None = None, id: str | None = None
) -> LongForm | None:
    """The columns of a table in long form; None if it is no such table.

    Values that are missing or broken are for the reading to refuse, with their line: a column is one of numbers if most
    of its values are.

    Args:
        label: the label's column, if the user gave it.
        id: the column of the sequences, if it is known.
    """
    if not sample:
        return None
    guess = _Guess(columns, sample)
    ids = [at for at in guess.places if columns[at] == id or (id is None and guess.tells_sequences(at))]
    if len(ids) != 1:
        return None
    label_at = guess.label(ids[0], label)
    if label_at is None:
        return None
    times = [at for words in _TIME_WORDS for at in sorted(guess.numeric) if tuple(words_of(columns[at])) == words]
    time_at = next((at for at in times if at not in (ids[0], label_at)), None)
    features = [at for at in guess.places if at not in (ids[0], label_at, time_at)]
    if not features or not guess.numeric.issuperset(features):
        return None
    names = tuple(columns[at] for at in features)
    return LongForm(columns[ids[0]], None if time_at is None else columns[time_at], names, columns[label_at])


class _Guess:
    """What names and sample say about each column."""

    def __init__(self, columns: Sequence[str], sample: Sequence[Sequence[str]]) -> None:
        self.columns, self.sample, self.places = columns, sample, range(len(columns))
        self.numeric = {at for at in self.places if 2 * sum(is_number(row[at]) for row in sample) > len(sample)}

    def tells_sequences(self, at: int) -> bool:
        """Whether its name says that it is an id, and its values repeat."""
        if tuple(words_of(self.columns[at])) not in _ID_WORDS:
            return False
        return len({row[at].strip() for row in self.sample}) < len(self.sample)

    def label(self, id_at: int, name: str | None) -> int | None:
        """The label that is named, or has a telling name, or is the only other column that is none of numbers."""
        others = [at for at in self.places if at != id_at]
        if name is not None:
            named = [at for at in others if self.columns[at] == name]
            return named[0] if named and self._is_constant(id_at, named[0]) else None
        words = [at for at in others if at not in self.numeric]
        # A label in words that has the name of a text may be what is to be told of the numbers beside it.
        worded = [at for at in words if text_rank(self.columns[at]) is None and self._is_constant(id_at, at)]
        ranks = [
            (rank, at)
            for at in others
            if (rank := label_rank(self.columns[at])) is not None and self._is_constant(id_at, at)
        ]
        if ranks and (min(ranks)[0] <= _TELLING or not words):
            best = [at for rank, at in ranks if rank == min(ranks)[0]]
            return best[0] if len(best) == 1 else None
        return worded[0] if len(worded) == 1 else None

    def _is_constant(self, id_at: int, at: int) -> bool:
        """Whether it never changes within a sequence; a missing value is another matter."""
        first: dict[str, str] = {}
        filled = ((row[id_at].strip(), row[at]) for row in self.sample if row[id_at].strip() and row[at].strip())
        return all(first.setdefault(id, value) == value for id, value in filled)


class NumberSequence(NamedTuple):
    """One sequence; ``line`` is that of its first row in the file."""

    line: int
    id: str
    numbers: Floats  # (T, D)
    label: str


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
) -> Iterator[NumberSequence]:
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
            if label_at is not None:
                _check_label(id, label, one)
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
            leave_out(second, f"the time {as_json(time)} of the sequence {quoted(id)} stands on line {first} too")
            continue
        yield NumberSequence(one.line, id, np.array(one.steps) + 0.0, one.label)  # -0 is 0


def _check_label(id: str, label: str, one: _Open) -> None:
    if not label.strip():
        raise ValueError("the label is empty")
    if label != one.label:
        is_and_was = f"{quoted(label)}, and {quoted(one.label)} on line {one.line}"
        raise ValueError(f"the label of the sequence {quoted(id)} is {is_and_was}")


def _put_in_order(one: _Open) -> tuple[int, int, float] | None:
    """Orders the timesteps by their times; where a time stands twice, its two lines and the time."""
    times = one.times
    if all(before < after for before, after in pairwise(times)):
        return None
    order = sorted(range(len(times)), key=times.__getitem__)
    for before, after in pairwise(order):
        if times[before] == times[after]:
            return one.lines[before], one.lines[after], times[after]
    one.steps = [one.steps[row] for row in order]
    return None
