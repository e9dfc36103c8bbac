"""The scores of folds, together, and intervals of single scores: by hand and by known values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnncli.record import FoldScore
from rnncli.tasks.comparison import RowScores, score_interval, standard_error, wilson_interval
from rnncli.tasks.cross_validation import CrossValidation
from rnncli.tasks.model import ACCURACY, Metric

NATS = Metric("nats per token", "validation_loss", higher_is_better=False)


@pytest.mark.parametrize(
    ("right", "rows", "low", "high"),
    # As statsmodels.stats.proportion.proportion_confint(k, n, method="wilson") gives them.
    [(8, 10, 0.4901625, 0.9433178), (0, 10, 0.0, 0.2775328), (10, 10, 0.7224672, 1.0), (50, 100, 0.4038315, 0.5961685)],
)
def test_wilsons_interval(right: int, rows: int, low: float, high: float) -> None:
    assert wilson_interval(right / rows, rows) == pytest.approx((low, high), abs=1e-6)
    scores = RowScores.of_answers(np.arange(rows) < right)
    assert score_interval(scores) == (*wilson_interval(right / rows, rows), "Wilson")


def test_the_bootstrap_interval_is_as_wide_as_the_standard_error_says() -> None:
    rng = np.random.default_rng(0)
    weights = rng.integers(1, 20, 400).astype(np.float64)
    rows = RowScores(weights * rng.gamma(2.0, 1.0, 400), weights)
    low, high, method = score_interval(rows)
    assert method == "bootstrap"
    assert score_interval(rows) == (low, high, method)
    assert (high - low) / (2 * 1.96) == pytest.approx(standard_error(rows), rel=0.1)


def test_rows_that_depend_on_those_before_them_say_less() -> None:
    rng = np.random.default_rng(0)
    smooth = np.convolve(rng.standard_normal(609), np.ones(10), "valid")
    alone, together = (RowScores(smooth, np.ones(600), lags) for lags in (0, 9))
    widths = [high - low for low, high, _ in map(score_interval, (alone, together))]
    assert widths[1] > 2 * widths[0]


def fold(score: float, baseline: float, rows: int = 100, error: float = 0.0) -> FoldScore:
    return FoldScore(
        rows=rows,
        score=score,
        baselines={"bag_of_words": baseline, "commonest": 0.1},
        epoch=3,
        error=error,
        errors={"bag_of_words": error},
    )


def test_the_mean_of_three_folds() -> None:
    found = CrossValidation.of([fold(0.6, 0.5), fold(0.7, 0.5), fold(0.8, 0.8)], ACCURACY)
    assert (found.mean, found.deviation) == (pytest.approx(0.7), pytest.approx(0.1))
    half = 4.302652729911275 * math.sqrt((1 / 3 + 1 / 2) * 0.01)
    assert found.interval == (pytest.approx(0.7 - half), 1.0)  # a share is at most 1
    assert (found.baseline, found.baseline_mean) == ("bag_of_words", pytest.approx(0.6))
    assert found.difference == pytest.approx(0.1)
    assert found.difference_interval == (pytest.approx(0.1 - half), pytest.approx(0.1 + half))
    assert found.sentence == (
        "0.7000 accuracy on average over 3 folds (deviation 0.1000, 95% interval 0.3072 to 1.0000) is 10.0 points "
        "above the best baseline (bag of words, 0.6000); 95% interval −29.3 to 49.3: they cannot be told apart."
    )


def test_folds_that_are_alike_have_the_interval_of_their_rows() -> None:
    found = CrossValidation.of([fold(0.9, 0.5, 50, 0.042)] * 4, ACCURACY)
    half = 1.959963984540054 * 0.042 / 2
    assert found.difference_interval == (pytest.approx(0.4 - half, abs=1e-6), pytest.approx(0.4 + half, abs=1e-6))
    low, high = wilson_interval(0.9, 200)
    assert found.interval[0] <= low < high <= found.interval[1]
    assert found.sentence.endswith(": the network is better.")


def test_of_losses_less_is_better() -> None:
    found = CrossValidation.of([fold(1.5, 2.0), fold(1.6, 2.1), fold(1.4, 1.9)], NATS)
    assert (found.baseline, found.difference) == ("commonest", pytest.approx(0.1 - 1.5))
    assert found.sentence.startswith("1.5000 nats per token on average over 3 folds (deviation 0.1000")
    assert "1.4000 worse than the best baseline (commonest, 0.1000)" in found.sentence


def test_a_baseline_that_some_folds_lack_is_none_of_the_compared() -> None:
    lacking = FoldScore(rows=10, score=0.5, baselines={"commonest": 0.2}, epoch=None)
    assert CrossValidation.of([fold(0.6, 0.9), lacking], ACCURACY).baseline == "commonest"
