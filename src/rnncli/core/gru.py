"""The gated recurrent unit (Cho et al. 2014), in the form with the reset gate after the product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnncli.core.activations import squash
from rnncli.core.initializers import glorot_uniform, orthogonal
from rnncli.core.packed import Array, PackedSequence
from rnncli.core.recurrence import (
    GateRoom,
    InputSums,
    Params,
    State,
    add_up,
    blocks_backward,
    by_gate,
    by_gate_transposed,
    input_gradients,
    last_rows,
    own_copy,
    previous,
    side_by_side_gates,
    zero_state,
)


class GRUCache(NamedTuple):
    """What forward keeps for backward, by the names of the equations; all but the first two are (S, H)."""

    x: PackedSequence
    h0: Array  # (N, H)
    r: Array
    z: Array
    n: Array
    m: Array
    h: Array


@dataclass(frozen=True)
class GRU:
    """One state, two gates.

    r_t = σ(x_t·W_ir + h_(t−1)·W_hr + b_r)       reset gate: how much of the past the candidate sees
    z_t = σ(x_t·W_iz + h_(t−1)·W_hz + b_z)       update gate: how much of the past is kept
    m_t = h_(t−1)·W_hn + b_hn
    n_t = tanh(x_t·W_in + b_n + r_t ⊙ m_t)       the candidate
    h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_(t−1)

    The reset gate multiplies after the product with W_hn, as cuDNN and PyTorch compute it, so that one product serves
    all three gates; b_hn stands inside the reset and therefore has to be a bias of its own.

    Args:
        input_size: D, or the vocabulary size V when the input is token ids (one-hot).
        hidden_size: H.
        bias: whether there are biases.
    """

    input_size: int
    hidden_size: int
    bias: bool = True
    state_count = 1

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params:
        H = self.hidden_size
        params = {
            "weight_ih": glorot_uniform(rng, self.input_size, H, 3, dtype),
            "weight_hh": orthogonal(rng, H, 3, dtype),
        }
        if self.bias:
            params["bias"] = np.zeros(3 * H, dtype)
            params["bias_hn"] = np.zeros(H, dtype)
        return params

    def forward(self, params: Params, x: PackedSequence, state: State | None = None) -> tuple[Array, State, GRUCache]:
        """Runs (S, D) numbers or (S,) ids; returns h of every step (S, H), the last state and the cache."""
        H, S, dtype = self.hidden_size, len(x.data), params["weight_hh"].dtype
        (h0,) = state or zero_state(1, x, H, dtype)
        squashed = squash(2, 0, dtype)
        scale = np.concatenate((squashed.scale, np.ones((1, 1, 1), dtype)))  # the candidate goes through tanh itself
        sums = InputSums(x, params["weight_ih"], params.get("bias"), scale)
        weight_hh = by_gate(params["weight_hh"], 3, scale)
        bias_hn = params.get("bias_hn")
        gates = np.empty((3, S, H), dtype)
        h, m = np.empty((S, H), dtype), np.empty((S, H), dtype)
        room, recurrent = GateRoom(3, len(h0), H, dtype), GateRoom(3, len(h0), H, dtype)
        h_prev = h0
        with np.errstate(over="ignore", under="ignore"):  # e^−x may
            for start, n in x.steps():
                rows = slice(start, start + n)
                a, m_t, h_t = room.of(n), m[rows], h[rows]
                sums.into(a, start)
                past = np.matmul(h_prev[:n], weight_hh, out=recurrent.of(n))
                sigmoids = a[:2]
                sigmoids += past[:2]
                squashed.apply(sigmoids)
                r, z, candidate = a
                if bias_hn is None:
                    m_t[...] = past[2]
                else:
                    np.add(past[2], bias_hn, out=m_t)
                candidate += np.multiply(r, m_t, out=h_t)  # h_t serves as scratch until its own value is written
                np.tanh(candidate, out=candidate)
                gates[:, rows] = a
                np.subtract(h_prev[:n], candidate, out=h_t)
                h_t *= z
                h_t += candidate
                h_prev = h_t
        return h, (h[last_rows(x)],), GRUCache(x, h0, gates[0], gates[1], gates[2], m, h)

    def backward(
        self, params: Params, cache: GRUCache, dy: Array | None, dstate: State | None = None
    ) -> tuple[Array | None, State, dict[str, Any]]:
        """From dy (S, H) and the last state's gradient to those of x, of the first state and of the weights."""
        H = self.hidden_size
        x, h0, r, z, n_all, m, h = cache
        weight_hh_t = by_gate_transposed(params["weight_hh"], 3)
        (dh,) = own_copy(dstate, 1, x, H, h.dtype)
        h_prev = previous(x, h0, h)
        # Gradients of the three sums seen from the recurrent side; the candidate's part is that of m_t.
        da = np.empty((3, len(h), H), h.dtype)
        dr, dz, dm = da
        d_candidate = np.empty_like(h)  # … and that of the candidate's sum, which is what the input side needs
        carried, through_gates = np.empty_like(h0), GateRoom(3, len(h0), H, h.dtype)
        for first, end, steps in blocks_backward(x, row_bytes=9 * h.itemsize * H):
            rows = slice(first, end)
            np.multiply(1 - z[rows], 1 - n_all[rows] ** 2, out=d_candidate[rows])
            np.multiply(h[rows] - n_all[rows], 1 - z[rows], out=dz[rows])  # z ⊙ (h_(t−1) − n) is h − n
            np.multiply(d_candidate[rows], r[rows], out=dm[rows])
            np.multiply(dm[rows], m[rows] * (1 - r[rows]), out=dr[rows])
            for start, n in steps:
                rows = slice(start, start + n)
                dh_t, da_t, d_candidate_t = dh[:n], da[:, rows], d_candidate[rows]
                if dy is not None:
                    dh_t += dy[rows]
                d_candidate_t *= dh_t
                for gate in da_t:
                    gate *= dh_t
                np.multiply(dh_t, z[rows], out=carried[:n])
                add_up(np.matmul(da_t, weight_hh_t, out=through_gates.of(n)), out=dh_t)
                dh_t += carried[:n]
        grads: dict[str, Any] = {"weight_hh": side_by_side_gates(np.matmul(h_prev.T, da))}
        if self.bias:
            grads["bias_hn"] = dm.sum(axis=0)
        dm[...] = d_candidate
        dx, grads["weight_ih"], d_bias = input_gradients(x, params["weight_ih"], da)
        if self.bias:
            grads["bias"] = d_bias
        return dx, (dh,), grads
