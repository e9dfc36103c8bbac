"""The cells' equations as lines of arithmetic, one timestep at a time: forward, and backward as far as their sums.

What is left of the backward pass is the same for all of them: a table of :class:`Weight` says of which matrix each sum
is made, and by that table the gradients of the matrices and of what the cell reads are put together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from rnncli.core.cells.gru import GRU
from rnncli.core.cells.lstm import LSTM
from rnncli.core.cells.rnn import RNN
from rnncli.core.packed import Array
from rnncli.inspection.by_hand.lines import Term, Worksheet, added, relu, sigmoid, tanh
from rnncli.inspection.flow import CellFlow


@dataclass(frozen=True)
class Weight:
    """A matrix or a bias of the model, by the name that it has in the equations.

    Attributes:
        parameter: flat name of the array that it is in.
        columns: those of the array that it is.
        left: what the matrix multiplies: ``x``, the input, ``past``, the state read before, or something ``else``; or
            nothing: it is a bias.
        sums: letter of the sums that it is a part of.
        label: what it is, in words.
        rows: those of the array that it is; None for all.
    """

    name: str
    parameter: str
    columns: slice
    left: Literal["x", "past", "else", ""]
    sums: str
    label: str
    rows: slice | None = None

    def of(self, array: Array) -> Array:
        """Its part of the array that it is in; a bias as one row."""
        return np.atleast_2d(array)[self.rows or slice(None), self.columns]


class Cell:
    """What is common to the cells.

    Args:
        of: the example's way through a cell of training.

    Attributes:
        layer: what its parameters' flat names begin with.
        order: timesteps as they are read.
        state: letter of the state that is read at the end.
        states: letters of all that a timestep passes on to the next one.
        output: letter of the weights and the bias behind it.
        logit: letter of what these make of it.
    """

    state = "h"
    states: tuple[str, ...] = ("h",)
    output = "y"
    logit = "z"

    def __init__(self, of: CellFlow) -> None:
        self.H: int = of.cell.hidden_size
        self.bias: bool = of.cell.bias
        self.layer, self.backwards, T = of.name, of.reads_backwards, len(of.steps)
        self.order = range(T, 0, -1) if self.backwards else range(1, T + 1)

    @property
    def last(self) -> int:
        """The timestep that is read last."""
        return self.order[-1]

    def before(self, t: int) -> int:
        """The timestep that is read before another."""
        return t + 1 if self.backwards else t - 1

    def after(self, t: int) -> int:
        """The timestep that is read after another."""
        return t - 1 if self.backwards else t + 1

    @property
    def starts(self) -> tuple[str, ...]:
        """What the states are before anything is read."""
        return tuple(f"{letter}_{'(T+1)' if self.backwards else '0'} = 0" for letter in self.states)

    @property
    def _next(self) -> str:
        return "the timestep read next" if self.backwards else "the next timestep"

    @property
    def _past(self) -> str:
        return "(t+1)" if self.backwards else "(t−1)"

    @property
    def equations(self) -> tuple[str, ...]:
        raise NotImplementedError

    @property
    def weights(self) -> tuple[Weight, ...]:
        raise NotImplementedError

    def begin(self, s: Worksheet) -> None:
        """The state before the first timestep."""
        self._nothing_yet(s, self.state, "state")

    def _nothing_yet(self, s: Worksheet, letter: str, word: str) -> None:
        words = f"the {word} before {'anything is read' if self.backwards else 'the first timestep'}"
        s.given(f"{letter}_{self.before(self.order[0])}", np.zeros((1, self.H)), words)

    def forward(self, s: Worksheet, t: int) -> None:
        """From ``x_t`` and the last state to the state."""
        raise NotImplementedError

    def from_next(self, s: Worksheet, t: int, here: Term | None = None, by: str = "") -> None:
        """∂L/∂ the state of t, from the gradients at the timestep read next, and from ``here``, what else reads it.

        Args:
            by: what that is, in words, if there is any.
        """
        raise NotImplementedError

    def _sums_to_state(self, s: Worksheet, t: int) -> list[Term]:
        """What comes to the state of t back through every sum of the timestep read next."""
        return [_d(s, w.sums, self.after(t)) @ s[w.name].T for w in self.weights if w.left == "past"]

    def backward(self, s: Worksheet, t: int, last: bool, to_memory: Term | None = None) -> None:
        """From ∂L/∂ the state of t to ∂L/∂ its sums; ``to_memory`` is what else comes to the last memory of an LSTM."""
        raise NotImplementedError

    def to_the_first_memory(self, s: Worksheet) -> None:
        """∂L/∂ the memory before the first timestep, of what has one."""

    def to_input(self, s: Worksheet, t: int) -> Term:
        """∂L/∂x_t."""
        return added([_d(s, w.sums, t) @ s[w.name].T for w in self.weights if w.left == "x"])

    def _gate(self, s: Worksheet, k: str, t: int) -> Term:
        """x_t·W_ik + h_(t−1)·W_hk + b_k"""
        return s.plus(s[f"x_{t}"] @ s[f"W_i{k}"] + s[f"h_{self.before(t)}"] @ s[f"W_h{k}"], f"b_{k}")

    def _gate_equation(self, k: str) -> str:
        return f"x_t·W_i{k} + h_{self._past}·W_h{k}" + (f" + b_{k}" if self.bias else "")

    def _gate_weights(self, gates: dict[str, str], recurrent_sums: dict[str, str]) -> tuple[Weight, ...]:
        """W_ik, W_hk and b_k of every gate, whose columns stand side by side."""
        columns = [slice(place * self.H, (place + 1) * self.H) for place in range(len(gates))]
        kinds: list[tuple[str, str, Literal["x", "past", ""], str]] = [
            ("W_i", "weight_ih", "x", "input weights"),
            ("W_h", "weight_hh", "past", "recurrent weights"),
            ("b_", "bias", "", "bias"),
        ]
        return tuple(
            Weight(
                kind + k,
                f"{self.layer}/{parameter}",
                place,
                left,
                recurrent_sums.get(k, f"a{k}") if left == "past" else f"a{k}",
                f"{words} of the {gate}",
            )
            for kind, parameter, left, words in kinds
            if left or self.bias
            for (k, gate), place in zip(gates.items(), columns, strict=True)
        )


def _name(letter: str, t: int) -> str:
    return f"∂L/∂{letter}_{t}"


def _and(here: Term | None, ways: list[Term]) -> Term:
    return added(ways if here is None else [here, *ways])


def _d(s: Worksheet, letter: str, t: int) -> Term:
    return s[_name(letter, t)]


class ByHandRNN(Cell):
    """o_t = f(x_t·W_i + o_(t−1)·W_h + b), in the letters of the notes."""

    state = "o"
    states = ("o",)
    output = "o"

    def __init__(self, of: CellFlow) -> None:
        super().__init__(of)
        self.f: str = of.cell.nonlinearity  # type: ignore[attr-defined]

    @property
    def equations(self) -> tuple[str, ...]:
        return (f"a_t = x_t·W_i + o_{self._past}·W_h" + (" + b" if self.bias else ""), f"o_t = {self.f}(a_t)")

    @property
    def weights(self) -> tuple[Weight, ...]:
        every = slice(None)
        matrices = (
            Weight("W_i", f"{self.layer}/weight_ih", every, "x", "a", "input weights"),
            Weight("W_h", f"{self.layer}/weight_hh", every, "past", "a", "recurrent weights"),
        )
        return (*matrices, Weight("b", f"{self.layer}/bias", every, "", "a", "bias")) if self.bias else matrices

    def forward(self, s: Worksheet, t: int) -> None:
        past = s[f"o_{self.before(t)}"]
        a = s.line(f"a_{t}", s.plus(s[f"x_{t}"] @ s["W_i"] + past @ s["W_h"], "b"), "the sums")
        s.line(f"o_{t}", tanh(a) if self.f == "tanh" else relu(a), "the output")

    def from_next(self, s: Worksheet, t: int, here: Term | None = None, by: str = "") -> None:
        after = self.after(t)
        through = s.line(f"∂a_{after}/∂o_{t}", s["W_h"].T, f"from this timestep to {self._next}")
        words = "" if here is None else f"by {by}, and by {self._next}"
        s.line(_name("o", t), _and(here, [_d(s, "a", after) @ through]), words)

    def backward(self, s: Worksheet, t: int, last: bool, to_memory: Term | None = None) -> None:
        slope = 1 - s[f"o_{t}"].squared if self.f == "tanh" else s[f"a_{t}"] > 0
        words = f"the slope of {self.f}" + ("" if self.f == "tanh" else ": 1 above 0, else 0")
        through = s.line(f"∂o_{t}/∂a_{t}", slope, words)
        s.line(_name("a", t), _d(s, "o", t) * through)


class ByHandLSTM(Cell):
    """The equations of :class:`rnncli.core.cells.lstm.LSTM`; the sums inside σ and tanh are ao, ai, af and ag."""

    states = ("h", "c")
    # in the order of the columns
    GATES: ClassVar[dict[str, str]] = {"o": "output gate", "i": "input gate", "f": "forget gate", "g": "candidate"}

    @property
    def equations(self) -> tuple[str, ...]:
        gates = [f"{k}_t = {'tanh' if k == 'g' else 'σ'}({self._gate_equation(k)})" for k in self.GATES]
        return (*gates, f"c_t = f_t ⊙ c_{self._past} + i_t ⊙ g_t", "h_t = o_t ⊙ tanh(c_t)")

    @property
    def weights(self) -> tuple[Weight, ...]:
        return self._gate_weights(self.GATES, {})

    def begin(self, s: Worksheet) -> None:
        super().begin(s)
        self._nothing_yet(s, "c", "memory")

    def forward(self, s: Worksheet, t: int) -> None:
        for k, gate in self.GATES.items():
            a = s.line(f"a{k}_{t}", self._gate(s, k, t), f"the sums of the {gate}")
            s.line(f"{k}_{t}", tanh(a) if k == "g" else sigmoid(a), f"the {gate}")
        written = s[f"i_{t}"] * s[f"g_{t}"]
        c = s.line(f"c_{t}", s[f"f_{t}"] * s[f"c_{self.before(t)}"] + written, "what is kept, and what is written")
        s.line(f"h_{t}", s[f"o_{t}"] * tanh(c), "what shows of it")

    def from_next(self, s: Worksheet, t: int, here: Term | None = None, by: str = "") -> None:
        words = f"back through every sum of {self._next}"
        words = words if here is None else f"by {by}, and {words}"
        s.line(_name("h", t), _and(here, self._sums_to_state(s, t)), words)

    def to_the_first_memory(self, s: Worksheet) -> None:
        s.line(_name("c", 0), _d(s, "c", 1) * s["f_1"], "by the memory of the first timestep")

    def backward(self, s: Worksheet, t: int, last: bool, to_memory: Term | None = None) -> None:
        dh, o, c = _d(s, "h", t), s[f"o_{t}"], s[f"c_{t}"]
        here = dh * o * (1 - tanh(c).squared)
        if not last:
            after = self.after(t)
            here = here + _d(s, "c", after) * s[f"f_{after}"]
            words = f"by the state, and by the memory of {self._next}"
        elif to_memory is not None:
            here, words = here + to_memory, "by the state, and by the memory that is passed on"
        else:
            words = "by the state"
        dc = s.line(_name("c", t), here, words)
        ways = {"o": dh * tanh(c), "i": dc * s[f"g_{t}"], "f": dc * s[f"c_{self.before(t)}"], "g": dc * s[f"i_{t}"]}
        for k, way in ways.items():
            d, gate = s.line(_name(k, t), way, f"the {self.GATES[k]}"), s[f"{k}_{t}"]
            inside = d * (1 - gate.squared) if k == "g" else d * gate * (1 - gate)
            s.line(_name(f"a{k}", t), inside, "and its sums")


class ByHandGRU(Cell):
    """The equations of :class:`rnncli.core.cells.gru.GRU`; the sums inside of σ and tanh are called ar, az and an."""

    # in the order of the columns
    GATES: ClassVar[dict[str, str]] = {"r": "reset gate", "z": "update gate", "n": "candidate"}
    logit = "s"  # z is a gate

    @property
    def equations(self) -> tuple[str, ...]:
        return (
            *(f"{k}_t = σ({self._gate_equation(k)})" for k in "rz"),
            f"m_t = h_{self._past}·W_hn" + (" + b_hn" if self.bias else ""),
            f"n_t = tanh(x_t·W_in{' + b_n' if self.bias else ''} + r_t ⊙ m_t)",
            f"h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{self._past}",
        )

    @property
    def weights(self) -> tuple[Weight, ...]:
        weights = self._gate_weights(self.GATES, {"n": "m"})
        if not self.bias:
            return weights
        within = Weight("b_hn", f"{self.layer}/bias_hn", slice(None), "", "m", "bias inside of the reset")
        return (*weights, within)

    def forward(self, s: Worksheet, t: int) -> None:
        past = s[f"h_{self.before(t)}"]
        for k in "rz":
            a = s.line(f"a{k}_{t}", self._gate(s, k, t), f"the sums of the {self.GATES[k]}")
            s.line(f"{k}_{t}", sigmoid(a), f"the {self.GATES[k]}")
        m = s.line(f"m_{t}", s.plus(past @ s["W_hn"], "b_hn"), "what the candidate may see of the past")
        a = s.line(f"an_{t}", s.plus(s[f"x_{t}"] @ s["W_in"], "b_n") + s[f"r_{t}"] * m, "the sums of the candidate")
        n, z = s.line(f"n_{t}", tanh(a), "the candidate"), s[f"z_{t}"]
        s.line(f"h_{t}", (1 - z) * n + z * past, "a part of it, and of the past the rest")

    def from_next(self, s: Worksheet, t: int, here: Term | None = None, by: str = "") -> None:
        after = self.after(t)
        ways = [_d(s, "h", after) * s[f"z_{after}"], *self._sums_to_state(s, t)]
        words = f"past the sums of {self._next}, and back through them"
        s.line(_name("h", t), _and(here, ways), words if here is None else f"by {by}, {words}")

    def backward(self, s: Worksheet, t: int, last: bool, to_memory: Term | None = None) -> None:
        dh, past, r, z, n = _d(s, "h", t), s[f"h_{self.before(t)}"], s[f"r_{t}"], s[f"z_{t}"], s[f"n_{t}"]
        dn = s.line(_name("n", t), dh * (1 - z), "the candidate")
        d_sums = s.line(_name("an", t), dn * (1 - n.squared), "and its sums")
        s.line(_name("m", t), d_sums * r, "what the candidate sees of the past")
        for k, way in {"z": dh * (past - n), "r": d_sums * s[f"m_{t}"]}.items():
            d, gate = s.line(_name(k, t), way, f"the {self.GATES[k]}"), s[f"{k}_{t}"]
            s.line(_name(f"a{k}", t), d * gate * (1 - gate), "and its sums")


KINDS: dict[type, type[Cell]] = {RNN: ByHandRNN, LSTM: ByHandLSTM, GRU: ByHandGRU}
