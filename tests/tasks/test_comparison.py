"""Two scores on the same rows: intervals by known values, and what is said of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnncli.tasks.comparison import (
    Comparison,
    RowScores,
    binomial_interval,
    compare,
    exact_interval,
    mean_interval,
    student,
)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # As scipy.stats.binomtest(k, n).proportion_ci(method="exact") gives them.
    [
        (0, 10, 0.0, 0.30849710781876083),
        (3, 3, 0.2924017738212866, 1.0),
        (8, 10, 0.44390453769243616, 0.9747892736731666),
        (50, 100, 0.3983211295086325, 0.6016788704913675),
    ],
)
def test_the_exact_interval_of_a_probability(successes: int, trials: int, low: float, high: float) -> None:
    assert binomial_interval(successes, trials) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.7062), (2, 4.3027), (3, 3.1824), (5, 2.5706), (10, 2.2281), (30, 2.0423), (1000, 1.9623)],
)
def test_students_quantiles(freedom: int, quantile: float) -> None:
    assert student(freedom) == pytest.approx(quantile, abs=0.004)


def answers(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    counts = (both, first, second, neither)
    return np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts)


def test_zero_is_left_out_where_mcnemars_exact_test_finds_a_difference() -> None:
    """With d rows that one alone has right, all of them the first: p = 2 · ½^d is below 0.05 from 6 on."""
    for d in range(1, 12):
        low, high = exact_interval(*answers(5, d, 0, 5))
        assert (low > 0) == (2 * 0.5**d < 0.05)
        assert high == pytest.approx(d / (10 + d))
        assert (said(*answers(5, d, 0, 5)).significant) == (low > 0)


ROWS = "78 validation rows"


def said(first: np.ndarray, second: np.ndarray) -> Comparison:
    rows = RowScores.of_answers(first), RowScores.of_answers(second)
    return compare(*rows, "commonest_label", "accuracy", share=True, higher_is_better=True)


def test_a_few_rows_more_are_chance() -> None:
    found = said(*answers(24, 21, 15, 18))  # 45 and 39 of 78
    assert not found.significant
    low, high = binomial_interval(21, 36)
    exact = exact_interval(*answers(24, 21, 15, 18))
    assert exact == pytest.approx(((2 * low - 1) * 36 / 78, (2 * high - 1) * 36 / 78))
    assert exact == pytest.approx((-0.0853, 0.2260), abs=1e-4)
    half = 1.9913 * math.sqrt((36 / 78 - (6 / 78) ** 2) / 77)
    assert found.interval == pytest.approx((min(exact[0], 6 / 78 - half), max(exact[1], 6 / 78 + half)), abs=1e-4)
    assert found.sentence(ROWS) == (
        "0.5769 accuracy on 78 validation rows is 7.7 points above the best baseline (commonest label, 0.5000); "
        f"95% interval −{-100 * found.interval[0]:.1f} to {100 * found.interval[1]:.1f}: they cannot be told apart."
    )


def test_what_is_better_worse_equal_and_the_same() -> None:
    assert said(*answers(38, 38, 1, 1)).sentence(ROWS).endswith(": the network is better.")
    assert said(*answers(38, 1, 38, 1)).sentence(ROWS).endswith(": the network is worse.")
    equal = said(*answers(10, 5, 5, 10))
    assert "equals the best baseline (commonest label, 0.5000); 95% interval −" in equal.sentence(ROWS)
    assert equal.sentence(ROWS).endswith("they cannot be told apart.")
    same = said(*answers(39, 0, 0, 39)).sentence(ROWS)
    assert same.endswith("equals the best baseline (commonest label, 0.5000): both are right on the same rows.")
    wrong = said(*answers(0, 0, 0, 78)).sentence(ROWS)
    assert wrong.endswith("equals the best baseline (commonest label, 0.0000): neither is right on any row.")


def test_losses_are_better_where_they_are_smaller() -> None:
    """Sums over rows of several symbols; by the formula of the paired t where all rows weigh the same."""
    rng = np.random.default_rng(0)
    own, other = rng.normal(2, 0.5, 40), rng.normal(2.4, 0.5, 40)
    weights = np.full(40, 3.0)
    found = compare(
        *(RowScores(own * 3, weights), RowScores(other * 3, weights), "pairs_of_chars", "nats a token"),
        share=False,
        higher_is_better=False,
    )
    d = other - own
    half = 2.0227 * d.std(ddof=1) / math.sqrt(40)
    assert found.difference == pytest.approx(d.mean())
    assert found.interval == pytest.approx((d.mean() - half, d.mean() + half), rel=1e-3)
    assert f"is {d.mean():.4f} better than the best baseline (pairs of chars, {other.mean():.4f})" in found.sentence(
        ROWS
    )
    assert found.sentence(ROWS).endswith(": the network is better.")


def test_one_row_has_no_interval() -> None:
    one = RowScores(np.array([3.0]), np.array([2.0]))
    found = compare(one, one, "single_chars", "nats a token", share=False, higher_is_better=False)
    assert not found.significant
    assert found.sentence(ROWS).endswith("so few have no interval: they cannot be told apart.")


def test_rows_that_vary_as_a_whole_are_not_counted_answer_by_answer() -> None:
    """Sentences of ten words, each right or wrong as a whole: no more is known than of as many single words."""
    first, second = answers(10, 8, 5, 10)
    of_ten = [RowScores(10.0 * side, np.full(len(side), 10.0)) for side in (first, second)]
    of_one = [RowScores(1.0 * side, np.full(len(side), 1.0)) for side in (first, second)]
    wide = compare(*of_ten, "x", "accuracy", share=True, higher_is_better=True).interval
    one = compare(*of_one, "x", "accuracy", share=True, higher_is_better=True).interval
    assert np.ptp(wide) == pytest.approx(np.ptp(one), rel=0.15)


def test_rows_that_depend_on_each_other_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    steps = rng.standard_normal(103)
    apart = np.convolve(steps, np.ones(4), "valid")  # each shares three of its four steps with the next one
    zero = np.zeros(100)
    alone = compare(
        RowScores(apart + 9, zero + 1),
        RowScores(zero + 9, zero + 1),
        "naive",
        "MAE",
        share=False,
        higher_is_better=False,
    )
    lagged = compare(
        RowScores(apart + 9, zero + 1, lags=3),
        RowScores(zero + 9, zero + 1),
        "naive",
        "MAE",
        share=False,
        higher_is_better=False,
    )
    # By hand: Σ d² + 2 Σ_k (1 − k/4) Σ d_i d_(i+k), of the deviations d from their mean.
    d = (apart - apart.mean()) / 100
    variance = d @ d + 2 * sum((1 - k / 4) * (d[k:] @ d[:-k]) for k in (1, 2, 3))
    half = student(24) * math.sqrt(25 / 24 * variance)
    assert lagged.interval == pytest.approx((-apart.mean() - half, -apart.mean() + half))
    assert np.ptp(lagged.interval) > 1.5 * np.ptp(alone.interval)
    few = mean_interval(RowScores(apart[:7], zero[:7] + 1, lags=3), RowScores(zero[:7], zero[:7] + 1))
    assert few == (-math.inf, math.inf)
