"""A simple recurrent unit without its shortcut (Lei et al. 2018): it has no ``weight_hh``, and gates of x alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnncli.core import backward_trace
from rnncli.core.activations import sigmoid
from rnncli.core.cells.cell import Cell
from rnncli.core.cells.recurrence import InputSums, previous
from rnncli.core.cells.specification import Block, ParameterSpec, Specification, StateSpec, Step, V, X, gate, of_gates
from rnncli.core.packed import Array, PackedSequence, Params, State


class SRUCache(NamedTuple):
    x: PackedSequence
    h0: Array
    c0: Array
    n: Array
    f: Array
    r: Array
    c: Array
    h: Array


GATES = (gate("f", "forget gate"), gate("r", "reset gate"))


@dataclass(frozen=True)
class SRU(Cell):
    """f and r are σ(x_t·W + b), n_t = x_t·W_in, c_t = f_t ⊙ c_(t−1) + (1 − f_t) ⊙ n_t, and h_t = r_t ⊙ tanh(c_t)."""

    specification = Specification(
        name="SRU",
        states=(StateSpec("h", "state"), StateSpec("c", "memory")),
        gates=GATES,
        shown=("h", "c", "n", "f", "r"),
        parameters=(
            ParameterSpec(
                "weight_ih",
                X,
                (
                    Block("n", "W_in", "n", "input weights of the candidate"),
                    *of_gates("", "W_i", "input weights", X, GATES).blocks,
                ),
            ),
            of_gates("bias", "b_", "bias", None, GATES),
        ),
        sums=("n", "af", "ar"),
    )

    def step(self, s: Step[V]) -> None:
        n, f, r = s.sums("n", "the candidate"), s.gate("f"), s.gate("r")
        c = s.line("c", f * s.past("c") + (1 - f) * n, "what is kept, and what is new")
        s.line("h", r * s.tanh(c), "what shows of it")

    def forward(
        self, params: Params, x: PackedSequence, state: State | None = None, keep: bool = True
    ) -> tuple[Array, State, SRUCache | None]:
        H, dtype = self.hidden_size, params["weight_ih"].dtype
        h0, c0 = self.first_state(state, x, dtype)
        last_h, last_c = h0.copy(), c0.copy()
        bias = np.concatenate((np.zeros(H, dtype), params["bias"])) if self.bias else None
        sums = InputSums(x, params["weight_ih"], bias, np.ones((3, 1, 1), dtype))
        kept = np.empty((5, len(x.data), H), dtype)
        for start, n, steps in x.stretches:
            a = np.empty((3, n, H), dtype)
            for row, _ in zip(range(start, start + n * steps, n), sums.walk(a, start, steps), strict=True):
                u, f, r = a[0], sigmoid(a[1]), sigmoid(a[2])
                last_c[:n] = f * last_c[:n] + (1 - f) * u
                last_h[:n] = r * np.tanh(last_c[:n])
                kept[:, row : row + n] = u, f, r, last_c[:n], last_h[:n]
        return kept[-1], (last_h, last_c), SRUCache(x, h0, c0, *kept) if keep else None

    def backward(
        self, params: Params, cache: SRUCache, dy: Array | None, dstate: State | None = None
    ) -> tuple[Array | None, State, dict[str, Any]]:
        x, _, c0, u, f, r, c, h = cache
        dh_all, dc_all = self.own_gradient(dstate, x, h.dtype)
        da, d_states, c_past = np.empty((3, *h.shape), h.dtype), backward_trace.buffer(2, h), previous(x, c0, c)
        for start, n in reversed(x.steps):
            rows = slice(start, start + n)
            dh, dc = dh_all[:n], dc_all[:n]
            if dy is not None:
                dh += dy[rows]
            tanh_c = np.tanh(c[rows])
            dc += dh * r[rows] * (1 - tanh_c**2)
            if d_states is not None:
                d_states[:, rows] = dh, dc
            d_f = dc * (c_past[rows] - u[rows]) * f[rows] * (1 - f[rows])
            da[:, rows] = dc * (1 - f[rows]), d_f, dh * tanh_c * r[rows] * (1 - r[rows])
            dc *= f[rows]
            dh[...] = 0  # the next step reads c alone
        dx, grads = self.gradients(params, cache, da)
        backward_trace.record(self, params, cache, dy, sums=da, states=d_states, dstate=dstate)
        return dx, (dh_all, dc_all), grads


CELL = SRU
