"""The inputs of predictions, one after the other, while their file is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from rnncli.data.dataset import TRAINING, Source, is_plain_text, require_columns, stream_rows, stream_texts
from rnncli.data.doubts.preview import Purpose
from rnncli.data.formats.npy import read_vector
from rnncli.data.formats.numbers import as_json
from rnncli.data.formats.registry import ARRAY_SUFFIX, is_array
from rnncli.data.formats.values import Value, as_text, is_nested
from rnncli.data.number_records import Reads, number_records
from rnncli.data.records import Inputs, Texts
from rnncli.data.tables.described import ArrayColumn, NumericColumns
from rnncli.errors import DataError, quoted


class Input(NamedTuple):
    """One input.

    Attributes:
        place: file and line, for messages.
        value: what the model reads.
        shown: its name, where the value is hard to read.
    """

    place: str
    value: Value
    shown: str | None = None


def stream_inputs(
    source: Source,
    reads: Reads | None = None,
    before_waiting: Callable[[], object] | None = None,
    purpose: Purpose = TRAINING,
    inputs: type[Inputs[Any]] | None = None,
) -> Iterator[Input]:
    """The inputs of a file; of a table in long form in the order of their first rows, once all of it has been read.

    Args:
        source: a single .npy file is an input too.
        reads: the columns that a model takes its numbers from. A plain text, and a file whose ``text`` column is named,
            holds each input as a text.
        before_waiting: is called when a pipe holds nothing more yet, and all inputs before have been yielded.
        purpose: the command that reads the file, and what that settles.
        inputs: their type.

    Raises:
        DataError: a column is missing, or a value cannot be used (with file and line).
        StorageError: the file cannot be read.
    """
    if source.format is None and is_array(source.path):
        return _one_array(source.path, reads)
    if source.text is not None or is_plain_text(source):
        reads = None
    if reads is None:
        return _column(source, before_waiting, purpose, inputs is Texts)
    return _numbers(source, reads, before_waiting)


def _column(
    source: Source, before_waiting: Callable[[], object] | None, purpose: Purpose, texts: bool
) -> Iterator[Input]:
    """The values of a column; lists are kept as lists if not ``texts``."""
    table, columns, rows = stream_texts(source, before_waiting, purpose)
    for row in rows:
        value = row.values[columns.text]
        if not purpose.lists and isinstance(value, list | dict):
            raise DataError(
                f"{table.name}:{row.line}: {quoted(table.columns[columns.text])} holds a list or an object, and this "
                "model reads texts",
                'It reads {"text": "so it is"}; name another column with --text COLUMN.',
            )
        yield Input(f"{table.name}:{row.line}", value if is_nested(value) and not texts else as_text(value))


def _numbers(source: Source, reads: Reads, before_waiting: Callable[[], object] | None) -> Iterator[Input]:
    table = stream_rows(source, before_waiting)
    require_columns(table, reads)
    strict = replace(table.ledger, skip_bad=False)  # of inputs none is left out
    for line, numbers, _, name in number_records(table.rows, table.columns, reads, None, strict):
        shown = json.dumps(list(map(as_json, numbers.tolist()))) if name is None else name
        yield Input(f"{table.name}:{line}", numbers, shown)


def _one_array(path: str, reads: Reads | None) -> Iterator[Input]:
    if not isinstance(reads, NumericColumns | ArrayColumn):
        raise DataError(f"{path}: this model does not read {ARRAY_SUFFIX} files")
    yield Input(path, read_vector(path).numbers, path)
