"""Ridge regression: the linear model that a network of numbers has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from rnncli.core.packed import Array

# Penalties that are tried, as shares of the mean variance of the columns times the number of rows.
PENALTIES = np.logspace(-6, 3, 28)
# Columns of a linear model, and rows times the square of columns: with more, its fit takes longer than seconds.
MOST_COLUMNS, MOST_WORK = 2_000, 2**35


@dataclass(frozen=True, eq=False)
class Ridge:
    """ŷ = b + x·W, with W of least Σ (y − ŷ)² + λ ‖W‖² over columns of mean 0 and deviation 1.

    Of the penalties λ that are tried each target has the one of least generalised cross-validation (Golub, Heath &
    Wahba 1979), which the eigenvalues of the columns' products give for all of them at once.

    Attributes:
        weights: (D, K) for the columns as they are.
        intercept: (K,).
    """

    weights: Array
    intercept: Array

    @classmethod
    def fit(cls, x: Array, y: Array) -> Self:
        """Fits to rows x (N, D) and targets y (N, K), both finite; a column that never changes has weight 0."""
        n = len(x)
        mean, deviation = x.mean(axis=0), x.std(axis=0)
        # The rounding errors of a mean are no variance.
        varies = deviation > 1e-12 * np.abs(x).max(axis=0, initial=0)
        scale = np.where(varies, deviation, 1.0)
        columns, targets = np.where(varies, (x - mean) / scale, 0.0), y - y.mean(axis=0)
        values, vectors = np.linalg.eigh(columns.T @ columns)
        values = np.maximum(values, 0)
        projected = vectors.T @ (columns.T @ targets)  # (D, K)
        whole = (targets**2).sum(axis=0)
        penalties = PENALTIES * n
        best, least = np.full(y.shape[1], penalties[-1]), np.full(y.shape[1], np.inf)
        for penalty in penalties.tolist():
            shrunk = values / (values + penalty)
            # ‖y − ŷ‖² from the projections alone: Σ y² − 2 y·ŷ + ŷ².
            fitted = projected**2 / (values + penalty)[:, None]
            squares = whole - 2 * fitted.sum(axis=0) + (fitted * shrunk[:, None]).sum(axis=0)
            free = n - 1 - shrunk.sum()  # the mean of the targets is fitted too
            if free <= 0:
                continue
            score = np.maximum(squares, 0) / free**2
            best, least = np.where(score < least, penalty, best), np.minimum(score, least)
        weights = vectors @ (projected / (values[:, None] + best)) / scale[:, None]
        return cls(weights, y.mean(axis=0) - mean @ weights)

    def predict(self, x: Array) -> Array:
        """(N, K)."""
        return np.asarray(x @ self.weights + self.intercept)


def too_large(rows: int, columns: int) -> bool:
    """Whether a fit would take longer than a baseline may."""
    return columns > MOST_COLUMNS or rows * columns**2 > MOST_WORK
