"""The states and gates of a recurrent layer at every timestep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnncli.inspection.flow import CellFlow
from rnncli.inspection.states import visible
from rnncli.results import Column, HeatMap, TableCell, TableView


def gates_document(cell: CellFlow) -> dict[str, Any]:
    """For JSON. The cell's equations hold between the values to the last digit.

    As c_t = f_t ⊙ c_(t−1) + i_t ⊙ g_t in an LSTM, where t − 1 is the step that the layer reads before t.
    """
    named = {"cell": cell.name, "kind": cell.kind, "direction": cell.direction, "steps": cell.steps}
    return named | {"values": cell.values, "initial": {letter: value[0] for letter, value in cell.initial.items()}}


def figures(cell: CellFlow) -> dict[str, list[float]]:
    """``‖c‖`` → (T,) the length of a state; ``mean f`` → (T,) the mean of a gate over all units."""
    return {
        f"‖{letter}‖" if letter in cell.initial else f"mean {letter}": [
            float(np.linalg.norm(row) if letter in cell.initial else row.mean()) for row in values
        ]
        for letter, values in cell.values.items()
    }


def gates_table(cell: CellFlow, units: Sequence[int]) -> TableView:
    """One row a timestep: figures of all units together, and every value of the chosen units."""
    of_all, values = figures(cell), cell.values
    columns = [Column("t", True), Column("timestep", style="bold"), *(Column(name, True) for name in of_all)]
    columns += [Column(f"{letter}{unit}", True) for unit in units for letter in values]
    rows: list[tuple[TableCell, ...]] = []
    for t, step in enumerate(cell.steps):
        own = (float(values[letter][t, unit]) for unit in units for letter in values)
        rows.append((t + 1, visible(step), *(numbers[t] for numbers in of_all.values()), *own))
    H = cell.cell.hidden_size
    caption = f"{len(units)} of {H} units, choose with --units or --top; piped output and --json have all digits"
    return TableView(f"{cell.kind} {cell.name} {cell.direction}", tuple(columns), tuple(rows), caption)


def gates_heat_map(cell: CellFlow, letter: str, units: Sequence[int]) -> HeatMap:
    """One state or gate of the chosen units over time."""
    return HeatMap(
        f"{letter} of {cell.name} {cell.direction}, {len(units)} of {cell.cell.hidden_size} units",
        tuple(str(unit) for unit in units),
        tuple(map(visible, cell.steps)),
        tuple(tuple(row) for row in cell.values[letter][:, list(units)].T.tolist()),
    )
