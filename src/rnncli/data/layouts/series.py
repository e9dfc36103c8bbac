"""Rows that are the timesteps of a series, of which a number is to be predicted.

date,passengers
1949-01,112
1949-02,118
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.data.doubts.preview import Preview, raise_found, shown
from rnncli.data.doubts.series import unread_amounts
from rnncli.data.doubts.timesteps import of_time_twice, time_twice
from rnncli.data.formats.advice import command
from rnncli.data.formats.missing import Missing
from rnncli.data.formats.numbers import Floats
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import as_text, sequence
from rnncli.data.layouts.layout import Plan, Record, Request, named_features, require_columns
from rnncli.data.records import Inputs, Series, SeriesArrays
from rnncli.data.tables.column import Column
from rnncli.data.tables.columns import find_column
from rnncli.data.tables.joined import ids_together, is_key
from rnncli.data.tables.long_columns import Said, groups_rows, is_constant, recognize_long_form
from rnncli.data.tables.long_form import LongForm
from rnncli.data.tables.names import TIMES, is_time_name, label_rank, snake_case
from rnncli.data.tables.sequences import NumberRecord, OpenSequence, SequenceReader
from rnncli.data.tables.series_form import SeriesForm, ids_of, measured, number_beside, times_of
from rnncli.data.tables.source import Roles, joined_names, names_in
from rnncli.data.tables.times import Moment
from rnncli.data.tables.wide_form import counted_steps
from rnncli.errors import DataError, counted, listed, quoted


class _Reader(SequenceReader):
    """Reads whole series, with the line and the time of each timestep as the file has them."""

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, with the time of each noted as it passes."""
        self._written: dict[int, str] = {}
        at = None if self.form.time is None else self._columns.index(self.form.time)
        for row in rows:
            if at is not None:
                self._written[row.line] = as_text(row.values[at]).strip()
            yield row

    def record(self, id: str, one: OpenSequence, numbers: Floats, moments: Sequence[Moment]) -> NumberRecord:
        lines = one.lines[: len(numbers)]
        times = tuple(self._written[line] for line in lines) if self._written else ()
        series: Any = Series(numbers, np.array(lines, np.int64), times)
        return NumberRecord(one.line, series, "", id)


@dataclass(frozen=True, kw_only=True)
class _Plan(Plan):
    of_several_rows = True
    reads: SeriesForm
    labelled: bool  # whether the numbers to be predicted are read, which a prediction does without
    missing: Missing = None
    ignored: tuple[str, ...] = ()

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        series = "one series" if self.reads.id is None else "series"
        if inputs is not None and self.reads.id is not None:
            series = f"{len(inputs):,} series"
        left = f"; not read: {', '.join(self.ignored)}" if self.ignored else ""
        return f"{series}: {self.reads.sentence}{left}; to be predicted: {self.reads.target}; change with --label"

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        """The series, once all rows have been read.

        Raises:
            DataError: a row cannot be used, and such series are not to be left out.
        """
        form, names = self.reads, self.preview.names
        columns = dict.fromkeys((form.target, *form.features) if self.labelled else form.features)
        wanted = LongForm(form.id, form.time, tuple(columns), None)
        twice = of_time_twice(
            self.preview, self.preview.task.replace("auto", "forecast"), form.id, form.time, (form.target,)
        )
        reader = _Reader(wanted, names, ledger, self.missing, ledger.file.name, twice)
        for one in reader.read(reader.watch(rows)):
            yield Record(one.line, one.numbers, None, one.name)

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
    found = [one for one in preview.columns if one.name == named or (named is None and one.nested)]
    found = [one for one in found if one.lists_of_numbers] or found
    again = request.source.layout == "series"  # of a model that was trained on such
    if not (again or (preview.task == "forecast" and request.labelled)) or len(found) != 1:
        return None
    if not found[0].lists_of_numbers:
        return None
    roles = Roles(layout="series", text=(found[0].name,))
    return _Lists(preview=preview, roles=roles, column=found[0].name)


def recognize(preview: Preview, request: Request) -> Plan | None:
    source, reads = request.source, request.reads
    lists = _lists(preview, request) if reads is None else None
    if lists is not None:
        return lists
    if isinstance(reads, SeriesForm):
        require_columns(preview, reads.names if request.labelled else reads.inputs)
        form: SeriesForm | None = reads
    elif source.text is not None or not request.labelled:
        return None
    else:
        form = _guess(preview, request)
    if form is None:
        return None
    others = tuple(name for name in form.features if name != form.target)
    roles = Roles(layout="series", by_form=True, features=others, label=(form.target,), time=form.time, id=form.id)
    missing = source.missing or preview.purpose.missing
    # What is read is seen from the sentence; numbers that only count, dates and words beside them are not.
    ignored = tuple(column.name for column in preview.columns if column.name not in form.names and column.filled)
    return _Plan(preview=preview, roles=roles, reads=form, labelled=request.labelled, missing=missing, ignored=ignored)


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
    if id is None and (forecast or regress) and source.time is None:
        id = _likely_id(preview, source.label)
    time = _named(columns, source.time, "--time") or next(iter(times_of(columns, id)), None)
    if preview.task == "auto" and id is None and (time is None or not _orders(time)) and source.label is None:
        _ask_which_of_several(preview)
    if forecast and id is None and time is None:
        raise_found(_runs_of_words(preview, source.label))
    numbers = measured(columns, id, time)
    label = _named(columns, source.label, "--label")
    others = [column for column in preview.besides(id, time, *numbers) if not column.is_id and column.filled]
    others = [column for column in others if not column.amounts]  # 12.3M and 0.5% are numbers that are not read
    features_named = named_features(preview, source)
    if features_named is not None:
        numbers, others = [columns[preview.names.index(name)] for name in features_named], []
    beside = preview.besides(*numbers)
    if preview.task == "auto" and id is None and time is None and len(beside) == 1 and beside[0].dates:
        raise time_twice(preview, "forecast", beside[0])
    if not forecast and ((others and source.id is None) or time is None or (id is not None and not regress)):
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
    if label is None and time is not None and time.dates:
        amounts = [column for column in beside if column.amounts]
        if amounts and preview.purpose.trains:
            raise unread_amounts(preview, amounts, numbers)
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


def _likely_id(preview: Preview, label: str | None) -> Column | None:
    """The column that says which series a row belongs to, where the dates of a file repeat; None where they do not.

    Args:
        label: the name of the column that is to be predicted, which is none of them.

    Raises:
        DataError: it cannot be told which column that is.
    """
    columns = [column for column in preview.columns if column.name != label]
    dated = [column for column in columns if column.dates and not column.numeric]
    if times_of(columns):
        return None
    found = ids_of(columns)
    if len(found) == 1 and found[0] in columns and (dated or is_key(found[0])):
        return found[0]
    if not dated and not any(snake_case(column.name) in TIMES for column in columns):
        return None
    repeated = dated[0] if dated else next(column for column in columns if snake_case(column.name) in TIMES)
    raise time_twice(preview, preview.task, repeated, found)


def _runs_of_words(preview: Preview, label: str | None) -> DataError | None:
    """A table in the order of the file, of which a column of words may say where one series ends and another begins."""
    found = [one for one in preview.columns if one.name != label and not one.numeric and groups_rows(one)]
    if not found:
        return None
    names = [one.name for one in found]
    way = preview.command_for("forecast", command("--id", names[0]))
    whole = preview.command_for("forecast", command("--ignore", ",".join(names)))
    return preview.file.refusal(
        f"{shown(found[0])} may say which series a row belongs to, and nothing else does",
        f"If it does: {way}; if all rows are one series: {whole}",
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
        if len(named) == 1:
            return _unsure(preview, time, named[0]) if _is_amount(named[0]) else None
        if time is None or named or not _orders(time) or counted_steps(numbers) is not None:
            return None
        raise _which(preview, time, numbers)
    listing = listed([quoted(column.name) for column in numbers[:6]])
    raise preview.file.refusal(
        f"{counted(len(numbers), 'column')} of numbers ({listing}), and it is not said which one is to be forecast",
        _choose(preview, named or numbers),
    )


def _orders(time: Column) -> bool:
    """Whether a column holds times, and does not only count the rows."""
    return time.dates or is_time_name(time.name)


def _ask_which_of_several(preview: Preview) -> None:
    """Refuses a table of several series, a row a time, beside whose ids and times there are only numbers.

    Raises:
        DataError: so it is.
    """
    columns = preview.columns
    whole = [column for column in columns if column.numeric and column.repeats and not column.fractions]
    if any(recognize_long_form(columns, Said(column.name)) is not None for column in whole):
        return  # one of these may be the label of each series
    possible = [one for one in columns if one.repeats and len(one.distinct) > 1 and not (one.dates or one.fractions)]
    possible = [one for one in possible if not one.numeric or is_key(one)]
    enough: list[set[str]] = []
    for id, beside in [*((one, preview.besides(one)) for one in possible), *ids_together(columns)]:
        parts = {id.name, *names_in(id.name)}
        time = next(filter(_orders, times_of(beside, id)), None)
        if time is None or any(fewer <= parts for fewer in enough):
            continue
        enough.append({id.name})
        numbers = measured(beside, time)
        others = [one for one in beside if one not in (time, *numbers) and not one.is_id and one.filled]
        others = [one for one in others if len(set(zip(one.values, id.values, strict=True))) > len(one.distinct)]
        others = [one for one in others if not {value.lower() for value in one.distinct} <= {"true", "false"}]
        if numbers and not others and (counted_steps(numbers) is None or is_key(id)):
            raise _which(preview, time, numbers, id)


def _which(preview: Preview, time: Column, numbers: Sequence[Column], id: Column | None = None) -> DataError:
    """The refusal of a table of numbers in order of time, of which one may be predicted."""
    listing = listed([quoted(column.name) for column in numbers[:6]]) + (", …" if len(numbers) > 6 else "")
    what = f"{counted(len(numbers), 'column')} of numbers ({listing}), in order of {quoted(time.name)}"
    stays = [column.name for column in preview.columns if is_key(column) and len(column.distinct) == 1]
    ids = joined_names(stays) if id is None and stays else None if id is None else id.name
    named = [] if ids is None else [command("--id", ids)]
    of = "" if id is None else f" for each {quoted(id.name)}"
    likely = [column for column in numbers if column.name not in stays and len(column.distinct) > 1] or numbers
    fixed = [column for column in likely if id is not None and is_constant(id, column)]  # have no next values
    moving = [column for column in likely if column not in fixed] or likely
    ways = [preview.command_for("forecast", *named, command("--label", column.name)) for column in moving[:3]]
    hint = f"To predict the next values of one: {'; or '.join(ways)}"
    if len(likely) > 1:
        regress = preview.command_for("regress", *named, command("--label", (fixed or likely)[-1].name))
        hint = f"{hint}; to predict a number of each {'series' if fixed else 'row'} from the others: {regress}"
    if id is not None:
        hint = f"{hint}. To learn a label of each series, add a column that holds it"
    return preview.file.refusal(f"{what}{of}, and nothing says which is to be predicted", hint)


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
