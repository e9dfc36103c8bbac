"""The gated recurrent unit (Cho et al. 2014), in the form with the reset gate after the product."""

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
from rnncli.core.cells.specification import (
    PAST_H,
    Block,
    Compiled,
    ParameterSpec,
    Specification,
    StateSpec,
    Step,
    V,
    X,
    gate,
    of_gates,
)
from rnncli.core.packed import Array, PackedSequence, Params, State


class GRUCache(NamedTuple):
    """What forward keeps for backward, by the names of the equations; all but the first two are (S, H)."""

    x: PackedSequence
    h0: Array  # (N, H)
    r: Array
    z: Array
    n: Array
    m: Array
    h: Array


GATES = (gate("r", "reset gate"), gate("z", "update gate"), gate("n", "candidate", "tanh"))


class GRU(Cell):
    """One state, two gates.

    r_t = σ(x_t·W_ir + h_(t−1)·W_hr + b_r)       reset gate: how much of the past the candidate sees
    z_t = σ(x_t·W_iz + h_(t−1)·W_hz + b_z)       update gate: how much of the past is kept
    m_t = h_(t−1)·W_hn + b_hn
    n_t = tanh(x_t·W_in + b_n + r_t ⊙ m_t)       the candidate
    h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_(t−1)

    The reset gate multiplies after the product with W_hn, as cuDNN and PyTorch compute it, so that one product serves
    all three gates; b_hn stands inside the reset and therefore has to be a bias of its own.
    """

    specification = Specification(
        name="GRU",
        states=(StateSpec("h", "state"),),
        gates=GATES,
        shown=("h", "r", "z", "n"),
        parameters=(
            of_gates("weight_ih", "W_i", "input weights", X, GATES),
            of_gates("weight_hh", "W_h", "recurrent weights", PAST_H, GATES, sums={"n": "m"}),
            of_gates("bias", "b_", "bias", None, GATES),
            ParameterSpec("bias_hn", None, (Block("n", "b_hn", "m", "bias that the reset gate multiplies"),)),
        ),
        sums=("m", "ar", "az", "an"),
    )

    compiled = Compiled("gru", GRUCache)

    def step(self, s: Step[V]) -> None:
        r, z = s.gate("r"), s.gate("z")
        m = s.sums("m", "what the candidate may see of the past")
        n = s.gate("n", r * m)
        s.line("h", (1 - z) * n + z * s.past("h"), "a mixture of the candidate and the past")

    def forward(
        self, params: Params, x: PackedSequence, state: State | None = None, keep: bool = True
    ) -> tuple[Array, State, GRUCache | None]:
        H, S, dtype = self.hidden_size, len(x.data), params["weight_hh"].dtype
        (h0,) = self.first_state(state, x, dtype)
        last_h = h0.copy()
        squashed = squash(2, 0, dtype)
        scale = np.concatenate((squashed.scale, np.ones((1, 1, 1), dtype)))  # the candidate goes through tanh itself
        sums = InputSums(x, params["weight_ih"], params.get("bias"), scale)
        weight_hh = by_gate(params["weight_hh"], 3, scale)
        bias_hn = params.get("bias_hn", np.zeros((), dtype))
        kept = np.empty((5 if keep else 1, S, H), dtype)  # r, z, n, m, h; or h alone
        buffers, pasts = StepBuffer(5, len(h0), H, dtype), StepBuffer(3, len(h0), H, dtype)
        with np.errstate(over="ignore", under="ignore"):  # e^−x may
            for start, n, steps in x.stretches:
                values, past = buffers.of(n), pasts.of(n)
                a, sigmoids, to_keep = values[:3], values[:2], values[-len(kept) :]
                past_sigmoids, past_candidate = past[:2], past[2]
                r, z, candidate, m, h = values
                h[...] = last_h[:n]
                squash_sigmoids = squashed.on(sigmoids)
                for kept_t, _ in zip(by_step(kept, start, n, steps), sums.walk(a, start, steps), strict=True):
                    np.matmul(h, weight_hh, past)
                    sigmoids += past_sigmoids
                    squash_sigmoids()
                    np.add(past_candidate, bias_hn, m)
                    candidate += np.multiply(r, m, past_candidate)
                    np.tanh(candidate, candidate)
                    h -= candidate
                    h *= z
                    h += candidate  # = n + z ⊙ (h_(t−1) − n)
                    kept_t[...] = to_keep
                last_h[:n] = h
        return kept[-1], (last_h,), GRUCache(x, h0, *kept) if keep else None

    def backward(
        self, params: Params, cache: GRUCache, dy: Array | None, dstate: State | None = None
    ) -> tuple[Array | None, State, dict[str, Any]]:
        H = self.hidden_size
        x, h0, r, z, n_all, m, h = cache
        weight_hh_t = by_gate_transposed(params["weight_hh"], 3)[[2, 0, 1]]  # that of m_t first
        (dh,) = self.own_gradient(dstate, x, h.dtype)
        # Gradients of the sums, in an order in which those of either side lie together: of the recurrent side m_t and
        # the two gates, of the input's side the two gates and the candidate.
        da = np.empty((4, len(h), H), h.dtype)
        dm, dr, dz, d_candidate = da
        d_states = backward_trace.buffer(1, h)
        carried, through_gates = np.empty_like(h0), StepBuffer(3, len(h0), H, h.dtype)
        for first, end, steps in blocks_backward(x, row_bytes=9 * h.itemsize * H):
            rows = slice(first, end)
            np.multiply(1 - z[rows], 1 - n_all[rows] ** 2, out=d_candidate[rows])
            np.multiply(h[rows] - n_all[rows], 1 - z[rows], out=dz[rows])  # z ⊙ (h_(t−1) − n) is h − n
            np.multiply(d_candidate[rows], r[rows], out=dm[rows])
            np.multiply(dm[rows], m[rows] * (1 - r[rows]), out=dr[rows])
            for start, n in dropping_vanished(steps, dh):
                rows = slice(start, start + n)
                dh_t, da_t = dh[:n], da[:, rows]
                if dy is not None:
                    dh_t += dy[rows]
                if d_states is not None:
                    d_states[0, rows] = dh_t
                da_t *= dh_t
                np.multiply(dh_t, z[rows], out=carried[:n])
                np.add.reduce(np.matmul(da_t[:3], weight_hh_t, out=through_gates.of(n)), axis=0, out=dh_t)
                dh_t += carried[:n]
        dx, grads = self.gradients(params, cache, da)
        backward_trace.record(self, params, cache, dy, sums=da, states=d_states, dstate=dstate)
        return dx, (dh,), grads


CELL = GRU
