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
from rnncli.core.engine.steps import arguments, begin
from rnncli.core.engine.trials import TOLERANCES, TRIALS

Array = npt.NDArray[Any]

# Ids beyond it are sorted by NumPy: the counting takes a table of all ids.
LARGEST_ID = 2**18


def _function(name: str, dtype: np.dtype[Any]) -> Any:
    """The function in C, tried on a tiny case before its first use; None where NumPy computes."""
    engine = library()
    if engine is None or dtype not in (np.float32, np.float64):
        return None
    agrees = engine.agrees((name, dtype), lambda: TRIALS[name](engine.function(name, dtype), dtype))
    return engine.function(name, dtype) if agrees else None


def tested() -> None:
    """Tries every function in both types; after one that does not agree, NumPy computes."""
    for name in TRIALS:
        for dtype in TOLERANCES:
            _function(name, np.dtype(dtype))


def sums(values: Array, order: Array, counts: Array) -> Array | None:
    """(…, U, K) the (…, S, K) values added up over counts[u] rows each, those that follow each other in ``order``."""
    function = _function("sums_of_rows", values.dtype)
    if function is None or values.strides[-1] != values.itemsize:
        return None
    if values.shape[-2] != len(order) or values.strides[-2] % values.itemsize:
        return None
    if order.dtype != np.int64 or counts.dtype != np.int64:
        return None
    order, counts = np.ascontiguousarray(order), np.ascontiguousarray(counts)
    U, K, row = len(counts), values.shape[-1], values.strides[-2] // values.itemsize
    summed = np.empty((*values.shape[:-2], U, K), values.dtype)
    indices = np.ndindex(values.shape[:-2]) if values.ndim > 2 else [()]
    for index in indices:
        function(*arguments(U, K, values[index], row, order, counts, summed[index]))
    return summed


def distinct(ids: Array) -> tuple[Array, Array, Array, Array] | None:
    """The rows, inverse, order and counts of :class:`rnncli.core.packed.DistinctTokens`."""
    function = _function("distinct", np.dtype(np.float32))  # the same for every type of numbers
    if function is None or ids.ndim != 1 or not ids.size or ids.dtype.kind not in "iu":
        return None
    S, largest = len(ids), int(ids.max())
    if ids.min() < 0 or largest >= LARGEST_ID:
        return None
    spent, found = np.zeros(largest + 1 + S + 1, np.int64), np.empty((4, S), np.int64)
    rows, inverse, order, counts = found
    U = np.empty(1, np.int64)
    given = np.ascontiguousarray(ids, np.int64)
    function(*arguments(S, largest + 1, given, spent, spent[largest + 1 :], rows, inverse, order, counts, U))
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
    function = _function(name, values.dtype)
    if function is None or not _together(values, gradient, *moments):
        return False
    count, K = (1, values.size) if rows is None else (len(rows), values.shape[1])
    if rows is not None:
        if gradient.shape != (count, K):
            return False
        rows = _checked(rows, len(values))
    given = np.array(constants, np.float64)
    function(*arguments(count, K, rows, values, gradient, *moments, given))
    return True


def catch_up(
    name: str,
    constants: Sequence[float],
    values: Array,
    moments: Sequence[Array],
    rows: Array,
    since: Array,
    now: int,
    tables: Sequence[Array],
) -> bool:
    """Brings rows of a table up to date, in place, as :class:`rnncli.core.optim.lazy_rows.LazyRows` has it.

    Args:
        name: of the C function.
        values, moments: tables (V, K).
        rows: distinct ones that have missed steps.
        since: (V,) the step after which each row was last up to date, at most ``now``.
        tables: float64: what is kept and how far it is pushed, by that step; and for each moment what is left of it, by
            the number of steps that were missed. All have more than ``now`` entries.

    Returns:
        Whether it has been done.
    """
    function = _function(name, values.dtype)
    if function is None or not _together(values, *moments) or values.ndim != 2 or since.dtype != np.int64:
        return False
    rows, given = _checked(rows, len(values)), np.array(constants, np.float64)
    if any(len(table) <= now for table in tables):
        raise IndexError("a step that the tables do not have")
    tables = [np.ascontiguousarray(table, np.float64) for table in tables]
    count, K = len(rows), values.shape[1]
    function(*arguments(count, K, rows, now, since, *tables, given, values, *moments))
    return True


def merged(of_ranks: Sequence[tuple[Array, Array]], size: int, index: int, parts: int) -> tuple[Array, Array] | None:
    """The sums of the rows (U,) and values (U, K) that several ranks have of one table, in their order.

    Args:
        of_ranks: each has a row once.
        size: V of the table.
        index, parts: of the rows that leave ``index`` when divided by ``parts``.

    Returns:
        Their numbers, rising, and their sums.
    """
    values = [values for _, values in of_ranks]
    function = _function("merge", values[0].dtype)
    if function is None or not _together(*values):
        return None
    rows = [_checked(rows, size) for rows, _ in of_ranks]
    counts, K = np.array([len(one) for one in rows]), values[0].shape[1]
    most = min(int(counts.sum()), -(-size // parts))
    found, total, sums = np.empty(most, np.int64), np.empty(1, np.int64), np.empty((most, K), values[0].dtype)
    function(
        *arguments(len(rows), K, size, index, parts, counts),
        *arguments(np.array([begin(one) for one in rows]), np.array([begin(one) for one in values])),
        *arguments(np.zeros(size, np.int64), found, sums, total),
    )
    count = int(total[0])
    return found[:count], sums[:count]


def _together(first: Array, *others: Array) -> bool:
    """Whether they are of one type, each row after row."""
    return all(one.dtype == first.dtype and one.flags.c_contiguous for one in (first, *others))


def _checked(rows: Array, size: int) -> Array:
    """Row numbers of a table of so many rows, for C.

    Raises:
        IndexError: the table does not have one.
    """
    if len(rows) and not 0 <= rows.min() <= rows.max() < size:
        raise IndexError("a row that the table does not have")
    return np.ascontiguousarray(rows, np.int64)
