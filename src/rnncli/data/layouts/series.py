"""Rows that are the timesteps of a series, of which a number is to be predicted.

date,passengers
1949-01,112
1949-02,118
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnncli.data.doubts.preview import Preview, shown
from rnncli.data.formats.advice import command
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import as_text, sequence
from rnncli.data.layouts.layout import Plan, Record, Request, named_features, require_columns
from rnncli.data.records import Inputs, Series, SeriesArrays
from rnncli.data.tables.column import Column
from rnncli.data.tables.columns import find_column
from rnncli.data.tables.described import numbers_at
from rnncli.data.tables.names import label_rank
from rnncli.data.tables.series_form import SeriesForm, measured, number_beside, times_of
from rnncli.data.tables.source import Roles
from rnncli.errors import counted, listed, quoted


@dataclass
class _Open:
    """A series of which more rows may come."""

    line: int
    steps: list[list[float]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    times: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Plan(Plan):
    of_several_rows = True
    reads: SeriesForm
    labelled: bool  # whether the numbers to be predicted are read, which a prediction does without

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        series = "one series" if self.reads.id is None else "series"
        if inputs is not None and self.reads.id is not None:
            series = f"{len(inputs):,} series"
        return f"{series}: {self.reads.sentence}; to be predicted: {self.reads.target}; change with --label"

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        """The series, once all rows have been read.

        Raises:
            DataError: a row cannot be used; leaving it out would make a gap.
        """
        form, names = self.reads, self.preview.names
        columns = dict.fromkeys((form.target, *form.features) if self.labelled else form.features)
        places = [names.index(name) for name in columns]
        id_at, time_at = (None if name is None else names.index(name) for name in (form.id, form.time))
        read: dict[str, _Open] = {}
        for line, values in rows:
            one = read.setdefault("" if id_at is None else as_text(values[id_at]).strip(), _Open(line))
            try:
                one.steps.append(numbers_at(values, names, places))
            except ValueError as error:
                raise ledger.fault(line, str(error), "Mend it: a series has no gaps.") from None
            one.lines.append(line)
            if time_at is not None:
                one.times.append(as_text(values[time_at]))
        for id, one in read.items():
            series = Series(np.array(one.steps), np.array(one.lines, np.int64), tuple(one.times))
            yield Record(one.line, series, None, id or ledger.file.name)

    def new_inputs(self) -> SeriesArrays:
        return SeriesArrays()


@dataclass(frozen=True, kw_only=True)
class _Lists(Plan):
    """A whole series in each cell of a column."""

    column: str

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        count = "series" if inputs is None else f"{len(inputs):,} series"
        return f"{count}, each in one value of {self.column}; change with --text"

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        at = self.preview.names.index(self.column)
        for line, values in rows:
            try:
                numbers = sequence(values[at])
            except ValueError as error:
                ledger.bad_record(line, f"the series {error}")
                continue
            yield Record(line, Series(numbers, np.full(len(numbers), line)))

    def new_inputs(self) -> SeriesArrays:
        return SeriesArrays()


def _lists(preview: Preview, request: Request) -> Plan | None:
    """Series in the cells of a column, each of which goes on; a sentence of a language model is none."""
    named = request.source.text
    found = [column for column in preview.columns if column.name == named or (named is None and column.nested)]
    if preview.task != "forecast" or not request.labelled or len(found) != 1 or not found[0].lists_of_numbers:
        return None
    roles = Roles(layout="series", text=(found[0].name,))
    return _Lists(preview=preview, roles=roles, column=found[0].name)


def recognize(preview: Preview, request: Request) -> Plan | None:
    source, reads = request.source, request.reads
    lists = _lists(preview, request) if reads is None else None
    if lists is not None:
        return lists
    if isinstance(reads, SeriesForm):
        require_columns(preview, (*reads.features, reads.target) if request.labelled else reads.features)
        form: SeriesForm | None = reads
    elif source.text is not None or not request.labelled:
        return None
    else:
        form = _guess(preview, request)
    if form is None:
        return None
    roles = Roles(layout="series", features=form.features, label=(form.target,), time=form.time, id=form.id)
    return _Plan(preview=preview, roles=roles, reads=form, labelled=request.labelled)


def _guess(preview: Preview, request: Request) -> SeriesForm | None:
    """The columns of a series that goes on; None where the table is none, or may well be something else.

    Raises:
        DataError: several readings are as likely.
    """
    source, columns = request.source, preview.columns
    forecast, regress = preview.task == "forecast", preview.task == "regress"
    if not (forecast or regress or preview.task == "auto") or len(preview.rows) < 2:
        return None
    id = _named(columns, source.id, "--id")
    time = _named(columns, source.time, "--time") or next(iter(times_of(columns, id)), None)
    numbers = measured(columns, id, time)
    label = _named(columns, source.label, "--label")
    others = [column for column in preview.besides(id, time, *numbers) if not column.is_id and column.filled]
    features_named = named_features(preview, source)
    if features_named is not None:
        numbers, others = [columns[preview.names.index(name)] for name in features_named], []
    if not forecast and (others or time is None or id is not None):
        return None
    if label is not None and not label.numeric:
        if forecast:
            raise preview.file.refusal(
                f"{shown(label)} holds no numbers, and a forecast is one", _choose(preview, numbers)
            )
        return None
    if regress and label is None:
        label = next((column for column in columns if column.name == number_beside(numbers)), None)
        if label is None:
            return None
    if label is None and len(numbers) != 1:
        return _several(preview, time, numbers) if numbers else None
    target = label or numbers[0]
    features = [column for column in numbers if column is not target]
    if not (forecast or regress) and features:
        return _unsure(preview, time, target)
    features = features if regress else [target, *features]
    if not features:
        return None
    return SeriesForm(
        None if id is None else id.name,
        None if time is None else time.name,
        tuple(column.name for column in features),
        target.name,
    )


def _named(columns: Sequence[Column], name: str | None, option: str) -> Column | None:
    """The column that the user named."""
    return None if name is None else columns[find_column([column.name for column in columns], name, option)]


def _choose(preview: Preview, numbers: Sequence[Column]) -> str:
    """What to type to forecast one of several columns."""
    commands = [preview.command_for("forecast", command("--label", column.name)) for column in numbers[:3]]
    return f"Name the column to be forecast: {'; or '.join(commands)}" if commands else "It needs a column of numbers."


def _several(preview: Preview, time: Column | None, numbers: Sequence[Column]) -> SeriesForm | None:
    """Refuses to forecast one of several columns that the user has not named.

    Raises:
        DataError: the task is a forecast, or it is likely one.
    """
    named = [column for column in numbers if label_rank(column.name) is not None]
    if preview.task != "forecast":
        return _unsure(preview, time, named[0]) if len(named) == 1 and _is_amount(named[0]) else None
    listing = listed([quoted(column.name) for column in numbers[:6]])
    raise preview.file.refusal(
        f"{counted(len(numbers), 'column')} of numbers ({listing}), and it is not said which one is to be forecast",
        _choose(preview, named or numbers),
    )


def _is_amount(column: Column) -> bool:
    """Whether its numbers are measured, and not the names of classes."""
    return column.fractions or len(column.distinct) > max(20, len(column.filled) / 10)


def _unsure(preview: Preview, time: Column | None, target: Column) -> SeriesForm | None:
    """Refuses a table of which a number of each row, or the next one, may be what is asked.

    Raises:
        DataError: so it is.
    """
    if not _is_amount(target):
        return None
    label = command("--label", target.name)
    order = "" if time is None else f", in order of {quoted(time.name)}"
    raise preview.file.refusal(
        f"the rows are numbers{order}, and {shown(target)} may be predicted from the others or from its past",
        f"From the numbers of the rows up to it: {preview.command_for('regress', label)}; the next ones from all "
        f"numbers before: {preview.command_for('forecast', label)}",
    )
