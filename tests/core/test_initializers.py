"""Where training starts: scales, orthogonality, the forget bias."""

from __future__ import annotations

import numpy as np
import pytest
from core import checks
from core.checks import CORE, KINDS

from rnncli.core.cells.lstm import LSTM
from rnncli.core.initializers import glorot_uniform, normal, orthogonal

pytestmark = pytest.mark.engines("numpy")

F32, F64 = np.dtype(np.float32), np.dtype(np.float64)


@pytest.mark.parametrize("size", [1, 2, 7, 32])
@pytest.mark.parametrize("blocks", [1, 3, 4])
def test_orthogonal(size: int, blocks: int) -> None:
    """Each block is a rotation of its own: QᵀQ = 1, and no two are equal."""
    matrices = np.split(orthogonal(np.random.default_rng(0), size, blocks, F64), blocks, axis=1)
    for k, q in enumerate(matrices):
        np.testing.assert_allclose(q.T @ q, np.eye(size), atol=1e-14)
        np.testing.assert_allclose(q @ q.T, np.eye(size), atol=1e-14)
        assert size == 1 or all(np.abs(q - other).max() > 0.01 for other in matrices[:k])


def test_orthogonal_is_uniform_over_signs() -> None:
    """Without the sign correction of QR the diagonal would lean to one side."""
    rng = np.random.default_rng(0)
    diagonals = np.array([np.diag(orthogonal(rng, 4, 1, F64)) for _ in range(400)])
    assert np.abs(diagonals.mean(axis=0)).max() < 4 * 0.5 / 20  # an entry's deviation is 1/√4, the mean's 0.5/√400


@pytest.mark.parametrize("blocks", [1, 4])
def test_glorot_scale_is_that_of_one_gate(blocks: int) -> None:
    weights = glorot_uniform(np.random.default_rng(0), 60, 90, blocks, F64)
    bound = np.sqrt(6 / 150)
    assert weights.shape == (60, blocks * 90)
    assert 0.99 * bound < np.abs(weights).max() <= bound
    assert weights.std() == pytest.approx(bound / np.sqrt(3), rel=0.02)
    assert abs(weights.mean()) < 0.03 * bound


def test_normal_scale() -> None:
    values = normal(np.random.default_rng(0), (200, 200), 0.3, F64)
    assert values.std() == pytest.approx(0.3, rel=0.02)
    assert abs(values.mean()) < 0.01


def test_forget_bias_is_one() -> None:
    """The third of o, i, f, g; every other bias is 0 (Jozefowicz et al. 2015)."""
    bias = LSTM(2, 3).init(np.random.default_rng(0), F64)["bias"]
    assert bias.tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0]


def test_forget_bias_keeps_memory() -> None:
    """With the weights at zero, c is kept by σ(1) a step."""
    from rnncli.core.packed import PackedSequence

    cell = LSTM(2, 1)
    params = cell.init(np.random.default_rng(0), F64)
    params["weight_ih"][...] = params["weight_hh"][...] = 0
    x = PackedSequence.pack([np.ones((3, 2))])
    _, (_, c), _ = cell.forward(params, x, (np.zeros((1, 1)), np.ones((1, 1))))
    assert c[0, 0] == pytest.approx(0.7310585786300049**3, rel=1e-14)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "lstm"])
def test_other_biases_are_zero(kind: str) -> None:
    params = checks.build(CORE, kind).init(np.random.default_rng(0), F64)["0"]["forward"]
    biases = [value for name, value in params.items() if "bias" in name]
    assert len(biases) == (2 if kind == "gru" else 1)
    assert not any(bias.any() for bias in biases)


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_decides(kind: str) -> None:
    stack = checks.build(CORE, kind, layers=2, both=True)
    first, again, other = (dict(checks.leaves(stack.init(np.random.default_rng(seed), F32))) for seed in (1, 1, 2))
    assert all(value.dtype == F32 for value in first.values())
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name])
        assert "bias" in name or (value != other[name]).any()


def test_precision_does_not_change_the_draw() -> None:
    """float32 starts from the rounded numbers of float64."""
    stack = checks.build(CORE, "gru", layers=2)
    wide, narrow = (dict(checks.leaves(stack.init(np.random.default_rng(1), dtype))) for dtype in (F64, F32))
    for name, value in wide.items():
        np.testing.assert_array_equal(value.astype(F32), narrow[name])
