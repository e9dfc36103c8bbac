"""Correlations of units with labels, from sums over rows: memory does not grow with their number."""

from __future__ import annotations

import numpy as np

from rnncli.core.packed import Array
from rnncli.inspection.activation_states import TextActivations

# A value whose variance is less than this share of its mean square does not change: the rest is rounding.
NO_CHANGE = 1e-12


class Correlations:
    """Pearson's correlation of each of U units with having a label, 0 or 1 (the point-biserial one).

    Args:
        units: those of the topmost layer.
    """

    def __init__(self, units: slice = slice(None)) -> None:
        self.statistics: tuple[str, ...] = ()
        self._units = units
        self._place: dict[str, int] = {}
        self._whole = 0

    def add(self, read: TextActivations) -> None:
        """Takes in the rows of a text: the labels of each, and (rows, K) of each statistic of the units."""
        if not read.statistics:
            return
        if not self.statistics:
            L, U, self.statistics = len(read.known), read.hidden[:0, self._units].shape[1], tuple(read.statistics)
            self._place = {label: k for k, label in enumerate(read.known)}
            self._rows = np.zeros(L, np.int64)
            self._sums, self._squares = ({name: np.zeros(U) for name in self.statistics} for _ in range(2))
            self._of_labels = {name: np.zeros((L, U)) for name in self.statistics}
        sets = read.label_sets
        pairs = [(row, self._place[label]) for row, of in enumerate(sets) for label in of if label in self._place]
        having, places = np.array(pairs, np.int64).reshape(-1, 2).T
        self._whole += len(sets)
        np.add.at(self._rows, places, 1)
        for name, values in read.statistics.items():
            rows = values[:, self._units].astype(np.float64)
            self._sums[name] += rows.sum(axis=0)
            self._squares[name] += (rows**2).sum(axis=0)
            np.add.at(self._of_labels[name], places, rows[having])

    @property
    def rows(self) -> dict[str, int]:
        """How many rows have each label, of those that came, in their order."""
        return {label: int(self._rows[k]) for label, k in self._place.items() if self._rows[k]}

    def with_label(self, statistic: str, label: str) -> Array:
        """(U,) correlations; NaN where a value never changes, or all rows have the label."""
        n, k = self._whole, self._place[label]
        having, sums, squares = int(self._rows[k]), self._sums[statistic], self._squares[statistic]
        covariance = n * self._of_labels[statistic][k] - having * sums
        spread = n * squares - sums**2  # n² times the variance
        moves = spread > NO_CHANGE * n * squares
        below = np.sqrt(np.where(moves, spread, 1.0) * having * (n - having))
        found = np.divide(covariance, below, out=np.full(len(sums), np.nan), where=moves & (below > 0))
        return np.asarray(np.clip(found, -1, 1))
