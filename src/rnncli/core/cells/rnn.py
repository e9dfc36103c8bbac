"""The plain recurrent network of the notes (Elman 1990)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from rnncli.core import backward_trace
from rnncli.core.cells.cell import Cell
from rnncli.core.cells.recurrence import InputSums, StepBuffer, blocks_backward, by_gate_transposed, dropping_vanished
from rnncli.core.cells.specification import (
    PAST_H,
    Block,
    Compiled,
    GateSpec,
    ParameterSpec,
    Specification,
    StateSpec,
    Step,
    V,
    X,
)
from rnncli.core.packed import Array, PackedSequence, Params, State


class RNNCache(NamedTuple):
    """What forward keeps for backward, by the names of the equation."""

    x: PackedSequence
    h0: Array  # (N, H)
    h: Array  # (S, H)


@dataclass(frozen=True)
class RNN(Cell):
    """h_t = f(x_t·W_i + h_(t−1)·W_h + b), the same weights at every step.

    (The notes write o_t for h_t, f = tanh or ReLU, and no b: ``bias=False``.)

    Args:
        nonlinearity: f.
    """

    nonlinearity: Literal["tanh", "relu"] = "tanh"

    @cached_property
    def specification(self) -> Specification:
        return Specification(
            name="RNN",
            states=(StateSpec("h", "state", notes="o"),),
            gates=(GateSpec("h", "output", self.nonlinearity, sums="a"),),
            shown=("h",),
            parameters=(
                ParameterSpec("weight_ih", X, (Block("a", "W_i", "a", "input weights"),)),
                ParameterSpec("weight_hh", PAST_H, (Block("a", "W_h", "a", "recurrent weights"),)),
                ParameterSpec("bias", None, (Block("a", "b", "a", "bias"),)),
            ),
            sums=("a",),
            output="o",
        )

    @property
    def compiled(self) -> Compiled:
        return Compiled(f"rnn_{self.nonlinearity}", RNNCache)

    def step(self, s: Step[V]) -> None:
        a = s.sums("a", "the sums")
        s.line("h", s.tanh(a) if self.nonlinearity == "tanh" else s.relu(a), "the output")

    def forward(
        self, params: Params, x: PackedSequence, state: State | None = None, keep: bool = True
    ) -> tuple[Array, State, RNNCache | None]:
        H, dtype, weight_hh = self.hidden_size, params["weight_hh"].dtype, params["weight_hh"]
        (h0,) = self.first_state(state, x, dtype)
        last_h = h0.copy()
        sums = InputSums(x, params["weight_ih"], params.get("bias"), np.ones((1, 1, 1), dtype))
        h = np.empty((len(x.data), H), dtype)
        buffers, pasts, zero = StepBuffer(1, len(h0), H, dtype), StepBuffer(1, len(h0), H, dtype), np.zeros((), dtype)
        for start, n, steps in x.stretches:
            values, past, h_prev = buffers.of(n), pasts.of(n)[0], last_h[:n]
            a = values[0]
            own_h = h[start : start + n * steps].reshape(steps, n, H)
            for h_t, _ in zip(own_h, sums.walk(values, start, steps), strict=True):
                a += np.matmul(h_prev, weight_hh, past)
                if self.nonlinearity == "tanh":
                    np.tanh(a, h_t)
                else:
                    np.maximum(a, zero, out=h_t)
                h_prev = h_t
            last_h[:n] = h_prev
        return h, (last_h,), RNNCache(x, h0, h) if keep else None

    def backward(
        self, params: Params, cache: RNNCache, dy: Array | None, dstate: State | None = None
    ) -> tuple[Array | None, State, dict[str, Any]]:
        x, _, h = cache
        weight_hh_t = by_gate_transposed(params["weight_hh"], 1)[0]
        (dh,) = self.own_gradient(dstate, x, h.dtype)
        da = np.empty_like(h)  # ∂L/∂(x_t·W_i + h_(t−1)·W_h + b)
        d_states = backward_trace.buffer(1, h)
        for first, end, steps in blocks_backward(x, row_bytes=2 * h.itemsize * self.hidden_size):
            # f'(a): 1 − h² for tanh; for ReLU 1 where h > 0
            if self.nonlinearity == "tanh":
                np.subtract(1, h[first:end] ** 2, out=da[first:end])
            else:
                np.greater(h[first:end], 0, out=da[first:end])
            for start, n in dropping_vanished(steps, dh):
                dh_t = dh[:n]
                if dy is not None:
                    dh_t += dy[start : start + n]
                if d_states is not None:
                    d_states[0, start : start + n] = dh_t
                da_t = da[start : start + n]
                da_t *= dh_t
                np.matmul(da_t, weight_hh_t, out=dh_t)
        dx, grads = self.gradients(params, cache, da[None])
        backward_trace.record(self, params, cache, dy, sums=da[None], states=d_states, dstate=dstate)
        return dx, (dh,), grads


CELL = RNN
