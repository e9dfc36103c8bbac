"""The inputs of predictions, one after the other, while their file is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from rnncli.data.doubts.preview import Purpose
from rnncli.data.formats.npy import read_vector
from rnncli.data.formats.registry import ARRAY_SUFFIX, is_array
from rnncli.data.formats.table import Table
from rnncli.data.formats.values import Value, as_text, is_nested, sequence
from rnncli.data.kept import Kept, KeptRows
from rnncli.data.layouts.layout import Reads, Request
from rnncli.data.opening import TRAINING, is_plain_text, open_records
from rnncli.data.records import Inputs, NumberArrays, Series, Texts
from rnncli.data.tables.described import ArrayColumn, NumericColumns
from rnncli.data.tables.source import Roles, Source, joined_names, names_in
from rnncli.errors import DataError, quoted


class Input(NamedTuple):
    """One input.

    Attributes:
        place: file and line, for messages.
        value: what the model reads.
        shown: its name, where the value is hard to read.
        times: of its last timesteps, where it is a series with times.
        row: the row that it was made of, where rows are kept; one with a problem has no value.
    """

    place: str
    value: Value
    shown: str | None = None
    times: tuple[str, ...] = ()
    row: Kept | None = None


def stream_inputs(
    source: Source,
    reads: Reads | None = None,
    before_waiting: Callable[[], object] | None = None,
    purpose: Purpose = TRAINING,
    inputs: type[Inputs[Any]] | None = None,
    parts_of: Callable[[Series], Iterable[tuple[int, Value]]] | None = None,
    roles: Roles | None = None,
    kept: KeptRows | None = None,
) -> Iterator[Input]:
    """The inputs of a file; of a table in long form in the order of their first rows, once all of it has been read.

    Args:
        source: a single .npy file is an input too.
        reads: the columns that a model takes its numbers from. A plain text, and a file whose ``text`` column is named,
            holds each input as a text.
        before_waiting: is called when a pipe holds nothing more yet, and all inputs before have been yielded.
        purpose: the command that reads the file, and what that settles.
        inputs: their type.
        parts_of: the inputs in a series, each with the timestep that it ends with; the whole of it if None.
        roles: of the columns that a model was trained on; the user may name others.
        kept: takes the rows of the file; then all of them are yielded, also those of which no input can be made.

    Raises:
        DataError: a column is missing, or a value cannot be used (with file and line).
        StorageError: the file cannot be read.
    """
    if source.format is None and is_array(source.path):
        if kept is not None:
            kept.opened(("file",), ("file",))
        for input in _one_array(source.path, reads):
            yield input if kept is None else input._replace(row=Kept(1, (source.path,)))
        return
    if source.text is not None or is_plain_text(source):
        reads = None
    source = replace(source, skip_bad=False)  # of inputs none is left out
    request = Request(source, labelled=False, reads=reads, roles=roles, inputs=inputs)
    opened = open_records(request, purpose=purpose, before_waiting=before_waiting, watch=kept)
    table, plan = opened.table, opened.plan
    fill = source.missing if inputs is NumberArrays else None
    if kept is not None and plan.of_several_rows:
        id = plan.roles.id
        kept.come_together(() if id is None else dict.fromkeys((id, *names_in(id))))
    beside = partial(_beside, kept=kept, table=table)
    for record in opened.records():
        place, value = table.ledger.place(record.line), record.input
        if isinstance(value, Series):
            for step, part in [(-1, value.numbers)] if parts_of is None else parts_of(value):
                yield from beside(_part(table.name, value, step, part, plan.shown(record)), int(value.lines[step]))
            continue
        if not purpose.lists and isinstance(value, list | dict):
            column = quoted(joined_names(plan.roles.text))
            what = f"{column} holds a list or an object, and this model reads texts"
            hint = 'It reads {"text": "so it is"}; name another column with --text COLUMN.'
            table.ledger.bad_record(record.line, what, hint)
            continue
        if fill is not None:
            try:
                value = sequence(value, fill)
            except ValueError as error:
                table.ledger.bad_record(record.line, f"the sequence {error}")
                continue
        nested = is_nested(value) and inputs is not Texts
        input = Input(place, value if nested else as_text(value), plan.shown(record))
        if kept is None:
            yield input
        else:
            yield from beside(input, record.line)
    if kept is not None:
        for row in kept.rest():
            yield Input(table.ledger.place(row.line), "", row=row)


def _beside(input: Input, line: int, kept: KeptRows | None, table: Table) -> Iterator[Input]:
    """The rows before that of an input, of which none was made, and the input with its row."""
    if kept is None:
        yield input
        return
    for row in kept.up_to(line):
        yield input._replace(row=row) if row.problem is None else Input(table.ledger.place(row.line), "", row=row)


def _part(file: str, series: Series, step: int, part: Value, name: str | None) -> Input:
    """A whole series with its times, or a part of it that ends with a timestep, whose time is its name."""
    if step in (-1, len(series.numbers) - 1) and part is series.numbers:
        return Input(f"{file}:{series.lines[0]}", part, name, series.times)
    line = int(series.lines[step])
    called = series.times[step] if series.times else f"line {line}"
    return Input(f"{file}:{line}", part, f"{name}, {called}" if name is not None and name != file else called)


def _one_array(path: str, reads: Reads | None) -> Iterator[Input]:
    if not isinstance(reads, NumericColumns | ArrayColumn):
        raise DataError(f"{path}: this model does not read {ARRAY_SUFFIX} files")
    yield Input(path, read_vector(path).numbers, path)
