"""Tiny cases of the passes over rows, one a function in C, beside the same in NumPy: tried before its first use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.core.engine.steps import arguments, begin

Array = npt.NDArray[Any]
Trial = Callable[[Any, np.dtype[Any]], bool]

# By how much the two engines may differ in a trial, relative by norm.
TOLERANCES = {"float32": 1e-5, "float64": 1e-12}
WIDTH = 37  # numbers a row: whole vectors and a part of one, at every level
IDS, COUNTS = np.array([3, 1, 3, 0, 3, 1]), np.array([3, 2, 1])
ROWS, ORDER = np.array([3, 1, 0]), np.array([0, 2, 4, 1, 5, 3])  # of the ids, the commonest first


def _numbers(dtype: np.dtype[Any], count: int, rows: int, shift: float = 0.0) -> list[Array]:
    """So many arrays (rows, WIDTH)."""
    size = rows * WIDTH
    return [(np.sin(np.arange(k, k + size)) + shift).astype(dtype).reshape(rows, WIDTH) for k in range(count)]


def _agree(found: Sequence[Array], expected: Sequence[Array]) -> bool:
    return all(
        bool(np.linalg.norm(one - other) <= TOLERANCES[one.dtype.name] * np.linalg.norm(other))
        for one, other in zip(found, expected, strict=True)
    )


def _distinct(function: Any, dtype: np.dtype[Any]) -> bool:
    expected = [ROWS, np.array([0, 1, 0, 2, 0, 1]), ORDER, COUNTS, np.array([3])]
    found = [np.zeros_like(one) for one in expected]
    function(*arguments(6, 4, IDS, np.zeros(4, np.int64), np.zeros(7, np.int64), *found))
    return all(map(np.array_equal, found, expected))


def _sums_of_rows(function: Any, dtype: np.dtype[Any]) -> bool:
    (values,), (found,) = _numbers(dtype, 1, 6), _numbers(dtype, 1, 3)
    function(*arguments(3, WIDTH, values, WIDTH, ORDER, COUNTS, found))
    return _agree([found], [np.add.reduceat(values[ORDER], [0, 3, 5])])


def _adam(function: Any, dtype: np.dtype[Any]) -> bool:
    w, m, v, g = _numbers(dtype, 4, 4, shift=2)
    beta1, rest1, beta2, rest2, root, epsilon, rate, keep = given = np.array([0.9, 0.1, 0.8, 0.2, 0.5, 0.1, 0.3, 0.7])
    m1, v1 = m[ROWS] * beta1 + rest1 * g[:3], v[ROWS] * beta2 + rest2 * g[:3] ** 2
    w1 = w[ROWS] * keep - m1 / (np.sqrt(v1) / root + epsilon) * rate
    function(*arguments(3, WIDTH, ROWS, w, g, m, v, given))
    return _agree([w[ROWS], m[ROWS], v[ROWS]], [w1, m1, v1])


def _adam_catch_up(function: Any, dtype: np.dtype[Any]) -> bool:
    w, m, v = _numbers(dtype, 3, 4, shift=2)
    since, (kept, pushed, left1, left2) = np.array([1, 0, 2, 0]), np.linspace(0.5, 0.9, 12).reshape(4, 3)
    then = since[ROWS]
    w1 = w[ROWS] * kept[then, None] - m[ROWS] / (np.sqrt(v[ROWS]) + 0.1) * pushed[then, None]
    m1, v1 = m[ROWS] * left1[2 - then, None], v[ROWS] * left2[2 - then, None]
    function(*arguments(3, WIDTH, ROWS, 2, since, kept, pushed, left1, left2, np.array([0.1]), w, m, v))
    return _agree([w[ROWS], m[ROWS], v[ROWS]], [w1, m1, v1]) and bool((since == 2).all())


def _merge(function: Any, dtype: np.dtype[Any]) -> bool:
    """Of two ranks, the even ones of six rows."""
    first, second = _numbers(dtype, 2, 3)
    rows, (sums,), found = np.zeros(2, np.int64), _numbers(dtype, 1, 2), np.zeros(1, np.int64)
    of_rank = [np.array([begin(one) for one in arrays]) for arrays in ((ROWS, ORDER), (first, second))]
    counts, place = np.array([3, 2]), np.zeros(6, np.int64)  # rows 3, 1, 0 and rows 0, 2
    function(*arguments(2, WIDTH, 6, 0, 2, counts, *of_rank, place, rows, sums, found))
    return rows.tolist() == [0, 2] and _agree([sums], [np.stack([first[2] + second[0], second[1]])]) and found[0] == 2


TRIALS: dict[str, Trial] = {
    "distinct": _distinct,
    "sums_of_rows": _sums_of_rows,
    "adam": _adam,
    "adam_catch_up": _adam_catch_up,
    "merge": _merge,
}
