"""Gradients: dense ones are arrays; those of a table keep only the rows that were used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.core.packed import Array


@dataclass(frozen=True, eq=False)
class RowGradient:
    """∂L/∂table where all rows but ``rows`` are zero: the gradient of looking rows up.

    Args:
        rows: (U,) distinct row numbers.
        values: (U, D) the gradient of these rows.
        shape: the table's shape (V, D).
    """

    rows: Array
    values: Array
    shape: tuple[int, int]

    def every(self, index: int, count: int) -> RowGradient:
        """The gradient of the rows whose number leaves the remainder ``index`` when divided by ``count``."""
        if count == 1:
            return self
        chosen = np.flatnonzero(self.rows % count == index)
        return RowGradient(self.rows[chosen], self.values.take(chosen, axis=0), self.shape)

    def dense(self) -> Array:
        """The same gradient as a full (V, D) array."""
        full = np.zeros(self.shape, self.values.dtype)
        full[self.rows] = self.values
        return full


Gradient = Array | RowGradient


def values_of(gradient: Gradient) -> Array:
    """The stored numbers of a gradient of either kind."""
    return gradient.values if isinstance(gradient, RowGradient) else gradient


def as_dense(gradient: Gradient) -> Array:
    """A gradient as an array of the parameter's shape."""
    return gradient.dense() if isinstance(gradient, RowGradient) else gradient
