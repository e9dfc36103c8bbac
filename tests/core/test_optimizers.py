"""Each optimizer against numbers worked out by hand (to 20 digits), on dense parameters and on rows of a table."""

from __future__ import annotations

import numpy as np
import pytest
from core import checks

from rnncli.core.gradients import RowGradient
from rnncli.core.optim.lazy_rows import LazyRows
from rnncli.core.optim.optimizers import OPTIMIZERS, SGD, Adam, Momentum, RMSprop, apply, catch_up, settle, start
from rnncli.core.optim.parameters import ParameterStore
from rnncli.core.packed import DistinctTokens

ALL = [SGD(), Momentum(), RMSprop(), Adam(), Adam(weight_decay=0.5)]
every_optimizer = pytest.mark.parametrize("optimizer", ALL, ids=["sgd", "momentum", "rmsprop", "adam", "adamw"])

# W = 1, learning rate 0.1, gradients 0.5, then −0.25.
BY_HAND = [
    # 1 − 0.1·0.5;  + 0.1·0.25
    (SGD(), 0.95, 0.975),
    # v = 0.5: 1 − 0.05;  v = 0.9·0.5 − 0.25 = 0.2: − 0.02
    (Momentum(0.9), 0.95, 0.93),
    # s = 0.01·0.25 = 0.0025, √s = 0.05: 1 − 0.05/(0.05 + 1e-8);
    # s = 0.99·0.0025 + 0.01·0.0625 = 0.0031: + 0.025/(√0.0031 + 1e-8)
    (RMSprop(), 1.9999996000008e-7, 0.44901337442175045),
    # m̂ = 0.05/0.1 = 0.5, v̂ = 0.00025/0.001 = 0.25: 1 − 0.05/(0.5 + 1e-8);
    # m̂ = 0.02/0.19, v̂ = 0.00031225/0.001999: − 0.1·m̂/(√v̂ + 1e-8)
    (Adam(), 0.90000000199999996, 0.87336629870784616),
    # the same steps, and before each W shrinks by the factor 1 − 0.1·0.5 = 0.95
    (Adam(weight_decay=0.5), 0.85000000199999996, 0.78086629860784616),
]


@pytest.mark.parametrize(("optimizer", "first", "second"), BY_HAND, ids=["sgd", "momentum", "rmsprop", "adam", "adamw"])
def test_first_two_steps(optimizer: object, first: float, second: float) -> None:
    """The same for a dense parameter and for a row of a table."""
    params = {"table": np.ones((2, 1)), "dense": np.ones(1)}
    store = ParameterStore(params, frozenset({"table"}))
    state = start(optimizer, store)
    for gradient, expected in ((0.5, first), (-0.25, second)):
        rows = RowGradient(np.array([1]), np.array([[gradient]]), (2, 1))
        apply(optimizer, store, store.gather({"table": rows, "dense": np.array([gradient])}), state, 0.1)
        # RMSprop's first value is a difference of 1e-7 between numbers near 1.
        assert store.params["dense"][0] == pytest.approx(expected, rel=1e-14, abs=1e-15)
        np.testing.assert_allclose(store.params["table"], [[1], [expected]], rtol=1e-14, atol=1e-15)
    assert state.step == 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_optimizer
def test_zero_gradient_first(optimizer: object, dtype: type) -> None:
    """0/0 is near: nothing moves (but by the decay), nothing is NaN, and the step after is an ordinary one."""
    store = ParameterStore({"w": np.array([1.0, -2.0], dtype)}, frozenset())
    state = start(optimizer, store)
    apply(optimizer, store, store.gather({"w": np.zeros(2, dtype)}), state, 0.1)
    decay = 0.95 if getattr(optimizer, "weight_decay", 0) else 1
    np.testing.assert_allclose(store.params["w"], np.array([1.0, -2.0]) * decay, rtol=1e-7)
    apply(optimizer, store, store.gather({"w": np.array([1.0, 0.0], dtype)}), state, 0.1)
    assert np.isfinite(store.dense).all()
    assert store.dense[0] < decay
    assert store.dense[1] == pytest.approx(-2 * decay**2, rel=1e-7)
    assert store.dense.dtype == dtype


def store_and_gradients(tables: frozenset[str]) -> tuple[ParameterStore, list[dict[str, object]]]:
    rng = np.random.default_rng(0)
    params = {"embedding": {"weight": rng.standard_normal((6, 2))}, "cell": {"w": rng.standard_normal((2, 3))}}
    steps = []
    for ids in ([0, 3, 3], [5, 0, 0]):
        places = DistinctTokens.of(np.array(ids))
        rows = RowGradient(places.rows, places.sums(rng.standard_normal((3, 2))), (6, 2))
        weight = rows if tables else rows.dense()
        steps.append({"embedding": {"weight": weight}, "cell": {"w": rng.standard_normal((2, 3))}})
    return ParameterStore(params, tables), steps


def run(optimizer: object, tables: frozenset[str]) -> tuple[ParameterStore, object]:
    store, steps = store_and_gradients(tables)
    state = start(optimizer, store)
    for grads in steps:
        apply(optimizer, store, store.gather(grads), state, 0.1)
    return store, state


TABLE = "embedding/weight"


@pytest.mark.parametrize("name", ["sgd", "momentum", "rmsprop", "adam", "adamw"])
def test_rows_are_the_dense_ones_when_they_are_read(name: str) -> None:
    checks.check_lazy_rows(checks.CORE, name)


@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
def test_epsilon_makes_the_rows_of_adam_differ_by_a_hundredth_of_a_step(weight_decay: float) -> None:
    """Adam's own ε grows beside a √v̂ that falls while a row is idle; that of a row that catches up does not."""
    ends = []
    for tables in (frozenset({"t"}), frozenset()):
        rng = np.random.default_rng(0)
        optimizer = Adam(weight_decay=weight_decay)
        store = ParameterStore({"t": rng.standard_normal((20, 3))}, tables)
        state = start(optimizer, store)
        for _ in range(300):
            ids = np.unique((20 * rng.random(2) ** 2).astype(int))
            rows = RowGradient(ids, rng.choice([-2e-3, 1e-3], (len(ids), 3)), (20, 3))
            catch_up(optimizer, store, state, dict.fromkeys(store.tables, ids))
            apply(optimizer, store, store.gather({"t": rows if tables else rows.dense()}), state, 0.01)
        settle(optimizer, store, state)
        ends.append(store.params["t"])
    np.testing.assert_allclose(*ends, rtol=0, atol=1e-4)
    assert np.abs(ends[0] - ends[1]).max() > 0


def test_where_rows_stand_is_refused_when_it_cannot_be() -> None:
    lazy = LazyRows({"t": 3})
    lazy.since["t"][:] = [0, 2, 5]
    for now in (4, -1, True, 5.0, None, 10**6):
        with pytest.raises(ValueError, match=r"no count|ahead"):
            lazy.resume_at(now)
    lazy.resume_at(5)
    assert lazy.now == 5
    lazy.since["t"][0] = -1
    with pytest.raises(ValueError, match="ahead"):
        lazy.resume_at(5)


def test_rows_equal_dense_for_plain_gradient_descent() -> None:
    sparse, dense = run(SGD(), frozenset({TABLE}))[0], run(SGD(), frozenset())[0]
    for name, value in sparse.flat.items():
        np.testing.assert_array_equal(value, dense.flat[name])


@every_optimizer
def test_untouched_rows_and_their_moments_stay_until_they_are_read(optimizer: object) -> None:
    before = store_and_gradients(frozenset({TABLE}))[0].flat[TABLE]
    store, state = run(optimizer, frozenset({TABLE}))
    untouched, touched = [1, 2, 4], [0, 3, 5]
    np.testing.assert_array_equal(store.flat[TABLE][untouched], before[untouched])
    assert (store.flat[TABLE][touched] != before[touched]).all()
    assert state.moments.keys() == set(optimizer.moment_names)
    for moments in state.moments.values():
        assert moments.keys() == {"dense", TABLE}
        assert not moments[TABLE][untouched].any()
        assert moments[TABLE][touched].all()
        assert moments["dense"].all()


@every_optimizer
def test_first_step_on_rows_is_the_dense_one(optimizer: object) -> None:
    """Where every row is touched at every step rows and dense are the same for all optimizers."""
    results = []
    for tables in (frozenset(), frozenset({"table"})):
        rng = np.random.default_rng(1)
        store = ParameterStore({"table": rng.standard_normal((4, 2))}, tables)
        state = start(optimizer, store)
        for _ in range(3):
            apply(optimizer, store, store.gather({"table": rng.standard_normal((4, 2))}), state, 0.1)
        results.append(store.params["table"])
    np.testing.assert_array_equal(*results)


@every_optimizer
def test_the_update_is_seen_by_the_layers(optimizer: object) -> None:
    """In place: what the layers hold is what moves; the gradient itself is left alone."""
    store, steps = store_and_gradients(frozenset({TABLE}))
    held = store.params["cell"]["w"], store.params["embedding"]["weight"]
    before = [array.copy() for array in held]
    gradients = store.gather(steps[0])
    dense, rows = gradients.dense.copy(), gradients.tables[TABLE].values.copy()
    apply(optimizer, store, gradients, start(optimizer, store), 0.1)
    assert all((now != then).any() for now, then in zip(held, before, strict=True))
    np.testing.assert_array_equal(gradients.dense, dense)
    np.testing.assert_array_equal(gradients.tables[TABLE].values, rows)


def test_adam_is_scale_free() -> None:
    """Gradients a thousand times larger give the same steps (but for ε)."""
    ends = []
    for scale in (1.0, 1000.0):
        store = ParameterStore({"w": np.ones(3)}, frozenset())
        state = start(Adam(), store)
        for gradient in ([1.0, -2.0, 0.5], [0.3, 1.0, 0.5]):
            apply(Adam(), store, store.gather({"w": scale * np.array(gradient)}), state, 0.01)
        ends.append(store.dense.copy())
    np.testing.assert_allclose(*ends, rtol=1e-7)


def test_decay_of_adamw_is_outside_the_moments() -> None:
    """With weights a thousand times larger the moments are the same: the decay is not part of the gradient."""
    moments = []
    for size in (1.0, 1000.0):
        store = ParameterStore({"w": np.full(2, size)}, frozenset())
        state = start(Adam(weight_decay=0.5), store)
        apply(Adam(weight_decay=0.5), store, store.gather({"w": np.array([1.0, -1.0])}), state, 0.1)
        moments.append(state.moments)
        np.testing.assert_allclose(store.dense, size * 0.95 + np.array([-0.1, 0.1]), rtol=1e-7)
    for name in ("mean", "square"):
        np.testing.assert_array_equal(moments[0][name]["dense"], moments[1][name]["dense"])


def test_table_of_optimizers() -> None:
    assert {name: make() for name, make in OPTIMIZERS.items()} == {
        "sgd": SGD(),
        "momentum": Momentum(0.9),
        "rmsprop": RMSprop(0.99, 1e-8),
        "adam": Adam(0.9, 0.999, 1e-8, 0.0),
        "adamw": Adam(0.9, 0.999, 1e-8, 0.0),
    }


@every_optimizer
def test_a_bowl_is_descended(optimizer: object) -> None:
    """L = ½‖W‖²: whoever walks down the gradient gets near zero."""
    store = ParameterStore({"w": np.array([1.0, -0.8])}, frozenset())
    state = start(optimizer, store)
    for _ in range(200):
        apply(optimizer, store, store.gather({"w": store.params["w"].copy()}), state, 0.02)
    assert np.abs(store.dense).max() < 0.05


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_moments_of_any_size_give_no_warning(name: str) -> None:
    """They come from a saved state, which anybody can have written; a training looks for what is not finite itself."""
    optimizer = OPTIMIZERS[name]()
    largest = np.finfo(np.float32).max
    lazy = LazyRows({"t": 3})
    lazy.now, lazy.kept[:], lazy.pushed[:] = 2, np.finfo(np.float64).max, np.finfo(np.float64).max
    moments = tuple(np.full((3, 2), largest, np.float32) for _ in optimizer.moment_names)
    if moments:
        table = np.ones((3, 2), np.float32)
        lazy.catch_up(optimizer, "t", table, moments, np.arange(3))
        assert lazy.since["t"].tolist() == [2, 2, 2]
