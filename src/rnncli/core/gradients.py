"""Gradients: dense ones are arrays, those of a table of rows keep only the rows that were used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.core.packed import Array


@dataclass(frozen=True, eq=False)
class RowGradient:
    """∂L/∂table where all rows but ``rows`` are zero: what a row gather leaves behind.

    Args:
        rows: (U,) distinct row numbers, ascending.
        values: (U, D) the gradient of these rows.
        shape: the table's shape (V, D).
    """

    rows: Array
    values: Array
    shape: tuple[int, int]

    @classmethod
    def from_gather(cls, ids: Array, d_gathered: Array, shape: tuple[int, int]) -> RowGradient:
        """Adds up the (S, D) gradients of ``table[ids]`` row by row of the table."""
        order = np.argsort(ids, kind="stable")
        sorted_ids = ids[order]
        starts = np.flatnonzero(np.concatenate(([True], sorted_ids[1:] != sorted_ids[:-1])))
        values = np.add.reduceat(d_gathered[order], starts, axis=0)
        return cls(sorted_ids[starts], values, shape)

    def dense(self) -> Array:
        """The same gradient as a full (V, D) array, for checks and for reading."""
        full = np.zeros(self.shape, self.values.dtype)
        full[self.rows] = self.values
        return full


Gradient = Array | RowGradient


def values_of(gradient: Gradient) -> Array:
    """The stored numbers of a gradient, whichever kind it is."""
    return gradient.values if isinstance(gradient, RowGradient) else gradient


def as_dense(gradient: Gradient) -> Array:
    """A gradient as an array of the parameter's shape."""
    return gradient.dense() if isinstance(gradient, RowGradient) else gradient
