"""σ and tanh of the compiled engine against the truth: the bounds that ``source/vector.h`` states."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest

from rnncli.core.cells import compiled
from rnncli.core.cells.mingru import MinGRU
from rnncli.core.cells.rnn import RNN
from rnncli.core.packed import PackedSequence

pytestmark = [pytest.mark.engines("compiled"), pytest.mark.usefixtures("at_level")]
Array = np.ndarray[Any, Any]
LARGEST = {"float32": 87.33, "float64": 708.39}  # beyond −x, σ(x) would be subnormal
H = 37  # whole vectors and a part of one


def sigmoid(x: Array) -> Array:
    """As the update gate of a minGRU, whose sums are the rows of its W_i."""
    sums = np.concatenate((x, np.zeros_like(x)), axis=1)
    cell = MinGRU(len(x), H, bias=False)
    ids = PackedSequence.pack(list(np.arange(len(x))[:, None]))
    return np.asarray(compiled.forward(cell, {"weight_ih": sums}, ids)[2].z)


def tanh(x: Array) -> Array:
    """As the state of a plain RNN that was 0."""
    weights = {"weight_ih": x, "weight_hh": np.zeros((H, H), x.dtype)}
    ids = PackedSequence.pack(list(np.arange(len(x))[:, None]))
    return compiled.forward(RNN(len(x), H, bias=False), weights, ids)[0]


def exact(function: Callable[[Decimal], Decimal]) -> Callable[[Array], Array]:
    """The nearest float64 and what is left of it, (2, …): 40 digits."""

    def both(x: Array) -> Array:
        with localcontext() as context:
            context.prec = 40
            truth = [function(Decimal(float(one))) for one in x.ravel()]
            nearest = np.array([float(one) for one in truth])
            rest = np.array([float(one - Decimal(float(one))) for one in truth])
        return np.array([nearest.reshape(x.shape), rest.reshape(x.shape)])

    return both


def wide(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """In float64, for what is float32."""
    return lambda x: np.array([function(x.astype(np.float64)), np.zeros(x.shape)])


TRUE_SIGMOID = {
    "float32": wide(lambda x: 1 / (1 + np.exp(-x))),
    "float64": exact(lambda x: 1 / (1 + (-x).exp())),
}
TRUE_TANH = {
    "float32": wide(np.tanh),
    "float64": exact(lambda x: x - x**3 / 3 if abs(x) < Decimal("1e-8") else 1 - 2 / ((2 * x).exp() + 1)),
}


def of_all_sizes(dtype: str) -> Array:
    """(…, H) numbers from 1e-30 to LARGEST, and as many more within ±8."""
    largest = float(np.dtype(dtype).type(LARGEST[dtype]))
    rng, count = np.random.default_rng(0), 500_000 if dtype == "float32" else 4_000
    sizes = np.exp(rng.uniform(np.log(1e-30), np.log(largest), count))
    found = np.concatenate(([0.0, -largest, largest], sizes * rng.choice([-1, 1], count), rng.uniform(-8, 8, count)))
    return found[: len(found) // H * H].astype(dtype).reshape(-1, H)


def largest_error(found: Array, truth: Array) -> float:
    """Relative, in ε = 2⁻²³ or 2⁻⁵²."""
    nearest, rest = truth
    error = np.abs((found.astype(np.float64) - nearest) - rest)
    return float(np.max(error / np.maximum(np.abs(nearest), np.finfo(found.dtype).tiny)) / np.finfo(found.dtype).eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_errors_are_within_the_bounds_that_are_stated(dtype: str) -> None:
    x = of_all_sizes(dtype)
    gates, states = sigmoid(x), tanh(x)
    assert largest_error(gates, TRUE_SIGMOID[dtype](x)) <= 1.5
    assert largest_error(states, TRUE_TANH[dtype](x)) <= 2.25
    assert gates.min() > 0
    assert gates.max() == 1
    assert np.abs(states).max() == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_beyond_are_the_limits(dtype: str) -> None:
    """σ is 0 where it would be subnormal; nothing is infinite, and NaN stays NaN."""
    limits, bound = np.finfo(dtype), Decimal(LARGEST[dtype])
    assert float((-bound).exp()) >= limits.tiny > float((-bound - Decimal("0.01")).exp())
    x = np.zeros((1, H), dtype)
    below, above = -LARGEST[dtype] * (1 + limits.eps), LARGEST[dtype] * 2
    x[0, :8] = below, -limits.max, -np.inf, above, limits.max, np.inf, np.nan, -np.nan
    np.testing.assert_array_equal(sigmoid(x)[0, :9], [0, 0, 0, 1, 1, 1, np.nan, np.nan, 0.5])
    np.testing.assert_array_equal(tanh(x)[0, :9], [-1, -1, -1, 1, 1, 1, np.nan, np.nan, 0])
