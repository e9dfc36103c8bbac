"""What a file was taken for, from its first rows: shown before anything is trained on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import NamedTuple

from rnncli.data.dataset import Dataset
from rnncli.data.doubts.sentinels import sentinel_warnings
from rnncli.data.opening import OpenedRecords
from rnncli.data.records import Amounts, NumberArrays
from rnncli.data.tables.column import Column, Kind
from rnncli.data.tables.source import Role, names_in
from rnncli.errors import counted, quoted
from rnncli.results import Column as Head
from rnncli.results import TableCell, TableView

SHOWN_RECORDS = 3
_ALIKE = 4  # neighbouring columns of one type and role, from which on they share a row
_IN_A_LINE = 8  # columns
_WARNED = 300  # columns that are looked at
_EXAMPLE = 200  # characters of a value: a text may be a book
_DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "vertical bars", " ": "spaces"}


class ColumnDescription(NamedTuple):
    """One column of a table.

    Attributes:
        type: what its values are, as far as the first rows show it.
        role: what it is for.
        example: its first value.
        ignored_because: why it is ignored; empty if it is not.
    """

    name: str
    type: Kind
    role: Role
    example: str
    ignored_because: str = ""

    @property
    def shown_role(self) -> str:
        return f"{self.role}: {self.ignored_because}" if self.ignored_because else self.role


class ShownRecord(NamedTuple):
    """A record as the model will see it; the label is None where none is read."""

    input: str
    label: str | None


class RowsDescription(NamedTuple):
    """Rows of one use.

    Attributes:
        use: training, validation, test, folds, groups or older rows.
        file: that holds them.
        rows: how many there are; None where only all rows of a file tell.
        row: what a row is called.
        how: which of the file's rows they are, or what is done with them.
    """

    use: str
    file: str
    rows: int | None
    row: str
    how: str


@dataclass(frozen=True, kw_only=True)
class DataDescription:
    """What a file was taken for.

    Attributes:
        file: its name.
        task: what would be trained on it.
        task_why: why that.
        why: why the columns are for what they are for.
        format, encoding: of the file.
        delimiter: what separates the values of a line; None where no mark does.
        header: whether the first line names the columns; None where the format has no such line.
        columns: all, in the order of the file.
        records: the first ones.
        warnings: sentences.
        rows: what they are for.
        begins_with: the model that the training begins with; None for a new one.
        run: the folder that it would make, where that was named.
        refusal: why it would refuse the rows; None where it would not, and where only all rows tell.
    """

    file: str
    task: str
    task_why: str
    why: str
    format: str
    encoding: str
    delimiter: str | None
    header: bool | None
    columns: tuple[ColumnDescription, ...]
    records: tuple[ShownRecord, ...]
    warnings: tuple[str, ...] = ()
    rows: tuple[RowsDescription, ...] = ()
    begins_with: str | None = None
    run: str | None = None
    refusal: str | None = None

    @property
    def written(self) -> str:
        """How the file is written: ``csv, commas, a header, utf-8``."""
        parts = [self.format]
        if self.delimiter is not None:
            parts.append(_DELIMITERS.get(self.delimiter, f"'{self.delimiter}'"))
        if self.header is not None:
            parts.append("a header" if self.header else "no header")
        return ", ".join([*parts, self.encoding])

    def pairs(self) -> list[tuple[str, TableCell]]:
        """What was found, in a few lines."""
        return [
            ("file", self.file),
            ("format", self.written),
            ("task", f"{self.task} ({self.task_why})"),
            ("read as", self.why),
            *self._of_run(),
            *(("warning", warning) for warning in self.warnings),
        ]

    def tables(self, most: int | None = None) -> list[TableView]:
        """The columns, and the first records.

        Args:
            most: rows of the table of columns, where neighbours of one type and role share a row; None for a row each.
        """
        rows = self._column_rows(alike=1 if most is None else _ALIKE)
        cut = rows if most is None or len(rows) <= most else rows[: most - 1]
        left = len(rows) - len(cut)
        caption = f"and {counted(left, 'more row')}, which --dry-run --json shows" if left else None
        names = (Head("column", style="bold"), Head("type"), Head("role"), Head("example"))
        heads = (Head("input"), *([Head("label")] if any(one.label for one in self.records) else []))
        records = tuple(one if len(heads) > 1 else (one.input,) for one in self.records)
        return [
            TableView("Columns", names, tuple(cut), caption),
            TableView("First records", heads, records),
            self._rows_table(),
        ]

    def _of_run(self) -> list[tuple[str, TableCell]]:
        named = (("from", self.begins_with), ("run", self.run))
        return [(what, value) for what, value in named if value is not None]

    def _rows_table(self) -> TableView:
        """What the rows are for; how many, where that is known of some."""
        known = any(one.rows is not None for one in self.rows)
        heads = (Head("for"), *([Head("rows", True)] if known else []), Head("of"), Head("how"))
        rows = ((one.use, *([one.rows] if known else []), one.file, one.how) for one in self.rows)
        unknown = "the rows are counted once all of them are read"
        return TableView("Rows", heads, tuple(rows), None if known or self.refusal else unknown)

    def _column_rows(self, alike: int) -> list[tuple[str, str, str, str]]:
        """A row for each column, or for at least ``alike`` neighbours of one type and role; for 1 no row is shared."""
        rows: list[tuple[str, str, str, str]] = []
        for (kind, role), group in groupby(self.columns, key=lambda one: (one.type, one.shown_role)):
            same = list(group)
            if 1 < alike <= len(same):
                name = f"{same[0].name} to {same[-1].name} ({len(same):,})"
                rows.append((name, kind, role, same[0].example))
            else:
                rows += [(one.name, kind, role, one.example) for one in same]
        return rows

    def lines(self) -> list[tuple[str, str]]:
        """The same in lines of a log, as ``(what, value)``."""
        columns = [f"{name} ({kind}, {role})" for name, kind, role, _ in self._column_rows(_ALIKE)]
        more = f" and {len(columns) - _IN_A_LINE} more" if len(columns) > _IN_A_LINE else ""
        lines = [("file", f"{self.file}: {self.written}"), ("task", f"{self.task} ({self.task_why})")]
        if columns:
            lines.append(("columns", ", ".join(columns[:_IN_A_LINE]) + more))
        of_others = [(one.use, f"{one.file}, {one.how}") for one in self.rows if one.file != self.file]
        return [*lines, *of_others]

    def __repr__(self) -> str:
        return f"<{self.file}: {self.task}; {self.why}>"


def describe(opened: OpenedRecords, first: Dataset, task: str, task_why: str) -> DataDescription:
    """Describes a file of which the first rows were read.

    Args:
        first: their records.
        task: what would be trained on it, and why that.
    """
    table, roles = opened.table, opened.plan.roles
    dialect = table.dialect
    amounts = isinstance(first.labels, Amounts) or not (roles.label and len(first.labels) and first.labels.text(0))
    columns = tuple(
        _column(one, roles.of(one.name), opened.source.ignore, amounts, opened.all_seen) for one in opened.columns
    )
    read = [one for one in islice(opened.columns, _WARNED) if roles.of(one.name) in ("input", "label")]
    return DataDescription(
        file=table.name,
        task=task,
        task_why=task_why,
        why=opened.why(),
        format=table.format,
        encoding=table.ledger.file.encoding,
        delimiter=None if dialect is None else dialect.delimiter,
        header=None if dialect is None else dialect.header,
        columns=columns if table.ledger.file.format.holds == "records" else (),
        records=tuple(_record(first, row) for row in range(min(SHOWN_RECORDS, len(first.inputs)))),
        warnings=(*_warnings(columns, opened.all_seen), *sentinel_warnings(read, opened.columns, table.ledger.file)),
    )


def _column(column: Column, role: Role, ignored: str | None, amounts: bool, all_seen: bool) -> ColumnDescription:
    """A column; whole numbers that are labels, and no ``amounts``, are names of classes.

    Args:
        all_seen: whether the first rows are all; else others may follow that have another label, where a file is
            sorted by labels, or by sequences that have one.
    """
    because, kind = "", column.kind
    if role == "label" and kind == "constant" and not all_seen:
        kind = "number" if amounts else "category"
    if role == "label" and kind == "number" and column.repeats and not amounts:
        kind = "category"
    if role == "ignored":
        same = "always the same" if all_seen else "the same in the first rows"
        poor = {"constant": same, "nearly empty": "nearly empty"}.get(column.kind, "")
        because = poor or ("an id" if column.is_id else "")
        if ignored is not None and (column.name == ignored or column.name in names_in(ignored)):
            because = "--ignore"
    return ColumnDescription(column.name, kind, role, column.example[:_EXAMPLE], because)


def _record(first: Dataset, row: int) -> ShownRecord:
    input = first.inputs.text(row)
    if isinstance(first.inputs, NumberArrays):
        steps = first.inputs[row]
        size = counted(steps.shape[-1], "number")
        if steps.ndim == 2:
            size = f"{counted(len(steps), 'timestep')} of {size}"
        input = f"{size}: {input}"
    label = first.labels.text(row) if first.roles is not None and first.roles.label else None
    return ShownRecord(input[:_EXAMPLE], None if label is None else label[:_EXAMPLE])


def _warnings(described: Sequence[ColumnDescription], all_seen: bool) -> list[str]:
    """What the user should look at: columns of a role that they hardly suit.

    Args:
        all_seen: whether the first rows are all.
    """
    found = []
    for one in islice((one for one in described if one.role == "input"), _WARNED):
        if one.type == "nearly empty":
            found.append(f"{quoted(one.name)} is read, and nearly empty in the first rows")
        elif one.type == "constant":
            found.append(f"{quoted(one.name)} is read, and always the same in the first rows")
    if all_seen:
        same = (one for one in described if one.role == "label" and one.type == "constant")
        found += [f"the label {quoted(one.name)} is the same in all rows" for one in same]
    return found
