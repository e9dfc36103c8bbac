"""The network that predicts numbers: many-to-one, with a squared error on standardised targets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np

from rnncli.core.losses import squared_error
from rnncli.core.packed import Array
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.many_to_one.network import ManyToOne


@dataclass(frozen=True)
class NumberNetwork(ManyToOne):
    """Many-to-one with K numbers out, each standardised by the mean and the deviation of its target in training.

    Args:
        center, spread: (K,) of the targets, in the units of the data.
        lags: how many of the rows that follow a row share some of its targets.
    """

    center: tuple[float, ...] = (0.0,)
    spread: tuple[float, ...] = (1.0,)
    lags: int = 0
    judged_by: ClassVar[Literal["accuracy", "loss", "error"]] = "error"

    @cached_property
    def scale(self) -> Array:
        """(K,) float64."""
        return np.array(self.spread)

    @property
    def curvature(self) -> float:
        return 2.0

    @property
    def terms(self) -> int:
        return self.label_count

    def loss(self, logits: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        return squared_error(logits, targets)

    def outputs(self, logits: Array) -> Array:
        """(rows, K) in the units of the data, less what the targets are relative to."""
        return np.asarray(np.array(self.center) + self.scale * logits)

    def standardised(self, numbers: Array) -> Array:
        """The opposite of :meth:`outputs`."""
        return np.asarray((numbers - np.array(self.center)) / self.scale)

    def judged(self, logits: Array, targets: Array) -> RowScores:
        """The sum of the absolute errors of each row, in the units of the data."""
        return absolute_errors(self.scale * (logits - targets), self.lags)

    def answer_score(self, logits: Array, answer: Any) -> Array:
        """(rows,) the mean of the predicted numbers, whatever the answer."""
        return np.asarray(self.outputs(logits).mean(axis=1))

    def answer_score_gradient(self, logits: Array, answer: Any) -> Array:
        return np.broadcast_to((self.scale / len(self.scale)).astype(logits.dtype), logits.shape).copy()


def absolute_errors(off: Array, lags: int = 0) -> RowScores:
    """The scores of rows that are off by (rows, K)."""
    return RowScores(np.abs(off, dtype=np.float64).sum(axis=1), np.full(len(off), float(off.shape[1])), lags)
