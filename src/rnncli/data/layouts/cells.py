"""Sequences in one cell each: rows of numbers, such as ``0.1 0.2 -0.45``, in a column of texts.

x,label
0.08 0.71 1.07,up
0.27 0.31 0.57,down
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rnncli.data.doubts.labels import not_classes
from rnncli.data.doubts.preview import Preview
from rnncli.data.doubts.texts import either_series, holds_series
from rnncli.data.formats.missing import Missing
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import as_text
from rnncli.data.layouts.labels import label_reading
from rnncli.data.layouts.layout import Plan, Record, Request, named_features
from rnncli.data.records import Inputs, NumberArrays, Records
from rnncli.data.tables.column import Column
from rnncli.data.tables.columns import choose_columns
from rnncli.data.tables.source import Roles
from rnncli.errors import DataError


@dataclass(frozen=True, kw_only=True)
class _Plan(Plan):
    text: int
    label: int | None
    missing: Missing

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        why = f"sequences: each cell of {self.preview.names[self.text]}"
        if self.label is None:
            return why
        return f"{why}; label: {self.preview.names[self.label]}; change with --label{self.labels.said}"

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        for line, values in rows:
            label = None if self.label is None else values[self.label]
            if label is not None and not as_text(label).strip() and not self.labels.several:
                ledger.bad_record(line, "the label is empty")
                continue
            yield Record(line, values[self.text], label)

    def new_inputs(self) -> NumberArrays:
        return NumberArrays(missing=self.missing)

    def refusal(self, records: Records) -> DataError | None:
        return not_classes(self.preview.choose(self.text, self.label), records)


def recognize(preview: Preview, request: Request) -> Plan | None:
    source, purpose = request.source, preview.purpose
    column = _column(preview, request)
    if column is None or (preview.has_targets and source.features is None):
        return None
    label = None
    if request.labelled:
        columns = choose_columns(preview.names, preview.sample, text=column.name, label=source.label)
        label = columns.label
    roles = Roles(
        layout="cells",
        text=(column.name,),
        features=(column.name,),
        label=() if label is None else (preview.names[label],),
    )
    missing = source.missing or purpose.missing
    labels = label_reading(preview.choose(column.at, label), source)
    return _Plan(preview=preview, roles=roles, text=column.at, label=label, missing=missing, labels=labels)


def _is_text(preview: Preview, column: Column) -> bool:
    """Whether its values are texts in the file too, and no lists of numbers."""
    return all(isinstance(row.values[column.at], str) for row in preview.rows[:1])


def _column(preview: Preview, request: Request) -> Column | None:
    """The column whose cells hold a sequence each, as it was named or is the only one.

    Raises:
        DataError: there are several.
    """
    source = request.source
    if source.layout == "cells" and source.text is not None:
        return preview.columns[preview.names.index(source.text)]
    features = named_features(preview, source)
    if features is not None:
        column = preview.columns[preview.names.index(features[0])]
        return column if len(features) == 1 and (column.lists_of_numbers or column.nested) else None
    if source.text is not None or not (preview.purpose.trains or preview.purpose.numbers):
        return None
    dialect = preview.file.dialect
    amounts = () if dialect is None else dialect.unsure  # 1,234.5 is one number, whose comma is asked about
    found = [
        column
        for column in preview.columns
        if holds_series(column) and _is_text(preview, column) and column.name not in amounts
    ]
    if len(found) > 1:
        raise either_series(preview, found)
    return found[0] if found else None
