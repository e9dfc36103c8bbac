"""The passes over rows in C against the lines in NumPy that define them."""

from __future__ import annotations

import ctypes
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from rnncli.core.engine import library as engine
from rnncli.core.engine import rows as compiled_rows
from rnncli.core.engine.trials import TRIALS
from rnncli.core.gradients import RowGradient
from rnncli.core.optim.lazy_rows import LazyRows
from rnncli.core.optim.optimizers import Adam
from rnncli.core.optim.parameters import Gradients
from rnncli.core.packed import DistinctTokens
from rnncli.parallel.communicator import summed

pytestmark = pytest.mark.engines("compiled")
TOLERANCE = {np.float32: 1e-6, np.float64: 1e-13}
both_types = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def in_numpy(function, *arguments):
    with engine.using("numpy"):
        return function(*arguments)


@np.errstate(under="ignore")
def close(found: np.ndarray, expected: np.ndarray, dtype: type) -> bool:
    return bool(np.linalg.norm(found - expected) <= TOLERANCE[dtype] * np.linalg.norm(expected))


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint16])
@pytest.mark.parametrize(("size", "largest"), [(1, 1), (1, 90), (7, 2), (300, 40), (500, 70_000)])
def test_distinct_tokens(kind: type, size: int, largest: int) -> None:
    largest = min(largest, np.iinfo(kind).max)
    ids = np.random.default_rng(size).integers(0, largest, size).astype(kind)[::-1]
    found, expected = DistinctTokens.of(ids), in_numpy(DistinctTokens.of, ids)
    for field in fields(DistinctTokens):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


@pytest.mark.parametrize("ids", [[-1, 3], [compiled_rows.LARGEST_ID, 3]])
def test_ids_that_cannot_be_counted_are_left_to_numpy(ids: list[int]) -> None:
    assert compiled_rows.distinct(np.array(ids)) is None


@both_types
@pytest.mark.parametrize("width", [1, 3, 16, 31, 64, 77, 256])
@pytest.mark.parametrize("leading", [(), (3,)])
def test_sums(dtype: type, width: int, leading: tuple[int, ...]) -> None:
    """Of columns of a wider array, in both directions."""
    rng = np.random.default_rng(width)
    tokens = DistinctTokens.of(np.minimum(rng.geometric(0.1, 200), 60))
    values = rng.normal(size=(*leading, 200, width + 5)).astype(dtype)[..., 2 : 2 + width]
    for distinct in (tokens, tokens.permuted(np.arange(200)[::-1])):
        found, expected = distinct.sums(values), in_numpy(distinct.sums, values)
        assert found.shape == expected.shape == (*leading, len(tokens.rows), width)
        assert found.dtype == dtype
        assert close(found, expected, dtype)
        if width >= 32:  # below, NumPy adds in another order
            np.testing.assert_array_equal(found, expected)


@both_types
@pytest.mark.parametrize("decay", [0.0, 0.5])
@pytest.mark.parametrize("rows", [None, [4], [7, 0, 3]])
def test_adam(dtype: type, decay: float, rows: list[int] | None) -> None:
    rng, adam = np.random.default_rng(1), Adam(weight_decay=decay)
    shape = (203,) if rows is None else (9, 21)
    chosen = None if rows is None else np.array(rows)
    part = slice(None) if chosen is None else chosen
    mine = [np.abs(rng.normal(size=shape)).astype(dtype) for _ in range(3)]  # values and both moments
    theirs = [one.copy() for one in mine]
    for step in (1, 2, 900):
        gradient = rng.normal(size=mine[0][part].shape).astype(dtype)
        assert compiled_rows.update(*adam.compiled_update(0.1, step), mine[0], gradient, mine[1:], chosen)
        picked = [one[part].copy() for one in theirs]
        adam.update(picked[0], gradient, tuple(picked[1:]), 0.1, step)
        for one, new in zip(theirs, picked, strict=True):
            one[part] = new
        for found, expected in zip(mine, theirs, strict=True):
            assert close(found, expected, dtype)


@both_types
def test_adam_in_parts_has_the_bits_of_the_whole(dtype: type) -> None:
    """As two processes have it: whatever the length, the numbers at the end are computed like the others."""
    rng, adam = np.random.default_rng(2), Adam(weight_decay=0.1)
    whole = [np.abs(rng.normal(size=157)).astype(dtype) for _ in range(4)]
    parts = [one.copy() for one in whole]
    compiled_rows.update(*adam.compiled_update(0.1, 3), whole[0], whole[3], whole[1:3], None)
    for begin, end in ((0, 1), (1, 70), (70, 157)):
        values, mean, square, gradient = (one[begin:end] for one in parts)
        compiled_rows.update(*adam.compiled_update(0.1, 3), values, gradient, [mean, square], None)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_nan_stays_and_a_wrong_row_is_refused() -> None:
    adam, table = Adam().compiled_update(0.1, 1), [np.ones((3, 4)) for _ in range(3)]
    with pytest.raises(IndexError):
        compiled_rows.update(*adam, table[0], np.ones((1, 4)), table[1:], np.array([3]))
    compiled_rows.update(*adam, table[0], np.full((1, 4), np.nan), table[1:], np.array([1]))
    assert np.isnan(table[0][1]).all()
    assert (table[0][[0, 2]] == 1).all()


@both_types
@pytest.mark.parametrize("decay", [0.0, 0.5])
@pytest.mark.parametrize("width", [1, 21, 64])
def test_rows_are_caught_up(dtype: type, decay: float, width: int) -> None:
    """Rows that have missed no step, one, and many; one with a NaN, and others that are not read."""
    rng, adam, rows = np.random.default_rng(width), Adam(weight_decay=decay), np.array([7, 0, 3, 4, 8])
    found, expected = (
        [values, *moments, lazy]
        for values, *moments in [[np.abs(rng.normal(size=(9, width))).astype(dtype) for _ in range(3)]]
        for lazy in (LazyRows({"table": 9}), LazyRows({"table": 9}))
    )
    expected[:3] = [one.copy() for one in found[:3]]
    for values, mean, square, lazy in (found, expected):
        for step in range(1, 901):
            lazy.count_step(adam, 0.01, step)
        lazy.since["table"][rows] = 900, 899, 880, 0, 500
        values[8] = mean[4] = np.nan
        with engine.using("compiled" if values is found[0] else "numpy"):
            lazy.catch_up(adam, "table", values, (mean, square), rows[:0])
            lazy.catch_up(adam, "table", values, (mean, square), rows)
    for one, other in zip(found[:3], expected[:3], strict=True):
        np.testing.assert_array_equal(np.isnan(one), np.isnan(other))
        assert close(np.nan_to_num(one), np.nan_to_num(other), dtype)
        np.testing.assert_array_equal(one[[1, 2, 5, 6, 7]], other[[1, 2, 5, 6, 7]])
    np.testing.assert_array_equal(found[3].since["table"], expected[3].since["table"])


def test_rows_that_cannot_be_caught_up_are_refused() -> None:
    adam, table, lazy = Adam(), [np.ones((3, 4)) for _ in range(3)], LazyRows({"table": 3})
    lazy.count_step(adam, 0.1, 1)
    with pytest.raises(IndexError):
        lazy.catch_up(adam, "table", table[0], tuple(table[1:]), np.array([3]))
    lazy.now = 10**6
    with pytest.raises(IndexError):
        lazy.catch_up(adam, "table", table[0], tuple(table[1:]), np.array([1]))


@both_types
@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_sums_of_ranks_have_the_same_bits(dtype: type, ranks: int, parts: int) -> None:
    rng, size, width = np.random.default_rng(ranks), 40, 19

    def of_a_rank(count: int) -> RowGradient:
        rows = rng.choice(size, count, replace=False).astype(np.int32)
        return RowGradient(rows, rng.normal(size=(count, width)).astype(dtype), (size, width))

    for counts in ((25, 30, 9), (0, 1, 40), (0, 0, 0)):
        tables = [of_a_rank(count) for count in counts[:ranks]]
        gradients = [Gradients(np.ones(9, dtype), {"table": one}, {}) for one in tables]
        for index in range(parts):
            found = summed(gradients, (index, parts)).tables["table"]
            expected = in_numpy(summed, gradients, (index, parts)).tables["table"]
            np.testing.assert_array_equal(found.rows, expected.rows)
            np.testing.assert_array_equal(found.values, expected.values)
            assert found.values.dtype == dtype
            assert found.shape == expected.shape


def test_a_row_of_a_rank_that_the_table_does_not_have_is_refused() -> None:
    with pytest.raises(IndexError):
        compiled_rows.merged([(np.array([0, 5]), np.ones((2, 3)))], 5, 0, 1)


@both_types
@pytest.mark.parametrize("name", sorted(TRIALS))
def test_a_function_that_does_something_else_is_not_used(
    dtype: type, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planted fault: the first of its arguments, a number of rows or ranks, is one less."""
    loaded, kind = engine.Library(Path(engine.__file__).with_name(engine.NAME)), np.dtype(dtype)
    monkeypatch.setattr(engine, "_loaded", lambda: loaded)
    right = loaded.function(name, kind)
    assert TRIALS[name](right, kind)
    assert not TRIALS[name](lambda count, *others: right(ctypes.c_int64(count.value - 1), *others), kind)
    monkeypatch.setitem(TRIALS, name, lambda *_: False)
    compiled_rows.tested()
    assert engine.library() is None
    assert name in str(engine.status().why_not)
