"""An LSTM whose gates look at the memory (Gers & Schmidhuber 2000): it has weights that multiply unit by unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnncli.core import backward_trace
from rnncli.core.activations import sigmoid
from rnncli.core.cells.cell import Cell
from rnncli.core.cells.recurrence import InputSums, by_gate, previous
from rnncli.core.cells.specification import PAST_H, Factor, Specification, StateSpec, Step, V, X, gate, of_gates
from rnncli.core.packed import Array, PackedSequence, Params, State


class PeepholeCache(NamedTuple):
    x: PackedSequence
    h0: Array
    c0: Array
    i: Array
    f: Array
    g: Array
    o: Array
    c: Array
    h: Array


GATES = (gate("i", "input gate"), gate("f", "forget gate"), gate("g", "candidate", "tanh"), gate("o", "output gate"))


@dataclass(frozen=True)
class PeepholeLSTM(Cell):
    """i and f look at c_(t−1), and o at c_t:

    i_t = σ(x_t·W_ii + h_(t−1)·W_hi + c_(t−1) ⊙ p_i + b_i)      and f_t alike
    g_t = tanh(x_t·W_ig + h_(t−1)·W_hg + b_g)
    c_t = f_t ⊙ c_(t−1) + i_t ⊙ g_t
    o_t = σ(x_t·W_io + h_(t−1)·W_ho + c_t ⊙ p_o + b_o)
    h_t = o_t ⊙ tanh(c_t)
    """

    specification = Specification(
        name="peephole LSTM",
        states=(StateSpec("h", "state"), StateSpec("c", "memory")),
        gates=GATES,
        shown=("h", "c", "i", "f", "o", "g"),
        parameters=(
            of_gates("weight_ih", "W_i", "input weights", X, GATES),
            of_gates("weight_hh", "W_h", "recurrent weights", PAST_H, GATES),
            of_gates("peep_past", "p_", "peepholes", Factor("c", past=True), GATES[:2], elementwise=True),
            of_gates("peep_now", "p_", "peepholes", Factor("c"), GATES[3:], elementwise=True),
            of_gates("bias", "b_", "bias", None, GATES),
        ),
        sums=("ai", "af", "ag", "ao"),
    )

    def step(self, s: Step[V]) -> None:
        i, f, g = s.gate("i"), s.gate("f"), s.gate("g")
        c = s.line("c", f * s.past("c") + i * g, "what f keeps of the memory, plus what i lets in")
        s.line("h", s.gate("o") * s.tanh(c), "what shows of it")

    def forward(
        self, params: Params, x: PackedSequence, state: State | None = None, keep: bool = True
    ) -> tuple[Array, State, PeepholeCache | None]:
        H, dtype = self.hidden_size, params["weight_ih"].dtype
        h0, c0 = self.first_state(state, x, dtype)
        last_h, last_c = h0.copy(), c0.copy()
        sums = InputSums(x, params["weight_ih"], params.get("bias"), np.ones((4, 1, 1), dtype))
        weight_hh = by_gate(params["weight_hh"], 4)
        p_i, p_f, p_o = *np.split(params["peep_past"], 2), params["peep_now"]
        kept = np.empty((6, len(x.data), H), dtype)
        for start, n, steps in x.stretches:
            a = np.empty((4, n, H), dtype)
            for row, _ in zip(range(start, start + n * steps, n), sums.walk(a, start, steps), strict=True):
                h, c = last_h[:n], last_c[:n]
                a += h @ weight_hh
                i, f, g = sigmoid(a[0] + c * p_i), sigmoid(a[1] + c * p_f), np.tanh(a[2])
                c[...] = f * c + i * g
                o = sigmoid(a[3] + c * p_o)
                h[...] = o * np.tanh(c)
                kept[:, row : row + n] = i, f, g, o, c, h
        return kept[-1], (last_h, last_c), PeepholeCache(x, h0, c0, *kept) if keep else None

    def backward(
        self, params: Params, cache: PeepholeCache, dy: Array | None, dstate: State | None = None
    ) -> tuple[Array | None, State, dict[str, Any]]:
        x, _, c0, i, f, g, o, c, h = cache
        weight_hh = by_gate(params["weight_hh"], 4)
        p_i, p_f, p_o = *np.split(params["peep_past"], 2), params["peep_now"]
        dh_all, dc_all = self.own_gradient(dstate, x, h.dtype)
        da, d_states, c_past = np.empty((4, *h.shape), h.dtype), backward_trace.buffer(2, h), previous(x, c0, c)
        for start, n in reversed(x.steps):
            rows = slice(start, start + n)
            dh, dc = dh_all[:n], dc_all[:n]
            if dy is not None:
                dh += dy[rows]
            tanh_c = np.tanh(c[rows])
            d_o = dh * tanh_c * o[rows] * (1 - o[rows])
            dc += dh * o[rows] * (1 - tanh_c**2) + d_o * p_o
            if d_states is not None:
                d_states[:, rows] = dh, dc
            d_i = dc * g[rows] * i[rows] * (1 - i[rows])
            d_f = dc * c_past[rows] * f[rows] * (1 - f[rows])
            da[:, rows] = d_i, d_f, dc * i[rows] * (1 - g[rows] ** 2), d_o
            dc[...] = dc * f[rows] + d_i * p_i + d_f * p_f
            dh[...] = np.matmul(da[:, rows], weight_hh.transpose(0, 2, 1)).sum(axis=0)
        dx, grads = self.gradients(params, cache, da)
        backward_trace.record(self, params, cache, dy, sums=da, states=d_states, dstate=dstate)
        return dx, (dh_all, dc_all), grads


CELL = PeepholeLSTM
