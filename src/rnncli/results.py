"""Results as tables and maps of values: which numbers are shown, in which order. How they look is up to ``render``."""

from __future__ import annotations

from dataclasses import dataclass

TableCell = str | int | float | None


@dataclass(frozen=True)
class Column:
    """One column: numeric ones are aligned to the right."""

    name: str
    numeric: bool = False
    style: str | None = None


@dataclass(frozen=True)
class TableView:
    """A table as values; each row has one cell for each column."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    caption: str | None = None


@dataclass(frozen=True)
class HeatMap:
    """Numbers as a picture: a row for each name, a column for each step.

    Attributes:
        rows: names.
        columns: names.
        values: for each row one number for each column.
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
