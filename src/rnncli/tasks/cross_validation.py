"""What the scores of several folds say together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rnncli.record import FoldScore
from rnncli.results import format_number
from rnncli.tasks.comparison import student, wilson_interval
from rnncli.tasks.model import Metric

NORMAL = 10**9  # degrees of freedom with which Student's distribution is the normal one


@dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """The scores of trainings that each left out one fold, on that fold.

    Attributes:
        metric: the score's name.
        share: whether it is a share of right answers.
        folds: the scores, one a fold.
        mean, deviation: of the scores; the deviation is that of a sample.
        interval: the central 95% of the mean.
        baseline: the name of the baseline with the best mean, which is ``baseline_mean``.
        difference: by how much the network is better on average; below 0 it is worse.
        difference_interval: its central 95%, by the differences of the folds.
    """

    metric: str
    share: bool
    folds: tuple[FoldScore, ...]
    mean: float
    deviation: float
    interval: tuple[float, float]
    baseline: str
    baseline_mean: float
    difference: float
    difference_interval: tuple[float, float]

    @classmethod
    def of(cls, folds: Sequence[FoldScore], metric: Metric) -> CrossValidation:
        """The scores of all folds, of which there are at least 2."""
        sign = 1.0 if metric.higher_is_better else -1.0
        means = {
            name: sum(fold.baselines[name] for fold in folds) / len(folds)
            for name in folds[0].baselines
            if all(name in fold.baselines for fold in folds)
        }
        best = max(means, key=lambda name: sign * means[name])
        mean, deviation, interval = _mean_of([fold.score for fold in folds], [fold.error for fold in folds])
        gains = [sign * (fold.score - fold.baselines[best]) for fold in folds]
        difference, _, difference_interval = _mean_of(gains, [fold.errors.get(best) for fold in folds])
        if metric.is_share:
            of_all = wilson_interval(mean, sum(fold.rows for fold in folds))
            interval = max(0.0, min(interval[0], of_all[0])), min(1.0, max(interval[1], of_all[1]))
        return cls(
            metric=metric.name,
            share=metric.is_share,
            folds=tuple(folds),
            mean=mean,
            deviation=deviation,
            interval=interval,
            baseline=best,
            baseline_mean=means[best],
            difference=difference,
            difference_interval=difference_interval,
        )

    @property
    def sentence(self) -> str:
        """The result in plain words."""
        low, high = map(format_number, self.interval)
        spread = f"deviation {format_number(self.deviation)}, 95% interval {low} to {high}"
        said = f"{format_number(self.mean)} {self.metric} on average over {len(self.folds)} folds ({spread}) is "

        def size(value: float) -> str:
            return f"{100 * value:.1f}" if self.share else format_number(value)

        beside = f"the best baseline ({self.baseline.replace('_', ' ')}, {format_number(self.baseline_mean)})"
        words = ("points above", "points below") if self.share else ("better than", "worse than")
        better = f"{size(abs(self.difference))} {words[self.difference < 0]} {beside}"
        said += better if self.difference else f"that of {beside}"
        low_end, high_end = self.difference_interval
        found = "they cannot be told apart"
        if low_end > 0 or high_end < 0:
            found = f"the network is {'better' if low_end > 0 else 'worse'}"
        return f"{said}; 95% interval {size(low_end)} to {size(high_end)}: {found}.".replace(" -", " −")


def _mean_of(scores: Sequence[float], errors: Sequence[float | None]) -> tuple[float, float, tuple[float, float]]:
    """Mean, deviation, and the 95% interval of the mean of K scores, one a fold.

    Trainings on folds share most of their rows, so their scores vary together and Student's interval is too narrow: the
    variance of the mean is taken as (1/K + 1/(K − 1)) times that of the scores, where 1/(K − 1) is how many times the
    rows for training the rows of a fold are (Nadeau & Bengio 2003). Few folds may be alike by chance: the interval is
    no narrower than their rows allow.

    Args:
        errors: the standard error of each score, by the rows of its fold; None where that is not known.
    """
    count = len(scores)
    mean = sum(scores) / count
    variance = sum((score - mean) ** 2 for score in scores) / (count - 1)
    of_rows = math.sqrt(sum((error or 0.0) ** 2 for error in errors)) / count
    half = student(count - 1) * math.sqrt((1 / count + 1 / (count - 1)) * variance)
    half = max(half, student(NORMAL) * of_rows)
    return mean, math.sqrt(variance), (mean - half, mean + half)
