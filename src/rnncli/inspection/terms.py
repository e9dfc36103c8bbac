"""Backpropagation through time, written out: a gradient as the sum of its terms, one for each timestep.

For a weight that serves every step, ∂L/∂W = Σ_t ∂L/∂a_t · ∂a_t/∂W, where a_t are the sums that W is a part of. The
term of step t is the outer product of what W multiplies there and of ∂L/∂a_t (see
:class:`rnncli.core.cells.specification.ParameterSpec`):

    W_i: x_tᵀ · ∂L/∂a_t        W_h: h_(t−1)ᵀ · ∂L/∂a_t        b: ∂L/∂a_t

∂L/∂a_t itself is the sum over all paths from step t to the loss: ∂L/∂h_T · ∂h_T/∂h_(T−1) ⋯ ∂h_t/∂a_t (Werbos 1990).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rnncli.core.backward_trace import RecordedGradients
from rnncli.core.packed import Array
from rnncli.errors import UsageError, closest
from rnncli.inspection.flow import CellFlow, Flow
from rnncli.inspection.loss import format_loss, has_vanished, with_origin
from rnncli.inspection.states import largest, visible
from rnncli.results import Column, HeatMap, TableCell, TableView

# A term of at most so many numbers is shown whole.
SHOWN_NUMBERS = 6


@dataclass(frozen=True, eq=False)
class Terms:
    """The terms of one parameter's gradient.

    Attributes:
        parameter: its flat name.
        answer, label_from, label_remark: what the loss is of, who says so, and what else is to be known of it.
        steps: (T,) names of the timesteps.
        left: (T, D) what the matrix multiplies at each step; (T,) row numbers of an embedding; None for a vector.
        right: (T, K) ∂L/∂ the sums it is a part of; of a vector the terms themselves.
        gradient: the whole, as training computes it: (D, K), or (K,) for a bias.
    """

    parameter: str
    answer: str
    loss: float
    steps: tuple[str, ...]
    left: Array | None
    right: Array
    gradient: Array
    label_from: str = ""
    label_remark: str = ""

    def term(self, t: int) -> Array:
        """The gradient's shape: what step ``t`` adds to it."""
        if self.left is None:
            return np.asarray(self.right[t])
        if self.left.ndim == 1:
            made = np.zeros_like(self.gradient)
            made[self.left[t]] = self.right[t]
            return made
        return np.outer(self.left[t], self.right[t])

    @cached_property
    def norms(self) -> Array:
        """(T,) Euclidean length of each term: of an outer product the product of both lengths."""
        lengths = np.linalg.norm(self.right, axis=1)
        if self.left is not None and self.left.ndim == 2:
            lengths = lengths * np.linalg.norm(self.left, axis=1)
        return np.asarray(lengths)

    @cached_property
    def shares(self) -> Array:
        """(T,) what each term adds along the whole gradient, as a share of it: ⟨term, whole⟩ / ‖whole‖².

        They add up to 1. Below 0, the term pulls against the whole.
        """
        square = float((self.gradient**2).sum())
        return np.array([self._along(t) for t in range(len(self.steps))]) / (square or 1.0)

    @cached_property
    def cosines(self) -> Array:
        """(T,) of the angle between each term and the whole; 0 where either is zero."""
        length = float(np.linalg.norm(self.gradient))
        bottom = self.norms * length
        along = self.shares * length**2
        return np.divide(along, bottom, out=np.zeros_like(along), where=bottom > 0)

    def largest(self, most: int | None) -> list[int]:
        """The timesteps of all terms, or of so many of the largest, in the order of time."""
        return largest(self.norms, most)

    @cached_property
    def _added_up(self) -> tuple[Array, Array]:
        """(T,) length of the sum of the terms up to each step, and the sum of all."""
        total, lengths, square = np.zeros_like(self.gradient), [], 0.0
        for t in range(len(self.steps)):
            if self.left is not None and self.left.ndim == 1:  # one row changes, of maybe very many
                row = total[self.left[t]]
                square -= float(row @ row)
                row += self.right[t]
                square += float(row @ row)
                lengths.append(math.sqrt(max(square, 0.0)))
                continue
            total += self.term(t)
            lengths.append(float(np.linalg.norm(total)))
        return np.array(lengths), total

    @property
    def running_norms(self) -> Array:
        """(T,) length of the sum of the terms up to each step, in the order of time."""
        return self._added_up[0]

    @property
    def residual(self) -> float:
        """How far the terms' sum is from training's gradient: the largest difference of two numbers."""
        return float(np.abs(self._added_up[1] - self.gradient).max())

    def _along(self, t: int) -> float:
        if self.left is None:
            return float(self.right[t] @ self.gradient)
        if self.left.ndim == 1:
            return float(self.right[t] @ self.gradient[self.left[t]])
        return float(self.left[t] @ self.gradient @ self.right[t])

    def document(self, full: bool = False) -> dict[str, Any]:
        """For JSON: figures of every term; the terms themselves where they are small or all is asked for."""
        found: dict[str, Any] = {
            **{"parameter": self.parameter, "answer": self.answer, "label_from": self.label_from},
            **{"label_remark": self.label_remark, "loss": self.loss, "loss_has_vanished": has_vanished(self.loss)},
        }
        whole = full or self.gradient.size <= SHOWN_NUMBERS
        found["terms"] = [
            {
                **{"t": t + 1, "timestep": step, "norm": self.norms[t], "share": self.shares[t]},
                **{"cosine": self.cosines[t], "norm_of_sum": self.running_norms[t]},
                **({"term": self.term(t)} if whole else {}),
            }
            for t, step in enumerate(self.steps)
        ]
        found |= {"norm": np.linalg.norm(self.gradient), "residual": self.residual}
        return found | ({"gradient": self.gradient} if whole else {})

    def view(self, most: int | None = None) -> TableView:
        """One row a timestep, with ``most`` the largest terms, in the order of time; and last the whole."""
        small = self.gradient.size <= SHOWN_NUMBERS
        columns = [Column("t", True), Column("timestep", style="bold"), *([Column("term")] if small else [])]
        columns += [Column(name, True) for name in ("‖term‖", "share", "cosine", "‖sum so far‖")]
        rows: list[tuple[TableCell, ...]] = []
        chosen = self.largest(most)
        for t in chosen:
            numbers = (float(self.norms[t]), float(self.shares[t]), float(self.cosines[t]))
            written = (_written(self.term(t)),) if small else ()
            rows.append((t + 1, visible(self.steps[t]), *written, *numbers, float(self.running_norms[t])))
        length = float(np.linalg.norm(self.gradient))
        written = (_written(self.gradient),) if small else ()
        rows.append(("Σ", "the whole", *written, length, float(self.shares.sum()), 1.0 if length else 0.0, length))
        of = with_origin(self.answer, self.label_from)
        caption = f"the loss is {format_loss(self.loss)}, of {of}; the last row is training's own gradient, "
        caption += f"and the terms' sum differs from it by {self.residual:.1e} at most"
        if len(chosen) < len(self.steps):
            caption += f"; {len(chosen)} of {len(self.steps)} terms, the largest; all with --full"
        return TableView(f"∂L/∂ {self.parameter}, one term for each timestep", tuple(columns), tuple(rows), caption)


def _written(numbers: Array) -> str:
    """``[0.12 −0.3; 0 1]``, rows apart by semicolons."""
    rows = np.atleast_2d(numbers)
    return "[" + "; ".join(" ".join(f"{x:z.4g}" for x in row) for row in rows.tolist()) + "]"


def terms(flow: Flow, parameter: str) -> Terms:
    """The terms of the parameter of that name.

    Raises:
        UsageError: there is none.
    """
    if parameter not in flow.gradients:
        names = list(flow.gradients)
        raise UsageError(
            f"there is no parameter '{parameter}'{closest(parameter, names)}", f"there are {', '.join(names)}"
        )
    layer, kind = parameter.rsplit("/", 1)
    cell = next((cell for cell in flow.cells if cell.name == layer), None)
    if cell is not None:
        steps, (left, right) = cell.steps, _of_cell(cell, kind)
    else:
        rows = next(rows for rows in flow.rows if rows.name == parameter)
        steps, left, right = rows.steps, rows.x, rows.d_output
    found = flow.opened
    whole = flow.gradients[parameter]
    return Terms(parameter, found.answer, flow.loss, steps, left, right, whole, found.origin, found.remark)


def _of_cell(cell: CellFlow, kind: str) -> tuple[Array | None, Array]:
    """(T, D) what is multiplied, None for a bias, and (T, G·H) the gradient of the sums."""
    parameter = next(one for one in cell.cell.parameters if one.name == kind)
    d_sums = cell.d_sums(parameter)
    if parameter.factor is None:
        return None, d_sums
    left = cell.multiplied_at_each_step(parameter.factor)
    # Of what multiplies unit by unit, the terms are the products, and nothing is left to multiply.
    return (None, np.tile(left, len(parameter.blocks)) * d_sums) if parameter.elementwise else (left, d_sums)


@dataclass(frozen=True, eq=False)
class LossBySource:
    """Which timestep's loss sends how much gradient to which timestep.

    Attributes:
        cell: name of the layer.
        steps: (T,) names of the timesteps.
        norms: (T, T) ‖∂L_s/∂h_t‖ for the part of the loss that enters at step s (rows) and each h_t (columns).
    """

    cell: str
    steps: tuple[str, ...]
    norms: Array

    def view(self) -> TableView:
        columns = (Column("loss at", style="bold"), *(Column(visible(step), True) for step in self.steps))
        rows: list[tuple[TableCell, ...]] = [
            (f"{s + 1} {visible(step)}", *(float(x) for x in self.norms[s]))
            for s, step in enumerate(self.steps)
            if self.norms[s].any()
        ]
        caption = "a row for each step at which gradient enters, a column for each step that it reaches: ‖∂L_s/∂h_t‖"
        return TableView(f"From loss step to source step, {self.cell}", columns, tuple(rows), caption)

    def heat_map(self) -> HeatMap:
        names = tuple(visible(step) for step in self.steps)
        title = f"From loss step (rows) to source step (columns), {self.cell}: ‖∂L_s/∂h_t‖"
        return HeatMap(title, names, names, tuple(tuple(row) for row in self.norms.tolist()))


def loss_by_source(flow: Flow, cell: CellFlow) -> LossBySource:
    """Sends the gradient of each step at the top of the cell's stack back alone, and looks where it arrives.

    What comes to the state that is left at the end counts for the step that leaves it.
    """
    layers = flow.layers_above(cell)
    T = len(cell.steps)
    norms = np.zeros((T, T))
    for s in range(T):
        d_outputs = {one.name: _only(one.d_output, s) for one in layers[0]}
        for layer, below in zip(layers, [*layers[1:], []], strict=True):
            d_states = {one.name: one.d_state if s == one.last_read else None for one in layer}
            recorded = {one.name: one.backward(d_outputs[one.name], d_states[one.name]) for one in layer}
            if below:
                d_outputs = _to_the_layer_below(layer, below, recorded)
        norms[s] = np.linalg.norm(cell.d_states(recorded[cell.name])["h"], axis=1)
    return LossBySource(cell.name, cell.steps, norms)


def _only(values: Array, row: int) -> Array:
    alone = np.zeros_like(values)
    alone[row] = values[row]
    return alone


def _to_the_layer_below(
    layer: list[CellFlow], below: list[CellFlow], recorded: Mapping[str, RecordedGradients]
) -> dict[str, Array]:
    """(T, H) the gradient at the outputs of each cell of the layer below."""
    dx = np.sum([one.d_input(recorded[one.name]) for one in layer], axis=0)
    H = below[0].cell.hidden_size
    return {one.name: dx[:, H:] if one.reads_backwards else dx[:, :H] for one in below}
