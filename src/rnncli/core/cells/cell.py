"""What every recurrent cell is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from rnncli.core.cells.recurrence import input_gradients, previous, side_by_side_gates
from rnncli.core.cells.specification import PAST_H, Compiled, Factor, ParameterSpec, Specification, Step, V, X
from rnncli.core.gradients import Gradient
from rnncli.core.initializers import glorot_uniform, orthogonal
from rnncli.core.packed import Array, PackedSequence, Params, State

_Order = list[int] | slice
# What a cell's compiled form repeats.
_REPEATED = ("specification", "step", "forward", "backward", "gradients", "first_state", "own_gradient")
_NO_TOTALS: Array = np.empty((0, 0))


@dataclass(frozen=True)
class Cell(ABC):
    """A recurrent layer in one direction: sizes, without weights and without memory.

    Args:
        input_size: D, or the vocabulary size V when the input is token ids (one-hot).
        hidden_size: H.
        bias: whether there are biases.
    """

    input_size: int
    hidden_size: int
    bias: bool = True

    @property
    @abstractmethod
    def specification(self) -> Specification:
        """The cell as data."""

    @abstractmethod
    def forward(
        self, params: Params, x: PackedSequence, state: State | None = None, keep: bool = True
    ) -> tuple[Array, State, Any]:
        """Runs a whole packed sequence of (S, D) numbers or (S,) ids.

        Args:
            state: (N, H) each, in packed order; None for zeros.
            keep: whether a backward pass follows.

        Returns:
            h of every step (S, H); the last state; and the cache, None if it is not to be kept.
        """

    @abstractmethod
    def backward(
        self, params: Params, cache: Any, dy: Array | None, dstate: State | None = None
    ) -> tuple[Array | None, State, dict[str, Any]]:
        """From dy (S, H) and the last state's gradient to those of x, of the first state and of the weights."""

    @abstractmethod
    def step(self, s: Step[V]) -> None:
        """The equations once more, one line each, for one timestep."""

    @property
    def compiled(self) -> Compiled | None:
        """The same loops in the compiled engine; None where they are in NumPy only."""
        return None

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "compiled" in cls.__dict__:
            cls._repeated = cls._what_is_repeated()

    _repeated: ClassVar[tuple[Any, ...]] = ()

    @classmethod
    def _what_is_repeated(cls) -> tuple[Any, ...]:
        return tuple([getattr(cls, name) for name in _REPEATED])

    @property
    def usable_compiled(self) -> Compiled | None:
        """The compiled form, if it is of these very loops: a subclass or a test that puts another function in the place
        of one of them is not to run those of the class that it took the form from."""
        compiled = self.compiled
        return compiled if compiled is None or self._what_is_repeated() == self._repeated else None

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """What this cell takes beside the sizes that all have."""
        return tuple(field.name for field in fields(cls)[3:])

    @cached_property
    def state_count(self) -> int:
        return len(self.specification.states)

    def first_state(self, state: State | None, x: PackedSequence, dtype: np.dtype[Any]) -> State:
        """The state to begin with; zeros, the o_0 = 0 of the notes, where none is given."""
        return state or tuple([np.zeros((len(x.order), self.hidden_size), dtype) for _ in self.specification.states])

    def own_gradient(self, dstate: State | None, x: PackedSequence, dtype: np.dtype[Any]) -> State:
        """The gradient of the last state as arrays that a backward loop may write into."""
        if dstate is None:
            return self.first_state(None, x, dtype)
        return tuple(np.array(part, dtype=dtype) for part in dstate)

    @property
    def parameters(self) -> tuple[ParameterSpec, ...]:
        """The parameters of the specification; without a bias, only those that multiply something."""
        return tuple(one for one in self.specification.parameters if self.bias or one.factor is not None)

    def into(self, sums: str) -> list[tuple[ParameterSpec, int]]:
        """The parameters that go into a sum, in order, each with the number of its block."""
        return [(one, place) for one in self.parameters for place, block in enumerate(one.blocks) if block.sums == sums]

    def _rows(self, parameter: ParameterSpec) -> list[int]:
        """The rows of a parameter's sums among the recorded gradients."""
        return [self.specification.rows[block.sums] for block in parameter.blocks]

    def multiplied(self, cache: Any, factor: Factor) -> Any:
        """(S, D) what a parameter multiplies at every step; the input as it is given."""
        if factor == X:
            return cache.x.data
        values = getattr(cache, factor.letter)
        return previous(cache.x, getattr(cache, f"{factor.letter}0"), values) if factor.past else values

    def gradients(self, params: Params, cache: Any, sums: Array) -> tuple[Array | None, dict[str, Gradient]]:
        """∂L/∂x and ∂L/∂ each parameter: of each the sum over all steps that its specification says.

        Args:
            sums: (A, S, H) the gradients of the sums, in the order of the specification.
        """
        dx, totals, grads = None, _NO_TOTALS, dict[str, Gradient]()
        for one, span, order, read in self.sums_of_each:
            d = sums[span]
            if one.factor is None:
                total = d.sum(axis=1)[order] if read is None else totals[read]
                grads[one.name] = total.ravel()
            elif one.factor == X:
                dx, grads[one.name], totals = input_gradients(cache.x, params[one.name], d[order])
            elif one.elementwise:
                grads[one.name] = (self.multiplied(cache, one.factor) * d[order]).sum(axis=1).ravel()
            else:
                products = np.matmul(self.multiplied(cache, one.factor).T, d)
                grads[one.name] = side_by_side_gates(products[order])
        return dx, grads

    @cached_property
    def sums_of_each(self) -> list[tuple[ParameterSpec, slice, _Order, _Order | None]]:
        """Each parameter, the span of its sums and their order in it, and of a bias their order among the sums of what
        multiplies x, whose totals are already there (None where they are not)."""
        found, of_x = [], list[int]()
        for one in self.parameters:
            rows = self._rows(one)
            of_x = rows if one.factor == X else of_x
            first = min(rows)
            known = _order(rows, of_x) if set(rows) <= set(of_x) else None
            found.append((one, slice(first, max(rows) + 1), _order(rows, range(first, max(rows) + 1)), known))
        return found

    def d_sums(self, parameter: ParameterSpec, sums: Array) -> Array:
        """(S, G·H) ∂L/∂ the sums that a parameter goes into, a block of columns each.

        Args:
            sums: (A, S, H) as a backward pass leaves them while it is recorded.
        """
        return np.concatenate(sums[self._rows(parameter)], axis=1)

    def d_input(self, params: Params, sums: Array) -> Array:
        """(S, D) ∂L/∂x_t; ``sums`` as for :meth:`d_sums`."""
        found = np.zeros((sums.shape[1], self.input_size))
        for one in self.parameters:
            if one.factor == X:
                found += self.d_sums(one, sums) @ params[one.name].T
        return found

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name → shape of every parameter."""
        return {one.name: one.shape(self.input_size, self.hidden_size) for one in self.parameters}

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params:
        """Initial weights: Glorot's for the input, orthogonal ones for h_(t−1), and zeros."""
        params: Params = {}
        for one in self.parameters:
            if one.is_matrix and one.factor == X:
                made = glorot_uniform(rng, self.input_size, self.hidden_size, len(one.blocks), dtype)
            elif one.is_matrix and one.factor == PAST_H:
                made = orthogonal(rng, self.hidden_size, len(one.blocks), dtype)
            else:
                made = np.zeros(one.shape(self.input_size, self.hidden_size), dtype)
            params[one.name] = made
        return params


def _order(rows: list[int], among: Sequence[int]) -> _Order:
    """What picks rows out of those ``among`` which they are; a slice, which copies nothing, where it is all of them."""
    return slice(None) if rows == list(among) else [among.index(row) for row in rows]
