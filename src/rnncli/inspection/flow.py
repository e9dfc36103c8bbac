"""One example forward and back through a network, with everything on the way named and in the order of time.

The numbers are those of training: its own code runs, in float64 and without dropout, and is recorded
(:mod:`rnncli.core.backward_trace`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rnncli.core.backward_trace import RecordedGradients, recording
from rnncli.core.cells.cell import Cell
from rnncli.core.cells.specification import Factor, ParameterSpec
from rnncli.core.gradients import as_dense
from rnncli.core.optim.parameters import flatten
from rnncli.core.packed import Array, Lookup, Params, State
from rnncli.inspection.loss import Loss, Opened
from rnncli.inspection.states import most_changing


@dataclass(frozen=True, eq=False)
class CellFlow:
    """A recurrent layer in one direction, after a backward pass. All arrays are in the order of time.

    Attributes:
        name: of its parameters: ``encoder/0/forward``.
        steps: (T,) names of the timesteps.
        recorded: the backward pass, in the order in which the layer reads.
    """

    name: str
    cell: Cell
    params: Params
    steps: tuple[str, ...]
    recorded: RecordedGradients

    @property
    def kind(self) -> str:
        """The cell's name: ``LSTM``."""
        return self.cell.specification.name

    @property
    def layer(self) -> tuple[str, int]:
        """The layer that it is a direction of: its stack, and its number there."""
        stack, number, _ = self.name.rsplit("/", 2)
        return stack, int(number)

    @property
    def reads_backwards(self) -> bool:
        return self.name.endswith("/backward")

    @property
    def direction(self) -> str:
        """An arrow in the direction in which it reads."""
        return "←" if self.reads_backwards else "→"

    @property
    def matrices(self) -> tuple[str, ...]:
        """Flat names of its weight matrices."""
        return tuple(f"{self.name}/{one.name}" for one in self.cell.parameters if one.is_matrix)

    def in_time(self, values: Array) -> Array:
        """Turns values from the order in which the cell reads into the order of time, and back."""
        return values[::-1] if self.reads_backwards else values

    @cached_property
    def values(self) -> dict[str, Array]:
        """Letter in the equations → (T, H), of the states and gates that are shown."""
        cache = self.recorded.cache
        return {letter: self.in_time(getattr(cache, letter)) for letter in self.cell.specification.shown}

    def most_changing(self, count: int) -> list[int]:
        """The units whose h changes most from step to step."""
        return most_changing(self.values["h"], count)

    @property
    def initial(self) -> dict[str, Array]:
        """State's letter → (1, H) before the first step that is read."""
        return {one.letter: getattr(self.recorded.cache, f"{one.letter}0") for one in self.cell.specification.states}

    def multiplied(self, factor: Factor) -> Array:
        """(T, D) what a parameter multiplies at each step, or (T,) ids of one-hot rows."""
        values = self.cell.multiplied(self.recorded.cache, factor)
        return self.x if isinstance(values, Lookup) else self.in_time(values)

    @cached_property
    def x(self) -> Array:
        """(T, D) the input of each step; one-hot rows for ids."""
        data = self.recorded.cache.x.data
        if isinstance(data, Lookup):
            data = data.gathered()
        elif data.ndim == 1:
            data = np.eye(self.cell.input_size)[data]
        return self.in_time(data)

    def d_sums(self, parameter: ParameterSpec) -> Array:
        """(T, G·H) ∂L/∂ the sums that a parameter goes into, a block of columns each."""
        return self.in_time(self.cell.d_sums(parameter, self.recorded.found["sums"]))

    @property
    def d_input(self) -> Array:
        """(T, D) ∂L/∂x_t."""
        return self.in_time(self.cell.d_input(self.params, self.recorded.found["sums"]))

    @property
    def d_states(self) -> dict[str, Array]:
        """State's letter → (T, H) ∂L/∂ the state at each step, through everything that depends on it.

        That includes the other states of the same step, as h_t, which depends on c_t in an LSTM.
        """
        states = zip(self.cell.specification.states, self.recorded.found["states"], strict=True)
        return {one.letter: self.in_time(d) for one, d in states}

    @cached_property
    def d_output(self) -> Array:
        """(T, H) the gradient at each h_t from the layer above."""
        shape = len(self.steps), self.cell.hidden_size
        return self.in_time(np.zeros(shape) if self.recorded.dy is None else self.recorded.dy)

    @property
    def d_state(self) -> State | None:
        """(1, H) each, the gradient at the state after the last step that is read."""
        found: State | None = self.recorded.found["dstate"]
        return found

    @property
    def last_read(self) -> int:
        """The last step that is read, in the order of time."""
        return 0 if self.reads_backwards else len(self.steps) - 1

    def backward(self, d_output: Array, d_state: State | None = None) -> CellFlow:
        """The layer after another backward pass, with other gradients at the outputs (T, H) and at the last state."""
        with recording() as found:
            self.cell.backward(self.params, self.recorded.cache, np.ascontiguousarray(self.in_time(d_output)), d_state)
        return replace(self, recorded=next(one for one in found if one.layer is self.cell))


@dataclass(frozen=True, eq=False)
class RowsFlow:
    """A parameter outside of the recurrent layers, whose gradient is a sum over rows.

    Attributes:
        name: of the parameter: ``output/weight``.
        steps: a name for each row.
        x: (rows, D) what the parameter multiplies, or (rows,) which of its rows is read; None for a bias.
        d_output: (rows, K) ∂L/∂ what comes out.
    """

    name: str
    steps: tuple[str, ...]
    x: Array | None
    d_output: Array


@dataclass(frozen=True, eq=False)
class Flow:
    """An example that went forward and back.

    Attributes:
        loss: in nats, or a squared error.
        gradients: flat name → the gradient of each parameter, as training's code gives it.
        cells: from the input up; of a layer, the one that reads forwards first.
        rows: of linear layers, tables and attention.
    """

    opened: Opened
    loss: float
    gradients: dict[str, Array]
    cells: tuple[CellFlow, ...]
    rows: tuple[RowsFlow, ...]

    @property
    def labelled_loss(self) -> Loss:
        """The loss with its label."""
        return self.opened.loss(self.loss)

    def cell(self) -> CellFlow:
        """The topmost recurrent layer that reads forwards."""
        return [cell for cell in self.cells if not cell.reads_backwards][-1]

    def cell_of(self, parameter: str) -> CellFlow | None:
        """The recurrent layer of a parameter, in its direction; None where it is outside of them."""
        return next((cell for cell in self.cells if parameter.startswith(f"{cell.name}/")), None)

    def layers_above(self, cell: CellFlow) -> list[list[CellFlow]]:
        """The cell's layer and those above it in its stack, each in all its directions, the topmost first."""
        stack, first = cell.layer
        layers = {one.layer for one in self.cells if one.layer[0] == stack and one.layer[1] >= first}
        return [[one for one in self.cells if one.layer == layer] for layer in sorted(layers, reverse=True)]


def flow(opened: Opened) -> Flow:
    """Runs the example forward and back."""
    with recording() as recorded:
        loss, gradients = opened.network.loss_and_gradients(opened.params, opened.batch)
    names = {id(params): name for name, params in _levels(opened.params)}
    cells, rows = [], []
    for one in recorded:
        if isinstance(one.layer, Cell):
            name = names[id(one.params)]
            cells.append(CellFlow(name, one.layer, one.params, opened.steps_of(name), one))
        elif id(one.params) in names:
            name = names[id(one.params)]
            steps = opened.steps_of(name)
            for kind, (x, d_output) in one.found.get("terms", {}).items():
                if kind in one.params:
                    named = steps if len(steps) == len(d_output) else ("the whole",) * len(d_output)
                    rows.append(RowsFlow(f"{name}/{kind}", named, x, d_output))
    order = list(names.values())
    cells.sort(key=lambda cell: order.index(cell.name))
    for one in recorded:
        if "looked_up" in one.found:
            rows += _tables(one, names[id(one.params)], opened, cells)
    flat = {name: as_dense(gradient) for name, gradient in flatten(gradients)}
    return Flow(opened, float(loss), flat, tuple(cells), tuple(rows))


def _levels(params: Params, prefix: str = "") -> Iterator[tuple[str, Params]]:
    """Every dict of parameters with its name."""
    for name, value in params.items():
        if isinstance(value, dict):
            yield prefix + name, value
            yield from _levels(value, f"{prefix}{name}/")


def _tables(one: RecordedGradients, name: str, opened: Opened, cells: Sequence[CellFlow]) -> list[RowsFlow]:
    """Tables, with the gradient of the row that each timestep reads; none where no recurrent layer reads them."""
    d_output = one.dy
    if d_output is None:  # it is already summed by row; but each cell that reads the table has its own part
        layers = [
            cell.layer
            for cell in cells
            if isinstance(read := cell.recorded.cache.x.data, Lookup) and read.distinct is one.found["distinct"]
        ]
        readers = [cell for cell in cells if cell.layer in layers]
        if not readers:
            return []
        d_output = np.sum([cell.d_input for cell in readers], axis=0)
    return [
        RowsFlow(f"{name}/{kind}", opened.steps_of(f"{name}/{kind}"), read, d_output[:, columns])
        for kind, (read, columns) in one.found["looked_up"].items()
    ]
