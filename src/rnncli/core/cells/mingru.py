"""The minimal gated recurrent unit: the minGRU of Feng et al. 2024, "Were RNNs All We Needed?", in its plain form."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rnncli.core import backward_trace
from rnncli.core.activations import squash
from rnncli.core.cells.cell import Cell
from rnncli.core.cells.recurrence import InputSums, dropping_vanished, previous
from rnncli.core.cells.specification import Block, Compiled, ParameterSpec, Specification, StateSpec, Step, V, X, gate
from rnncli.core.packed import Array, PackedSequence, Params, State


class MinGRUCache(NamedTuple):
    """What forward keeps for backward, by the names of the equations; all but the first two are (S, H)."""

    x: PackedSequence
    h0: Array  # (N, H)
    z: Array
    n: Array
    h: Array


class MinGRU(Cell):
    """One state, one gate; only the state itself needs the step before.

    z_t = σ(x_t·W_iz + b_z)                      update gate: how much is new
    n_t = x_t·W_in + b_n                         the candidate (the paper's h̃_t)
    h_t = (1 − z_t) ⊙ h_(t−1) + z_t ⊙ n_t

    Gate and candidate do not look at h_(t−1), so that all products are large ones over all steps, and a step is three
    element-wise operations. z is the other way round than in the GRU. This is the paper's plain form: its form in
    log-space, for a parallel scan, replaces n_t by a positive function of it.
    """

    specification = Specification(
        name="minGRU",
        states=(StateSpec("h", "state"),),
        gates=(gate("z", "update gate"),),
        shown=("h", "z", "n"),
        parameters=(
            ParameterSpec(
                "weight_ih",
                X,
                (
                    Block("z", "W_iz", "az", "input weights of the update gate"),
                    Block("n", "W_in", "n", "input weights of the candidate"),
                ),
            ),
            ParameterSpec(
                "bias",
                None,
                (
                    Block("z", "b_z", "az", "bias of the update gate"),
                    Block("n", "b_n", "n", "bias of the candidate"),
                ),
            ),
        ),
        sums=("az", "n"),
    )

    compiled = Compiled("mingru", MinGRUCache)

    def step(self, s: Step[V]) -> None:
        z, n = s.gate("z"), s.sums("n", "the candidate")
        s.line("h", (1 - z) * s.past("h") + z * n, "what is kept of the past, and what is new")

    def forward(
        self, params: Params, x: PackedSequence, state: State | None = None, keep: bool = True
    ) -> tuple[Array, State, MinGRUCache | None]:
        H, dtype = self.hidden_size, params["weight_ih"].dtype
        (h0,) = self.first_state(state, x, dtype)
        last_h = h0.copy()
        squashed = squash(1, 0, dtype)
        scale = np.concatenate((squashed.scale, np.ones((1, 1, 1), dtype)))
        sums = InputSums(x, params["weight_ih"], params.get("bias"), scale).of_all_steps()
        h = np.empty((len(x.data), H), dtype)
        with np.errstate(over="ignore", under="ignore"):  # e^−x may
            squashed.on(sums[:1])()
            z, candidate = sums
            for start, n, steps in x.stretches:
                rows = slice(start, start + n * steps)
                of_steps = (values[rows].reshape(steps, n, H) for values in (z, candidate, h))
                h_prev = last_h[:n]
                for z_t, n_t, h_t in zip(*of_steps, strict=True):
                    np.subtract(n_t, h_prev, h_t)
                    h_t *= z_t
                    h_t += h_prev  # = h_(t−1) + z ⊙ (n − h_(t−1))
                    h_prev = h_t
                last_h[:n] = h_prev
        return h, (last_h,), MinGRUCache(x, h0, z, candidate, h) if keep else None

    def backward(
        self, params: Params, cache: MinGRUCache, dy: Array | None, dstate: State | None = None
    ) -> tuple[Array | None, State, dict[str, Any]]:
        x, h0, z, n_all, h = cache
        (dh,) = self.own_gradient(dstate, x, h.dtype)
        closed = 1 - z
        d_states = np.zeros((1, *h.shape), h.dtype) if dy is None else dy[None].astype(h.dtype)  # ∂L/∂h_t, in all
        for start, n in dropping_vanished(x.steps[::-1], dh):
            rows = slice(start, start + n)
            d_states[0, rows] += dh[:n]
            np.multiply(d_states[0, rows], closed[rows], out=dh[:n])
        da = np.empty((2, *h.shape), h.dtype)  # gradients of the two sums
        np.multiply(d_states[0], z, out=da[1])
        np.subtract(n_all, previous(x, h0, h), out=da[0])
        da[0] *= da[1]
        da[0] *= closed
        dx, grads = self.gradients(params, cache, da)
        backward_trace.record(self, params, cache, dy, sums=da, states=d_states, dstate=dstate)
        return dx, (dh,), grads


CELL = MinGRU
