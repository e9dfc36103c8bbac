"""Names, views into one vector, gathering gradients, and the clip that must not hide a NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest
from core import checks
from core.checks import CORE, grads_for, store_of
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.core.gradients import RowGradient
from rnncli.core.optim.optimizers import Adam, apply, start
from rnncli.core.optim.parameters import NotFiniteError, ParameterStore, clip_by_norm, flatten, nest

names = st.text("abc_09", min_size=1, max_size=4)
trees = st.recursive(st.integers(), lambda below: st.dictionaries(names, below, min_size=1, max_size=4), max_leaves=12)


@settings(max_examples=60)
@given(st.dictionaries(names, trees, max_size=4))
def test_nest_undoes_flatten(tree: dict) -> None:
    flat = dict(flatten(tree))
    assert nest(flat) == tree
    assert flat == dict(checks.leaves(tree))


def test_names_and_their_order() -> None:
    tree = {"b": {"1": {"w": 1, "a": 2}, "0": 3}, "a": 4}
    assert list(flatten(tree)) == [("b/1/w", 1), ("b/1/a", 2), ("b/0", 3), ("a", 4)]


@pytest.mark.parametrize("tables", [frozenset(), frozenset({"0/forward/weight_ih"})])
def test_store_holds_the_values_it_was_given(tables: frozenset[str]) -> None:
    given_params = checks.random_params(checks.build(CORE, "gru", layers=2, both=True), np.random.default_rng(0))
    store = ParameterStore(given_params, tables)
    flat = dict(checks.leaves(given_params))
    assert list(store.flat) == list(flat)
    assert dict(checks.leaves(store.params)).keys() == flat.keys()
    for name, value in flat.items():
        np.testing.assert_array_equal(store.flat[name], value)
        assert store.flat[name].flags.c_contiguous
        assert not np.shares_memory(store.flat[name], value)
    assert store.tables.keys() == tables
    assert store.dense.size == sum(value.size for name, value in flat.items() if name not in tables)


def test_parameters_are_views_into_one_vector() -> None:
    store = store_of(CORE)
    store.dense[...] = [1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(store.params["cell"]["weight_hh"], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(store.params["cell"]["bias"], [5, 6])
    store.params["cell"]["bias"][1] = 9
    assert store.dense[5] == 9
    store.tables["embedding/weight"][0, 0] = 7
    assert store.params["embedding"]["weight"][0, 0] == 7
    assert store.flat["embedding/weight"] is store.params["embedding"]["weight"]


def test_gather_lays_gradients_out_like_the_parameters() -> None:
    """Whatever the order in which the backward pass names them."""
    store = store_of(CORE)
    grads = grads_for(CORE)
    grads["cell"]["weight_hh"] = np.array([[1.0, 2.0], [3.0, 4.0]])
    grads["cell"]["bias"] = np.array([5.0, 6.0])
    backwards = {key: dict(reversed(value.items())) for key, value in reversed(grads.items())}
    for given_grads in (grads, backwards):
        gathered = store.gather(given_grads)
        np.testing.assert_array_equal(gathered.dense, [1, 2, 3, 4, 5, 6])
        np.testing.assert_array_equal(gathered.tables["embedding/weight"].dense(), [[3, 0], [0, 0], [0, 4]])
        assert gathered.norm() == pytest.approx(math.sqrt(1 + 4 + 9 + 16 + 25 + 36 + 9 + 16), rel=1e-15)


def test_gather_takes_a_dense_gradient_for_a_table_and_rows_for_a_dense_parameter() -> None:
    store = store_of(CORE)
    grads = grads_for(CORE)
    grads["embedding"]["weight"] = np.arange(6.0).reshape(3, 2)
    rows = store.gather(grads).tables["embedding/weight"]
    np.testing.assert_array_equal(rows.rows, [0, 1, 2])
    np.testing.assert_array_equal(rows.dense(), [[0, 1], [2, 3], [4, 5]])


@pytest.mark.parametrize("change", ["missing", "too many"])
def test_gather_wants_every_gradient_and_no_other(change: str) -> None:
    grads = grads_for(CORE)
    if change == "missing":
        del grads["cell"]["bias"]
    else:
        grads["cell"]["bias_2"] = np.zeros(2)
    with pytest.raises(ValueError, match="cell/bias"):
        store_of(CORE).gather(grads)


def test_clip() -> None:
    checks.check_clipping(CORE)


@pytest.mark.parametrize("limit", [None, 13.0, 100.0])
def test_short_gradients_are_left_alone(limit: float | None) -> None:
    gradients = store_of(CORE).gather(grads_for(CORE))
    assert clip_by_norm(gradients, limit) == 13.0
    assert gradients.norm() == 13.0
    np.testing.assert_array_equal(gradients.dense, [6, 6, 6, 6, 0, 0])


@pytest.mark.parametrize("limit", [12.9, 1.0, 1e-6])
def test_clipped_norm_is_the_limit_and_the_direction_stays(limit: float) -> None:
    gradients = store_of(CORE).gather(grads_for(CORE))
    assert clip_by_norm(gradients, limit) == 13.0
    assert gradients.norm() == pytest.approx(limit, rel=1e-14)
    np.testing.assert_allclose(gradients.dense, np.array([6, 6, 6, 6, 0, 0]) * limit / 13, rtol=1e-14)


def test_clip_of_nothing_is_nothing() -> None:
    grads = {
        "embedding": {"weight": RowGradient(np.array([0]), np.zeros((1, 2)), (3, 2))},
        "cell": {"weight_hh": np.zeros((2, 2)), "bias": np.zeros(2)},
    }
    gradients = store_of(CORE).gather(grads)
    assert clip_by_norm(gradients, 1.0) == 0
    assert not gradients.dense.any()


def test_a_nan_is_found_before_anything_is_updated() -> None:
    """min(1, limit / NaN) is 1: clipping would let it through, and one step later every weight is NaN."""
    assert min(1, 1.0 / math.nan) == 1
    store = store_of(CORE)
    state = start(Adam(), store)
    before = {name: value.copy() for name, value in store.flat.items()}
    grads = grads_for(CORE)
    grads["cell"]["weight_hh"][1, 0] = np.nan
    gradients = store.gather(grads)
    with pytest.raises(NotFiniteError, match="the gradient of cell/weight_hh is not a finite number"):
        step(store, gradients, state)
    for name, value in store.flat.items():
        np.testing.assert_array_equal(value, before[name])
    assert state.step == 0
    assert not any(moment.any() for group in state.moments.values() for moment in group.values())


def step(store: ParameterStore, gradients: object, state: object) -> None:
    clip_by_norm(gradients, 1.0)
    apply(Adam(), store, gradients, state, 0.1)


def test_the_first_of_several_is_named() -> None:
    grads = grads_for(CORE)
    grads["cell"]["bias"][0] = np.inf
    grads["embedding"]["weight"].values[0, 0] = np.nan
    gradients = store_of(CORE).gather(grads)
    assert gradients.first_not_finite() == "cell/bias"
    assert store_of(CORE).gather(grads_for(CORE)).first_not_finite() is None


def test_finite_gradients_whose_norm_overflows_are_refused() -> None:
    store = ParameterStore({"w": np.zeros(2, np.float32)}, frozenset())
    gradients = store.gather({"w": np.full(2, 3e38, np.float32)})
    with pytest.raises(NotFiniteError, match="the gradient's norm"):
        clip_by_norm(gradients, 1.0)
    np.testing.assert_array_equal(gradients.dense, np.full(2, 3e38, np.float32))
