"""Reads the sequences of a table in long form, of which the rows of one need not stand together."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rnncli.data.formats.advice import command
from rnncli.data.formats.missing import HOW_TO_FILL, Gap, Missing, first_gap, interpolated, is_missing, without_end
from rnncli.data.formats.numbers import Floats, finite_number, finite_numbers
from rnncli.data.formats.places import file_and_line
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import Numbers, Value, as_text, number
from rnncli.data.tables.long_form import LISTED, MOST_CATEGORIES, Category, LongForm
from rnncli.data.tables.times import ORDERS, Moment, Times, irregular
from rnncli.errors import DataError, counted, listed, quoted

_UNSEEN_SAID = 5  # words that the training did not see, each said once
_LOG = logging.getLogger("rnncli")


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
                self._ledger.bad_record(line, str(error), self._without(line) if id_at is None else None)
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
                known = listed(sorted(codes)[:LISTED])
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

    def _without(self, line: int) -> str | None:
        """How to leave out one line, where to leave out its sequence leaves nothing: that of a total, or of a note."""
        file = self._ledger.file
        if not file.format.delimiter or len(file.files) > 1:
            return None
        return f"leave out this line alone: {file.piped(command('sed', f'{line}d'), file.format.name)}"

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
