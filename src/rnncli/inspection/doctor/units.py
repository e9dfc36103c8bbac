"""Units that do nothing, and units that cannot learn any more, in every layer over many texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from rnncli.core.packed import Array
from rnncli.inspection.doctor.findings import Check, Patient
from rnncli.inspection.doctor.record import gentler, learn_something
from rnncli.inspection.flow import CellFlow
from rnncli.inspection.memory import flat

# h is a number from −1 to 1; one that stays within a hundredth of that, whatever is read, says nothing.
STILL = 0.02
# A few units that are not used do no harm; from a tenth on, the layer is smaller than it looks.
DEAD = 0.1
MOSTLY_DEAD = 0.5  # and from here on it is the training that is wrong, not the size
# A unit with hardly a slope at most steps hardly learns; a layer of which more than half of the units are so.
MOST_STEPS, SATURATED = 0.5, 0.5


@dataclass
class UnitRanges:
    """A layer in one direction, over all steps of the texts so far.

    Attributes:
        relu: whether its h is a ReLU's.
        smallest, largest: (H,) of h.
        flat: (H,) steps at which the unit has hardly a slope; of a gated one the mean over its gates.
    """

    name: str
    relu: bool
    smallest: Array = field(repr=False)
    largest: Array = field(repr=False)
    flat: Array = field(repr=False)
    steps: int = 0

    @classmethod
    def of(cls, cell: CellFlow) -> Self:
        """Before the first text."""
        H, gates = cell.cell.hidden_size, cell.cell.specification.gates
        relu = any(gate.function == "relu" for gate in gates)
        return cls(cell.name, relu, np.full(H, np.inf), np.full(H, -np.inf), np.zeros(H))

    @property
    def dead(self) -> Array:
        """(H,) whether the unit is 0 at every step, or practically never moves."""
        if self.relu:
            return np.asarray((self.smallest == 0) & (self.largest == 0))
        return np.asarray(self.largest - self.smallest < STILL)

    @property
    def saturated(self) -> Array:
        """(H,) whether the unit has hardly a slope at most steps."""
        return np.asarray(self.flat / self.steps > MOST_STEPS)

    def add(self, cell: CellFlow) -> None:
        """Takes in one text."""
        h = cell.values["h"]
        self.smallest = np.minimum(self.smallest, h.min(axis=0))
        self.largest = np.maximum(self.largest, h.max(axis=0))
        gates = list(flat(cell).values())  # none of a ReLU: its end is 0, and a unit that is always there is dead
        self.flat = self.flat + (np.mean(gates, axis=0).sum(axis=0) if gates else 0)
        self.steps += len(h)


def add_text(layers: dict[str, UnitRanges], cells: Iterable[CellFlow]) -> None:
    """Takes one text into all layers, by their names."""
    for cell in cells:
        layers.setdefault(cell.name, UnitRanges.of(cell)).add(cell)


def unit_checks(patient: Patient, layers: Sequence[UnitRanges]) -> list[Check]:
    """The layer with most dead units, and the one with most saturated ones."""
    return [_dead(patient, layers), _saturated(patient, layers)]


def _dead(patient: Patient, layers: Sequence[UnitRanges]) -> Check:
    layers = [layer for layer in layers if layer.relu or layer.steps > 1]  # a single step cannot move
    worst = max(layers, key=lambda layer: float(layer.dead.mean()), default=None)
    number = None if worst is None else float(worst.dead.mean())
    means = "largest share, in a layer, of units that never move"
    check = Check("dead units", number, means, f"from {DEAD:.0%} on")
    if worst is None or number is None or number < DEAD:
        return check
    sentence = f"{int(worst.dead.sum()):,} of {len(worst.dead):,} units of {worst.name} "
    if worst.relu:
        sentence += "are 0 at every step of every text: no gradient gets through them."
        return check.found(sentence, patient.commands.train(nonlinearity="tanh"))
    sentence += f"never move by {STILL:g} or more: they say nothing."
    if number > MOSTLY_DEAD:
        return check.found(sentence, learn_something(patient))
    return check.found(sentence, patient.commands.train(hidden=int((~worst.dead).sum())))


def _saturated(patient: Patient, layers: Sequence[UnitRanges]) -> Check:
    layers = [layer for layer in layers if not layer.relu]
    worst = max(layers, key=lambda layer: float(layer.saturated.mean()), default=None)
    number = None if worst is None else float(worst.saturated.mean())
    means = "largest share, in a layer, of units at their ends"
    check = Check("saturated units", number, means, f"above {SATURATED:.0%}")
    if worst is None or number is None or number <= SATURATED:
        return check
    sentence = f"{int(worst.saturated.sum()):,} of {len(worst.saturated):,} units of {worst.name} are at their ends at "
    sentence += "most steps, where they have hardly a slope to learn by."
    return check.found(sentence, patient.commands.train(lr=gentler(patient)))
