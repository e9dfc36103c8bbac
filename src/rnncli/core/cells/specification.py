"""A cell described as data: what shows, checks, counts or explains a cell loops over this.

The values of a step go by the letters of the cell's equations, and so do the attributes of its cache: ``cache.f`` are
the forget gates (S, H), ``cache.c`` the cell states, ``cache.c0`` the ones that it began with (N, H). The sums inside
a gate's function have a letter of their own: ``af`` for the forget gate's, f = σ(af).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol, Self, TypeVar


class StateSpec(NamedTuple):
    """A value that a step passes to the next one.

    Attributes:
        letter: in the equations, and of its attribute in the cache.
        name: in words: ``state``, ``memory``.
        notes: letter of the same thing in the lecture notes.
    """

    letter: str
    name: str
    notes: str = ""

    @property
    def written(self) -> str:
        """Letter by which the worked example calls it."""
        return self.notes or self.letter


class GateSpec(NamedTuple):
    """A value of a step that is a function of sums.

    Attributes:
        letter: in the equations, and of its attribute in the cache.
        name: in words: ``forget gate``.
        function: around the sums.
        sums: letter of the sums.
    """

    letter: str
    name: str
    function: Literal["σ", "tanh", "relu"]
    sums: str

    @property
    def opens(self) -> bool:
        """Whether it goes from closed, 0, to open, 1."""
        return self.function == "σ"


def gate(letter: str, name: str, function: Literal["σ", "tanh"] = "σ") -> GateSpec:
    """A gate whose sums have its letter behind an a."""
    return GateSpec(letter, name, function, f"a{letter}")


class Factor(NamedTuple):
    """What a parameter multiplies at a timestep: ``x_t``, ``h_(t−1)``, or ``c_t``.

    Attributes:
        letter: x for what the cell reads, or that of a value of the step.
        past: whether it is that of the step before; always False for x.
    """

    letter: str
    past: bool = False


X, PAST_H = Factor("x"), Factor("h", past=True)


class Block(NamedTuple):
    """H columns of a parameter, those that go into one sum.

    Attributes:
        letter: of the value that the sum is for: o, i, f, g.
        symbol: of these columns in the equations: ``W_if``, ``b_f``.
        sums: letter of the sum.
        words: ``input weights of the forget gate``.
    """

    letter: str
    symbol: str
    sums: str
    words: str


class ParameterSpec(NamedTuple):
    """An array of a cell, and what its gradient is the sum of.

    With a_t the sums that it goes into, f_t what it multiplies, and d_t = ∂L/∂a_t, its gradient is

        Σ_t f_tᵀ · d_t of a matrix        Σ_t d_t of a bias        Σ_t f_t ⊙ d_t of an element-wise weight

    Attributes:
        name: in the cell's parameters.
        factor: what it multiplies; None for a bias.
        blocks: from the first column on.
        elementwise: whether it is a vector that multiplies unit by unit, like a peephole.
    """

    name: str
    factor: Factor | None
    blocks: tuple[Block, ...]
    elementwise: bool = False

    @property
    def is_matrix(self) -> bool:
        return self.factor is not None and not self.elementwise

    def shape(self, input_size: int, hidden_size: int) -> tuple[int, ...]:
        width = len(self.blocks) * hidden_size
        if not self.is_matrix:
            return (width,)
        return (input_size if self.factor == X else hidden_size, width)


def of_gates(
    name: str,
    symbol: str,
    words: str,
    factor: Factor | None,
    gates: Sequence[GateSpec],
    *,
    sums: dict[str, str] | None = None,
    elementwise: bool = False,
) -> ParameterSpec:
    """A parameter with a block for each of some gates.

    Args:
        symbol, words: the beginning of each block's.
        sums: gate's letter → the sums that its block goes into, where these are not the gate's own.
    """
    blocks = tuple(
        Block(one.letter, symbol + one.letter, (sums or {}).get(one.letter, one.sums), f"{words} of the {one.name}")
        for one in gates
    )
    return ParameterSpec(name, factor, blocks, elementwise)


@dataclass(frozen=True, eq=False)
class Specification:
    """A cell as data.

    Attributes:
        name: as people write it: ``LSTM``.
        states: in the order of the cell's state; the first is its output, h.
        gates: in the order of the weights' columns.
        shown: letters of what is shown of a step, in this order, the states and gates among them; each is recorded in
            the cache.
        parameters: in the order in which they are made, and stand in a sum.
        sums: letters of the sums, in the order in which a backward pass records their gradients.
        output: letter of the weights behind the layer, in the worked example.
    """

    name: str
    states: tuple[StateSpec, ...]
    gates: tuple[GateSpec, ...]
    shown: tuple[str, ...]
    parameters: tuple[ParameterSpec, ...]
    sums: tuple[str, ...]
    output: str = "y"

    @cached_property
    def rows(self) -> dict[str, int]:
        """Letter of a sum → its row among the recorded gradients."""
        return {letter: row for row, letter in enumerate(self.sums)}

    def gate(self, letter: str) -> GateSpec | None:
        """The gate of that letter, if there is one."""
        return next((one for one in self.gates if one.letter == letter), None)


class Compiled(NamedTuple):
    """A cell's form in the compiled engine.

    Attributes:
        name: of its C functions, without what is done, the type and the level of vectors.
        cache: the class of what forward keeps: the input, the states that it began with, and (S, H) planes, h last.
    """

    name: str
    cache: Any

    def planes(self, states: int) -> tuple[str, ...]:
        """The names of the planes, behind the input and so many states."""
        return tuple(self.cache._fields[1 + states :])


class Value(Protocol):
    """Numbers, or formulas of numbers, that a step computes with. All operators work unit by unit."""

    def __add__(self, other: Self, /) -> Self: ...
    def __sub__(self, other: Self, /) -> Self: ...
    def __mul__(self, other: Self, /) -> Self: ...
    def __rsub__(self, number: int, /) -> Self: ...


V = TypeVar("V", bound=Value)


class Step(Protocol[V]):
    """One timestep in the making: the arithmetic in which a cell writes its equations down, line by line."""

    def past(self, state: str, /) -> V:
        """A state of the step before: h_(t−1)."""

    def sums(self, letter: str, label: str, beside: V | None = None, /) -> V:
        """The line ``ao_t = x_t·W_io + h_(t−1)·W_ho + b_o``: all parameters that go into these sums.

        Args:
            label: of the line, in words.
            beside: what is added to them.
        """

    def gate(self, letter: str, beside: V | None = None, /) -> V:
        """A gate's two lines: its sums, and its function of them, ``o_t = σ(ao_t)``."""

    def line(self, letter: str, value: V, label: str, /) -> V:
        """The line ``letter_t = value``."""

    def tanh(self, value: V, /) -> V: ...
    def relu(self, value: V, /) -> V: ...
