"""Two models' layers on the same input, where they are alike: which gates differ, and which units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.flow import CellFlow, flow
from rnncli.inspection.states import visible
from rnncli.results import Column, TableCell, TableView

if TYPE_CHECKING:
    from rnncli.tasks.model import Model


@dataclass(frozen=True, eq=False)
class LayerDifference:
    """A layer of the same shape in both models, in one direction, on the same steps.

    Attributes:
        cell, kind: name of the layer, and what cell it is.
        steps: (T,) names of the timesteps.
        values: h and the gates, by name → (T, H) second less first.
        h: (T, H) the hidden states of the first and of the second.
    """

    cell: str
    kind: str
    steps: tuple[str, ...]
    values: dict[str, Array]
    h: tuple[Array, Array]

    @property
    def mean(self) -> dict[str, float]:
        """Mean |Δ| over all steps and units of each value."""
        return {name: float(np.abs(value).mean()) for name, value in self.values.items()}

    @property
    def of_units(self) -> Array:
        """(H,) mean |Δh| over the steps."""
        return np.asarray(np.abs(self.values["h"]).mean(axis=0))


def layers_of(first: Model, second: Model, text: str, notes: list[str]) -> list[LayerDifference]:
    """The layers that have the same name, cell and size in both, and go through the same steps."""
    sides = [flow(adapter_of(model).open(text)).cells for model in (first, second)]
    beside = {cell.name: cell for cell in sides[1]}
    found, apart = [], []
    for cell in sides[0]:
        other = beside.pop(cell.name, None)
        if other is None or _shape(cell) != _shape(other):
            apart.append(f"{cell.name} ({_described(cell)}, {_described(other) if other is not None else 'not there'})")
            continue
        values = {name: other.values[name] - value for name, value in cell.values.items()}
        h = cell.values["h"], other.values["h"]
        found.append(LayerDifference(cell.name, type(cell.cell).__name__, cell.steps, values, h))
    apart += [f"{name} (not there, {_described(cell)})" for name, cell in beside.items()]
    if apart:
        notes.append(f"layers that are not alike are not compared: {', '.join(apart)}")
    return found


def _shape(cell: CellFlow) -> tuple[Any, ...]:
    return type(cell.cell), cell.cell.hidden_size, cell.steps


def _described(cell: CellFlow) -> str:
    return f"{type(cell.cell).__name__} of {cell.cell.hidden_size}, {len(cell.steps):,} steps"


def gates_table(layers: Sequence[LayerDifference]) -> TableView:
    """The mean change of every value of every layer, and the unit of which it changes most."""
    rows = []
    for layer in layers:
        for name, mean in layer.mean.items():
            of_units = np.abs(layer.values[name]).mean(axis=0)
            unit = int(of_units.argmax())
            rows.append((layer.cell, layer.kind, name, mean, f"{name}{unit}", float(of_units[unit])))
    columns = (Column("layer"), Column("cell"), Column("value", style="bold"), Column("mean |Δ|", True))
    columns = (*columns, Column("most of all"), Column("its mean |Δ|", True))  # type: ignore[assignment]
    return TableView("Gates and states, over all steps", columns, tuple(rows))


def units_table(layers: Sequence[LayerDifference], names: Sequence[str], most: int | None) -> TableView:
    """The units whose h changes most."""
    found = [(float(mean), layer, unit) for layer in layers for unit, mean in enumerate(layer.of_units)]
    found.sort(key=lambda one: -one[0])
    rows: list[tuple[TableCell, ...]] = []
    for mean, layer, unit in found[:most]:
        t = int(np.abs(layer.values["h"][:, unit]).argmax())
        sides = (float(layer.h[0][t, unit]), float(layer.h[1][t, unit]))
        rows.append((layer.cell, f"h{unit}", mean, t + 1, visible(layer.steps[t]), *sides))
    columns = [Column("layer"), Column("unit", style="bold"), Column("mean |Δ|", True), Column("most at t", True)]
    columns += [Column("timestep"), *(Column(name, True) for name in names)]
    caption = "units are compared by number; trained from another seed, a unit is another one" + left_out(
        len(rows), len(found)
    )
    return TableView("Units that differ most", tuple(columns), tuple(rows), caption)


def left_out(shown: int, there: int) -> str:
    """The end of a caption, where not all rows are shown."""
    return f"; {shown} of {there}, those that differ most; --full shows all" if shown < there else ""
