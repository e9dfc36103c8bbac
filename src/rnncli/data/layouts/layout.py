"""What a layout is asked, and what it answers: see :mod:`rnncli.data.layouts`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from rnncli.data.doubts.preview import Preview
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import Value
from rnncli.data.layouts.labels import SINGLE, LabelReading
from rnncli.data.records import Amounts, Inputs, Records, Texts
from rnncli.data.tables.columns import find_column
from rnncli.data.tables.described import ArrayColumn, NumericColumns
from rnncli.data.tables.long_form import LongForm
from rnncli.data.tables.series_form import SeriesForm
from rnncli.data.tables.source import Roles, Source, names_in
from rnncli.data.tables.wide_form import WideForm
from rnncli.errors import DataError, quoted

# The columns of a table that an input's numbers come from.
Reads = NumericColumns | LongForm | ArrayColumn | WideForm | SeriesForm


@dataclass(frozen=True)
class Request:
    """What is asked of a file.

    Attributes:
        source: the file, and what the user says of it.
        labelled: whether each record has an answer beside its input.
        whole: whether a record that lacks one of them is a bad one.
        reads: the columns that a model takes its numbers from, where they are not to be guessed.
        roles: of the columns that a model was trained on; the source then has their names.
        inputs: the type of the inputs, where that is not to be guessed.
        sheet: of a workbook of several, that is read where the user names none.
        doubted: whether the file is to be doubted; not if it was read before, see :mod:`rnncli.data.doubts`.
    """

    source: Source
    labelled: bool = True
    whole: bool = True
    reads: Reads | None = None
    roles: Roles | None = None
    inputs: type[Inputs[Any]] | None = None
    sheet: str | None = None
    doubted: bool = True


class Record(NamedTuple):
    """One record: the arguments of :meth:`Records.add <rnncli.data.records.Records.add>`.

    Attributes:
        line: that of its first row.
        input: a value, or a whole series.
        label: None where the file has none.
        name: where the input is hard to read, and has a name.
    """

    line: int
    input: Any
    label: Value | None = None
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Plan(ABC):
    """How the rows of a table become records.

    Attributes:
        preview: the first rows.
        roles: of the columns.
        reads: the columns that an input's numbers come from, where a model keeps these.
        labels: how values become labels.
        of_several_rows: whether a record is made of several rows.
    """

    of_several_rows: ClassVar[bool] = False
    preview: Preview
    roles: Roles
    reads: Reads | None = None
    labels: LabelReading = SINGLE

    @abstractmethod
    def why(self, inputs: Inputs[Any] | None = None) -> str:
        """A sentence on what the columns were taken for; with ``inputs`` once all are read."""

    @abstractmethod
    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        """The records, one after the other.

        Args:
            ledger: takes those that cannot be used.

        Raises:
            DataError: one cannot be used, and such are not to be left out.
        """

    def new_inputs(self) -> Inputs[Any]:
        """What keeps the inputs: of the type that they have."""
        return Texts()

    def new_labels(self) -> Inputs[Any]:
        """What keeps the labels: of the type that they have."""
        return Amounts() if self.preview.has_numbers else self.labels.new()

    def kept(self) -> Reads | None:
        """The columns that a model keeps, with what all records together have shown, after the last was read."""
        return self.reads

    def shown(self, record: Record) -> str | None:
        """What stands for an input that is hard to read; None to show it as it is."""
        return record.name

    def refusal(self, records: Records) -> DataError | None:
        """The refusal of records of which only all together show that they are something else."""
        return None


# None where the table does not hold its records so; raises DataError or UsageError where that is doubtful.
Recognize = Callable[[Preview, Request], Plan | None]


def named_features(preview: Preview, source: Source) -> tuple[str, ...] | None:
    """The columns that ``--features`` names; of ``t0:t99`` all from one to the other, in the order of the table.

    Raises:
        DataError: there is no such column.
    """
    if source.features is None:
        return None
    found: list[str] = []
    for name in names_in(source.features):
        first, colon, last = name.partition(":")
        if name in preview.names or not colon:
            found.append(preview.names[find_column(preview.names, name, "--features")])
            continue
        start, end = (find_column(preview.names, one.strip(), "--features") for one in (first, last))
        found += preview.names[start : end + 1]
    return tuple(dict.fromkeys(found))


def require_columns(preview: Preview, names: Iterable[str]) -> None:
    """Raises DataError: the table lacks a column that a model reads."""
    for name in names:
        if name not in preview.names:
            lacking = [part for part in names_in(name) if part not in preview.names] or [
                name
            ]  # of a time of two columns
            raise DataError(f"{preview.file.name}: there is no column {quoted(lacking[0])}, which the model reads")
