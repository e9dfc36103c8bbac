"""A gradient that vanishes ends at 0, not among the subnormal numbers, over which some processors are very slow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from rnncli.core.backward_trace import recording
from rnncli.core.cells import compiled
from rnncli.core.cells.gru import GRU
from rnncli.core.cells.lstm import LSTM
from rnncli.core.cells.mingru import MinGRU
from rnncli.core.cells.recurrence import drop_vanished
from rnncli.core.cells.rnn import RNN
from rnncli.core.engine import steps
from rnncli.core.engine.library import library
from rnncli.core.optim.parameters import flatten
from rnncli.core.packed import PackedSequence

CELLS = {
    "rnn": RNN(3, 8),
    "relu": RNN(3, 8, nonlinearity="relu"),
    "gru": GRU(3, 8),
    "lstm": LSTM(3, 8),
    "mingru": MinGRU(3, 8),
}


def way_back(name: str, dtype: str, count: int, steps: int = 400) -> tuple[Any, Any, np.ndarray]:
    """Gradients, that of the first state and those of the sums, of a loss at the end: it falls to a third a step."""
    rng = np.random.default_rng(1)
    cell = CELLS[name]
    params = cell.init(rng, np.dtype("float64"))
    if name == "mingru":
        params["bias"][:8] = 0.7  # of the update gate: 1 − σ(0.7) is a third
    else:
        params["weight_hh"] *= 0.3
    if name == "lstm":
        params["bias"][16:24] = -0.7  # of the forget gate: σ(−0.7) is a third
    if name == "gru":
        params["bias"][8:16] = -0.7  # of the update gate
    params = {key: value.astype(dtype) for key, value in params.items()}
    x = PackedSequence.pack([rng.normal(0, 0.3, (steps - k, 3)).astype(dtype) for k in range(count)])
    state = tuple(np.zeros((count, 8), dtype) for _ in range(cell.state_count))
    _, _, cache = compiled.forward(cell, params, x, state)
    last = tuple(np.asarray(rng.normal(0, 1, (count, 8)), dtype) for _ in range(cell.state_count))
    # A product of what is left may still fall below all numbers.
    with np.errstate(under="ignore"), seen_sums() as sums:
        _, first, grads = compiled.backward(cell, params, cache, None, last)
    return grads, first, sums[0]


@contextmanager
def seen_sums() -> Iterator[list[np.ndarray]]:
    """The gradients of the sums of a backward pass: a trace has those of NumPy's loops."""
    found = list[np.ndarray]()
    if library() is None:
        with recording() as seen:
            yield found
        found.append(seen[0].found["sums"])
        return
    real = steps.backward

    def backward(*given: Any, **named: Any) -> None:
        real(*given, **named)
        found.append(named["dsums"])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "backward", backward)
        yield found


@pytest.mark.parametrize("count", [1, 32])
@pytest.mark.parametrize("name", CELLS)
def test_hardly_a_gradient_is_subnormal(name: str, count: int) -> None:
    """One in a thousand at most; where nobody drops them it is one in ninety to one in twenty."""
    _, first, sums = way_back(name, "float32", count)
    smallest, sizes = np.finfo(np.float32).tiny, np.abs(sums)
    assert ((sizes > 0) & (sizes < smallest)).mean() < 0.001
    assert not any(np.any(part) for part in first)
    assert (sizes == 0).mean() > 0.3  # it has vanished long before the beginning
    assert sizes.max() > 1e-3


@pytest.mark.parametrize("name", CELLS)
def test_the_weights_get_what_they_got(name: str) -> None:
    """Beside float64, in which nothing vanishes so soon."""
    grads, _, _ = way_back(name, "float32", 5, 380)
    exact, first, _ = way_back(name, "float64", 5, 380)
    assert all(np.abs(part).max() > 0 for part in first)
    for (key, value), (_, wanted) in zip(flatten(grads), flatten(exact), strict=True):
        error = np.linalg.norm(value - wanted) / np.linalg.norm(wanted)
        assert error < 1e-5, key


@pytest.mark.parametrize(("dtype", "kept", "gone"), [("float32", 1e-14, 1e-31), ("float64", 1e-267, 1e-301)])
def test_what_is_dropped(dtype: str, kept: float, gone: float) -> None:
    rng = np.random.default_rng(2)
    large = (rng.choice([-1, 1], 1000) * kept * 10 ** rng.uniform(0, 14, 1000)).astype(dtype)
    with np.errstate(under="ignore"):
        small = (rng.choice([-1, 1], 1000) * gone * 10 ** rng.uniform(-10, 0, 1000)).astype(dtype)
    odd = np.array([0.0, -0.0, np.inf, -np.inf, np.nan], dtype)
    before = large.copy(), odd.copy()
    drop_vanished(large, small, odd)
    assert np.array_equal(large, before[0])
    assert not small.any()
    np.testing.assert_array_equal(odd, before[1])
    between = np.array([1e5 * gone, -3e6 * gone], dtype)
    wanted = between.astype(np.float64)
    drop_vanished(between)
    np.testing.assert_allclose(between, wanted, rtol=0.2)
