"""The gated recurrent unit (Cho et al. 2014), in the form with the reset gate after the product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnncli.core.activations import halve_columns
from rnncli.core.initializers import glorot_uniform, orthogonal
from rnncli.core.packed import Array, PackedSequence
from rnncli.core.recurrence import (
    Params,
    State,
    blocks_backward,
    last_rows,
    own_copy,
    previous,
    project,
    project_backward,
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
        H, dtype = self.hidden_size, params["weight_hh"].dtype
        (h0,) = state or zero_state(1, x, H, dtype)
        gates = project(x, params["weight_ih"], params.get("bias"))  # (S, 3H)
        gates[:, : 2 * H] *= 0.5
        weight_hh = halve_columns(params["weight_hh"], 2 * H)
        bias_hn = params.get("bias_hn")
        h, m = np.empty((len(gates), H), dtype), np.empty((len(gates), H), dtype)
        recurrent = np.empty((len(h0), 3 * H), dtype)
        h_prev = h0
        for start, n in x.steps():
            rows = slice(start, start + n)
            a, m_t, h_t = gates[rows], m[rows], h[rows]
            past = np.matmul(h_prev[:n], weight_hh, out=recurrent[:n])
            sigmoids = a[:, : 2 * H]
            sigmoids += past[:, : 2 * H]
            np.tanh(sigmoids, out=sigmoids)
            sigmoids *= 0.5
            sigmoids += 0.5
            r, z, candidate = _split(a, H)
            if bias_hn is None:
                m_t[...] = past[:, 2 * H :]
            else:
                np.add(past[:, 2 * H :], bias_hn, out=m_t)
            candidate += np.multiply(r, m_t, out=h_t)  # h_t serves as scratch until its own value is written
            np.tanh(candidate, out=candidate)
            np.subtract(h_prev[:n], candidate, out=h_t)
            h_t *= z
            h_t += candidate
            h_prev = h_t
        return h, (h[last_rows(x)],), GRUCache(x, h0, *_split(gates, H), m, h)

    def backward(
        self, params: Params, cache: GRUCache, dy: Array | None, dstate: State | None = None
    ) -> tuple[Array | None, State, dict[str, Any]]:
        """From dy (S, H) and the last state's gradient to those of x, of the first state and of the weights."""
        H = self.hidden_size
        x, h0, r, z, n_all, m, h = cache
        weight_hh_t = np.ascontiguousarray(params["weight_hh"].T)
        (dh,) = own_copy(dstate, 1, x, H, h.dtype)
        h_prev = previous(x, h0, h)
        # Gradients of the three sums seen from the recurrent side; the candidate's part is that of m_t.
        da = np.empty((len(h), 3 * H), h.dtype)
        d_candidate = np.empty_like(h)  # … and that of the candidate's sum, which is what the input side needs
        carried = np.empty_like(h0)
        for first, end, steps in blocks_backward(x, row_bytes=9 * h.itemsize * H):
            rows = slice(first, end)
            dr, dz, dm = _split(da[rows], H)
            np.multiply(1 - z[rows], 1 - n_all[rows] ** 2, out=d_candidate[rows])
            np.multiply(h_prev[rows] - n_all[rows], z[rows] * (1 - z[rows]), out=dz)
            np.multiply(d_candidate[rows], r[rows], out=dm)
            np.multiply(dm, m[rows] * (1 - r[rows]), out=dr)
            for start, n in steps:
                rows = slice(start, start + n)
                dh_t, da_t = dh[:n], da[rows]
                if dy is not None:
                    dh_t += dy[rows]
                d_candidate[rows] *= dh_t
                by_gate = da_t.reshape(n, 3, H)
                by_gate *= dh_t[:, None]
                np.multiply(dh_t, z[rows], out=carried[:n])
                np.matmul(da_t, weight_hh_t, out=dh_t)
                dh_t += carried[:n]
        grads: dict[str, Any] = {"weight_hh": h_prev.T @ da}
        if self.bias:
            grads["bias_hn"] = da[:, 2 * H :].sum(axis=0)
        da[:, 2 * H :] = d_candidate
        dx, grads["weight_ih"] = project_backward(x, params["weight_ih"], da)
        if self.bias:
            grads["bias"] = da.sum(axis=0)
        return dx, (dh,), grads


def _split(gates: Array, H: int) -> tuple[Array, Array, Array]:
    """The three (rows, H) parts of (rows, 3H), as views."""
    return gates[:, :H], gates[:, H : 2 * H], gates[:, 2 * H :]
