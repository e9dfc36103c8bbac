"""Backpropagation through time, term by term: a gradient as a sum with one term for each timestep.

Every step uses the same weight W, so that ∂L/∂W = Σ_t ∂L/∂a_t · ∂a_t/∂W, where a_t are the sums that W goes into. The
term of step t is the outer product of what W multiplies there and ∂L/∂a_t (see
:class:`rnncli.core.cells.specification.ParameterSpec`):

    W_i: x_tᵀ · ∂L/∂a_t        W_h: h_(t−1)ᵀ · ∂L/∂a_t        b: ∂L/∂a_t

∂L/∂a_t itself is the sum over all paths from step t to the loss: ∂L/∂h_T · ∂h_T/∂h_(T−1) ⋯ ∂h_t/∂a_t (Werbos 1990).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.errors import UsageError, closest
from rnncli.inspection.flow import CellFlow, Flow
from rnncli.inspection.loss import Loss
from rnncli.inspection.states import largest, visible
from rnncli.results import Column, HeatMap, TableCell, TableView

SHOWN_NUMBERS = 6  # a term of no more numbers is shown whole


@dataclass(frozen=True, eq=False)
class Terms:
    """The terms of one parameter's gradient.

    Attributes:
        parameter: its flat name.
        steps: (T,) names of the timesteps.
        factors: (T, D) what a matrix multiplies at each step; None of another parameter.
        rows: (T,) the row of a table that each step reads; None of another parameter.
        d: (T, K) ∂L/∂ the sums that the parameter goes into; of a vector the terms themselves.
        gradient: the whole, as training computes it: (D, K), or (K,) for a bias.
    """

    parameter: str
    loss: Loss
    steps: tuple[str, ...]
    factors: Array | None
    rows: Array | None
    d: Array
    gradient: Array

    def term(self, t: int) -> Array:
        """What step ``t`` adds to the gradient, in its shape."""
        if self.factors is not None:
            return np.outer(self.factors[t], self.d[t])
        if self.rows is None:
            return np.asarray(self.d[t])
        made = np.zeros_like(self.gradient)
        made[self.rows[t]] = self.d[t]
        return made

    @cached_property
    def norms(self) -> Array:
        """(T,) Euclidean length of each term: of an outer product the product of both lengths."""
        lengths = np.linalg.norm(self.d, axis=1)
        return np.asarray(lengths if self.factors is None else lengths * np.linalg.norm(self.factors, axis=1))

    @cached_property
    def norm(self) -> float:
        """Euclidean length of the whole gradient."""
        return float(np.linalg.norm(self.gradient))

    @cached_property
    def shares(self) -> Array:
        """(T,) what each term adds along the whole gradient, as a share of it: ⟨term, whole⟩ / ‖whole‖².

        They add up to 1. Below 0, the term pulls against the whole.
        """
        along = []
        for t, d in enumerate(self.d):
            whole = self.gradient if self.rows is None else self.gradient[self.rows[t]]
            along.append(float((whole if self.factors is None else self.factors[t] @ whole) @ d))
        return np.array(along) / (float((self.gradient**2).sum()) or 1.0)

    @cached_property
    def cosines(self) -> Array:
        """(T,) of the angle between each term and the whole; 0 where either is zero."""
        bottom = self.norms * self.norm
        along = self.shares * self.norm**2
        return np.divide(along, bottom, out=np.zeros_like(along), where=bottom > 0)

    def largest(self, most: int | None) -> list[int]:
        """The timesteps of the ``most`` largest terms, in the order of time; of all terms for None."""
        return largest(self.norms, most)

    @cached_property
    def _sums(self) -> tuple[Array, Array]:
        """(T,) length of the sum of the terms up to each step, and the sum of all."""
        total, lengths, square = np.zeros_like(self.gradient), [], 0.0
        for t, d in enumerate(self.d):
            if self.rows is None:
                total += self.term(t)
                lengths.append(float(np.linalg.norm(total)))
            else:  # one row changes, of perhaps very many
                row = total[self.rows[t]]
                square -= float(row @ row)
                row += d
                square += float(row @ row)
                lengths.append(math.sqrt(max(square, 0.0)))
        return np.array(lengths), total

    @property
    def running_norms(self) -> Array:
        """(T,) length of the sum of the terms up to each step."""
        return self._sums[0]

    @property
    def residual(self) -> float:
        """The largest difference between a number of the terms' sum and the one in training's gradient."""
        return float(np.abs(self._sums[1] - self.gradient).max())

    @property
    def is_small(self) -> bool:
        """Whether a term can be read as numbers."""
        return self.gradient.size <= SHOWN_NUMBERS

    def document(self, full: bool = False) -> dict[str, Any]:
        """For JSON: the figures of every term; the terms themselves where they are small, or with ``full``."""
        whole = full or self.is_small
        figures = {"norm": self.norms, "share": self.shares, "cosine": self.cosines, "norm_of_sum": self.running_norms}
        terms = [
            {"t": t + 1, "timestep": step}
            | {name: values[t] for name, values in figures.items()}
            | ({"term": self.term(t)} if whole else {})
            for t, step in enumerate(self.steps)
        ]
        found = {"parameter": self.parameter, **self.loss.document, "terms": terms}
        found |= {"norm": self.norm, "residual": self.residual}
        return found | ({"gradient": self.gradient} if whole else {})

    def view(self, most: int | None = None) -> TableView:
        """One row a timestep, the ``most`` largest terms in the order of time, and last the whole gradient."""
        columns = [Column("t", True), Column("timestep", style="bold"), *([Column("term")] if self.is_small else [])]
        columns += [Column(name, True) for name in ("‖term‖", "share", "cosine", "‖sum so far‖")]
        chosen = self.largest(most)
        rows: list[tuple[TableCell, ...]] = []
        for t in chosen:
            numbers = [float(of[t]) for of in (self.norms, self.shares, self.cosines, self.running_norms)]
            rows.append((t + 1, visible(self.steps[t]), *self._numbers(self.term(t)), *numbers))
        whole = (self.norm, float(self.shares.sum()), 1.0 if self.norm else 0.0, self.norm)
        rows.append(("Σ", "the whole", *self._numbers(self.gradient), *whole))
        caption = f"the loss is {self.loss}; the last row is training's own gradient, "
        caption += f"and the terms' sum differs from it by {self.residual:.1e} at most"
        if len(chosen) < len(self.steps):
            caption += f"; {len(chosen)} of {len(self.steps)} terms, the largest; all with --full"
        return TableView(f"∂L/∂ {self.parameter}, one term for each timestep", tuple(columns), tuple(rows), caption)

    def _numbers(self, term: Array) -> tuple[str, ...]:
        """The cell ``[0.12 −0.3; 0 1]`` of a small term."""
        rows = np.atleast_2d(term).tolist()
        return ("[" + "; ".join(" ".join(f"{x:z.4g}" for x in row) for row in rows) + "]",) if self.is_small else ()


def terms(flow: Flow, parameter: str) -> Terms:
    """The terms of the parameter of that name.

    Raises:
        UsageError: there is none.
    """
    if parameter not in flow.gradients:
        names = list(flow.gradients)
        said = f"there is no parameter '{parameter}'{closest(parameter, names)}"
        raise UsageError(said, f"there are {', '.join(names)}")
    cell = flow.cell_of(parameter)
    if cell is not None:
        steps, (x, d) = cell.steps, _of_cell(cell, parameter.rsplit("/", 1)[1])
    else:
        found = next(one for one in flow.rows if one.name == parameter)
        steps, x, d = found.steps, found.x, found.d_output
    factors, rows = (None, x) if x is not None and x.ndim == 1 else (x, None)
    return Terms(parameter, flow.opened.loss(flow.loss), steps, factors, rows, d, flow.gradients[parameter])


def _of_cell(cell: CellFlow, name: str) -> tuple[Array | None, Array]:
    """What a cell's parameter multiplies, or which rows of it are read, and the gradients of its sums."""
    parameter = next(one for one in cell.cell.parameters if one.name == name)
    d_sums = cell.d_sums(parameter)
    if parameter.factor is None:
        return None, d_sums
    x = cell.multiplied(parameter.factor)
    # The terms of an element-wise weight are the products themselves.
    return (None, np.tile(x, len(parameter.blocks)) * d_sums) if parameter.elementwise else (x, d_sums)


@dataclass(frozen=True, eq=False)
class LossBySource:
    """How much gradient the loss at each timestep sends to each timestep.

    Attributes:
        cell: name of the layer.
        steps: (T,) names of the timesteps.
        norms: (T, T) ‖∂L_s/∂h_t‖ of the part of the loss that enters at step s (rows), at each h_t (columns).
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
    """Sends the gradient at each step of the stack's top back alone, and measures where it arrives.

    The gradient at the last state counts for the last step that is read.
    """
    layers = flow.layers_above(cell)
    norms = np.zeros((len(cell.steps), len(cell.steps)))
    for s in range(len(cell.steps)):
        d_outputs, alone = [_only(one.d_output, s) for one in layers[0]], list[CellFlow]()
        for layer in layers:
            if alone:  # the outputs of this layer's cells stand side by side in what the layer above reads
                d_outputs = np.split(np.sum([one.d_input for one in alone], axis=0), len(layer), axis=1)
            pairs = zip(layer, d_outputs, strict=True)
            alone = [one.backward(d, one.d_state if s == one.last_read else None) for one, d in pairs]
        norms[s] = np.linalg.norm(alone[layers[-1].index(cell)].d_states["h"], axis=1)
    return LossBySource(cell.name, cell.steps, norms)


def _only(values: Array, row: int) -> Array:
    alone = np.zeros_like(values)
    alone[row] = values[row]
    return alone
