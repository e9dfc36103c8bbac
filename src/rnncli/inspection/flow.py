"""One example forward and back through a network, with everything on the way named and in the order of time.

The numbers are those of training: its own code runs, in float64 and without dropout, and is recorded
(:mod:`rnncli.core.backward_trace`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rnncli.core.backward_trace import RecordedGradients, recording
from rnncli.core.cells.cell import Cell
from rnncli.core.cells.recurrence import Params, State
from rnncli.core.cells.specification import Factor, ParameterSpec
from rnncli.core.gradients import as_dense
from rnncli.core.layers.attention import Attention
from rnncli.core.layers.linear import Linear
from rnncli.core.optim.parameters import flatten
from rnncli.core.packed import Array, DistinctTokens, Lookup
from rnncli.errors import UsageError


@dataclass(frozen=True)
class Opened:
    """One example as training sees it.

    Attributes:
        network, params: in float64.
        batch: the example alone.
        timesteps: beginning of parameters' names → a name for each timestep that the layers there go through; the
            longest beginning counts.
        answer: what the loss is of, in words: ``the label positive``.
        origin, remark: who says so, and what else is to be known of it, as in :class:`rnncli.inspection.loss.Label`.
    """

    network: Any
    params: Params
    batch: Any
    timesteps: Mapping[str, tuple[str, ...]]
    answer: str
    origin: str = ""
    remark: str = ""

    def steps_of(self, name: str) -> tuple[str, ...]:
        """The names of the timesteps that the layer of a parameter goes through."""
        return self.timesteps[max((begin for begin in self.timesteps if name.startswith(begin)), key=len)]


@dataclass(frozen=True, eq=False)
class CellFlow:
    """A recurrent layer in one direction. All arrays are in the order of time, whichever way it reads.

    Attributes:
        name: of its parameters: ``encoder/0/forward``.
        cell, params: what it is.
        steps: (T,) names of the timesteps.
        recorded: its backward pass, in the order in which it reads.
    """

    name: str
    cell: Cell
    params: Params
    steps: tuple[str, ...]
    recorded: RecordedGradients

    @property
    def kind(self) -> str:
        """What cell it is: ``LSTM``."""
        return self.cell.specification.name

    @property
    def reads_backwards(self) -> bool:
        return self.name.endswith("/backward")

    @property
    def direction(self) -> str:
        """An arrow for the way it reads."""
        return "←" if self.reads_backwards else "→"

    @property
    def matrices(self) -> tuple[str, ...]:
        """Flat names of its weights that are matrices."""
        return tuple(f"{self.name}/{one.name}" for one in self.cell.parameters if one.is_matrix)

    def in_time(self, values: Array, axis: int = 0) -> Array:
        """Values in the order in which the cell reads, in the order of time; or back."""
        return np.flip(values, axis) if self.reads_backwards else values

    @cached_property
    def values(self) -> dict[str, Array]:
        """(T, H) states and gates, by their letters in the equations."""
        return {letter: self.at_each_step(letter) for letter in self.cell.specification.shown}

    def at_each_step(self, letter: str) -> Array:
        """(T, H) a value of each step."""
        return self.in_time(getattr(self.recorded.cache, letter))

    @property
    def initial(self) -> dict[str, Array]:
        """State's letter → (1, H), as it began."""
        return {one.letter: getattr(self.recorded.cache, f"{one.letter}0") for one in self.cell.specification.states}

    def multiplied_at_each_step(self, factor: Factor) -> Array:
        """(T, D) what a parameter multiplies, or (T,) ids of one-hot rows."""
        values = self.cell.multiplied(self.recorded.cache, factor)
        return self.x if isinstance(values, Lookup) else self.in_time(values)

    @cached_property
    def x(self) -> Array:
        """(T, D) what each step read; one-hot rows for ids."""
        data = self.recorded.cache.x.data
        if isinstance(data, Lookup):
            data = data.gathered()
        elif data.ndim == 1:
            data = np.eye(self.cell.input_size)[data]
        return self.in_time(data)

    def d_sums(self, parameter: ParameterSpec, recorded: RecordedGradients | None = None) -> Array:
        """(T, G·H) ∂L/∂ the sums that a parameter goes into, a block of columns each.

        Args:
            recorded: another backward pass than the example's.
        """
        return self.in_time(self.cell.d_sums(parameter, (recorded or self.recorded).found["sums"]))

    def d_input(self, recorded: RecordedGradients | None = None) -> Array:
        """(T, D) ∂L/∂x_t; of another backward pass as in :meth:`d_sums`."""
        return self.in_time(self.cell.d_input(self.params, (recorded or self.recorded).found["sums"]))

    def d_states(self, recorded: RecordedGradients | None = None) -> dict[str, Array]:
        """State's letter → (T, H) ∂L/∂ it at each step, by all that follows; of another backward pass likewise.

        What the same step makes of a state counts as well, as h_t of c_t in an LSTM.
        """
        letters = (one.letter for one in self.cell.specification.states)
        found = (recorded or self.recorded).found["states"]
        return {letter: self.in_time(d) for letter, d in zip(letters, found, strict=True)}

    @cached_property
    def d_output(self) -> Array:
        """(T, H) the gradient that comes to each h_t from the layer above it."""
        shape = len(self.steps), self.cell.hidden_size
        return self.in_time(np.zeros(shape) if self.recorded.dy is None else self.recorded.dy)

    @property
    def d_state(self) -> State | None:
        """(1, H) each, the gradient that comes to the state that is left after the last step that is read."""
        found: State | None = self.recorded.found["dstate"]
        return found

    @property
    def last_read(self) -> int:
        """The step, in the order of time, after which that state is left."""
        return 0 if self.reads_backwards else len(self.steps) - 1

    def backward(self, d_output: Array, d_state: State | None = None) -> RecordedGradients:
        """Training's backward pass once more, with other gradients at the outputs (T, H) and at the last state."""
        with recording() as found:
            self.cell.backward(self.params, self.recorded.cache, np.ascontiguousarray(self.in_time(d_output)), d_state)
        return next(one for one in found if one.layer is self.cell)


@dataclass(frozen=True, eq=False)
class RowsFlow:
    """A parameter of something that is no recurrent layer, whose gradient is a sum over rows.

    Attributes:
        name: of the parameter: ``output/weight``.
        steps: a name for each row.
        x: (rows, D) what the parameter multiplies, or (rows,) which of its rows is read; None for a bias.
        d_output: (rows, K).
    """

    name: str
    steps: tuple[str, ...]
    x: Array | None
    d_output: Array


@dataclass(frozen=True, eq=False)
class Flow:
    """An example that went forward and back.

    Attributes:
        gradients: flat name → of every parameter, as training's code gives it.
        cells: from the input up, those that read forwards before those that read backwards.
        rows: those of linear layers, tables and attention.
    """

    opened: Opened
    loss: float
    gradients: dict[str, Array]
    cells: tuple[CellFlow, ...]
    rows: tuple[RowsFlow, ...]

    def cell(self, name: str | None = None) -> CellFlow:
        """By its name, or by the beginning of a parameter's; the topmost if none is given.

        Raises:
            UsageError: there is no such layer.
        """
        if name is None:
            return [cell for cell in self.cells if not cell.reads_backwards][-1]
        for cell in self.cells:
            if name == cell.name or name.startswith(cell.name + "/"):
                return cell
        raise UsageError(f"there is no recurrent layer '{name}'", f"there are {', '.join(c.name for c in self.cells)}")

    def layers_above(self, cell: CellFlow) -> list[list[CellFlow]]:
        """The layers of its stack, each in its directions, the topmost first, down to that of the cell."""
        stack, number, _ = cell.name.rsplit("/", 2)
        layers: dict[int, list[CellFlow]] = {}
        for one in self.cells:
            of_stack, of_number, _ = one.name.rsplit("/", 2)
            if of_stack == stack and int(of_number) >= int(number):
                layers.setdefault(int(of_number), []).append(one)
        return [layers[k] for k in sorted(layers, reverse=True)]


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
        elif isinstance(one.layer, Linear) and id(one.params) in names:
            rows += _linear(one, names[id(one.params)], opened)
        elif isinstance(one.layer, Attention):
            rows += _attention(one, names[id(one.params)], opened)
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


def _linear(one: RecordedGradients, name: str, opened: Opened) -> list[RowsFlow]:
    assert one.dy is not None
    steps = opened.steps_of(name)
    named = steps if len(steps) == len(one.cache) else ("the whole",) * len(one.cache)
    inputs = {"weight": one.cache, "bias": None}
    return [RowsFlow(f"{name}/{kind}", named, x, one.dy) for kind, x in inputs.items() if kind in one.params]


def _attention(one: RecordedGradients, name: str, opened: Opened) -> list[RowsFlow]:
    """Of W_a, which h_t is multiplied by, and of W_c and its bias, which [context_t, h_t] is: a row a target step."""
    kept, steps = one.cache, opened.steps_of(name)
    query, sums = one.found["query"], one.found["sums"]
    both = np.concatenate((kept.context, kept.h.data), axis=1)
    return [
        RowsFlow(f"{name}/weight_a", steps, kept.h.data, query),
        RowsFlow(f"{name}/weight_c", steps, both, sums),
        RowsFlow(f"{name}/bias_c", steps, None, sums),
    ]


def _tables(one: RecordedGradients, name: str, opened: Opened, cells: Sequence[CellFlow]) -> list[RowsFlow]:
    """Tables with the gradient of the row that is read at every timestep; none where nothing that is known reads it."""
    d_output = one.dy
    if d_output is None:  # then it is added up by row already; but each cell that reads it knows its own part
        layers = [cell.name.rsplit("/", 1)[0] for cell in cells if _looks_up(cell, one.found["distinct"])]
        readers = [cell for cell in cells if cell.name.rsplit("/", 1)[0] in layers]
        if not readers:
            return []
        d_output = np.sum([cell.d_input() for cell in readers], axis=0)
    return [
        RowsFlow(f"{name}/{kind}", opened.steps_of(f"{name}/{kind}"), read, d_output[:, columns])
        for kind, (read, columns) in one.found["looked_up"].items()
    ]


def _looks_up(cell: CellFlow, distinct: DistinctTokens) -> bool:
    data = cell.recorded.cache.x.data
    return isinstance(data, Lookup) and data.distinct is distinct
