"""Every hand-written backward pass against numeric gradients: inputs, initial states and weights, float64."""

from __future__ import annotations

import numpy as np
import pytest
from core import checks, naive
from core.checks import CONFIGURATIONS, CORE, KINDS, LENGTHS, SEED, D, H, Problem, problem

from rnncli.core.cells import recurrence
from rnncli.core.gradient_check import numeric_gradient, relative_error
from rnncli.core.gradients import RowGradient, as_dense, values_of
from rnncli.core.packed import DistinctTokens, PackedSequence

every_network = pytest.mark.parametrize(("kind", "layers", "both"), CONFIGURATIONS)
every_kind = pytest.mark.parametrize("kind", KINDS)


@every_network
def test_numbers_in(kind: str, layers: int, both: bool) -> None:
    checks.check_gradients(problem(CORE, kind, layers, both))


@every_network
def test_token_ids_in(kind: str, layers: int, both: bool) -> None:
    checks.check_gradients(problem(CORE, kind, layers, both, ids=True))


@every_kind
def test_without_biases(kind: str) -> None:
    case = problem(CORE, kind, both=True, bias=False)
    assert all("bias" not in name for name in case.values())
    checks.check_gradients(case)


@pytest.mark.parametrize(("kind", "layers", "both"), [("gru", 2, True), ("rnn_tanh", 3, False)])
def test_through_dropout(kind: str, layers: int, both: bool) -> None:
    case = problem(CORE, kind, layers, both, dropout=0.5)
    case.dropout_seed = 5
    checks.check_gradients(case)


@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize(("layers", "both"), [(1, False), (1, True), (2, False), (2, True)])
def test_relu_is_never_near_its_kink(layers: int, both: bool, ids: bool) -> None:
    """Differences across the kink would say nothing; and the units must neither all be dead nor all alive."""
    case = problem(CORE, "rnn_relu", layers, both, ids)
    if ids:
        case = one_hot(case)
    sums = np.concatenate([step["a"] for *_, steps in checks.naive_runs(case) for step in steps])
    assert np.abs(sums).min() > 1e-4
    assert 0.2 < (sums > 0).mean() < 0.8


def one_hot(case: Problem) -> Problem:
    """The same problem with the one-hot rows that its token ids stand for."""
    rows = case.stack.layers[0].cell.input_size
    x = case.x.with_data(np.eye(rows)[case.x.data])
    return Problem(case.core, case.kind, case.stack, case.params, x, case.states, case.of_y, case.of_last)


@every_network
def test_token_ids_are_one_hot_rows(kind: str, layers: int, both: bool) -> None:
    case = problem(CORE, kind, layers, both, ids=True)
    dense = one_hot(case)
    np.testing.assert_allclose(case.forward()[0], dense.forward()[0], rtol=1e-13, atol=1e-15)
    ours, theirs = case.gradients(), dense.gradients()
    assert theirs.keys() - ours.keys() == {"x"}
    for name, gradient in ours.items():
        np.testing.assert_allclose(gradient, theirs[name], rtol=1e-11, atol=1e-13)


@every_kind
def test_token_ids_leave_gradients_of_rows(kind: str) -> None:
    case = problem(CORE, kind, both=True, ids=True)
    _, _, kept = case.forward()
    dx, _, grads = case.stack.backward(case.params, kept, case.of_y, case.of_last)
    assert dx is None
    for direction in ("forward", "backward"):
        gradient = grads["0"][direction]["weight_ih"]
        assert isinstance(gradient, RowGradient)
        np.testing.assert_array_equal(np.sort(gradient.rows), np.unique(case.x.data))


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_lookup_is_what_it_would_gather(kind: str, both: bool) -> None:
    checks.check_lookup(CORE, kind, both)


def test_row_gradient_adds_up_by_row() -> None:
    ids, d_gathered = np.array([4, 1, 4, 4, 0]), np.arange(10.0).reshape(5, 2)
    places = DistinctTokens.of(ids)
    gradient = RowGradient(places.rows, places.sums(d_gathered), (6, 2))
    np.testing.assert_array_equal(gradient.rows, [4, 0, 1])
    np.testing.assert_array_equal(gradient.values, [[10, 13], [8, 9], [2, 3]])
    expected = np.zeros((6, 2))
    np.add.at(expected, ids, d_gathered)
    np.testing.assert_array_equal(gradient.dense(), expected)
    np.testing.assert_array_equal(as_dense(gradient), expected)
    assert as_dense(expected) is expected
    assert values_of(gradient) is gradient.values
    assert values_of(expected) is expected


@every_network
def test_dy_none_is_zeros(kind: str, layers: int, both: bool) -> None:
    """And the last states alone still give every gradient."""
    case = problem(CORE, kind, layers, both)
    with_none = backward(case, None, case.of_last)
    assert_same(with_none, backward(case, np.zeros_like(case.of_y), case.of_last))
    case.of_y[...] = 0
    assert_same(with_none, case.gradients())
    checks.assert_gradient("x", with_none["x"], case.loss, case.x.data)


@every_network
def test_dstate_none_is_zeros(kind: str, layers: int, both: bool) -> None:
    case = problem(CORE, kind, layers, both)
    with_none = backward(case, case.of_y, None)
    zeros = [tuple(np.zeros_like(part) for part in parts) for parts in case.of_last]
    assert_same(with_none, backward(case, case.of_y, zeros))
    only_topmost = backward(case, case.of_y, [None] * (layers - 1) + zeros[-1:])
    assert_same(with_none, only_topmost)
    for parts in case.of_last:
        for part in parts:
            part[...] = 0
    checks.assert_gradient("x", with_none["x"], case.loss, case.x.data)


@every_kind
def test_nothing_comes_back_from_nothing(kind: str) -> None:
    assert not any(gradient.any() for gradient in backward(problem(CORE, kind), None, None).values())


def backward(case: Problem, dy: np.ndarray | None, dlast: list | None) -> dict[str, np.ndarray]:
    _, _, kept = case.forward()
    dx, dstates, grads = case.stack.backward(case.params, kept, dy, dlast)
    return {"x": dx} | checks.by_place(dstates) | dict(checks.leaves(grads))


def assert_same(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> None:
    assert ours.keys() == theirs.keys()
    for name, gradient in ours.items():
        np.testing.assert_array_equal(gradient, theirs[name], err_msg=name)


@every_network
def test_backward_changes_nothing_it_was_given(kind: str, layers: int, both: bool) -> None:
    """Twice from one cache gives the same, and dy, dstate, weights and inputs stay as they were."""
    case = problem(CORE, kind, layers, both, dropout=0.5)
    case.dropout_seed = 5
    values = {name: value.copy() for name, value in case.values().items()}
    of_y, of_last = case.of_y.copy(), {name: part.copy() for name, part in checks.by_place(case.of_last).items()}
    y, last, kept = case.forward()
    y, last = y.copy(), {name: part.copy() for name, part in checks.by_place(last).items()}
    results = []
    for _ in range(2):
        dx, dstates, grads = case.stack.backward(case.params, kept, case.of_y, case.of_last)
        results.append({"x": dx} | checks.by_place(dstates) | dict(checks.leaves(grads)))
    assert_same(results[0], results[1])
    assert_same(case.values(), values)
    np.testing.assert_array_equal(case.of_y, of_y)
    assert_same(checks.by_place(case.of_last), of_last)
    again, last_again, _ = case.forward()
    np.testing.assert_array_equal(again, y)
    assert_same(checks.by_place(last_again), last)


@pytest.mark.parametrize("block_bytes", [1, 700, 10**9])
@every_network
def test_blocks_of_time_do_not_matter(
    kind: str, layers: int, both: bool, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backward pass walks time in blocks; small tests would only ever see one."""
    case = problem(CORE, kind, layers, both)
    whole = case.gradients()
    monkeypatch.setattr(recurrence, "BLOCK_BYTES", block_bytes)
    for name, gradient in case.gradients().items():
        np.testing.assert_allclose(gradient, whole[name], rtol=1e-13, atol=1e-15, err_msg=name)


@pytest.mark.parametrize("row_bytes", [1, 100, 10**6])
def test_blocks_cover_every_step_once_last_first(row_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurrence, "BLOCK_BYTES", 600)
    x = PackedSequence.pack([np.zeros(length) for length in (9, 9, 4, 2, 1)])
    blocks = list(recurrence.blocks_backward(x, row_bytes))
    assert [step for *_, steps in blocks for step in steps] == x.steps[::-1]
    assert len(blocks) == {1: 1, 100: 5, 10**6: 9}[row_bytes]
    for first, end, steps in blocks:
        assert (first, end) == (steps[-1][0], steps[0][0] + steps[0][1])


@pytest.mark.parametrize("kind", naive.BACKWARD)
def test_against_the_naive_chain_rule(kind: str) -> None:
    """One direction, gate by gate and step by step; the weights' gradients are sums over the sequences."""
    case = problem(CORE, kind)
    ours = case.gradients()
    params = case.params["0"]["forward"]
    totals = {name: np.zeros_like(value) for name, value in params.items()}
    xs, dys = case.x.unpack(), case.x.with_data(case.of_y).unpack()
    dxs = case.x.with_data(ours["x"]).unpack()
    for n, at in enumerate(case.x.order):
        theirs = naive.BACKWARD[kind](
            kind, params, xs[at], [s[n] for s in case.states[0]], dys[at], [s[n] for s in case.of_last[0]]
        )
        np.testing.assert_allclose(dxs[at], theirs["x"], rtol=1e-11, atol=1e-13)
        for j in range(len(case.states[0])):
            np.testing.assert_allclose(ours[f"state/0/{j}"][n], theirs[f"state/{j}"], rtol=1e-11, atol=1e-13)
        for name in totals:
            totals[name] += theirs[name]
    for name, total in totals.items():
        np.testing.assert_allclose(ours[f"0/forward/{name}"], total, rtol=1e-11, atol=1e-13)


# State carried between calls


@pytest.mark.parametrize("layers", [1, 2])
@every_kind
def test_two_chunks_are_one_sequence(kind: str, layers: int) -> None:
    """Forward: the state goes on. Backward: the second chunk's gradient of it goes back into the first."""
    rng = np.random.default_rng(SEED)
    first_lengths, second_lengths = [3, 3, 2], [4, 2, 1]
    first, second = checks.random_sequences(first_lengths, rng), checks.random_sequences(second_lengths, rng)
    stack = checks.build(CORE, kind, layers)
    params = checks.random_params(stack, rng)
    states, dlast = checks.random_states(stack, 3, rng), checks.random_states(stack, 3, rng)
    whole = PackedSequence.pack([np.concatenate(pair) for pair in zip(first, second, strict=True)])
    dy = rng.standard_normal((15, H))

    y, last, kept = stack.forward(params, whole, states)
    dx, dstates, grads = stack.backward(params, kept, dy, dlast)

    x1, x2 = PackedSequence.pack(first), PackedSequence.pack(second)
    y1, between, kept1 = stack.forward(params, x1, states)
    y2, last2, kept2 = stack.forward(params, x2, between)
    cut = list(zip(first_lengths, whole.with_data(dy).unpack(), strict=True))
    dy1 = PackedSequence.pack([own[:length] for length, own in cut]).data
    dy2 = PackedSequence.pack([own[length:] for length, own in cut]).data
    dx2, dbetween, grads2 = stack.backward(params, kept2, dy2, dlast)
    dx1, dstates1, grads1 = stack.backward(params, kept1, dy1, dbetween)

    def joined(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        pairs = zip(x1.with_data(a).unpack(), x2.with_data(b).unpack(), strict=True)
        return PackedSequence.pack([np.concatenate(pair) for pair in pairs]).data

    def same(a: np.ndarray, b: np.ndarray) -> None:
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)

    same(joined(y1, y2), y)
    same(joined(dx1, dx2), dx)
    for (name, part), other in zip(checks.by_place(last).items(), checks.by_place(last2).values(), strict=True):
        np.testing.assert_allclose(part, other, rtol=1e-12, atol=1e-14, err_msg=name)
    for part, other in zip(checks.by_place(dstates).values(), checks.by_place(dstates1).values(), strict=True):
        same(part, other)
    summed = {name: leaf + dict(checks.leaves(grads2))[name] for name, leaf in checks.leaves(grads1)}
    for name, leaf in checks.leaves(grads):
        same(leaf, summed[name])


# The instrument itself


def test_numeric_gradient_of_a_cube() -> None:
    value = np.array([[1.0, -2.0], [0.5, 3.0]])
    kept = value.copy()
    gradient = numeric_gradient(lambda: float((value**3).sum()), value)
    np.testing.assert_allclose(gradient, 3 * kept**2, rtol=1e-8)
    np.testing.assert_array_equal(value, kept)


def test_relative_error() -> None:
    assert relative_error(np.array([3.0, 4.0]), np.array([3.0, 4.0])) == 0
    assert relative_error(np.zeros(2), np.zeros(2)) == 0
    assert relative_error(np.zeros(2), np.array([3.0, 4.0])) == 1
    assert relative_error(np.array([0.0, 5.0]), np.array([0.0, 4.0])) == pytest.approx(0.2)


def test_zero_where_nothing_depends() -> None:
    """The guard of the checks: a numeric gradient that is zero proves nothing, and is refused."""
    value = np.ones(2)
    with pytest.raises(AssertionError, match="does not depend"):
        checks.assert_gradient("nothing", np.zeros(2), lambda: 1.0, value)


def test_the_batch_is_ragged() -> None:
    assert sorted(LENGTHS, reverse=True) != LENGTHS
    assert len(set(LENGTHS)) == 3
    assert D != H
