"""What is inside a recurrent layer at every timestep: its states and its gates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.core.packed import Array
from rnncli.inspection.flow import CellFlow
from rnncli.inspection.states import most_changing, visible
from rnncli.results import Column, HeatMap, TableCell, TableView


@dataclass(frozen=True, eq=False)
class Gates:
    """A layer in one direction, at every timestep.

    Attributes:
        cell: name of the layer.
        kind: what cell it is.
        direction: → or ←, how it reads.
        steps: (T,) names of the timesteps, in the order of time.
        values: letter of a state or a gate → (T, H). The cell's equations hold between them to the last digit, as
            c_t = f_t · c_(t−1) + i_t · g_t in an LSTM, where t − 1 is the step that is read before t.
        initial: state's letter → (H,), before the first step that is read.
    """

    cell: str
    kind: str
    direction: str
    steps: tuple[str, ...]
    values: dict[str, Array]
    initial: dict[str, Array]

    def most_changing(self, count: int) -> list[int]:
        """The units whose h moves most from step to step."""
        return most_changing(self.values["h"], count)

    def view(self, units: Sequence[int]) -> TableView:
        """Every value of the chosen units; of all units together the mean of a gate, and the length of a state."""
        columns = [Column("t", True), Column("timestep", style="bold")]
        columns += [Column(f"‖{name}‖" if name in self.initial else f"mean {name}", True) for name in self.values]
        columns += [Column(f"{name}{unit}", True) for unit in units for name in self.values]
        rows: list[tuple[TableCell, ...]] = []
        for t, step in enumerate(self.steps):
            means = [
                float(np.linalg.norm(value[t]) if name in self.initial else value[t].mean())
                for name, value in self.values.items()
            ]
            own = [float(self.values[name][t, unit]) for unit in units for name in self.values]
            rows.append((t + 1, visible(step), *means, *own))
        H = self.values["h"].shape[1]
        caption = f"{len(units)} of {H} units, choose with --units or --top; piped output and --json have all digits"
        return TableView(f"{self.kind} {self.cell} {self.direction}", tuple(columns), tuple(rows), caption)

    def heat_map(self, name: str, units: Sequence[int]) -> HeatMap:
        """One value of the chosen units over time."""
        H = self.values[name].shape[1]
        return HeatMap(
            f"{name} of {self.cell} {self.direction}, {len(units)} of {H} units",
            tuple(str(unit) for unit in units),
            tuple(map(visible, self.steps)),
            tuple(tuple(row) for row in self.values[name][:, list(units)].T.tolist()),
        )


def gates(cell: CellFlow) -> Gates:
    """Of a layer that an example went through."""
    initial = {letter: value[0] for letter, value in cell.initial.items()}
    return Gates(cell.name, cell.kind, cell.direction, cell.steps, cell.values, initial)
