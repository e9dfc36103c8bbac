"""Whether a network is better than a baseline on the same rows, with an interval for the difference."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.splits import BOOTSTRAP, stream
from rnncli.results import format_number

CONFIDENCE = 0.95
_TAIL = (1 - CONFIDENCE) / 2
_Z = 1.959963984540054  # the normal distribution's quantile at 0.975


@dataclass(frozen=True, eq=False)
class RowScores:
    """The scores of single rows; that of all is Σ sums / Σ weights.

    Attributes:
        sums: (rows,) right answers of each, or the sum of its losses.
        weights: (rows,) of how many answers.
        lags: how many of the rows that follow a row depend on it: windows of a series share what is to be forecast.
    """

    sums: Array
    weights: Array
    lags: int = 0

    @classmethod
    def of_answers(cls, right: Array) -> RowScores:
        """Of (rows,) single answers, each right or wrong."""
        return cls(np.asarray(right, np.float64), np.ones(len(right)))

    @property
    def score(self) -> float:
        """0 where no row has a weight."""
        return float(self.sums.sum() / (self.weights.sum() or 1.0))

    @property
    def single_answers(self) -> bool:
        """Whether each row is one answer, right or wrong."""
        return bool((self.weights == 1).all() and np.isin(self.sums, (0, 1)).all())


@dataclass(frozen=True)
class Baseline:
    """A simple predictor that a network has to beat.

    Attributes:
        name: such as ``bag_of_words``.
        rows: the scores of the validation rows, as those of :meth:`rnncli.tasks.network.Network.row_scores`.
    """

    name: str
    rows: RowScores

    @property
    def score(self) -> float:
        """On the validation rows, by the model's metric."""
        return self.rows.score


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A network beside the best of its baselines, on the same validation rows.

    Attributes:
        metric: its name.
        share: whether it is a share of right answers.
        score, baseline_score: of the network, and of the baseline called ``baseline``.
        difference: by how much the network is better; below 0 it is worse.
        interval: the central 95% of the difference.
        rows: that both were scored on.
        same: both are right and wrong on the same rows.
    """

    metric: str
    share: bool
    score: float
    baseline: str
    baseline_score: float
    difference: float
    interval: tuple[float, float]
    rows: int
    same: bool = False

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out 0."""
        low, high = self.interval
        return low > 0 or high < 0

    @property
    def right_rows(self) -> str:
        """On which rows two of the :attr:`same` scores are right."""
        return "both are right on the same rows" if self.score else "neither is right on any row"

    def sentence(self, validated_on: str) -> str:
        """The comparison in plain words, with a count of what both were scored on: ``78 validation rows``."""
        said = f"{format_number(self.score)} {self.metric} on {validated_on} "
        beside = f"the best baseline ({self.baseline.replace('_', ' ')}, {format_number(self.baseline_score)})"
        if self.same:
            return f"{said}equals {beside}: {self.right_rows}."
        better = self.difference > 0
        if self.difference == 0:
            said += f"equals {beside}"
        elif self.share:
            said += f"is {100 * abs(self.difference):.1f} points {'above' if better else 'below'} {beside}"
        else:
            said += f"is {format_number(abs(self.difference))} {'better' if better else 'worse'} than {beside}"
        if not all(map(math.isfinite, self.interval)):
            return f"{said}; so few have no interval: they cannot be told apart."
        low, high = (f"{100 * x:.1f}" if self.share else format_number(x) for x in self.interval)
        found = f"the network is {'better' if better else 'worse'}" if self.significant else "they cannot be told apart"
        return f"{said}; 95% interval {low} to {high}: {found}.".replace(" -", " −")


def compare(
    network: RowScores, baseline: RowScores, name: str, metric: str, *, share: bool, higher_is_better: bool
) -> Comparison:
    """Compares two on the same rows, in the same order.

    Args:
        name: the baseline's.
        share: whether the metric is a share of right answers.
    """
    sign = 1.0 if higher_is_better else -1.0
    low, high = sorted(sign * end for end in mean_interval(network, baseline))
    if network.single_answers and baseline.single_answers:
        # Student's t is for many rows, and the exact interval takes the number of rows that differ as given: the wider.
        exact = exact_interval(network.sums, baseline.sums)
        low, high = max(-1.0, min(low, exact[0])), min(1.0, max(high, exact[1]))
    return Comparison(
        metric=metric,
        share=share,
        score=network.score,
        baseline=name,
        baseline_score=baseline.score,
        difference=sign * (network.score - baseline.score),
        interval=(low, high),
        rows=len(network.sums),
        same=share and bool((network.sums == baseline.sums).all() and (network.weights == baseline.weights).all()),
    )


def exact_interval(first: Array, second: Array) -> tuple[float, float]:
    """The 95% interval of the share of (rows,) answers that the first has right, less the second's.

    Only rows that one alone has right count. Of d such rows the first has b: b is binomial, by chance with probability
    ½ (McNemar 1947). The exact interval of that probability θ (Clopper & Pearson 1934) gives that of the difference,
    (2θ − 1) d / rows, which leaves out 0 exactly where McNemar's exact test finds a difference.
    """
    alone, other = int(((first == 1) & (second == 0)).sum()), int(((first == 0) & (second == 1)).sum())
    d = alone + other
    if not d:
        return 0.0, 0.0
    low, high = binomial_interval(alone, d)
    return (2 * low - 1) * d / len(first), (2 * high - 1) * d / len(first)


def binomial_interval(successes: int, trials: int) -> tuple[float, float]:
    """The exact 95% interval of a probability (Clopper & Pearson 1934)."""
    counts = np.arange(trials + 1)
    log_factorials = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, trials + 1)))))
    log_choices = log_factorials[-1] - log_factorials - log_factorials[::-1]

    def at_least(k: int, p: float) -> float:
        logs = log_choices + counts * math.log(p) + (trials - counts) * math.log1p(-p)
        return float(np.exp(logs[k:]).sum())

    low = 0.0 if successes == 0 else _root(lambda p: at_least(successes, p) - _TAIL)
    high = 1.0 if successes == trials else _root(lambda p: at_least(successes + 1, p) - (1 - _TAIL))
    return low, high


def _root(rising: Callable[[float], float]) -> float:
    """Where a rising function is 0, between 0 and 1, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def standard_error(first: RowScores, second: RowScores | None = None) -> float:
    """That of a score, or of the first score less the second, of at least two rows; infinite for one.

    A ratio of sums varies as its linear part does (Cochran 1977). Of rows that depend on each other as far as their
    lags say, autocovariances are added (Newey & West 1987), as for forecasts (Diebold & Mariano 1995).
    """
    both = [first] if second is None else [first, second]
    lags = max(one.lags for one in both)
    n = independent_rows(first, lags)
    if n < 2:
        return math.inf
    parts = [(one.sums - one.score * one.weights) / (one.weights.sum() or 1.0) for one in both]
    varies = parts[0] if second is None else parts[0] - parts[1]
    variance = alone = float(varies @ varies)
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * float(varies[lag:] @ varies[:-lag])
    return math.sqrt(n / (n - 1) * max(variance, alone))


def independent_rows(rows: RowScores, lags: int) -> int:
    """How many rows have no other between them on which they depend."""
    return len(rows.sums) // (lags + 1)


def wilson_interval(share: float, n: int) -> tuple[float, float]:
    """The 95% interval of a share of n rows (Wilson 1927), which holds for few rows and for shares of 0 and 1 too."""
    z2 = _Z**2
    middle, half = share + z2 / (2 * n), _Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low, high = ((middle + sign * half) / (1 + z2 / n) for sign in (-1, 1))
    return max(0.0, low), min(1.0, high)


def mean_interval(first: RowScores, second: RowScores) -> tuple[float, float]:
    """The 95% interval of the first score less the second: of a ratio of sums, by Student's t.

    A row, which is a sentence or a piece of a text, varies as a whole: rows are taken for independent, and the answers
    in them are not; of rows with lags, only those that have no such row between them.
    """
    n = independent_rows(first, max(first.lags, second.lags))
    if n < 2:
        return -math.inf, math.inf
    half = student(n - 1) * standard_error(first, second)
    difference = first.score - second.score
    return difference - half, difference + half


IntervalMethod = Literal["Wilson", "bootstrap"]
INTERVAL_SAMPLES = 2000
_DRAWS_AT_A_TIME = 1 << 22


def score_interval(rows: RowScores, seed: int = 0) -> tuple[float, float, IntervalMethod]:
    """The 95% interval of a score, and the method that gave it.

    The share of rows that are right has Wilson's interval, another score the central 95% over bootstrap samples of the
    rows (Efron 1979); rows that depend on those before them are drawn in blocks (Politis & Romano 1992).
    """
    n = len(rows.sums)
    if rows.single_answers:
        return *wilson_interval(rows.score, n), "Wilson"
    rng, scores = stream(seed, BOOTSTRAP), []
    at_once, block = max(1, _DRAWS_AT_A_TIME // n), min(rows.lags + 1, n)
    for first in range(0, INTERVAL_SAMPLES, at_once):
        begins = rng.integers(n, size=(min(at_once, INTERVAL_SAMPLES - first), -(-n // block)))
        drawn = (begins[:, :, None] + np.arange(block)).reshape(len(begins), -1)[:, :n] % n
        scores.append(rows.sums[drawn].sum(axis=1) / rows.weights[drawn].sum(axis=1))
    low, high = np.quantile(np.concatenate(scores), [_TAIL, 1 - _TAIL])
    return float(low), float(high), "bootstrap"


def student(freedom: int) -> float:
    """Student's t at 0.975, by its expansion in 1 / degrees of freedom (Abramowitz & Stegun 1964, 26.7.5), which does
    not hold for one and two degrees."""
    if freedom <= 2:
        return (12.706204736432095, 4.302652729911275)[freedom - 1]
    z, v = _Z, float(freedom)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / v ** (k + 1) for k, term in enumerate(terms)))
