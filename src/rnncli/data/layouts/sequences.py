"""What plans of sequences of numbers share: their inputs, and a label of each in a column of a model's form."""

from __future__ import annotations

from dataclasses import dataclass

from rnncli.data.doubts.labels import not_classes
from rnncli.data.formats.missing import Missing
from rnncli.data.layouts.layout import Plan
from rnncli.data.records import NumberArrays, Records
from rnncli.data.tables.long_form import LongForm
from rnncli.data.tables.wide_form import WideForm
from rnncli.errors import DataError


@dataclass(frozen=True, kw_only=True)
class SequencePlan(Plan):
    """Sequences by the columns of a form.

    Attributes:
        missing: what is done where a number is missing.
    """

    reads: LongForm | WideForm
    missing: Missing

    def with_label(self, why: str) -> str:
        """A sentence, and after it which column holds the labels."""
        label = self.reads.label
        return why if label is None else f"{why}; label: {label}; change with --label{self.labels.said}"

    def new_inputs(self) -> NumberArrays:
        return NumberArrays(whole=True)

    def refusal(self, records: Records) -> DataError | None:
        return not_classes(self.preview.labelled(self.reads.label), records)
