"""``--gates``: states and gates of every layer and direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnncli.cli.views.view import Shown, Subject, View, chosen_units

if TYPE_CHECKING:
    from rnncli.cli.views.view import Part

UNITS = 4  # shown by default
MAP_UNITS = 16  # rows of a heat map by default


def draw(
    subject: Subject, *, units: str | None = None, top: int | None = None, full: bool = False, map: bool = False
) -> Shown:
    """Shows a table for each layer and direction, or a heat map for each of its states and gates."""
    from rnncli.inspection.gates import gates_document, gates_heat_map, gates_table

    cells = subject.flow.cells
    parts: list[Part] = []
    for cell in cells:
        names = [f"{unit}" for unit in range(cell.cell.hidden_size)]
        chosen = chosen_units(names, units, top, cell.most_changing)
        if full:
            chosen = list(range(len(names)))
        elif units is None:
            chosen = sorted(chosen or cell.most_changing(MAP_UNITS if map else UNITS))
        assert chosen is not None
        if map:
            parts += [gates_heat_map(cell, letter, chosen) for letter in cell.values]
        else:
            parts.append(gates_table(cell, chosen))
    return Shown(parts, [gates_document(cell) for cell in cells])


VIEW = View(
    "gates",
    "Gates and states of every layer and direction.",
    draw,
    states=True,
    drawing=("units", "top", "full", "map"),
    page=True,
)
