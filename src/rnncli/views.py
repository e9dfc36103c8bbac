"""Results as tables of values: which numbers are shown, and in which order. How they look is up to ``render``."""

from __future__ import annotations

from dataclasses import dataclass

Cell = str | int | float | None


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
    rows: tuple[tuple[Cell, ...], ...]
    caption: str | None = None
