"""Recurrent layers on a sheet of arithmetic: which names each of them, and each direction of it, has there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from rnncli.inspection.by_hand.cells import KINDS, Cell
from rnncli.inspection.by_hand.lines import Marked, Term, Worksheet
from rnncli.inspection.flow import CellFlow

# What all parts of the first layer read; it has no mark of theirs.
_READ = {letter: letter for letter in ("x", "e", "E")}


@dataclass(frozen=True, eq=False)
class Direction:
    """A recurrent layer one way along the timesteps.

    Attributes:
        sheet: on which its names are its own.
        columns: those of the state of both directions that are its own, from 1; None where there is only this one.
        words: which it is, behind the title of a section.
    """

    cell: Cell
    sheet: Worksheet
    columns: tuple[int, int] | None = None
    words: str = ""

    def own(self, both: Term) -> Term:
        """Its part of what stands for both directions side by side."""
        return both if self.columns is None else both.columns(*self.columns)


@dataclass(frozen=True, eq=False)
class Layer:
    """A recurrent layer, in one direction or in both.

    Attributes:
        mark: of its names; none where it is the only layer.
        sheet: on which its names have the mark.
        words: which it is, in the title of a section.
    """

    mark: str
    sheet: Worksheet
    directions: tuple[Direction, ...]
    words: str

    @property
    def cell(self) -> Cell:
        return self.directions[0].cell

    @property
    def state(self) -> str:
        """Letter of its state, of both directions side by side where there are both."""
        return self.cell.state + self.mark

    @property
    def both_ways(self) -> bool:
        return len(self.directions) > 1


def layers_of(cells: Sequence[CellFlow], sheet: Worksheet) -> list[Layer]:
    """The layers of a stack, from the input up.

    Args:
        cells: of all of them, the one that reads forwards before the one that reads backwards.
    """
    stacked = [list(of_layer) for _, of_layer in groupby(cells, lambda cell: cell.name.rsplit("/", 1)[0])]
    layers: list[Layer] = []
    for of_layer in stacked:
        mark, words, own = "", "", sheet
        if len(stacked) > 1:
            number = len(layers) + 1
            mark, words = "ᴵ" * number, f", layer {number}"
            own = Marked(sheet, mark, _READ | ({"x": layers[-1].state} if layers else {}))
        layers.append(Layer(mark, own, _directions(of_layer, own), words))
    return layers


def _directions(cells: Sequence[CellFlow], sheet: Worksheet) -> tuple[Direction, ...]:
    made = [KINDS[type(cell.cell)](cell) for cell in cells]
    if len(made) == 1:
        return (Direction(made[0], sheet),)
    H = made[0].H
    return (
        Direction(made[0], Marked(sheet, "ᶠ", _READ), (1, H), ", reading forwards"),
        Direction(made[1], Marked(sheet, "ᵇ", _READ), (H + 1, 2 * H), ", reading backwards"),
    )
