"""The cells a second time, as the textbook has them: one sequence, one step, one gate after another, in float64.

Written without a look at the fused code in ``src``: no packing, no halved weights, no blocks. Only the layout of the
weights is shared, gate by gate side by side; :func:`gate` takes them apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Step = dict[str, Array]  # the numbers of one timestep, by the names in the equations

GATES = {"rnn_tanh": "h", "rnn_relu": "h", "lstm": "oifg", "gru": "rzn"}


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def gate(kind: str, params: dict[str, Array], name: str) -> tuple[Array, Array, Array]:
    """W_i, W_h and b of one gate; b is zero where there are no biases."""
    H = params["weight_hh"].shape[0]
    at = GATES[kind].index(name) * H
    bias = params["bias"][at : at + H] if "bias" in params else np.zeros(H)
    return params["weight_ih"][:, at : at + H], params["weight_hh"][:, at : at + H], bias


def rnn(kind: str, params: dict[str, Array], xs: Array, state: list[Array]) -> list[Step]:
    W_i, W_h, b = gate(kind, params, "h")
    (h,) = state
    steps = []
    for x in xs:
        a = x @ W_i + h @ W_h + b
        h = np.tanh(a) if kind == "rnn_tanh" else np.where(a > 0, a, 0.0)
        steps.append({"a": a, "h": h})
    return steps


def lstm(kind: str, params: dict[str, Array], xs: Array, state: list[Array]) -> list[Step]:
    h, c = state
    steps = []
    for x in xs:
        sums = {}
        for name in "ifgo":
            W_i, W_h, b = gate(kind, params, name)
            sums[name] = x @ W_i + h @ W_h + b
        i, f, o = sigmoid(sums["i"]), sigmoid(sums["f"]), sigmoid(sums["o"])
        g = np.tanh(sums["g"])
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append({"i": i, "f": f, "g": g, "o": o, "c": c, "tanh_c": np.tanh(c), "h": h})
    return steps


def gru(kind: str, params: dict[str, Array], xs: Array, state: list[Array]) -> list[Step]:
    (h,) = state
    W_ir, W_hr, b_r = gate(kind, params, "r")
    W_iz, W_hz, b_z = gate(kind, params, "z")
    W_in, W_hn, b_n = gate(kind, params, "n")
    b_hn = params.get("bias_hn", np.zeros_like(b_n))
    steps = []
    for x in xs:
        r = sigmoid(x @ W_ir + h @ W_hr + b_r)
        z = sigmoid(x @ W_iz + h @ W_hz + b_z)
        m = h @ W_hn + b_hn
        n = np.tanh(x @ W_in + b_n + r * m)
        h = (1 - z) * n + z * h
        steps.append({"r": r, "z": z, "n": n, "m": m, "h": h})
    return steps


def mingru(kind: str, params: dict[str, Array], xs: Array, state: list[Array]) -> list[Step]:
    (h,) = state
    W_z, W_n = np.split(params["weight_ih"], 2, axis=1)
    b_z, b_n = np.split(params.get("bias", np.zeros(2 * len(h))), 2)
    steps = []
    for x in xs:
        z = sigmoid(x @ W_z + b_z)
        n = x @ W_n + b_n
        h = (1 - z) * h + z * n
        steps.append({"z": z, "n": n, "h": h})
    return steps


CELLS = {"rnn_tanh": rnn, "rnn_relu": rnn, "lstm": lstm, "gru": gru, "mingru": mingru}


def last_state(kind: str, steps: list[Step]) -> list[Array]:
    return [steps[-1]["h"], steps[-1]["c"]] if kind == "lstm" else [steps[-1]["h"]]


def run(
    kind: str, params: dict[str, Any], xs: Array, states: list[list[Array]]
) -> tuple[Array, list[list[Array]], list[Step]]:
    """One sequence through a whole stack.

    Args:
        kind: a key of :data:`CELLS`.
        params: ``{"0": {"forward": …, "backward": …}, "1": …}``; the directions there are decide the direction.
        xs: (T, D).
        states: for each layer the states of its forward, then of its backward direction, each (H,).

    Returns:
        The topmost outputs (T, H or 2H), the last states laid out like ``states``, and every step of every cell.
    """
    count = 2 if kind == "lstm" else 1
    last, all_steps = [], []
    for k, layer in enumerate(params.values()):
        steps = CELLS[kind](kind, layer["forward"], xs, states[k][:count])
        outputs = [step["h"] for step in steps]
        last.append(last_state(kind, steps))
        all_steps += steps
        if "backward" in layer:
            steps = CELLS[kind](kind, layer["backward"], xs[::-1], states[k][count:])
            outputs = [np.concatenate(pair) for pair in zip(outputs, [s["h"] for s in steps][::-1], strict=True)]
            last[-1] += last_state(kind, steps)
            all_steps += steps
        xs = np.array(outputs)
    return xs, last, all_steps


def rnn_backward(
    kind: str, params: dict[str, Array], xs: Array, state: list[Array], dys: Array, dlast: list[Array]
) -> dict[str, Array]:
    """The chain rule of the plain RNN, written as the sum over t of the terms ∂L/∂a_t · ∂a_t/∂W."""
    W_i, W_h, _ = gate(kind, params, "h")
    steps = rnn(kind, params, xs, state)
    grads = {name: np.zeros_like(value) for name, value in params.items()} | {"x": np.zeros_like(xs)}
    (dh,) = (part.copy() for part in dlast)
    for t in reversed(range(len(xs))):
        dh = dh + dys[t]
        h, h_prev = steps[t]["h"], steps[t - 1]["h"] if t else state[0]
        da = dh * ((1 - h * h) if kind == "rnn_tanh" else (steps[t]["a"] > 0))
        grads["weight_ih"] += np.outer(xs[t], da)
        grads["weight_hh"] += np.outer(h_prev, da)
        grads["bias"] += da
        grads["x"][t] = W_i @ da
        dh = W_h @ da
    return grads | {"state/0": dh}


def lstm_backward(
    kind: str, params: dict[str, Array], xs: Array, state: list[Array], dys: Array, dlast: list[Array]
) -> dict[str, Array]:
    """The LSTM's, gate by gate."""
    H = len(state[0])
    steps = lstm(kind, params, xs, state)
    grads = {name: np.zeros_like(value) for name, value in params.items()} | {"x": np.zeros_like(xs)}
    dh, dc = (part.copy() for part in dlast)
    for t in reversed(range(len(xs))):
        s = steps[t]
        h_prev, c_prev = (steps[t - 1]["h"], steps[t - 1]["c"]) if t else state
        dh = dh + dys[t]
        dc = dc + dh * s["o"] * (1 - s["tanh_c"] ** 2)
        sums = {
            "o": dh * s["tanh_c"] * s["o"] * (1 - s["o"]),
            "i": dc * s["g"] * s["i"] * (1 - s["i"]),
            "f": dc * c_prev * s["f"] * (1 - s["f"]),
            "g": dc * s["i"] * (1 - s["g"] ** 2),
        }
        dh, dc = np.zeros(H), dc * s["f"]
        for k, name in enumerate(GATES["lstm"]):
            W_i, W_h, _ = gate(kind, params, name)
            columns = slice(k * H, (k + 1) * H)
            grads["weight_ih"][:, columns] += np.outer(xs[t], sums[name])
            grads["weight_hh"][:, columns] += np.outer(h_prev, sums[name])
            grads["bias"][columns] += sums[name]
            grads["x"][t] += W_i @ sums[name]
            dh = dh + W_h @ sums[name]
    return grads | {"state/0": dh, "state/1": dc}


BACKWARD = {"rnn_tanh": rnn_backward, "rnn_relu": rnn_backward, "lstm": lstm_backward}
