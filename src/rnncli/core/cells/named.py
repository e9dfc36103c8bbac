"""The cells by name: each is a module in this folder with a ``CELL``, and a choice of the setting ``cell``."""

from __future__ import annotations

from importlib import import_module

from rnncli.core.cells.cell import Cell
from rnncli.core.cells.specification import Specification


def cell_named(name: str) -> type[Cell]:
    """The class of a cell."""
    found: type[Cell] = import_module(f"{__package__}.{name}").CELL
    return found


def specification_of(name: str) -> Specification:
    """What a cell says of itself, with its usual options."""
    return cell_named(name)(1, 1).specification
