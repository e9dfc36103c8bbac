"""Correlations of units with labels, from sums that are added to, row by row: memory does not grow with the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rnncli.core.packed import Array

# A value whose variance is less than this share of its mean square does not change: the rest is rounding.
NO_CHANGE = 1e-12


class Correlations:
    """Pearson's correlation of each of U values with having a label, 0 or 1 (the point-biserial one).

    Args:
        labels: that may come; other ones count as rows with none of them.
        statistics: names of the values.
        units: U.
    """

    def __init__(self, labels: Sequence[str], statistics: tuple[str, ...], units: int) -> None:
        self.statistics = statistics
        self._place = {label: k for k, label in enumerate(labels)}
        self._rows = np.zeros(len(labels), np.int64)
        self._whole = 0
        self._sums = {name: np.zeros(units) for name in statistics}
        self._squares = {name: np.zeros(units) for name in statistics}
        self._of_labels = {name: np.zeros((len(labels), units)) for name in statistics}

    def add(self, labels: Sequence[str], values: Mapping[str, Array]) -> None:
        """Takes rows in: a label for each, and (rows, U) of each statistic."""
        places = np.array([self._place.get(label, -1) for label in labels], np.int64)
        known = places >= 0
        self._whole += len(labels)
        np.add.at(self._rows, places[known], 1)
        for name in self.statistics:
            rows = values[name].astype(np.float64)
            self._sums[name] += rows.sum(axis=0)
            self._squares[name] += (rows**2).sum(axis=0)
            np.add.at(self._of_labels[name], places[known], rows[known])

    @property
    def present(self) -> list[str]:
        """The labels that came, in their order."""
        return [label for label, k in self._place.items() if self._rows[k]]

    def rows(self, label: str) -> int:
        """How many rows have it."""
        return int(self._rows[self._place[label]])

    def with_label(self, statistic: str, label: str) -> Array:
        """(U,) correlations; NaN where a value never changes, or all rows have the label."""
        n, k = self._whole, self._place[label]
        having = int(self._rows[k])
        sums, squares = self._sums[statistic], self._squares[statistic]
        covariance = n * self._of_labels[statistic][k] - having * sums
        spread = n * squares - sums**2  # n² times the variance
        moves = spread > NO_CHANGE * n * squares
        below = np.sqrt(np.where(moves, spread, 1.0) * having * (n - having))
        found = np.divide(covariance, below, out=np.full(len(sums), np.nan), where=moves & (below > 0))
        return np.asarray(np.clip(found, -1, 1))
