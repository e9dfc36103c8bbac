"""Sequences with a row for each timestep: see :mod:`rnncli.data.tables.long_form`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from rnncli.data.doubts.labels import not_classes
from rnncli.data.doubts.preview import Preview
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.layouts.layout import Plan, Record, Request, require_columns
from rnncli.data.records import Inputs, NumberArrays, Records
from rnncli.data.tables.long_form import LongForm, guess_long_form, read_sequences
from rnncli.data.tables.source import Roles
from rnncli.errors import DataError


@dataclass(frozen=True, kw_only=True)
class _Plan(Plan):
    reads: LongForm

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        count = "" if inputs is None else f"{len(inputs):,} of them "
        why = f"sequences: {self.reads.id}, {count}in order of {self.reads.order}; numbers: {self.reads.listed}"
        return why if self.reads.label is None else f"{why}; label: {self.reads.label}; change with --label"

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        """The sequences, once all rows have been read; a bad row leaves all of its sequence out."""
        for one in read_sequences(rows, self.preview.names, self.reads, ledger.bad_record):
            yield Record(*one)

    def new_inputs(self) -> NumberArrays:
        return NumberArrays(whole=True)

    def refusal(self, records: Records) -> DataError | None:
        label_at = None if self.reads.label is None else self.preview.names.index(self.reads.label)
        return not_classes(self.preview.choose(None, label_at), records)


def recognize(preview: Preview, request: Request) -> Plan | None:
    source, reads = request.source, request.reads
    if source.text is not None:
        return None
    if isinstance(reads, LongForm):
        form: LongForm | None = replace(reads, label=None)
        require_columns(preview, replace(reads, label=None).names)
        if request.labelled:
            form = reads.labelled(preview.names, source.label, preview.file.name)
    else:
        form = guess_long_form(preview.columns, source.label, source.id) if request.labelled else None
    if form is None:
        return None
    labels = () if form.label is None else (form.label,)
    roles = Roles(layout="long", features=form.features, label=labels, time=form.time, id=form.id)
    return _Plan(preview=preview, roles=roles, reads=form)
