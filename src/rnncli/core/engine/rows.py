"""Passes over rows of tables, in C (``source/rows.h``, ``source/optimizers.h``).

Each takes what its caller in NumPy has, and says with None or False that NumPy is to compute: where there is no
compiled engine, or arrays of another kind than it reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.core.engine.library import library
from rnncli.core.engine.steps import arguments

Array = npt.NDArray[Any]

# Ids beyond it are sorted by NumPy: the counting takes a table of all ids.
LARGEST_ID = 2**18


def sums(values: Array, order: Array, counts: Array) -> Array | None:
    """(…, U, K) the (…, S, K) values added up over counts[u] rows each, those that follow each other in ``order``."""
    engine = library()
    if engine is None or values.dtype not in (np.float32, np.float64) or values.strides[-1] != values.itemsize:
        return None
    if values.shape[-2] != len(order) or values.strides[-2] % values.itemsize:
        return None
    if order.dtype != np.int64 or counts.dtype != np.int64:
        return None
    order, counts = np.ascontiguousarray(order), np.ascontiguousarray(counts)
    U, K, row = len(counts), values.shape[-1], values.strides[-2] // values.itemsize
    summed = np.empty((*values.shape[:-2], U, K), values.dtype)
    function = engine.function("sums_of_rows", values.dtype)
    indices = np.ndindex(values.shape[:-2]) if values.ndim > 2 else [()]
    for index in indices:
        function(*arguments(U, K, values[index], row, order, counts, summed[index]))
    return summed


def distinct(ids: Array) -> tuple[Array, Array, Array, Array] | None:
    """The rows, inverse, order and counts of :class:`rnncli.core.packed.DistinctTokens`."""
    engine = library()
    if engine is None or ids.ndim != 1 or not ids.size or ids.dtype.kind not in "iu":
        return None
    S, largest = len(ids), int(ids.max())
    if ids.min() < 0 or largest >= LARGEST_ID:
        return None
    spent, found = np.zeros(largest + 1 + S + 1, np.int64), np.empty((4, S), np.int64)
    rows, inverse, order, counts = found
    U = np.empty(1, np.int64)
    given = np.ascontiguousarray(ids, np.int64)
    # The same for every type of numbers.
    engine.function("distinct", np.dtype(np.float32))(
        *arguments(S, largest + 1, given, spent, spent[largest + 1 :], rows, inverse, order, counts, U)
    )
    u = int(U[0])
    return rows[:u].astype(ids.dtype), inverse, order, counts[:u]


def update(
    name: str, constants: Sequence[float], values: Array, gradient: Array, moments: Sequence[Array], rows: Array | None
) -> bool:
    """A step of an optimizer, in place; whether it has been taken.

    Args:
        name: of the C function.
        values, moments: (P,), or tables (V, K).
        gradient: (P,), or (U, K) of ``rows``.
        rows: (U,) distinct rows of the tables; None for all of a vector.
    """
    engine = library()
    if engine is None or any(a.dtype != values.dtype or not a.flags.c_contiguous for a in (values, gradient, *moments)):
        return False
    if values.dtype not in (np.float32, np.float64):
        return False
    count, K = (1, values.size) if rows is None else (len(rows), values.shape[1])
    if rows is not None:
        if gradient.shape != (count, K):
            return False
        if count and not 0 <= rows.min() <= rows.max() < len(values):
            raise IndexError("a row that the table does not have")
        rows = np.ascontiguousarray(rows, np.int64)
    given = np.array(constants, np.float64)
    engine.function(name, values.dtype)(*arguments(count, K, rows, values, gradient, *moments, given))
    return True
