"""How far back a layer remembers: how much of a gradient at the last state arrives at each earlier one.

The gradient of an output with respect to h_t passes once through every step after t: it shrinks or grows about
geometrically with the distance, by W_h and the slopes of the activations (Hochreiter 1991; Bengio et al. 1994; Pascanu
et al. 2013). In an LSTM it may also pass along the memory c, through the forget gates alone (Hochreiter & Schmidhuber
1997): what an LSTM remembers shows there, and not in h.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rnncli.core.cells.specification import PAST_H
from rnncli.core.packed import Array
from rnncli.errors import UsageError, counted
from rnncli.inspection.flow import CellFlow, Flow
from rnncli.inspection.loss import Loss
from rnncli.inspection.states import visible
from rnncli.results import Column, TableCell, TableView
from rnncli.tasks.model import Model

# Function → its middle, and the distance from there beyond which its slope is under a fifth of its largest: saturated.
ENDS = {"σ": (0.5, 0.45), "tanh": (0.0, 0.9)}
GONE = 0.01  # a gradient below this share of what it began with counts as vanished
STEADY = 0.5  # the share of the logarithms' variance that a straight line has to explain, or there is no half-life
BAR_WIDTH = 24
BAR_DECADES = 6  # powers of ten that a bar's whole length stands for


@dataclass(frozen=True, eq=False)
class Arrival:
    """How much of the gradient arrives at one of the layer's states.

    Attributes:
        letter: of the state.
        norms: (T,) ‖∂L/∂ the state‖ at each timestep, from the last one that the layer reads back to the first.
    """

    letter: str
    norms: Array

    @cached_property
    def shares(self) -> Array:
        """(T,) the norms, divided by the one at the last step."""
        return np.asarray(self.norms / (self.norms[0] or 1.0))

    @cached_property
    def half_life(self) -> float | None:
        """Steps after which half is left, by the straight line that fits ln ‖∂L/∂h_t‖ best: ln 2 / −slope.

        Negative where the gradient grows: then it doubles in so many. None where fewer than two norms are above 0.
        """
        distances = np.flatnonzero(self.norms > 0)
        if len(distances) < 2:
            return None
        slope = float(np.polyfit(distances, np.log(self.norms[distances]), 1)[0])
        return math.inf if abs(slope) < 1e-12 else math.log(2) / -slope

    @property
    def reach(self) -> int | None:
        """The distance beyond which less than 1% arrives; None where no step is that far."""
        near = np.flatnonzero(self.shares >= GONE)
        last = int(near[-1]) if len(near) else -1
        return None if last == len(self.shares) - 1 else last

    @property
    def falls_steadily(self) -> bool:
        """Whether a line through the logarithms, falling or rising, explains at least half of their variance."""
        logs = np.log(self.shares[self.shares > 0])
        if len(logs) < 3 or np.ptp(logs) < 1e-9:
            return True
        return bool(np.corrcoef(np.flatnonzero(self.shares > 0), logs)[0, 1] ** 2 >= STEADY)

    @property
    def life(self) -> str:
        """The half-life in words; ``-`` where there is none."""
        if self.half_life is None or not self.falls_steadily:
            return "-"
        if math.isinf(self.half_life):
            return "none, it stays the same"
        if self.half_life > 0:
            return _steps(self.half_life)
        return f"none, it doubles in {_steps(-self.half_life)}"

    def sentence(self, first: str, end: str) -> str:
        """What the norms come to, in plain words.

        Args:
            first: name of the timestep that the layer reads first.
            end: what distances are counted from.
        """
        share, far = self.shares[-1], self.reach
        if far is None:
            arrives = f"{share:.1%} of the gradient" if share <= 1 else f"{share:.3g} times the gradient"
            said = f"Nothing is out of reach; {arrives} arrives at '{visible(first)}', "
            said += f"{counted(len(self.shares) - 1, 'step')} {end}."
        else:
            said = f"What stands more than {counted(far, 'step')} {end} gets less than 1% of the gradient."
        if self.half_life is None:
            return said
        if not self.falls_steadily:
            return f"{said} It does not fall steadily with the distance."
        if math.isinf(self.half_life):
            return f"{said} It neither shrinks nor grows."
        if self.half_life > 0:
            return f"{said} It halves every {_steps(self.half_life)}."
        explodes = ": it explodes" if share > 1 / GONE else ""
        return f"{said} It doubles every {_steps(-self.half_life)}{explodes}."


@dataclass(frozen=True, eq=False)
class Memory:
    """What arrives of a gradient that comes in at the last state alone.

    Attributes:
        cell: name of the layer.
        kind: the cell's name.
        steps: (T,) names of the timesteps, from the last one that the layer reads back to the first.
        states: one for each of the cell's states, in its order.
        radii: gate → the spectral radius of its W_h.
        saturated: gate → the share of its values at which it hardly has a slope.
        loss: of the example; None where it is not known.
    """

    cell: str
    kind: str
    steps: tuple[str, ...]
    states: tuple[Arrival, ...]
    radii: dict[str, float]
    saturated: dict[str, float]
    loss: Loss | None = None

    @property
    def kept(self) -> Arrival:
        """What arrives where the cell keeps its memory: in c if it has one, else in h."""
        return self.states[-1]

    @property
    def sentence(self) -> str:
        """What it comes to, in plain words, by each of the states."""
        if not self.by_memory:
            return self._sentence(self.kept)
        others = [f"By {one.letter}: {self._sentence(one)}" for one in self.states[:-1]]
        return " ".join([f"{self.by_memory.capitalize()}: {self._sentence(self.kept)}", *others])

    def sentence_of(self, name: str) -> str:
        """What it comes to by :attr:`kept` alone, for a model of that name."""
        whose = ", ".join(filter(None, (name, self.kind, self.by_memory)))
        return f"{whose}: {self._sentence(self.kept)}"

    @property
    def by_memory(self) -> str:
        """``by its memory c``; empty where the cell has one state alone, or there is nothing to remember."""
        return f"by its memory {self.kept.letter}" if len(self.states) > 1 and len(self.steps) > 1 else ""

    def _sentence(self, one: Arrival) -> str:
        if len(self.steps) < 2:
            return "One step has nothing before it to be remembered."
        # A layer that reads backwards ends at the beginning of the input.
        end = "from the beginning" if self.cell.endswith("/backward") else "before the end"
        return one.sentence(self.steps[-1], end)

    @property
    def document(self) -> dict[str, Any]:
        """For JSON."""
        found: dict[str, Any] = {"cell": self.cell, "kind": self.kind, "steps": self.steps}
        found |= dict.fromkeys(("norms", "half_life", "norms_c", "half_life_c"))  # c is null where there is none
        for number, one in enumerate(self.states):
            end = f"_{one.letter}" if number else ""
            found |= {f"norms{end}": one.norms, f"half_life{end}": one.half_life}
        found |= {"radii": self.radii, "saturated": self.saturated}
        if self.loss is not None:
            found |= self.loss.document | {"vanished": self.loss.warning}
        return found | {"reach": self.kept.reach, "sentence": self.sentence}

    def view(self, most: int | None = None) -> TableView:
        """One row a timestep, the last first, ``most`` rows at most; a bar stands for six powers of ten."""
        rows: list[tuple[TableCell, ...]] = []
        width = BAR_WIDTH if len(self.states) == 1 else BAR_WIDTH // 2
        for back in spread(len(self.steps), most):
            numbers = [float(values[back]) for one in self.states for values in (one.norms, one.shares)]
            rows.append((back, visible(self.steps[back]), *numbers, bar(float(self.kept.shares[back]), width)))
        columns = [Column("steps back", True), Column("timestep", style="bold")]
        columns += [Column(name, True) for one in self.states for name in (f"‖∂L/∂{one.letter}‖", "share")]
        columns.append(Column(f"10^−{BAR_DECADES} to 1"))
        caption = self.sentence + left_out(len(rows), len(self.steps))
        return TableView(f"How much gradient arrives, {self.cell}", tuple(columns), tuple(rows), caption)

    def pairs(self) -> list[tuple[str, TableCell]]:
        """The figures of the whole."""
        pairs = {
            "half-life": _named({one.letter: one.life for one in self.states}),
            "spectral radius of W_h": _named({gate: f"{radius:.3f}" for gate, radius in self.radii.items()}),
            "saturated": ", ".join(f"{gate} {share:.1%}" for gate, share in self.saturated.items()),
        }
        if self.loss is not None:
            small = ", too small for its gradient to mean anything" if self.loss.warning else ""
            pairs["loss"] = f"{self.loss}{small}"
        return [(name, figure) for name, figure in pairs.items() if figure]


def _named(figures: dict[str, str]) -> str:
    """``h 3.2 steps, c 9 steps``; a single figure without its name."""
    return ", ".join(f"{name} {figure}" if len(figures) > 1 else figure for name, figure in figures.items())


def _steps(number: float) -> str:
    """``3.29 steps``: three digits, and no fewer than a whole number needs."""
    digits = f"{number:,.0f}" if 100 <= abs(number) < 1e6 else f"{number:.3g}"
    return f"{digits} step" if digits == "1" else f"{digits} steps"


def memory(cell: CellFlow, flow: Flow | None = None) -> Memory:
    """Sends the sum of all gradients at a layer's outputs in at its last state, and follows it back.

    Args:
        flow: the example that the layer's values are of, for its loss.
    """
    total = cell.d_output.sum(axis=0)
    if cell.d_state is not None:
        total = total + cell.d_state[0][0]
    probe = np.zeros_like(cell.d_output)
    probe[cell.last_read] = total
    d_states = cell.backward(probe).d_states
    return Memory(
        cell=cell.name,
        kind=cell.kind,
        steps=cell.steps if cell.reads_backwards else cell.steps[::-1],
        states=tuple(Arrival(letter, np.linalg.norm(cell.in_time(d)[::-1], axis=1)) for letter, d in d_states.items()),
        radii=_radii(cell),
        saturated=saturation(cell),
        loss=None if flow is None else flow.opened.loss(flow.loss),
    )


def _radii(cell: CellFlow) -> dict[str, float]:
    """Gate → the spectral radius of its W_h; nothing for a cell without one."""
    H = cell.cell.hidden_size
    return {
        block.letter: float(np.abs(np.linalg.eigvals(cell.params[one.name][:, k * H : (k + 1) * H])).max())
        for one in cell.cell.parameters
        if one.is_matrix and one.factor == PAST_H
        for k, block in enumerate(one.blocks)
    }


def flat(cell: CellFlow) -> dict[str, Array]:
    """Gate → (T, H) whether its slope is all but gone; of σ and tanh, whose ends have none."""
    found = {}
    for gate in cell.cell.specification.gates:
        if gate.function in ENDS:
            middle, distance = ENDS[gate.function]
            found[gate.letter] = np.abs(cell.values[gate.letter] - middle) > distance
    return found


def saturation(cell: CellFlow) -> dict[str, float]:
    """Gate → the share of values, over all steps and units, where its slope is all but gone; of a ReLU where it is."""
    found = {letter: float(where.mean()) for letter, where in flat(cell).items()}
    for gate in cell.cell.specification.gates:
        if gate.function == "relu":
            found["units that are 0"] = float((cell.values[gate.letter] == 0).mean())
    return found


def spread(count: int, most: int | None) -> list[int]:
    """At most so many of the distances 0, 1, …, evenly spread over all of them."""
    if most is None or count <= most:
        return list(range(count))
    return sorted(set(np.linspace(0, count - 1, most).round().astype(int).tolist()))


def left_out(shown: int, count: int) -> str:
    return "" if shown == count else f" {shown} of {count:,} steps are shown, --full shows all."


def bar(share: float, width: int = BAR_WIDTH) -> str:
    """A bar whose length goes with the logarithm of a share, six powers of ten long."""
    if share <= 0:
        return ""
    length = width * (1 + math.log10(share) / BAR_DECADES)
    return "█" * max(0, min(width, round(length))) or "▏"


def require_same_steps(first: Model, second: Model, names: Sequence[str]) -> None:
    """Curves are set side by side step by step: a word back, and a letter back, are not the same distance.

    Raises:
        UsageError: the two do not go through the same kind of steps.
    """
    for verb, one, other in (
        ("is", f"of the task {first.task}", f"of the task {second.task}"),
        ("goes", f"by {first.unit}s", f"by {second.unit}s"),
    ):
        if one != other:
            said = f"{names[0]} {verb} {one}, and {names[1]} {other}: a step back is not the same in both"
            raise UsageError(said, f"compare it with a run that {verb} {one}")


def comparison(first: Memory, second: Memory, names: Sequence[str], most: int | None = None) -> TableView:
    """Two layers on the same input, side by side: what arrives where either keeps it, at ``most`` of the steps."""
    rows: list[tuple[TableCell, ...]] = []
    count = max(len(first.steps), len(second.steps))
    for back in spread(count, most):
        row: list[TableCell] = [back, visible((first if back < len(first.steps) else second).steps[back])]
        for one in (first, second):
            share = float(one.kept.shares[back]) if back < len(one.steps) else None
            row += [share, "" if share is None else bar(share, BAR_WIDTH // 2)]
        rows.append(tuple(row))
    columns = [Column("steps back", True), Column("timestep", style="bold")]
    for name, one in zip(names, (first, second), strict=True):
        columns += [Column(f"{name}: {one.kind}'s {one.kept.letter}", True), Column(f"10^−{BAR_DECADES} to 1")]
    said = f"{first.sentence_of(names[0])} {second.sentence_of(names[1])}"
    said += left_out(len(rows), count)
    return TableView("How much of the gradient at the end arrives", tuple(columns), tuple(rows), said)
