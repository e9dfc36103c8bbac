"""Sequences with a row for each timestep: see :mod:`rnncli.data.tables.long_form`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rnncli.data.doubts.preview import Preview, raise_found
from rnncli.data.doubts.timesteps import label_changes, of_time_twice, unclear_id
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.layouts.labels import label_reading
from rnncli.data.layouts.layout import Plan, Record, Request, named_features, require_columns
from rnncli.data.layouts.sequences import SequencePlan
from rnncli.data.records import Inputs
from rnncli.data.tables.long_columns import Said, recognize_long_form
from rnncli.data.tables.long_form import LongForm
from rnncli.data.tables.sequences import SequenceReader
from rnncli.data.tables.series_form import number_of_each
from rnncli.data.tables.source import Roles


@dataclass(frozen=True, kw_only=True)
class _Plan(SequencePlan):
    of_several_rows = True
    reads: LongForm
    ignored: Mapping[str, str] = field(default_factory=dict)
    read: list[LongForm] = field(default_factory=list)  # the same columns with what all rows together have shown

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        form = self.kept()
        count = "" if inputs is None else f"{len(inputs):,} of them "
        sequences = f"sequences: {form.id}, {count}in order of {form.order}"
        if form.id is None:
            sequences = f"one sequence, in order of {form.order}"
        ignored = dict(self.ignored) | {name: "constant" for name in self.reads.features if name not in form.features}
        left = f"; not read: {', '.join(f'{name} ({why})' for name, why in ignored.items())}" if ignored else ""
        return self.with_label(f"{sequences}; {form.inputs}{left}")

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        """The sequences, once all rows have been read; a bad row leaves all of its sequence out."""
        form = self.reads
        twice = of_time_twice(self.preview, "", form.id, form.time, (*form.features, form.label))
        reader = SequenceReader(form, self.preview.names, ledger, self.missing, ledger.file.name, twice)
        for one in reader.read(rows):
            self.read[:] = [reader.form]
            yield Record(*one)

    def kept(self) -> LongForm:
        return self.read[0] if self.read else self.reads


def recognize(preview: Preview, request: Request) -> Plan | None:
    source, reads = request.source, request.reads
    if source.text is not None:
        return None
    ignored: Mapping[str, str] = {}
    if isinstance(reads, LongForm):
        form = replace(reads, label=None, id=source.id or reads.id, time=source.time or reads.time)
        if form.id not in preview.names and {*preview.names} <= {*reads.names}:
            form = replace(form, id=None)  # a file of one sequence
        require_columns(preview, form.names)
        if request.labelled:
            form = replace(form, label=reads.label).labelled(preview.names, source.label, preview.file.name)
    elif request.labelled:
        label = source.label
        if label is None and preview.has_numbers:
            label = number_of_each(preview.columns, source.id)
        said = Said(label, source.id, source.time, named_features(preview, source))
        found = recognize_long_form(preview.columns, said)
        if request.doubted and not (found is None and preview.has_numbers):
            raise_found(unclear_id(preview, said, None if found is None else found[0]))
        if found is None:
            if request.doubted and not preview.has_numbers:
                raise_found(label_changes(preview, said))
            return None
        form, ignored = found
    else:
        return None
    labels = () if form.label is None else (form.label,)
    roles = Roles(layout="long", by_form=True, features=form.features, label=labels, time=form.time, id=form.id)
    return _Plan(
        preview=preview,
        roles=roles,
        reads=form,
        labels=label_reading(preview.labelled(form.label), source),
        ignored=ignored,
        missing=source.missing or preview.purpose.missing,
    )
