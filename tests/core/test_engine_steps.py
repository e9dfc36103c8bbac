"""The gradient of a weight in C against the product in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from core.levels import engine_of_level, levels

from rnncli.core.cells.recurrence import previous
from rnncli.core.engine import library as engine
from rnncli.core.engine import steps
from rnncli.core.packed import PackedSequence

pytestmark = pytest.mark.engines("compiled")


@pytest.fixture(params=levels())
def library(request: pytest.FixtureRequest) -> engine.Library:
    return engine_of_level(request.param)


def packed(rng: np.random.Generator, lengths: Any) -> PackedSequence:
    return PackedSequence.pack([np.zeros((length, 1)) for length in lengths])


LENGTHS: list[list[int]] = [[1], [1, 1, 1], [5, 2, 2, 1], [40] * 9, [300, 9, 1], [256], [257], [128, 128]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("K", "columns"), [(1, 1), (3, 17), (16, 16), (33, 100), (64, 256)])
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_it_is_the_product_of_the_values_before_and_the_gradients(
    library: engine.Library, dtype: Any, K: int, columns: int, lengths: list[int]
) -> None:
    rng = np.random.default_rng(K + columns)
    x = packed(rng, lengths)
    S = len(x.data)
    first, h = rng.normal(size=(len(lengths), K)).astype(dtype), rng.normal(size=(S, K)).astype(dtype)
    d = rng.normal(size=(S, columns + 7)).astype(dtype)[:, 3 : 3 + columns]  # columns of something wider
    found, totals = steps.weight_gradient(library, np.ascontiguousarray(x.batch_sizes, np.int64), first, h, d)
    expected = previous(x, first, h).T.astype(np.float64) @ d
    assert found.shape == expected.shape
    assert found.dtype == dtype
    bound, exact = 1e-6 if dtype == np.float32 else 1e-14, d.astype(np.float64).sum(axis=0)
    assert np.linalg.norm(found - expected) <= bound * np.linalg.norm(expected)
    assert totals.shape == exact.shape
    assert np.linalg.norm(totals - exact) <= bound * np.linalg.norm(exact)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_reaches_what_it_goes_into_and_nothing_else(library: engine.Library, bad: float) -> None:
    rng = np.random.default_rng(0)
    values, d = rng.normal(size=(300, 20)), rng.normal(size=(300, 37))
    values[270, 4] = d[9, 36] = bad
    found, totals = steps.weight_gradient(library, np.array([300]), values, None, d)
    with np.errstate(invalid="ignore"):
        expected = values.T @ d
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
    assert not np.isfinite(found[4]).any()
    assert not np.isfinite(found[:, 36]).any()
    np.testing.assert_array_equal(np.isfinite(totals), [True] * 36 + [False])


def test_it_does_not_depend_on_where_what_is_left_lies(library: engine.Library) -> None:
    rng = np.random.default_rng(1)
    values, d = rng.normal(size=(30, 5)), rng.normal(size=(30, 40))
    found = [
        steps.weight_gradient(library, np.array([30]), one, None, d)[0]
        for one in (values, np.asfortranarray(values), np.repeat(values, 2, axis=1)[:, ::2])
    ]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_no_rows_are_zeros(library: engine.Library) -> None:
    found, totals = steps.weight_gradient(library, np.array([0]), np.empty((0, 3)), None, np.empty((0, 5)))
    np.testing.assert_array_equal(found, np.zeros((3, 5)))
    np.testing.assert_array_equal(totals, np.zeros(5))


def test_addresses() -> None:
    """Of arrays that can be written, that cannot, that lie apart, and of none at all."""
    array = np.arange(12.0).reshape(3, 4)
    read_only = array.view()
    read_only.flags.writeable = False
    for one in (array, read_only, array[1:], array[:, 1:], array[0, :0], array.T):
        assert steps.begin(one) == one.__array_interface__["data"][0]
