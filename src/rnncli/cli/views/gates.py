"""``--gates``: states and gates of every layer and direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnncli.cli.views.view import Look, Shown, View, chosen_units

if TYPE_CHECKING:
    from rnncli.cli.views.view import Part

UNITS = 4  # that are shown of their own accord
MAP_UNITS = 16  # rows of a heat map that nobody has chosen


def draw(
    look: Look, *, units: str | None = None, top: int | None = None, full: bool = False, map: bool = False
) -> Shown:
    """Shows a table for each layer and direction, or a heat map for each of its states and gates."""
    from rnncli.inspection.gates import gates

    found = [gates(cell) for cell in look.flow.cells]
    parts: list[Part] = []
    for one in found:
        names = [f"{unit}" for unit in range(one.values["h"].shape[1])]
        chosen = chosen_units(names, units, top, one.most_changing)
        if full:
            chosen = list(range(len(names)))
        elif units is None:
            chosen = sorted(chosen or one.most_changing(min(len(names), MAP_UNITS if map else UNITS)))
        assert chosen is not None
        parts += [one.heat_map(name, chosen) for name in one.values] if map else [one.view(chosen)]
    return Shown(parts, found)


VIEW = View(
    "gates",
    "Gates and states of every layer and direction.",
    draw,
    states=True,
    drawing=("units", "top", "full", "map"),
    page=True,
)
