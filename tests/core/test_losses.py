"""Losses: their values by the book, their gradients by differences, and logits no book would try."""

from __future__ import annotations

import math

import numpy as np
import pytest
from core import checks

from rnncli.core.activations import sigmoid
from rnncli.core.losses import sigmoid_cross_entropy, softmax, softmax_cross_entropy, squared_error

pytestmark = pytest.mark.engines("numpy")


def test_values_and_gradients() -> None:
    checks.check_losses(checks.CORE)


def test_sigmoid_by_hand() -> None:
    """z = 0 and z = log 3: ŷ = 1/2 and 3/4."""
    loss, gradient = sigmoid_cross_entropy(np.array([[0.0], [math.log(3)]]), np.array([1, 0]))
    assert loss == pytest.approx((math.log(2) + math.log(4)) / 2, rel=1e-15)
    np.testing.assert_allclose(gradient, [[-0.25], [0.375]], rtol=1e-15)


def test_softmax_by_hand() -> None:
    """Logits log 1, log 2, log 5: probabilities 1/8, 2/8, 5/8."""
    logits = np.log([[1.0, 2.0, 5.0]])
    np.testing.assert_allclose(softmax(logits), [[0.125, 0.25, 0.625]], rtol=1e-15)
    loss, gradient = softmax_cross_entropy(logits, np.array([1]))
    assert loss == pytest.approx(math.log(4), rel=1e-15)
    np.testing.assert_allclose(gradient, [[0.125, -0.75, 0.625]], rtol=1e-14)


def test_squared_error_by_hand() -> None:
    """Off by 1, 0, −2 and 0.5: (1 + 0 + 4 + 0.25) / 4, and 2/4 of each."""
    outputs, targets = np.array([[3.0, 1.0], [0.0, 2.5]], np.float32), np.array([[2.0, 1.0], [2.0, 2.0]])
    loss, gradient = squared_error(outputs, targets)
    assert loss == 1.3125
    np.testing.assert_array_equal(gradient, np.array([[0.5, 0.0], [-1.0, 0.25]], np.float32))
    assert gradient.dtype == np.float32


def test_two_classes_are_one_logit() -> None:
    """Softmax over (0, z) is the sigmoid of z."""
    z, targets = np.array([[0.7], [-1.1], [2.5]]), np.array([1, 1, 0])
    pairs = np.concatenate((np.zeros_like(z), z), axis=1)
    one, d_one = sigmoid_cross_entropy(z, targets)
    two, d_two = softmax_cross_entropy(pairs, targets)
    assert one == pytest.approx(two, rel=1e-15)
    np.testing.assert_allclose(d_one[:, 0], d_two[:, 1], rtol=1e-14)


@pytest.mark.parametrize("loss", [sigmoid_cross_entropy, softmax_cross_entropy])
def test_weights_are_shares(loss: object) -> None:
    """A row of weight 2 is a row that is there twice; a common factor is nothing; a weight of 0 removes its row."""
    columns = 1 if loss is sigmoid_cross_entropy else 3
    rng = np.random.default_rng(0)
    logits, targets = rng.standard_normal((3, columns)), np.array([0, 1, 1])
    weighted, gradient = loss(logits, targets, np.array([1.0, 2.0, 0.0]))
    repeated, by_row = loss(logits[[0, 1, 1]], targets[[0, 1, 1]])
    assert weighted == pytest.approx(repeated, rel=1e-14)
    np.testing.assert_allclose(gradient, [by_row[0], by_row[1] + by_row[2], 0 * by_row[0]], rtol=1e-14)
    scaled, _ = loss(logits, targets, np.array([7.0, 14.0, 0.0]))
    assert scaled == pytest.approx(weighted, rel=1e-14)
    assert loss(logits, targets, np.ones(3))[0] == pytest.approx(loss(logits, targets)[0], rel=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [90.0, 1e4, 1e30])
def test_huge_logits(size: float, dtype: type) -> None:
    """Any size of logit: the right number, and no overflow, underflow or invalid operation on the way."""
    z = np.array([[size], [-size], [size], [-size]], dtype)
    targets = np.array([1, 0, 0, 1])
    loss, gradient = sigmoid_cross_entropy(z, targets)
    assert loss == pytest.approx(size / 2, rel=1e-6)
    np.testing.assert_allclose(gradient, [[0], [0], [0.25], [-0.25]], atol=1e-30)
    np.testing.assert_allclose(sigmoid(z), [[1], [0], [1], [0]], atol=1e-30)

    logits = np.array([[size, -size, 0], [-size, size, 0], [size, size, -size]], dtype)
    loss, gradient = softmax_cross_entropy(logits, np.array([0, 0, 1]))
    assert loss == pytest.approx((2 * size + math.log(2)) / 3, rel=1e-6)
    np.testing.assert_allclose(gradient, np.array([[0, 0, 0], [-1, 1, 0], [0.5, -0.5, 0]]) / 3, atol=1e-7)
    np.testing.assert_allclose(softmax(logits), [[1, 0, 0], [0, 1, 0], [0.5, 0.5, 0]], atol=1e-7)
    assert gradient.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_logit_between_raises_either(dtype: type) -> None:
    """Where e^−|z| leaves the normal numbers (near 88 in float32, 709 in float64) and where it ends."""
    z = np.linspace(-1000, 1000, 4001, dtype=dtype)
    loss, gradient = sigmoid_cross_entropy(z[:, None], (z > 0).astype(np.int64))
    expected = sum(math.log1p(math.exp(-abs(one))) for one in z.tolist()) / len(z)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert np.isfinite(gradient).all()
    logits = np.stack([z, np.zeros_like(z)], axis=1)
    loss, gradient = softmax_cross_entropy(logits, (z < 0).astype(np.int64))
    assert loss == pytest.approx(expected, rel=1e-5)
    assert np.isfinite(gradient).all()
    np.testing.assert_allclose(softmax(logits).sum(axis=1), 1, rtol=1e-6)


def test_sigmoid_function() -> None:
    z = np.array([0.0, 1.0, -2.0])
    np.testing.assert_allclose(sigmoid(z), [0.5, 0.7310585786300049, 0.11920292202211755], rtol=1e-15)
    np.testing.assert_allclose(sigmoid(z) + sigmoid(-z), 1, rtol=1e-15)
