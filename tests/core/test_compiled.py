"""The cells' loops through time in the compiled engine, held against those in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnncli.core.cells import compiled
from rnncli.core.cells.cell import Cell
from rnncli.core.cells.gru import GRU
from rnncli.core.cells.lstm import LSTM
from rnncli.core.cells.mingru import MinGRU
from rnncli.core.cells.rnn import RNN
from rnncli.core.engine import steps
from rnncli.core.gradients import RowGradient
from rnncli.core.layers.directions import Bidirectional
from rnncli.core.layers.embedding import Embedding
from rnncli.core.packed import PackedSequence

pytestmark = pytest.mark.engines("compiled")
Array = np.ndarray[Any, Any]
CELLS: dict[str, Any] = {
    "rnn": RNN,
    "relu": lambda *sizes, **more: RNN(*sizes, nonlinearity="relu", **more),
    "lstm": LSTM,
    "gru": GRU,
    "mingru": MinGRU,
}
SHAPES = [(1, 33), (3, 5), (16, 33), (17, 1), (100, 33)]  # (H, N)


def apart(one: Any, other: Any) -> float:
    """How far two results lie apart, relative by norm."""
    one, other = (g.dense() if isinstance(g, RowGradient) else g for g in (one, other))
    assert one.shape == other.shape
    assert one.dtype == other.dtype
    return float(np.linalg.norm(one - other) / max(float(np.linalg.norm(other)), 1e-30))


def batch(rng: np.random.Generator, N: int, D: int, dtype: Any, what: str) -> PackedSequence:
    """Ragged sequences of 1 to 9 steps: numbers, or ids."""
    lengths = rng.integers(1, 10, N)
    if what == "ids":
        return PackedSequence.pack([rng.integers(0, D, length) for length in lengths])
    x = PackedSequence.pack([rng.standard_normal((length, D)).astype(dtype) for length in lengths])
    return x


def both_agree(cell: Cell, dtype: Any, N: int, what: str, has_dy: bool, has_dstate: bool, has_state: bool) -> None:
    rng = np.random.default_rng(cell.hidden_size + N)
    H, bound = cell.hidden_size, 1e-6 if dtype == np.float32 else 1e-13
    x = batch(rng, N, cell.input_size, dtype, what)
    params = {
        name: value + (0.3 / np.sqrt(H) * rng.standard_normal(value.shape)).astype(dtype)
        for name, value in cell.init(rng, np.dtype(dtype)).items()
    }

    def states(there: bool, first: int) -> Any:
        """Columns of something wider, as a bridge gives them, and in the order of a transposed product."""
        wide = rng.standard_normal((N, 3 * H)).astype(dtype)[:, H : 2 * H]
        turned = rng.standard_normal((H, N)).astype(dtype).T
        return (wide, turned, wide)[first : first + cell.state_count] if there else None

    state, dstate = states(has_state, 0), states(has_dstate, 1)
    dy = rng.standard_normal((len(x.data), 2 * H)).astype(dtype)[:, H:] if has_dy else None  # as two directions give it
    y, last, cache = compiled.forward(cell, params, x, state)
    y_np, last_np, cache_np = cell.forward(params, x, state)
    alike = {"y": (y, y_np)}
    alike |= {f"last {k}": pair for k, pair in enumerate(zip(last, last_np, strict=True))}
    assert type(cache) is type(cache_np)
    alike |= {name: (getattr(cache, name), getattr(cache_np, name)) for name in cache._fields[1:]}
    without_cache = compiled.forward(cell, params, x, state, keep=False)
    assert np.array_equal(without_cache[0], y)
    assert all(np.array_equal(a, b) for a, b in zip(without_cache[1], last, strict=True))
    assert without_cache[2] is None

    dx, dfirst, grads = compiled.backward(cell, params, cache, dy, dstate)
    dx_np, dfirst_np, grads_np = cell.backward(params, cache_np, dy, dstate)
    assert (dx is None) == (dx_np is None)
    if dx is not None:
        alike["dx"] = (dx, dx_np)
    alike |= {f"dfirst {k}": pair for k, pair in enumerate(zip(dfirst, dfirst_np, strict=True))}
    assert grads.keys() == grads_np.keys()
    alike |= {f"gradient of {name}": (grads[name], grads_np[name]) for name in grads}
    far = {name: found for name, pair in alike.items() if not (found := apart(*pair)) < bound}
    assert far == {}


@pytest.mark.usefixtures("at_level")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", CELLS)
def test_values_and_gradients_are_those_of_numpy(kind: str, dtype: Any) -> None:
    # Of one unit a gradient is a single number, of which a sum may leave little: in float64 there is enough of it.
    for k, (H, N) in enumerate(SHAPES):
        if H == 1 and dtype == np.float32:
            continue
        cell = CELLS[kind](7, H, bias=k != 2)
        assert cell.usable_compiled is not None
        both_agree(cell, dtype, N, "ids" if k % 2 else "numbers", k != 1, k != 3, k != 4)


@pytest.mark.usefixtures("at_level")
@pytest.mark.parametrize("kind", CELLS)
def test_a_sequence_has_the_same_bits_alone_and_in_any_batch(kind: str) -> None:
    rng = np.random.default_rng(0)
    cell = CELLS[kind](7, 17)
    params = cell.init(rng, np.dtype(np.float32))
    ids = [rng.integers(0, 7, 6) for _ in range(33)]
    _, together, _ = compiled.forward(cell, params, PackedSequence.pack(ids))
    for n in range(0, 33, 8):
        _, alone, _ = compiled.forward(cell, params, PackedSequence.pack(ids[n : n + 1]))
        assert all(np.array_equal(one[n], other[0]) for one, other in zip(together, alone, strict=True))


@pytest.mark.usefixtures("at_level")
@pytest.mark.parametrize("kind", CELLS)
def test_what_is_not_a_number_stays_so(kind: str) -> None:
    rng = np.random.default_rng(0)
    cell = CELLS[kind](2, 17)
    params = cell.init(rng, np.dtype(np.float32))
    x = rng.standard_normal((1, 4, 2)).astype(np.float32)
    x[0, 1, 0] = np.nan
    y, _, _ = compiled.forward(cell, params, PackedSequence.pack(list(x)))
    assert np.isfinite(y[0]).all()
    assert np.isnan(y[1:]).all()


@pytest.mark.parametrize("cell", [LSTM, GRU, RNN, MinGRU])
@pytest.mark.parametrize("name", ["forward", "backward", "step", "gradients", "specification"])
def test_another_function_in_a_subclass_is_what_runs(
    cell: type[Cell], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other: Any = property(lambda _: cell.specification) if name == "specification" else lambda *_: None
    another = type("Another", (cell,), {name: other})
    mixed = type("Mixed", (another, cell), {})
    same = type("Same", (cell,), {"more": 1})
    assert cell(2, 3).usable_compiled is not None
    assert same(2, 3).usable_compiled is not None
    assert another(2, 3).usable_compiled is None
    assert mixed(2, 3).usable_compiled is None
    monkeypatch.setattr(cell, name, other)
    assert cell(2, 3).usable_compiled is None


def test_a_subclass_runs_its_own_loop() -> None:
    class Silent(GRU):
        def forward(self, params: Any, x: Any, state: Any = None, keep: bool = True) -> Any:
            y, last, cache = super().forward(params, x, state, keep)
            return 0 * y, last, cache

    cell = Silent(2, 3)
    params = cell.init(np.random.default_rng(0), np.dtype(np.float32))
    y, _, _ = compiled.forward(cell, params, PackedSequence.pack([np.ones((4, 2), np.float32)]))
    assert not y.any()


@pytest.mark.usefixtures("at_level")
@pytest.mark.parametrize("kind", CELLS)
def test_step_by_step_has_the_bits_of_all_steps_at_once(kind: str) -> None:
    rng = np.random.default_rng(0)
    cell = CELLS[kind](7, 17)
    params = cell.init(rng, np.dtype(np.float32))
    ids = rng.integers(0, 7, (6, 5))
    whole, _, _ = compiled.forward(cell, params, PackedSequence.pack(list(ids.T)), keep=False)
    for _ in range(2):  # weights that change between two generations
        state, found = None, []
        with compiled.weights_at_rest():
            for step in ids:
                h, state, _ = compiled.forward(
                    cell, params, PackedSequence.pack(list(step[:, None])), state, keep=False
                )
                found.append(h)
        np.testing.assert_array_equal(np.concatenate(found), whole)
        params["weight_ih"] *= 2
        if "weight_hh" in params:
            params["weight_hh"] *= 2
        whole, _, _ = compiled.forward(cell, params, PackedSequence.pack(list(ids.T)), keep=False)


@pytest.mark.usefixtures("at_level")
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("kind", CELLS)
def test_rows_of_a_table_at_rest_have_the_bits_that_they_have_anew(
    kind: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    layer, embedding = Bidirectional(CELLS[kind](5, 13)), Embedding(40, 5)
    params, tables = layer.init(rng, np.dtype(np.float32)), embedding.init(rng, np.dtype(np.float32))
    products: list[int] = []

    def counted(engine: Any, values: Any, *more: Any) -> Any:
        products.append(len(values))
        return product(engine, values, *more)

    def outputs(sequences: list[Any]) -> Any:
        x, _ = embedding.forward(tables, PackedSequence.pack(sequences))
        return layer.forward(params, x, keep=False)[0]

    product = steps.product
    batches = [[rng.integers(0, 40, length) for length in (9, 4, 1, 30)] for _ in range(3)]
    batches.append(batches[0][3:])
    monkeypatch.setattr(steps, "product", counted)
    monkeypatch.setattr(compiled, "KEPT_BYTES", 2**20 if kept else 1)
    for _ in range(2):  # weights that change between two files
        anew = [outputs(batch) for batch in batches]
        products.clear()
        with compiled.weights_at_rest(), compiled.weights_at_rest():
            found = [outputs(batch) for batch in batches]
        for one, other in zip(found, anew, strict=True):
            np.testing.assert_array_equal(one, other)
        distinct = [len({id for ids in batch for id in ids.tolist()}) for batch in batches]
        read = len({id for batch in batches for ids in batch for id in ids.tolist()})
        assert sum(products) == 2 * (read if kept else sum(distinct))
        for direction in params.values():
            direction["weight_ih"] *= 2
        tables["weight"] += 1
        monkeypatch.setattr("rnncli.core.threads._processes", 2)  # the second time one after the other


@pytest.mark.usefixtures("at_level")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("depth", "columns"), [(1, 1), (7, 37), (100, 64), (3, 130)])
def test_a_product_row_by_row(dtype: type, depth: int, columns: int) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(150, depth)).astype(dtype), rng.normal(size=(depth, columns)).astype(dtype)
    library = compiled.library()
    packed = steps.pack(library, b)
    found = steps.product(library, a, packed, columns)
    assert apart(found, (a.astype(np.longdouble) @ b).astype(dtype)) <= depth * np.finfo(dtype).eps
    for rows in (slice(0, 0), slice(0, 1), slice(5, 140), slice(149, 150)):
        np.testing.assert_array_equal(steps.product(library, a[rows], packed, columns), found[rows])
