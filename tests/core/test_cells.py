"""The forward pass of every cell against the naive one, and what its cache tells."""

from __future__ import annotations

import numpy as np
import pytest
from core import checks, naive
from core.checks import CONFIGURATIONS, CORE, KINDS, problem
from helpers import CELLS

from rnncli.core.cells.named import cell_named
from rnncli.core.layers.directions import Bidirectional, OneDirection
from rnncli.core.layers.stack import recurrent_stack
from rnncli.core.packed import PackedSequence

every_network = pytest.mark.parametrize(("kind", "layers", "both"), CONFIGURATIONS)
every_kind = pytest.mark.parametrize("kind", KINDS)


@every_network
def test_every_step_is_the_naive_one(kind: str, layers: int, both: bool) -> None:
    checks.check_against_naive(problem(CORE, kind, layers, both))


@every_network
def test_every_step_without_biases(kind: str, layers: int, both: bool) -> None:
    checks.check_against_naive(problem(CORE, kind, layers, both, bias=False))


@every_kind
def test_the_cache_holds_the_numbers_of_the_equations(kind: str) -> None:
    """``inspect`` shows the cache: each gate of each step by its own name."""
    case = problem(CORE, kind)
    _, _, kept = case.forward()
    cache = kept.layers[0]
    runs = checks.naive_runs(case)
    names = set(cache._fields) - {"x", "h0", "c0"}
    assert (
        names
        == {"rnn": {"h"}, "lstm": set("oifgch") | {"tanh_c"}, "gru": set("rznmh"), "mingru": set("znh")}[
            kind.partition("_")[0]
        ]
    )
    for name in names:
        by_sequence = case.x.with_data(getattr(cache, name)).unpack()
        for (*_, steps), at in zip(runs, case.x.order, strict=True):
            expected = [step[name] for step in steps]
            np.testing.assert_allclose(by_sequence[at], expected, rtol=1e-12, atol=1e-14, err_msg=name)
    np.testing.assert_array_equal(cache.h0, case.states[0][0])


@every_network
def test_no_state_is_a_state_of_zeros(kind: str, layers: int, both: bool) -> None:
    case = problem(CORE, kind, layers, both)
    with_states, _, _ = case.forward()
    y, last, _ = case.stack.forward(case.params, case.x)
    for parts in case.states:
        for part in parts:
            part[...] = 0
    y_zero, last_zero, _ = case.forward()
    np.testing.assert_array_equal(y, y_zero)
    for part, other in zip(checks.by_place(last).values(), checks.by_place(last_zero).values(), strict=True):
        np.testing.assert_array_equal(part, other)
    assert np.abs(with_states - y).max() > 1e-3


@every_kind
def test_each_initial_state_belongs_to_its_own_sequence(kind: str) -> None:
    """Row n of a state is that of the n-th longest sequence, and moves no other."""
    case = problem(CORE, kind)
    before = case.x.with_data(case.forward()[0]).unpack()
    for n, at in enumerate(case.x.order):
        for part in case.states[0]:
            part[n] += 0.5
        after = case.x.with_data(case.forward()[0]).unpack()
        for part in case.states[0]:
            part[n] -= 0.5
        moved = [bool(np.abs(a - b).max() > 1e-6) for a, b in zip(after, before, strict=True)]
        assert moved == [k == at for k in range(len(before))]


@every_kind
def test_last_states_are_the_states_after_each_last_step(kind: str) -> None:
    case = problem(CORE, kind)
    y, last, _ = case.forward()
    outputs = case.x.with_data(y).unpack()
    for n, at in enumerate(case.x.order):
        np.testing.assert_array_equal(last[0][0][n], outputs[at][-1])


@pytest.mark.parametrize(
    ("name", "count", "weights", "biases"),
    [
        ("rnn", 1, {"weight_ih": (5, 3), "weight_hh": (3, 3)}, {"bias": (3,)}),
        ("lstm", 2, {"weight_ih": (5, 12), "weight_hh": (3, 12)}, {"bias": (12,)}),
        ("gru", 1, {"weight_ih": (5, 9), "weight_hh": (3, 9)}, {"bias": (9,), "bias_hn": (3,)}),
        ("mingru", 1, {"weight_ih": (5, 6)}, {"bias": (6,)}),
    ],
)
def test_shapes_of_each_cell(name: str, count: int, weights: dict, biases: dict) -> None:
    cell = cell_named(name)(5, 3)
    assert cell.state_count == count
    assert cell.shapes() == weights | biases
    assert cell_named(name)(5, 3, bias=False).shapes() == weights


@pytest.mark.parametrize("name", CELLS)
def test_first_weights_have_the_shapes_of_the_specification(name: str) -> None:
    for bias in (False, True):
        cell = cell_named(name)(5, 3, bias)
        params = cell.init(np.random.default_rng(0), np.dtype(np.float32))
        assert list(cell.shapes().items()) == [(key, value.shape) for key, value in params.items()]
        assert {value.dtype.name for value in params.values()} == {"float32"}


@every_kind
@pytest.mark.parametrize("bias", [False, True])
def test_every_value_is_that_of_the_reference_step(kind: str, bias: bool) -> None:
    """The equations, and the same equations as they are computed quickly."""
    checks.check_against_reference(problem(CORE, kind, bias=bias))


@every_kind
def test_recorded_gradients_are_those_of_the_specification(kind: str) -> None:
    checks.check_recorded(problem(CORE, kind))


def test_only_the_plain_rnn_has_a_choice_of_nonlinearity() -> None:
    assert {name: cell_named(name).options() for name in CELLS} == {
        name: ("nonlinearity",) if name == "rnn" else () for name in CELLS
    }


@pytest.mark.parametrize(("both", "wrap", "width"), [(False, OneDirection, 4), (True, Bidirectional, 8)])
def test_stack_sizes(both: bool, wrap: type, width: int) -> None:
    stack = recurrent_stack("gru", input_size=7, hidden_size=4, layers=3, bidirectional=both)
    assert [type(layer) for layer in stack.layers] == [wrap] * 3
    assert [layer.cell.input_size for layer in stack.layers] == [7, width, width]
    assert stack.output_size == width


@every_kind
def test_the_two_directions_have_weights_of_their_own(kind: str) -> None:
    params = checks.build(CORE, kind, both=True).init(np.random.default_rng(0), np.dtype(np.float64))["0"]
    assert np.abs(params["forward"]["weight_ih"] - params["backward"]["weight_ih"]).min() > 0


@pytest.mark.parametrize("kind", ["rnn_tanh", "lstm", "gru"])
def test_huge_inputs_saturate_and_stay_finite(kind: str) -> None:
    """±1e4 through every gate, with every floating-point error an exception."""
    rng = np.random.default_rng(0)
    stack = checks.build(CORE, kind)
    params = checks.random_params(stack, rng)
    x = PackedSequence.pack([np.array([[1e4, -1e4], [-1e4, -1e4], [1e4, 1e4]]), np.array([[-1e4, 1e4]])])
    for dtype in (np.float64, np.float32):
        cast = {"0": {"forward": {name: value.astype(dtype) for name, value in params["0"]["forward"].items()}}}
        y, _, kept = stack.forward(cast, x.with_data(x.data.astype(dtype)))
        dx, _, grads = stack.backward(cast, kept, np.ones_like(y))
        assert y.dtype == dx.dtype == dtype
        assert np.abs(y).max() <= 3  # three steps add at most 1 each to an LSTM's memory
        assert np.isfinite(dx).all()
        assert all(np.isfinite(leaf).all() for _, leaf in checks.leaves(grads))


def test_naive_sigmoid_by_hand() -> None:
    """The reference itself against numbers from a table: σ(0), σ(1), σ(−2)."""
    np.testing.assert_allclose(
        naive.sigmoid(np.array([0.0, 1.0, -2.0])), [0.5, 0.7310585786300049, 0.11920292202211755], rtol=1e-15
    )


def test_one_step_of_each_naive_cell_by_hand() -> None:
    """H = 1, D = 1, x = 1, h = 0.5, every weight 1, no bias: a = 1.5 in every gate."""
    s, t = 0.8175744761936437, 0.9051482536448664  # σ(1.5), tanh(1.5)
    x, h = np.ones((1, 1)), np.array([0.5])

    def step(kind: str, gates: int, *state: np.ndarray) -> float:
        params = {"weight_ih": np.ones((1, gates)), "weight_hh": np.ones((1, gates))}
        return float(naive.CELLS[kind](kind, params, x, list(state))[0]["h"][0])

    assert step("rnn_tanh", 1, h) == pytest.approx(t, rel=1e-15)
    assert step("rnn_relu", 1, h) == 1.5
    c = s * 2.0 + s * t
    assert step("lstm", 4, h, np.array([2.0])) == pytest.approx(s * np.tanh(c), rel=1e-15)
    n = np.tanh(1 + s * 0.5)
    assert step("gru", 3, h) == pytest.approx((1 - s) * n + s * 0.5, rel=1e-15)


@every_network
def test_an_answer_alone_has_the_bits_of_one_with_a_cache(kind: str, layers: int, both: bool) -> None:
    case = problem(CORE, kind, layers, both)
    y, last, _ = case.forward()
    y_alone, last_alone, cache = case.stack.forward(case.params, case.x, case.states, keep=False)
    np.testing.assert_array_equal(y_alone, y)
    for own, alone in zip(last, last_alone, strict=True):
        np.testing.assert_array_equal(alone, own)
    nothing = [part for layer in cache.layers for part in ((layer.forward, layer.backward) if both else (layer,))]
    assert nothing == [None] * len(nothing)
