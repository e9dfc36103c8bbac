"""Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rnncli.core import backward_trace
from rnncli.core.activations import squash
from rnncli.core.cells.cell import Cell
from rnncli.core.cells.recurrence import (
    InputSums,
    StepBuffer,
    blocks_backward,
    by_gate,
    by_gate_transposed,
    by_step,
    dropping_vanished,
)
from rnncli.core.cells.specification import PAST_H, Compiled, Specification, StateSpec, Step, V, X, gate, of_gates
from rnncli.core.packed import Array, PackedSequence, Params, State


class LSTMCache(NamedTuple):
    """What forward keeps for backward, by the names of the equations; all but the first three are (S, H)."""

    x: PackedSequence
    h0: Array  # (N, H)
    c0: Array  # (N, H)
    o: Array
    i: Array
    f: Array
    g: Array
    c: Array
    tanh_c: Array
    h: Array


GATES = (gate("o", "output gate"), gate("i", "input gate"), gate("f", "forget gate"), gate("g", "candidate", "tanh"))


class LSTM(Cell):
    """The cell state c carries long-term memory past the steps; the hidden state h is the short-term one.

    o_t = σ(x_t·W_io + h_(t−1)·W_ho + b_o)       output gate: how much of the memory shows
    i_t = σ(x_t·W_ii + h_(t−1)·W_hi + b_i)       input gate: how much is written
    f_t = σ(x_t·W_if + h_(t−1)·W_hf + b_f)       forget gate: how much is kept
    g_t = tanh(x_t·W_ig + h_(t−1)·W_hg + b_g)    what is written
    c_t = f_t ⊙ c_(t−1) + i_t ⊙ g_t
    h_t = o_t ⊙ tanh(c_t)

    The four matrices stand side by side, in the order o, i, f, g: the first three share the sigmoid. The forget bias
    starts at 1, so that memory is kept before anything is learned (Jozefowicz et al. 2015).
    """

    specification = Specification(
        name="LSTM",
        states=(StateSpec("h", "state"), StateSpec("c", "memory")),
        gates=GATES,
        shown=("h", "c", "i", "f", "g", "o"),
        parameters=(
            of_gates("weight_ih", "W_i", "input weights", X, GATES),
            of_gates("weight_hh", "W_h", "recurrent weights", PAST_H, GATES),
            of_gates("bias", "b_", "bias", None, GATES),
        ),
        sums=("ao", "ai", "af", "ag"),
    )

    compiled = Compiled("lstm", LSTMCache)

    def step(self, s: Step[V]) -> None:
        o, i, f, g = s.gate("o"), s.gate("i"), s.gate("f"), s.gate("g")
        c = s.line("c", f * s.past("c") + i * g, "what f keeps of the memory, plus what i lets in")
        s.line("h", o * s.tanh(c), "what shows of it")

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params:
        params = super().init(rng, dtype)
        if self.bias:
            params["bias"][2 * self.hidden_size : 3 * self.hidden_size] = 1
        return params

    def forward(
        self, params: Params, x: PackedSequence, state: State | None = None, keep: bool = True
    ) -> tuple[Array, State, LSTMCache | None]:
        H, S, dtype = self.hidden_size, len(x.data), params["weight_hh"].dtype
        h0, c0 = self.first_state(state, x, dtype)
        last_h, last_c = h0.copy(), c0.copy()
        squashed = squash(3, 1, dtype)
        sums = InputSums(x, params["weight_ih"], params.get("bias"), squashed.scale)
        weight_hh = by_gate(params["weight_hh"], 4, squashed.scale)
        kept = np.empty((7 if keep else 1, S, H), dtype)  # o, i, f, g, c, tanh(c), h; or h alone
        buffers, pasts = StepBuffer(7, len(h0), H, dtype), StepBuffer(4, len(h0), H, dtype)
        with np.errstate(over="ignore", under="ignore"):  # e^−x may
            for start, n, steps in x.stretches:
                values, past = buffers.of(n), pasts.of(n)
                a, i_and_f, g_and_c, to_keep = values[:4], values[1:3], values[3:5], values[-len(kept) :]
                o, _, _, _, c, tanh_c, h = values
                squash_a, parts_of_c = squashed.on(a), past[:2]
                i_g, f_c = parts_of_c  # i ⊙ g and f ⊙ c_(t−1)
                h[...], c[...] = last_h[:n], last_c[:n]
                for kept_t, _ in zip(by_step(kept, start, n, steps), sums.walk(a, start, steps), strict=True):
                    a += np.matmul(h, weight_hh, past)
                    squash_a()
                    np.multiply(i_and_f, g_and_c, parts_of_c)
                    np.add(i_g, f_c, c)
                    np.tanh(c, tanh_c)
                    np.multiply(o, tanh_c, h)
                    kept_t[...] = to_keep
                last_h[:n], last_c[:n] = h, c
        return kept[-1], (last_h, last_c), LSTMCache(x, h0, c0, *kept) if keep else None

    def backward(
        self, params: Params, cache: LSTMCache, dy: Array | None, dstate: State | None = None
    ) -> tuple[Array | None, State, dict[str, Any]]:
        H = self.hidden_size
        x, h0, c0, o, i, f, g, c, tanh_c, h = cache
        weight_hh_t = by_gate_transposed(params["weight_hh"], 4)
        dh, dc = self.own_gradient(dstate, x, h.dtype)
        da = np.empty((4, len(h), H), h.dtype)  # gradient of the four sums inside σ and tanh
        do, di, df, dg = da
        d_states = backward_trace.buffer(2, h)
        through_tanh, through_gates = np.empty_like(c0), StepBuffer(4, len(h0), H, h.dtype)
        for first, end, steps in blocks_backward(x, row_bytes=10 * h.itemsize * H):
            # The factors that do not wait for the next step, for the whole block: gate' times what the gate multiplies.
            # As σ' = σ(1 − σ), each holds the gate times what it multiplies, which is there already: h = o ⊙ tanh(c),
            # and i ⊙ g and f ⊙ c_(t−1), the two parts of c.
            rows = slice(first, end)
            written = i[rows] * g[rows]
            np.multiply(1 - o[rows], h[rows], out=do[rows])
            np.multiply(1 - i[rows], written, out=di[rows])
            np.multiply(1 - f[rows], c[rows] - written, out=df[rows])
            np.subtract(i[rows], g[rows] * written, out=dg[rows])  # (1 − g²) ⊙ i
            dc_of_dh = o[rows] - h[rows] * tanh_c[rows]  # o ⊙ (1 − tanh²(c))
            for start, n in dropping_vanished(steps, dh, dc):
                rows = slice(start, start + n)
                dh_t, dc_t, da_t = dh[:n], dc[:n], da[:, rows]
                if dy is not None:
                    dh_t += dy[rows]
                dc_t += np.multiply(dh_t, dc_of_dh[start - first : start - first + n], out=through_tanh[:n])
                if d_states is not None:
                    d_states[:, rows] = dh_t, dc_t
                do_t, of_c_t = da_t[0], da_t[1:]
                do_t *= dh_t
                of_c_t *= dc_t
                dc_t *= f[rows]
                np.add.reduce(np.matmul(da_t, weight_hh_t, out=through_gates.of(n)), axis=0, out=dh_t)
        dx, grads = self.gradients(params, cache, da)
        backward_trace.record(self, params, cache, dy, sums=da, states=d_states, dstate=dstate)
        return dx, (dh, dc), grads


CELL = LSTM
