"""Dropout, linear, embedding, and how the stack puts them together."""

from __future__ import annotations

import numpy as np
import pytest
from core import checks
from core.checks import CORE, H, problem

from rnncli.core import threads
from rnncli.core.layers.dropout import dropout
from rnncli.core.layers.embedding import Embedding
from rnncli.core.layers.linear import Linear
from rnncli.core.packed import PackedSequence


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8, 0.999])
def test_dropout_zeroes_the_share_and_keeps_the_mean(rate: float) -> None:
    x = np.ones((400, 500))
    y, mask = dropout(x, rate, np.random.default_rng(0))
    assert mask is not None
    applied = min(255, max(1, round(rate * 256))) / 256  # one byte decides
    assert abs(applied - rate) <= 1 / 256
    values = np.unique(mask)
    np.testing.assert_allclose(values, [0, 1 / (1 - applied)], rtol=1e-15)
    deviation = np.sqrt(applied * (1 - applied) / x.size)
    assert abs((y == 0).mean() - applied) < 4 * deviation
    assert abs(y.mean() - 1) < 4 * deviation / (1 - applied)
    # No row or column is favoured: independent of where a number stands.
    for axis in (0, 1):
        shares = (mask == 0).mean(axis=axis)
        assert abs(shares - applied).max() < 7 * deviation * np.sqrt(x.shape[1 - axis])


def test_dropout_masks_are_independent_from_call_to_call() -> None:
    rng = np.random.default_rng(0)
    first, second = (dropout(np.ones((200, 200)), 0.5, rng)[1] for _ in range(2))
    assert first is not None
    assert second is not None
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("x", [np.arange(6.0).reshape(2, 3), np.zeros((2, 3), np.float32)])
def test_no_dropout_is_the_identity(x: np.ndarray) -> None:
    for rate, rng in ((0.0, np.random.default_rng(0)), (0.5, None), (0.0, None)):
        y, mask = dropout(x, rate, rng)
        assert y is x
        assert mask is None


def test_dropout_rate_zero_draws_nothing() -> None:
    """So that a run without dropout has the same random numbers whether the layer is there or not."""
    rng, untouched = np.random.default_rng(7), np.random.default_rng(7)
    dropout(np.ones((5, 5)), 0.0, rng)
    assert rng.bytes(8) == untouched.bytes(8)


def test_dropout_multiplies_by_its_mask() -> None:
    """y = x · mask, so the mask is the slope; the input stays, the precision too."""
    x = np.random.default_rng(1).standard_normal((20, 10)).astype(np.float32)
    kept = x.copy()
    y, mask = dropout(x, 0.3, np.random.default_rng(0))
    assert mask is not None
    np.testing.assert_array_equal(y, x * mask)
    np.testing.assert_array_equal(x, kept)
    assert y.dtype == mask.dtype == np.float32
    again, _ = dropout(x, 0.3, np.random.default_rng(0))
    np.testing.assert_array_equal(again, y)


def test_dropout_gradient() -> None:
    x = np.random.default_rng(1).standard_normal((4, 5))
    weights = np.random.default_rng(2).standard_normal((4, 5))
    _, mask = dropout(x, 0.5, np.random.default_rng(3))
    assert mask is not None

    def loss() -> float:
        return float((dropout(x, 0.5, np.random.default_rng(3))[0] * weights).sum())

    checks.assert_gradient("x", weights * mask, loss, x)


def test_stack_drops_between_layers_only() -> None:
    """One layer has nothing between; with two, the lower one's outputs and nothing else."""
    one = problem(CORE, "gru", layers=1, dropout=0.5)
    two = problem(CORE, "gru", layers=2, dropout=0.5)
    for case, masks in ((one, [False]), (two, [False, True])):
        without, _, _ = case.forward()
        case.dropout_seed = 0
        y, _, kept = case.forward()
        assert [mask is not None for mask in kept.masks] == masks
        assert np.array_equal(y, without) != masks[-1]
    lower = kept.layers[0].h
    np.testing.assert_array_equal(kept.layers[1].x.data, lower * kept.masks[1])


@pytest.mark.parametrize("bias", [True, False])
def test_linear(bias: bool) -> None:
    rng = np.random.default_rng(0)
    layer = Linear(3, 2, bias)
    params = checks.random_params(layer, rng)
    assert params.keys() == ({"weight", "bias"} if bias else {"weight"})
    x, dy = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))

    def loss() -> float:
        return float((layer.forward(params, x)[0] * dy).sum())

    y, kept = layer.forward(params, x)
    for n in range(4):
        for k in range(2):
            expected = sum(x[n, d] * params["weight"][d, k] for d in range(3)) + (params["bias"][k] if bias else 0)
            assert y[n, k] == pytest.approx(expected, rel=1e-14)
    dx, grads = layer.backward(params, kept, dy)
    checks.assert_gradient("x", dx, loss, x)
    assert grads.keys() == params.keys()
    for name, value in params.items():
        checks.assert_gradient(name, grads[name], loss, value)


@pytest.mark.parametrize("gather", [False, True])
def test_embedding_is_one_hot_times_the_table(gather: bool) -> None:
    rng = np.random.default_rng(0)
    layer = Embedding(5, 2)
    params = {"weight": rng.standard_normal((5, 2))}
    x = PackedSequence.pack([np.array([4, 1, 4]), np.array([1])])
    y, kept = layer.forward(params, x, gather)
    np.testing.assert_array_equal(y.data if gather else y.data.gathered(), np.eye(5)[x.data] @ params["weight"])
    np.testing.assert_array_equal(y.batch_sizes, x.batch_sizes)
    dy = rng.standard_normal((4, 2))
    of_rows = dy if gather else (np.eye(5)[x.data].T @ dy)[[1, 4]]  # a lookup's gradient is that of its rows
    gradient = layer.backward(kept, of_rows)["weight"]
    np.testing.assert_array_equal(gradient.rows, [1, 4])
    np.testing.assert_allclose(gradient.dense(), np.eye(5)[x.data].T @ dy, rtol=1e-15)

    def loss() -> float:
        return float((layer.forward(params, x, gather=True)[0].data * dy).sum())

    checks.assert_gradient("table", gradient.dense(), loss, params["weight"])


@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_embedding_scale(scale: float) -> None:
    table = Embedding(500, 40, scale).init(np.random.default_rng(0), np.dtype(np.float32))["weight"]
    assert table.shape == (500, 40)
    assert table.dtype == np.float32
    assert table.std() == pytest.approx(scale, rel=0.02)
    assert abs(table.mean()) < 0.03 * scale


def test_bidirectional_states_are_forward_then_backward() -> None:
    case = problem(CORE, "lstm", both=True)
    _, last, kept = case.forward()
    assert len(last[0]) == 4
    y, _, _ = case.forward()
    outputs = case.x.with_data(y).unpack()
    for n, at in enumerate(case.x.order):
        np.testing.assert_array_equal(last[0][0][n], outputs[at][-1, :H])
        np.testing.assert_array_equal(last[0][2][n], outputs[at][0, H:])
    np.testing.assert_array_equal(kept.layers[0].backward.c0, case.states[0][3])


@pytest.mark.parametrize("kind", checks.KINDS)
def test_two_directions_at_once_are_the_same_bits(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, and side by side in two threads."""
    results = []
    for cores in (1, 2):
        monkeypatch.setattr(threads, "available_cores", lambda cores=cores: cores)
        case = problem(CORE, kind, layers=2, both=True)
        y, last, _ = case.forward()
        results.append({"y": y} | case.gradients() | {f"last {k}": v for k, v in checks.by_place(last).items()})
    for name, value in results[0].items():
        np.testing.assert_array_equal(value, results[1][name], err_msg=name)


@pytest.mark.engines("numpy")  # the compiled one leaves it to its caller to look for infinity
@pytest.mark.parametrize("cores", [1, 2])
def test_the_other_direction_is_as_strict(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """np.errstate belongs to a thread; an overflow in the backward half must not pass unseen in the other one."""
    monkeypatch.setattr(threads, "available_cores", lambda: cores)
    case = problem(CORE, "rnn_relu", both=True)
    case.params["0"]["backward"]["weight_hh"][...] = 1e300
    with pytest.raises(FloatingPointError, match="overflow"):
        case.forward()
