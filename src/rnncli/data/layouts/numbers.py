"""Numeric columns, and beside them the text that describes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.data.doubts.checks import DESCRIBED
from rnncli.data.doubts.preview import Preview, raise_first, raise_found
from rnncli.data.doubts.series import described_or_predicted, features_or_series
from rnncli.data.formats.numbers import as_json
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import as_text
from rnncli.data.layouts.layout import Plan, Record, Request, require_columns
from rnncli.data.records import FeatureRows, Inputs
from rnncli.data.tables.column import Column
from rnncli.data.tables.described import NumericColumns, described_numbers, numbers_at
from rnncli.data.tables.names import text_rank
from rnncli.data.tables.source import Roles
from rnncli.data.tables.wide_form import counted_steps


@dataclass(frozen=True, kw_only=True)
class _Plan(Plan):
    reads: NumericColumns
    text: str | None

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        names = self.reads.names
        why = f"numbers: {names[0]} to {names[-1]} ({len(names)})"
        return why if self.text is None else f"{why}, text: {self.text}; change with --label"

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        columns = self.preview.names
        places = [columns.index(name) for name in self.reads.names]
        text_at = None if self.text is None else columns.index(self.text)
        for line, values in rows:
            text = None if text_at is None else as_text(values[text_at])
            try:
                numbers = np.array(numbers_at(values, columns, places))
                if text is not None and not text.strip():
                    raise ValueError("the text is empty")
            except ValueError as error:
                ledger.bad_record(line, str(error))
            else:
                yield Record(line, numbers, text)

    def new_inputs(self) -> FeatureRows:
        return FeatureRows(spaced=True, whole=True)

    def shown(self, record: Record) -> str:
        assert isinstance(record.input, np.ndarray)
        return json.dumps(list(map(as_json, record.input.tolist())))


def recognize(preview: Preview, request: Request) -> Plan | None:
    if request.source.text is not None:
        return None
    found: tuple[NumericColumns, str | None] | None = None
    if request.labelled and request.roles is None:
        features = request.source.named("features")
        columns = [one for one in preview.columns if not features or one.name in features or not one.numeric]
        found = described_numbers(columns, request.source.label)
    elif isinstance(request.reads, NumericColumns):
        require_columns(preview, request.reads.names)
        found = request.reads, request.source.label if request.labelled else None
    if found is None:
        return None
    reads, text = found
    classes = next((column for column in preview.columns if column.name == text and _are_classes(column)), None)
    if classes is not None and request.doubted and request.labelled and preview.task == "auto":
        numbers = [one for one in preview.columns if one.name in reads.names]
        if request.source.label is None or request.source.features is not None or counted_steps(numbers) is not None:
            return None
        raise features_or_series(preview, numbers, classes)
    if request.doubted:
        raise_first(DESCRIBED, preview)
        if preview.task == "auto" and request.labelled and request.roles is None and request.source.label is None:
            raise_found(described_or_predicted(preview, reads.names, text))
    roles = Roles(layout="numbers", features=reads.names, label=() if text is None else (text,))
    return _Plan(preview=preview, roles=roles, reads=reads, text=text)


def _are_classes(text: Column) -> bool:
    """Whether few different words occur again and again below the name of no text: names of classes, or of series."""
    return text.repeats and not text.is_prose and text_rank(text.name) not in (0, 1)
