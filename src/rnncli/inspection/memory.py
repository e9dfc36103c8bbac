"""How far back a layer remembers: how much of a gradient at the last state arrives at each earlier one.

The gradient of an answer with respect to h_t passes through every step after t, once through each: it shrinks (or
grows) about geometrically with the distance, by what W_h and the slopes of the non-linear functions come to (Hochreiter
1991; Bengio et al. 1994; Pascanu et al. 2013). In the LSTM it may also pass along the memory c, which goes
through the forget gates alone (Hochreiter & Schmidhuber 1997): what an LSTM remembers is seen there, and not in h.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.core.cells.specification import PAST_H
from rnncli.core.packed import Array
from rnncli.errors import UsageError
from rnncli.inspection.flow import CellFlow, Flow
from rnncli.inspection.loss import format_loss, has_vanished, vanished, with_origin
from rnncli.inspection.states import visible
from rnncli.results import Column, TableCell, TableView
from rnncli.tasks.model import Model

# A gate is saturated this near to 0 or 1, a tanh this near to −1 or 1: there its slope is under a fifth of its largest.
SATURATED_GATE, SATURATED_TANH = 0.05, 0.9
# Below this share of what it began with, a gradient is taken for gone.
GONE = 0.01
# Of how the logarithms of the shares vary, the part that a straight line has to explain, or there is no half-life.
STEADY = 0.5
BAR_WIDTH = 24
BAR_DECADES = 6  # powers of ten that a bar's whole length stands for


@dataclass(frozen=True, eq=False)
class Memory:
    """What arrives of a gradient of the last state.

    Attributes:
        cell: name of the layer.
        kind: what cell it is.
        steps: names of the timesteps, from the last one that is read back to the first.
        norms: ‖∂L/∂h_t‖ for each of them, if all of the loss's gradient came in at the last state.
        half_life: steps after which half is left, by the straight line that fits ln ‖∂L/∂h_t‖ best; negative where
            it grows: then it doubles in so many. None for fewer than two steps, or where nothing arrives.
        radii: gate → the spectral radius of its W_h.
        saturated: gate → the share of its values at which it hardly has a slope.
        norms_c, half_life_c: ‖∂L/∂c_t‖ likewise, h_t following, of what has a memory c; else None.
        memory: letter of that memory, where a cell calls it something else.
        loss: nats a prediction; ``answer``, ``label_from`` and ``label_remark`` say what it is of. None where it is not
            known.
    """

    cell: str
    kind: str
    steps: tuple[str, ...]
    norms: Array
    half_life: float | None
    radii: dict[str, float]
    saturated: dict[str, float]
    norms_c: Array | None = None
    half_life_c: float | None = None
    memory: str = "c"
    loss: float | None = None
    answer: str = ""
    label_from: str = ""
    label_remark: str = ""

    @property
    def relative(self) -> Array:
        """(T,) ‖∂L/∂h_t‖ of what it is at the last state."""
        return _relative(self.norms)

    @property
    def kept(self) -> Array:
        """Of what there is at the last state, how much arrives where the cell keeps it: in c if it has one, else h."""
        return _relative(self.norms if self.norms_c is None else self.norms_c)

    @property
    def sentence(self) -> str:
        """What it comes to, in plain words."""
        if self.norms_c is None or len(self.steps) < 2:
            return self.short_sentence
        return f"{self.short_sentence} By h: {self._in_words(self.relative, self.half_life)}"

    @property
    def short_sentence(self) -> str:
        """The same of what :attr:`kept` is of."""
        if len(self.steps) < 2:
            return "One step has nothing before it to be remembered."
        if self.norms_c is None:
            return self._in_words(self.kept, self.half_life)
        return f"By its memory {self.memory}: {self._in_words(self.kept, self.half_life_c)}"

    @property
    def vanished(self) -> str:
        """That the loss is too small for its gradient to mean anything; empty where it is not."""
        return "" if self.loss is None else vanished(self.loss)

    def _in_words(self, relative: Array, half_life: float | None) -> str:
        """What shares come to, in plain words."""
        # What reads from the end has the beginning behind it last.
        end = "from the beginning" if self.cell.endswith("/backward") else "before the end"
        far = reach(relative)
        if far is None:
            share = relative[-1]
            arrives = f"{share:.1%} of the gradient" if share <= 1 else f"{share:.3g} times the gradient"
            said = f"Nothing is out of reach: {arrives} arrives at '{visible(self.steps[-1])}', "
            said += f"{len(relative) - 1} steps {end}."
        else:
            steps = "step" if far == 1 else "steps"
            said = f"What stands more than {far} {steps} {end} gets less than 1% of the gradient."
        if half_life is None:
            return said
        if not falls_steadily(relative):
            return f"{said} It does not fall steadily with the distance."
        if half_life > 0:
            return f"{said} It halves every {_steps(half_life)} steps."
        exploding = relative[-1] > 1 / GONE
        return f"{said} It doubles every {_steps(-half_life)} steps{': it explodes' if exploding else ''}."

    @property
    def document(self) -> dict[str, Any]:
        """For JSON."""
        names = ("cell", "kind", "steps", "norms", "half_life", "norms_c", "half_life_c", "radii", "saturated")
        of_loss = ("answer", "label_from", "label_remark", "loss") if self.loss is not None else ()
        found = {name: getattr(self, name) for name in (*names, *of_loss)}
        if self.loss is not None:
            found |= {"loss_has_vanished": has_vanished(self.loss), "vanished": self.vanished}
        return found | {"reach": reach(self.kept), "sentence": self.sentence}

    def view(self, most: int | None = None) -> TableView:
        """One row a timestep, the last first, with ``most`` so many of them; a bar stands for six powers of ten."""
        rows: list[tuple[TableCell, ...]] = []
        width = BAR_WIDTH if self.norms_c is None else BAR_WIDTH // 2
        for distance in spread(len(self.steps), most):
            of_c = [] if self.norms_c is None else [float(self.norms_c[distance]), float(self.kept[distance])]
            of_h = float(self.norms[distance]), float(self.relative[distance])
            drawn = bar(float(self.kept[distance]), width)
            rows.append((distance, visible(self.steps[distance]), *of_h, *of_c, drawn))
        columns = [Column("steps back", True), Column("timestep", style="bold")]
        for letter in ("h",) if self.norms_c is None else ("h", self.memory):
            columns += [Column(f"‖∂L/∂{letter}‖", True), Column("share", True)]
        columns.append(Column(f"10^−{BAR_DECADES} to 1"))
        said = self.sentence + left_out(len(rows), len(self.steps))
        return TableView(f"How much gradient arrives, {self.cell}", tuple(columns), tuple(rows), said)

    def pairs(self) -> list[tuple[str, TableCell]]:
        """The figures of the whole."""
        several = len(self.radii) > 1
        radius = ", ".join(f"{gate} {value:.3f}" if several else f"{value:.3f}" for gate, value in self.radii.items())
        flat = ", ".join(f"{gate} {share:.1%}" for gate, share in self.saturated.items())
        half = _life(self.half_life, self.relative)
        if self.norms_c is not None:
            half = f"h {half}, {self.memory} {_life(self.half_life_c, self.kept)}"
        pairs: list[tuple[str, TableCell]] = [("half-life", half)]
        pairs += [("spectral radius of W_h", radius)] if radius else []
        pairs += [("saturated", flat)] if flat else []
        if self.loss is not None:
            small = ", too small for its gradient to mean anything" if self.vanished else ""
            pairs.append(("loss", f"{format_loss(self.loss)}, of {with_origin(self.answer, self.label_from)}{small}"))
        return pairs


def _relative(norms: Array) -> Array:
    return np.asarray(norms / (norms[0] or 1.0))


def reach(relative: Array) -> int | None:
    """The distance from which on less than 1% arrives; None where more arrives from everywhere."""
    beyond = np.flatnonzero(relative >= GONE)
    last = int(beyond[-1]) if len(beyond) else -1
    return None if last == len(relative) - 1 else last


def falls_steadily(relative: Array) -> bool:
    """Whether a line through the logarithms, falling or rising, explains at least half of how they vary."""
    logs = np.log(relative[relative > 0])
    if len(logs) < 3 or np.ptp(logs) < 1e-9:
        return True
    return bool(np.corrcoef(np.flatnonzero(relative > 0), logs)[0, 1] ** 2 >= STEADY)


def _life(half_life: float | None, relative: Array) -> str:
    if half_life is None or not falls_steadily(relative):
        return "-"
    return f"{_steps(half_life)} steps" if half_life > 0 else f"none, it doubles in {_steps(-half_life)} steps"


def _steps(number: float) -> str:
    """With three digits, and no fewer than a whole number needs."""
    return f"{number:,.0f}" if 100 <= abs(number) < 1e6 else f"{number:.3g}"


def memory(flow_cell: CellFlow, of: Flow | None = None) -> Memory:
    """Sends the sum of all gradients that come to a layer's outputs in at its last state, and follows it back.

    Args:
        of: the example that the layer's values are of, for its loss.
    """
    total = flow_cell.d_output.sum(axis=0)
    if flow_cell.d_state is not None:
        total = total + flow_cell.d_state[0][0]
    probe = np.zeros_like(flow_cell.d_output)
    probe[flow_cell.last_read] = total
    arrived = flow_cell.d_states(flow_cell.backward(probe))
    steps = tuple(flow_cell.in_time(np.array(flow_cell.steps, dtype=object))[::-1].tolist())
    # The last one that is read first.
    norms = {letter: np.linalg.norm(flow_cell.in_time(d)[::-1], axis=1) for letter, d in arrived.items()}
    keeper = flow_cell.cell.specification.states[-1].letter
    norms_c = norms[keeper] if len(norms) > 1 else None
    return Memory(
        *(flow_cell.name, flow_cell.kind, steps, norms["h"], half_life(norms["h"]), _radii(flow_cell)),
        *(saturation(flow_cell), norms_c, None if norms_c is None else half_life(norms_c), keeper),
        *((of.loss, of.opened.answer, of.opened.origin, of.opened.remark) if of is not None else ()),
    )


def _radii(cell: CellFlow) -> dict[str, float]:
    """Gate → the spectral radius of its W_h; nothing for a cell that has none."""
    H = cell.cell.hidden_size
    return {
        block.letter: float(np.abs(np.linalg.eigvals(cell.params[one.name][:, k * H : (k + 1) * H])).max())
        for one in cell.cell.parameters
        if one.is_matrix and one.factor == PAST_H
        for k, block in enumerate(one.blocks)
    }


def half_life(norms: Array) -> float | None:
    """After how many steps half is left, from (T,) lengths, the last first: ln 2 / −slope of their logarithms."""
    distances = np.flatnonzero(norms > 0)
    if len(distances) < 2:
        return None
    slope = float(np.polyfit(distances, np.log(norms[distances]), 1)[0])
    return math.inf if abs(slope) < 1e-12 else math.log(2) / -slope


def flat(cell: CellFlow) -> dict[str, Array]:
    """Gate → (T, H) whether its slope is all but gone; of σ and tanh, whose ends have none."""
    found = {}
    for gate in cell.cell.specification.gates:
        value = cell.at_each_step(gate.letter)
        if gate.function == "tanh":
            found[gate.letter] = np.abs(value) > SATURATED_TANH
        elif gate.function == "σ":
            found[gate.letter] = np.abs(value - 0.5) > 0.5 - SATURATED_GATE
    return found


def saturation(cell: CellFlow) -> dict[str, float]:
    """Gate → the share of values, over all steps and units, where its slope is all but gone; of a ReLU where it is."""
    found = {letter: float(where.mean()) for letter, where in flat(cell).items()}
    for gate in cell.cell.specification.gates:
        if gate.function == "relu":
            found["units that are 0"] = float((cell.at_each_step(gate.letter) == 0).mean())
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
    for distance in spread(count, most):
        sides = [one for one in (first, second) if distance < len(one.steps)]
        cells: list[TableCell] = [distance, visible(sides[0].steps[distance])]
        for one in (first, second):
            share = float(one.kept[distance]) if one in sides else None
            cells += [share, "" if share is None else bar(share, BAR_WIDTH // 2)]
        rows.append(tuple(cells))
    columns = [Column("steps back", True), Column("timestep", style="bold")]
    for name, one in zip(names, (first, second), strict=True):
        where = "h" if one.norms_c is None else one.memory
        columns += [Column(f"{name}: {one.kind}'s {where}", True), Column(f"10^−{BAR_DECADES} to 1")]
    said = f"{names[0]}, {first.kind}: {first.short_sentence} {names[1]}, {second.kind}: {second.short_sentence}"
    said += left_out(len(rows), count)
    return TableView("How much of the gradient at the end arrives", tuple(columns), tuple(rows), said)
