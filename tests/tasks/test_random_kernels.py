"""Random convolution kernels and their ridge regression, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.core.packed import Array
from rnncli.data.records.ragged import Ragged
from rnncli.tasks import random_kernels
from rnncli.tasks.random_kernels import PENALTIES, KernelRidge, RandomKernels, Ridge


def waves(rows: int, seed: int, channels: int = 2) -> tuple[list[Array], Array]:
    """Noisy waves of 20 to 40 timesteps, slow or fast, with a random phase; and which of the two each is."""
    rng = np.random.default_rng(seed)
    fast = rng.integers(0, 2, rows)
    series = []
    for one in fast:
        steps = np.arange(rng.integers(20, 41))[:, None]
        wave = np.sin(steps * (0.4 + 0.5 * one) + rng.uniform(0, 6, (1, channels)))
        series.append((wave + 0.3 * rng.standard_normal(wave.shape)).astype(np.float32))
    return series, fast


def naive_features(kernels: RandomKernels, series: list[Array]) -> Array:
    """The same, one output at a time."""
    made = np.zeros((len(series), 0))
    for group in kernels.kernels:
        width, middle = len(group.channels), (group.length - 1) * group.dilation // 2
        largest, shares = np.zeros((len(series), len(group.bias))), np.zeros((len(series), len(group.bias)))
        for n, one in enumerate(series):
            inner = middle if not group.padded and len(one) > 2 * middle else 0
            for k, bias in enumerate(group.bias):
                outputs = []
                for t in range(inner, len(one) - inner):
                    total = float(bias)
                    for place in range(group.length):
                        at = t - middle + place * group.dilation
                        if 0 <= at < len(one):
                            weights = group.weights[k, place * width : (place + 1) * width]
                            total += float(weights.astype(float) @ one[at, group.channels])
                    outputs.append(total)
                largest[n, k], shares[n, k] = max(outputs), np.mean([output > 0 for output in outputs])
        made = np.concatenate((made, largest, shares), axis=1)
    return made


@pytest.mark.parametrize(("channels", "at_a_time"), [(1, 1 << 16), (3, 50)])
def test_features_are_those_of_a_plain_loop(monkeypatch: pytest.MonkeyPatch, channels: int, at_a_time: int) -> None:
    monkeypatch.setattr(random_kernels, "_AT_A_TIME", at_a_time)
    series, _ = waves(6, 1, channels)
    series.append(series[0][:3])  # shorter than any kernel
    kernels = RandomKernels.draw(np.random.default_rng(2), 48, channels, 30)
    assert {group.padded for group in kernels.kernels} == {True, False}
    flat = Ragged.of(np.concatenate(series), np.array([len(one) for one in series]))
    expected = naive_features(kernels, series)
    np.testing.assert_allclose(kernels.features(series), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(kernels.features(flat), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(12, 30), (40, 6)])
def test_ridge_chooses_its_penalty_by_leaving_each_row_out(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal(shape) + 2
    y = x @ rng.standard_normal((shape[1], 2)) + 3 * rng.standard_normal((shape[0], 2))
    found = Ridge.fit(x, y)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    with_one = np.concatenate((z, np.ones((len(z), 1))), axis=1)

    def solve(rows: Array, penalty: float) -> Array:
        penalties = np.diag([penalty] * shape[1] + [0.0])  # the bias has none
        return np.linalg.solve(with_one[rows].T @ with_one[rows] + penalties, with_one[rows].T @ y[rows])

    errors = []
    for penalty in PENALTIES:
        left = [(y[n] - with_one[n] @ solve(np.arange(len(y)) != n, penalty)) ** 2 for n in range(len(y))]
        errors.append(np.sum(left))
    best = solve(np.ones(len(y), bool), PENALTIES[int(np.argmin(errors))])
    np.testing.assert_allclose(found.weights, best[:-1], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.predict(x), with_one @ best, rtol=1e-6, atol=1e-8)


def test_kernels_tell_waves_apart_that_a_mean_does_not() -> None:
    train, test = waves(60, 4), waves(100, 5)
    found = KernelRidge.fit(train[0], 2.0 * train[1][:, None] - 1, seed=0)
    right = (found.predict(test[0])[:, 0] > 0) == test[1]
    assert right.mean() >= 0.98
    again = KernelRidge.fit(train[0], 2.0 * train[1][:, None] - 1, seed=0)
    np.testing.assert_array_equal(again.predict(test[0]), found.predict(test[0]))


def test_many_rows_have_fewer_kernels_and_constant_series_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_kernels, "MOST_ROWS", 10)
    monkeypatch.setattr(random_kernels, "_MOST_WORK", 1.0)
    constant = [np.zeros((1, 1), np.float32)] * 30
    found = KernelRidge.fit(constant, np.ones((30, 1)), seed=0)
    assert len(found.kernels.kernels) * random_kernels.TOGETHER == random_kernels.LEAST_KERNELS
    np.testing.assert_allclose(found.predict(constant[:2]), 1.0)
    assert np.isfinite(found.predict([np.full((5, 1), 1e300)])).all()
