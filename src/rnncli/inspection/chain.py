"""The chain rule from the loss back to a timestep, factor by factor.

∂L/∂h_j = ∂L/∂h_T · ∂h_T/∂h_(T−1) ⋯ ∂h_(j+1)/∂h_j: a row vector times one Jacobian matrix for each step between. Where
a step passes on more than h, as h and c in an LSTM, the matrices are those of the whole state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnncli.core.optim.parameters import flatten
from rnncli.core.packed import Array, Lookup, PackedSequence
from rnncli.inspection.flow import CellFlow, Flow
from rnncli.inspection.states import visible
from rnncli.results import Column, TableCell, TableView


@dataclass(frozen=True)
class Factor:
    """One factor, and the product up to it.

    Attributes:
        written: ``∂h_3/∂h_2``.
        step: name of the timestep that it leads back to.
        norm: its largest singular value; of a vector its length.
        product: the same of the product of the Jacobians so far, ∂h_T/∂h_j; None before the first of them.
    """

    written: str
    step: str
    norm: float
    product: float | None


@dataclass(frozen=True)
class Chain:
    """From the loss to the first step, or as far back as was asked for.

    Attributes:
        cell: name of the layer.
        steps: number of its timesteps.
    """

    cell: str
    steps: int
    factors: tuple[Factor, ...]

    def view(self) -> TableView:
        rows: list[tuple[TableCell, ...]] = [(f.written, visible(f.step), f.norm, f.product) for f in self.factors]
        columns = (Column("factor", style="bold"), Column("back to"), Column("size", True), Column("‖∂h_T/∂h_j‖", True))
        caption = "size: the largest singular value, of a vector its length; factors below 1 make the gradient vanish"
        return TableView(f"The chain rule, factor by factor, {self.cell}", columns, tuple(rows), caption)


def chain(flow: Flow, cell: CellFlow, most: int | None = None) -> Chain:
    """The factors of a layer, from the loss back through its ``most`` last steps, or through all."""
    order = cell.in_time(np.arange(len(cell.steps))).tolist()  # positions in time, in the order in which it reads
    T = len(order)
    factors = list(_to_the_last_state(flow, cell))
    H, product = cell.cell.hidden_size, None
    for t in range(T - 1, max(0, T - 1 - (most or T)), -1):
        jacobian = step_jacobian(cell, t)
        product = jacobian if product is None else product @ jacobian
        written = f"∂h_{order[t] + 1}/∂h_{order[t - 1] + 1}"
        factors.append(Factor(written, cell.steps[order[t - 1]], _size(jacobian[:H, :H]), _size(product[:H, :H])))
    return Chain(cell.name, T, tuple(factors))


def _to_the_last_state(flow: Flow, cell: CellFlow) -> Iterator[Factor]:
    """∂L/∂z and ∂z/∂h_T where one output layer reads the states; and ∂L/∂h_T as a whole."""
    last, H = cell.last_read, cell.cell.hidden_size
    step, T = cell.steps[last], last + 1
    output = next((rows for rows in flow.rows if rows.name.endswith("output/weight")), None)
    if output is not None:
        own = dict(flatten(flow.opened.params))[output.name]
        if own.shape[0] == 2 * H:  # both directions are read side by side
            own = own[H:] if cell.reads_backwards else own[:H]
        at = output.d_output[last if len(output.d_output) == len(cell.steps) else -1]
        yield Factor("∂L/∂z", "the output", float(np.linalg.norm(at)), None)
        if own.shape[0] == H:
            yield Factor(f"∂z/∂h_{T}", step, _size(own), None)
    yield Factor(f"∂L/∂h_{T}", step, float(np.linalg.norm(cell.d_states["h"][last])), None)


def step_jacobian(cell: CellFlow, t: int) -> Array:
    """(K·H, K·H) ∂ state after / ∂ state before the t-th step that is read; K states, in the cell's order.

    The step runs on as many copies as the state has numbers, and each sends another unit vector back.
    """
    H, count = cell.cell.hidden_size, cell.cell.state_count
    N = count * H
    data = cell.recorded.cache.x.data
    data = data.gathered() if isinstance(data, Lookup) else data
    x = PackedSequence(np.repeat(data[t : t + 1], N, axis=0), np.array([N]), np.arange(N), learned=False)
    states, past = cell.initial, cell.recorded.cache
    before = states.values() if t == 0 else [getattr(past, letter)[t - 1 : t] for letter in states]
    _, _, cache = cell.cell.forward(cell.params, x, tuple(np.repeat(part, N, axis=0) for part in before))
    units = tuple(np.eye(N)[:, k * H : (k + 1) * H] for k in range(count))
    _, d_before, _ = cell.cell.backward(cell.params, cache, None, units)
    return np.concatenate(d_before, axis=1)


def _size(matrix: Array) -> float:
    return float(np.linalg.norm(matrix, 2))
