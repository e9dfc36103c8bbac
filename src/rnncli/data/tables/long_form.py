"""Sequences of numbers as a table in long form: a row is a timestep, and a column says which sequence it belongs to.

    id,time,ax,ay,label
    1,0,0.12,0.98,walking
    1,1,0.31,1.04,walking
    2,0,0.01,1.00,standing

The rows of a sequence need not stand together; times are numbers, dates or times of day. A column of words is one-hot:
a number for each word that the training saw, 1 where it stands. Each sequence becomes the array that it would be in
JSON lines, so that nothing after this needs to know which of the two a file was.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from rnncli.data.formats.advice import command
from rnncli.data.formats.missing import HOW_TO_FILL, Gap, Missing, first_gap, interpolated, is_missing, without_end
from rnncli.data.formats.numbers import Floats, finite_number, finite_numbers
from rnncli.data.formats.places import file_and_line
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import Numbers, Value, as_text, number
from rnncli.data.tables.column import Column, best_named
from rnncli.data.tables.columns import find_column
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
from rnncli.data.tables.times import ORDERS, Moment, Times, irregular
from rnncli.errors import DataError, UsageError, counted, listed, quoted

MOST_CATEGORIES = 50  # different words of a column; a column of more holds something else
_TELLING = 1  # a label's name of this rank or better decides before the values do
_LISTED = 6  # columns named one by one
_ROWS_A_SEQUENCE = 3  # on average, where the name of the ids is not one of sequences
_UNSEEN_SAID = 5  # words that the training did not see, each said once

_LOG = logging.getLogger("rnncli")


@dataclass(frozen=True)
class Category:
    """A column of words, and the words that it may hold, in the order of their numbers."""

    column: str
    words: tuple[str, ...]

    @property
    def listed(self) -> str:
        """``colour (blue, green or red)``."""
        shown = self.words[:_LISTED]
        more = f" and {len(self.words) - len(shown)} more" if len(self.words) > len(shown) else ""
        return f"{self.column} ({', '.join(shown)}{more})"


@dataclass(frozen=True)
class LongForm:
    """Which columns make a sequence.

    Attributes:
        id: says which sequence a row belongs to; None for a file of one sequence.
        time: orders the rows of a sequence; None for the order of the file.
        features: the columns of a timestep.
        label: of the sequence, the same in all its rows; None where it is not read.
        categories: those of the features that hold words.
        dates: the order of day and month in dates such as 01/02/2024, where the times are such.
    """

    id: str | None
    time: str | None
    features: tuple[str, ...]
    label: str | None
    categories: tuple[Category, ...] = ()
    dates: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that is read."""
        return tuple(name for name in (self.id, self.time, *self.features, self.label) if name is not None)

    @property
    def size(self) -> int:
        """D, the numbers of a timestep."""
        return len(self.features) - len(self.categories) + sum(len(one.words) for one in self.categories)

    @property
    def numeric(self) -> tuple[str, ...]:
        """The features that are numbers."""
        words = {one.column for one in self.categories}
        return tuple(name for name in self.features if name not in words)

    @property
    def listed(self) -> str:
        """``ax, ay, az``, or ``p0 to p63 (64)``."""
        return names_listed(self.numeric)

    @property
    def inputs(self) -> str:
        """The columns of a timestep, words with what they may be: ``numbers: ax, ay; words: colour (blue, red)``."""
        parts = [f"numbers: {self.listed}"] if self.numeric else []
        return "; ".join(parts + [f"words: {', '.join(one.listed for one in self.categories)}"] * bool(self.categories))

    @property
    def order(self) -> str:
        return "the file" if self.time is None else self.time

    @property
    def sentence(self) -> str:
        listed = [self.listed] * bool(self.numeric) + [one.listed for one in self.categories]
        return f"{', '.join(listed)} of each {self.id or 'file'}, in order of {self.order}"

    def to_json(self) -> dict[str, Any]:
        """As a model's file has it; what an older one has not, is left out where it says nothing."""
        made: dict[str, Any] = {"id": self.id, "time": self.time, "features": list(self.features), "label": self.label}
        if self.categories:
            made["categories"] = [{"column": one.column, "words": list(one.words)} for one in self.categories]
        return made if self.dates is None else made | {"dates": self.dates}

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


def names_listed(names: Sequence[str]) -> str:
    """``ax, ay, az``, or ``p0 to p63 (64)``."""
    return ", ".join(names) if len(names) <= _LISTED else f"{names[0]} to {names[-1]} ({len(names):,})"


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
        if not certain and not _is_evident(id, features):
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
    possible = [column for column in columns if _groups_rows(column)]
    return sorted(
        possible, key=lambda column: (not mentions(column.name, GROUPS), column.numeric, -len(column.distinct))
    )


def _says_which_sequence(column: Column) -> bool:
    """Whether its name says that it is an id of sequences, and its values repeat."""
    return snake_case(column.name) in SEQUENCES and len(set(column.values)) < len(column.values)


def _groups_rows(column: Column) -> bool:
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
    fitting = [column for column in others if _is_constant(id, column) is not said.label_changes]
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
        elif column.nested or column.lists_of_numbers or _are_texts(column):
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
    moving = [column for column in dated if not _is_constant(id, column)]
    if len(moving) == 1:
        return moving[0]
    counting = [column for column in timely if mentions(column.name, TIME_WORDS) and _counts(id, column)]
    return counting[0] if len(counting) == 1 else None


def _counts(id: Column, column: Column) -> bool:
    """Whether its numbers go up in each sequence, from row to row."""
    last: dict[str, float] = {}
    for one, value in zip(id.values, column.values, strict=True):
        found = number(value)
        if found is None or found <= last.get(one, -np.inf):
            return False
        last[one] = found
    return True


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
class OpenSequence:
    """A sequence of which more rows may come.

    Attributes:
        steps: the numbers of one timestep after the other, NaN where one is missing.
        words: the numbers of the words of each, -1 where one is missing.
    """

    line: int
    label: str
    times: list[Moment | str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    steps: array[float] = field(default_factory=lambda: array("d"))
    words: list[list[int]] = field(default_factory=list)


class SequenceReader:
    """Reads the sequences of one table.

    Attributes:
        form: the columns; once all rows are read with the categories that were found.
    """

    def __init__(
        self,
        form: LongForm,
        columns: Sequence[str],
        ledger: Ledger,
        missing: Missing = None,
        name: str = "",
        twice: str | None = None,
    ) -> None:
        """Takes what is known before the first row.

        Args:
            columns: of the rows; every one that ``form`` names is among them.
            ledger: of the file. A sequence of which a row cannot be used is left out as a whole; a row without an id
                is left out alone.
            missing: what is done where a number is missing.
            name: of the sequence, in a file of only one.
            twice: what to do where a sequence has a time twice.
        """
        self.form, self._columns, self._ledger, self._missing, self._name = form, columns, ledger, missing, name
        self._twice = twice
        self._times = Times(form.dates)
        self._numeric = [columns.index(one) for one in form.numeric]
        self._worded = [columns.index(one.column) for one in form.categories]
        self._learns = all(not one.words for one in form.categories)
        self._codes: list[dict[str, int]] = [{word: at for at, word in enumerate(one.words)} for one in form.categories]
        self._uneven, self._first_uneven, self._unseen, self._empty = 0, "", 0, 0

    def read(self, rows: Iterable[Row]) -> Iterator[NumberRecord]:
        """The sequences by their first rows; all of the table is read before the first of them is handed on.

        Raises:
            DataError: a row cannot be used and such are not to be left out, or the dates of all rows may be read in
                two ways.
        """
        form, columns = self.form, self._columns
        id_at, label_at, time_at = (
            None if name is None else columns.index(name) for name in (form.id, form.label, form.time)
        )
        read: dict[str, OpenSequence | None] = {}  # None: left out
        new = OpenSequence(0, "")
        for line, values in rows:
            id = self._name if id_at is None else as_text(values[id_at]).strip()
            if id_at is not None and not id:
                if not any(map(_holds, values)):
                    self._empty += 1
                    continue
                self._ledger.bad_record(line, f"the value of {quoted(form.id or '')} is missing")
                continue
            label = "" if label_at is None else as_text(values[label_at])
            one = read.get(id, new)
            if one is new:
                one = read[id] = OpenSequence(line, label)
            if one is None:
                continue
            try:
                numbers, words = self._step(line, values)
                if label_at is not None and not (one.lines and label == one.label) and not label.strip():
                    raise ValueError("the label is empty")
                if label != one.label:
                    before = f"{quoted(one.label)} {self._where(one.line, line)}"
                    raise ValueError(f"the sequence {quoted(id)} has the label {quoted(label)} here, but {before}")
                if time_at is not None:
                    one.times.append(self._time(values[time_at]))
            except Gap as gap:
                self._ledger.bad_record(line, str(gap), HOW_TO_FILL)
                read[id] = None
                continue
            except ValueError as error:
                if id_at is None and not any(map(_holds, values)):
                    self._empty += 1
                    if not one.lines:
                        del read[id]
                    continue
                self._ledger.bad_record(line, str(error))
                read[id] = None
                continue
            one.lines.append(line)
            one.steps.extend(numbers)
            if words:
                one.words.append(words)
        self._settle([one.times for one in read.values() if one is not None])
        for id, one in read.items():
            if one is not None:
                yield from self._finished(id, one)
        self._say()

    def _step(self, line: int, values: Sequence[Value]) -> tuple[list[float], list[int]]:
        """The numbers of a row, NaN where one is missing, and of each of its words the number, -1 where it has none.

        Raises:
            ValueError: one of them cannot be used.
        """
        every = finite_numbers([values[at] for at in self._numeric])
        if every is not None and not self._worded:
            return every, []  # as most rows, of which a table may have a million
        numbers: list[float] = []
        missing = None
        for at in self._numeric:
            value = values[at]
            found = finite_number(value) if type(value) is str else number(value)
            if found is None:
                text = as_text(values[at])
                if not is_missing(text):
                    what = f"is not a finite number: {quoted(text)}"
                    raise ValueError(f"the value of {quoted(self._columns[at])} {what}")
                missing = self._columns[at] if missing is None else missing
                found = np.nan
            numbers.append(found)
        if missing is None and not self._worded:
            return numbers, []
        # A row without any number may be the end of its sequence: that shows when all rows are read.
        ends = missing is not None and all(map(np.isnan, numbers))
        if missing is not None and self._missing is None and not ends:
            raise Gap(f"the value of {quoted(missing)} is missing")
        words: list[int] = []
        for at, codes in zip(self._worded, self._codes, strict=True):
            word = as_text(values[at]).strip()
            if is_missing(word):
                if self._missing is None and not ends:
                    raise ValueError(f"the value of {quoted(self._columns[at])} is missing")
                words.append(-1)
            else:
                words.append(self._code(word, codes, at, line))
        return numbers, words

    def _code(self, word: str, codes: dict[str, int], at: int, line: int) -> int:
        code = codes.get(word, -1)
        if code >= 0:
            return code
        column = quoted(self._columns[at])
        if not self._learns:
            self._unseen += 1
            if self._unseen <= _UNSEEN_SAID:
                known = listed(sorted(codes)[:_LISTED])
                place = self._ledger.place(line)
                _LOG.warning(
                    "%s: %s in %s was not seen in training, and is none of %s", place, quoted(word), column, known
                )
            return -1
        if len(codes) == MOST_CATEGORIES:
            raise self._ledger.fault(
                line,
                f"{column} holds more than {MOST_CATEGORIES} different words, too many for a number each",
                f"Leave the column out with {command('--ignore', self._columns[at])}.",
            )
        codes[word] = len(codes)
        return codes[word]

    def _time(self, value: Value) -> Moment | str:
        text = as_text(value)
        try:
            return self._times.read(text)
        except ValueError as error:
            what = "is missing" if is_missing(text) else f"is no time: {error}"
            raise ValueError(f"the value of {quoted(self.form.time or '')} {what}") from None

    def _settle(self, times: Sequence[Sequence[Moment | str]]) -> None:
        """What only all rows together say: the order of day and month, and the words of each column."""
        form, ledger = self.form, self._ledger
        try:
            self._moment = self._times.settle(times, all_read=not ledger.first_rows)
        except ValueError as error:
            name = form.time or ""
            raise DataError(
                f"{self._ledger.file.name}: cannot tell the times in {quoted(name)}: {error}",
                "Write them as 2024-03-01; or, where the rows are in order, leave them out with "
                f"{command('--ignore', name)}.",
            ) from None
        if self._times.by_steps and not ledger.first_rows:
            order, name = ORDERS[self._times.order or "dmy"], quoted(form.time or "")
            ledger.said.append(f"the dates in {name} are {order}, by which they are equally far apart")
        if not self._learns:
            return
        self._ranks = [{code: rank for rank, (_, code) in enumerate(sorted(codes.items()))} for codes in self._codes]
        found = [
            Category(one.column, tuple(sorted(codes))) for one, codes in zip(form.categories, self._codes, strict=True)
        ]
        constant = {one.column for one in found if len(one.words) < 2}
        self.form = replace(
            form,
            features=tuple(name for name in form.features if name not in constant),
            categories=tuple(one for one in found if one.column not in constant),
            dates=self._times.order,
        )

    def _finished(self, id: str, one: OpenSequence) -> Iterator[NumberRecord]:
        """A sequence of which all rows are read; nothing where it is left out."""
        moments = list(map(self._moment, one.times))
        again = _put_in_order(one, moments)
        if again is not None:
            first, second, time = again
            shown = self._times.shown(time)
            what = f"the sequence {quoted(id)} has the time {shown} here and {self._where(first, second)}"
            self._ledger.bad_record(second, what, self._twice)
            return
        numbers = np.array(one.steps).reshape(len(one.lines), len(self._numeric)) + 0.0  # -0 is 0
        series = without_end(numbers) if numbers.shape[1] else numbers
        if not len(series):
            self._ledger.bad_record(one.line, f"the sequence {quoted(id)} has no values")
            return
        gap = first_gap(series)
        if gap is not None:
            step, place = gap
            if self._missing is None:
                what = f"the value of {quoted(self.form.numeric[place])} is missing"
                self._ledger.bad_record(one.lines[step], what, HOW_TO_FILL)
                return
            try:
                series = interpolated(series, _since_first(moments, len(series)))
            except ValueError as error:
                self._ledger.bad_record(one.line, f"the sequence {quoted(id)} {error}")
                return
        moments = moments[: len(series)]
        self._note_steps(id, moments, one)
        yield self.record(id, one, self._with_words(series, one), moments)

    def record(self, id: str, one: OpenSequence, numbers: Floats, moments: Sequence[Moment]) -> NumberRecord:
        """The record of a sequence.

        Args:
            numbers: (T, D).
            moments: of the timesteps, in order; none where the table has no times.
        """
        return NumberRecord(one.line, numbers, one.label, id)

    @property
    def dated(self) -> bool:
        """Whether the times are dates, so that moments are nanoseconds."""
        return self._times.dated

    def _where(self, line: int, other: int) -> str:
        """``on line 5``, of a line in the file of another one; else ``at b.csv:5``."""
        file, number = file_and_line(line)
        return f"on line {number}" if file_and_line(other)[0] == file else f"at {self._ledger.place(line)}"

    def _with_words(self, series: Floats, one: OpenSequence) -> Floats:
        """(T, D) the numbers and the one-hot words, in the order of the features."""
        if not self.form.categories:
            return series
        kept = {category.column: category for category in self.form.categories}
        codes = np.array(one.words[: len(series)])
        columns: list[Floats] = []
        numeric = iter(series.T)
        for name in self.form.features:
            if name not in kept:
                columns.append(next(numeric)[:, None])
                continue
            at = next(at for at, place in enumerate(self._worded) if self._columns[place] == name)
            ranks = self._ranks[at] if self._learns else {}
            hot = np.zeros((len(series), len(kept[name].words)))
            for step, code in enumerate(codes[:, at].tolist()):
                if code >= 0:
                    hot[step, ranks.get(code, code)] = 1.0
            columns.append(hot)
        return np.concatenate(columns, axis=1)

    def _note_steps(self, id: str, moments: Sequence[Moment], one: OpenSequence) -> None:
        found = irregular(moments, self._times.dated)
        if found is None:
            return
        self._uneven += 1
        if not self._first_uneven:
            at, step, common = found
            self._first_uneven = (
                f"{quoted(id)}: {step} before line {file_and_line(one.lines[at])[1]}, and mostly {common}"
            )

    def _say(self) -> None:
        """What is to be said of all sequences."""
        file = self._ledger.file.name
        if self._empty:
            self._ledger.said.append(f"left out: {counted(self._empty, 'row')} without any value")
        if self._uneven:
            count = counted(self._uneven, "sequence has steps", "sequences have steps")
            _LOG.warning(
                "%s: %s of different length in %s, which are read as if they were equal (%s)",
                *(file, count, quoted(self.form.time or ""), self._first_uneven),
            )
        if self._unseen > _UNSEEN_SAID:
            _LOG.warning("%s: %s more were not seen in training", file, counted(self._unseen - _UNSEEN_SAID, "word"))


def _holds(value: Value) -> bool:
    return bool(as_text(value).strip())


def _since_first(moments: Sequence[Moment], count: int) -> Floats | None:
    return np.array([float(one - moments[0]) for one in moments[:count]]) if moments else None


def _put_in_order(one: OpenSequence, moments: list[Moment]) -> tuple[int, int, Moment] | None:
    """Orders the timesteps by their times; where a time appears twice, its two lines and the time."""
    if all(before < after for before, after in pairwise(moments)):
        return None
    order = sorted(range(len(moments)), key=moments.__getitem__)
    for before, after in pairwise(order):
        if moments[before] == moments[after]:
            return one.lines[before], one.lines[after], moments[after]
    moments[:] = [moments[row] for row in order]
    one.lines = [one.lines[row] for row in order]
    one.steps = array("d", np.array(one.steps).reshape(len(order), -1)[order].tobytes()) if one.steps else one.steps
    one.words = [one.words[row] for row in order] if one.words else []
    return None
