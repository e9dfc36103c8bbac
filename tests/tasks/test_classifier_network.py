"""The classifier's network: sizes, gradients of all of it, and the example of the notes done by hand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers import CELLS

from rnncli.config import Settings
from rnncli.core.gradient_check import numeric_gradient, relative_error
from rnncli.core.gradients import as_dense
from rnncli.core.optim.optimizers import SGD, apply, start
from rnncli.core.optim.parameters import ParameterStore, flatten
from rnncli.tasks.classify.network import Classifier
from rnncli.tasks.many_to_one.network import Examples


@pytest.fixture(autouse=True, scope="module")
def strict_floats() -> Iterator[None]:
    """And one core: handing a tiny direction to another thread takes longer than computing it."""
    before = np.seterr(all="raise")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnncli.core.threads.available_cores", lambda: 1)
        yield
    np.seterr(**before)


# Sizes

EVERYTHING = list(itertools.product(CELLS, (1, 3), (False, True), ("embedding", "onehot"), (False, True), (2, 5)))


@pytest.mark.parametrize(("cell", "layers", "bidirectional", "source", "bias", "labels"), EVERYTHING)
def test_shapes_are_those_of_init(
    cell: str, layers: int, bidirectional: bool, source: str, bias: bool, labels: int
) -> None:
    """In the same order too: ``shapes`` is what a model file is compared with before anything is built."""
    chosen = {"cell": cell, "layers": layers, "bidirectional": bidirectional, "input": source, "bias": bias}
    model = Classifier(Settings(hidden=3, embedding=4, **chosen), input_size=7, label_count=labels)
    params = dict(flatten(model.init(np.random.default_rng(0))))
    assert list(model.shapes().items()) == [(name, value.shape) for name, value in params.items()]
    assert {value.dtype.name for value in params.values()} == {"float32"}
    assert params["output/weight"].shape == (6 if bidirectional else 3, 1 if labels == 2 else 5)
    tables = {"embedding/weight"} if source == "embedding" else {n for n in params if "encoder/0" in n and "_ih" in n}
    assert model.tables == tables
    assert len(tables) == (2 if bidirectional and source == "onehot" else 1)


# Gradients of the whole

# With this seed no maximum is near a tie, and none is always at one end (every weight then matters).
SEED = 25


def ragged_batch(labels: int, weights: bool) -> Examples:
    """Five texts over four tokens, some tokens more than once in one."""
    inputs = [np.array(ids) for ids in ([2, 0, 2], [3], [1, 1, 0, 3, 2], [0, 2], [3, 3, 1])]
    shares = np.array([1.0, 0.5, 2.0, 0.0, 3.0]) if weights else None
    return Examples(inputs, np.array([0, 1, 1, 0, 1]) if labels == 2 else np.array([0, 2, 1, 0, 2]), shares)


def network(labels: int, **chosen: Any) -> tuple[Classifier, dict[str, Any]]:
    """A small one in float64, with nothing zero in its parameters."""
    defaults = {"hidden": 3, "embedding": 2, "embedding_scale": 1.0, "dropout": 0.0, "dtype": "float64"}
    model = Classifier(Settings(**(defaults | chosen)), input_size=4, label_count=labels)
    rng = np.random.default_rng(SEED)
    params = model.init(rng)
    for _, value in flatten(params):
        value[...] = 0.6 * rng.standard_normal(value.shape)
    return model, params


def check_gradients(model: Classifier, params: dict[str, Any], batch: Examples) -> None:
    """Every parameter; dropout is drawn anew from one seed at every evaluation."""

    def evaluate() -> tuple[float, dict[str, Any]]:
        return model.loss_and_gradients(params, batch, np.random.default_rng(11))

    analytic = dict(flatten(evaluate()[1]))
    values = dict(flatten(params))
    assert analytic.keys() == values.keys()
    for name, value in values.items():
        numeric = numeric_gradient(lambda: evaluate()[0], value)
        assert np.linalg.norm(numeric) > 1e-5, f"the loss does not depend on {name}"
        assert relative_error(as_dense(analytic[name]), numeric) < 1e-6, name


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("readout", ["last", "mean", "max"])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients(cell: str, readout: str, layers: int) -> None:
    """Embedding, both directions, dropout everywhere, three labels, weights."""
    model, params = network(3, cell=cell, readout=readout, layers=layers, hidden=2, bidirectional=True, dropout=0.4)
    check_gradients(model, params, ragged_batch(3, weights=True))


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("source", ["embedding", "onehot"])
def test_gradients_of_other_settings(source: str, bidirectional: bool, labels: int, weights: bool) -> None:
    model, params = network(labels, cell="gru", input=source, bidirectional=bidirectional, bias=bidirectional)
    check_gradients(model, params, ragged_batch(labels, weights))


def test_a_weight_of_zero_takes_a_text_out() -> None:
    model, params = network(2, cell="lstm", bidirectional=True)
    batch = ragged_batch(2, weights=True)
    assert batch.weights is not None
    kept = np.flatnonzero(batch.weights)
    loss, grads = model.loss_and_gradients(params, batch)
    loss_without, grads_without = model.loss_and_gradients(params, batch.take(kept))
    assert loss == pytest.approx(loss_without, rel=1e-13)
    for (name, gradient), (_, without) in zip(flatten(grads), flatten(grads_without), strict=True):
        np.testing.assert_allclose(as_dense(gradient), as_dense(without), rtol=1e-10, atol=1e-14, err_msg=name)


def test_targets_and_weights_follow_their_texts() -> None:
    """The batch is sorted by length inside; the loss is that of the rows as they were given, in any order."""
    model, params = network(3, cell="gru")
    batch = ragged_batch(3, weights=True)
    assert batch.weights is not None
    logits = model.logits(params, batch.inputs)
    probabilities = model.probabilities(logits)
    own = -np.log(probabilities[np.arange(5), batch.targets])
    expected = float((own * batch.weights).sum() / batch.weights.sum())
    for order in ([0, 1, 2, 3, 4], [4, 2, 0, 3, 1]):
        assert model.loss_and_gradients(params, batch.take(np.array(order)))[0] == pytest.approx(expected, rel=1e-13)


def test_dropout_is_off_without_a_generator_and_on_with_one() -> None:
    model, params = network(2, cell="gru", layers=2, dropout=0.5)
    batch = ragged_batch(2, weights=False)
    off = [model.loss_and_gradients(params, batch)[0] for _ in range(2)]
    on = [model.loss_and_gradients(params, batch, np.random.default_rng(seed))[0] for seed in (1, 1, 2)]
    assert off[0] == off[1]
    assert on[0] == on[1]
    assert len({off[0], on[0], on[2]}) == 3


@pytest.mark.parametrize("labels", [2, 3])
def test_probabilities(labels: int) -> None:
    model, params = network(labels, cell="rnn")
    logits = model.logits(params, ragged_batch(labels, weights=False).inputs)
    assert logits.shape == (5, 1 if labels == 2 else 3)
    probabilities = model.probabilities(logits)
    for row, own in zip(logits.tolist(), probabilities.tolist(), strict=True):
        odds = [0.0, row[0]] if labels == 2 else row
        total = sum(math.exp(z) for z in odds)
        assert own == pytest.approx([math.exp(z) / total for z in odds], rel=1e-12)


# The example of the notes
#
# The vocabulary is cat, mat, rat; x_t is a one-hot row of 3; there are two hidden units and one output:
#
#     o_t = tanh(x_t·W_i + o_(t−1)·W_h),  o_0 = 0        ŷ = σ(o_3·W_o)        L = −y log ŷ − (1 − y) log(1 − ŷ)

CAT, MAT, RAT = range(3)
NOTES = Settings(
    cell="rnn",
    nonlinearity="tanh",
    hidden=2,
    layers=1,
    bidirectional=False,
    readout="last",
    input="onehot",
    bias=False,
    dropout=0.0,
    optimizer="sgd",
    dtype="float64",
)
W_I = [[0.5, -0.3], [0.1, 0.8], [-0.6, 0.2]]  # rows: cat, mat, rat
W_H = [[0.4, -0.2], [0.3, 0.1]]
W_O = [[0.7], [-0.5]]


def notes_network() -> tuple[Classifier, ParameterStore]:
    model = Classifier(NOTES, input_size=3, label_count=2)
    cell = {"weight_ih": np.array(W_I), "weight_hh": np.array(W_H)}
    params = {"encoder": {"0": {"forward": cell}}, "output": {"weight": np.array(W_O)}}
    assert model.shapes() == {name: value.shape for name, value in flatten(params)}
    return model, ParameterStore(params, model.tables)


def exactly(ours: Any, by_hand: Any) -> None:
    np.testing.assert_allclose(ours, by_hand, rtol=0, atol=1e-12)


def test_one_step_of_the_notes_by_hand() -> None:
    """The text "cat mat rat" → 1: forward, loss, the chain rule's terms of every step, and gradient descent."""
    tanh, exp, log = math.tanh, math.exp, math.log

    # Forward. The one-hot x_t picks a row of W_i: cat (0.5, −0.3), mat (0.1, 0.8), rat (−0.6, 0.2).
    p1, q1 = tanh(0.5), tanh(-0.3)  # o_1; o_0 = (0, 0) adds nothing
    p2 = tanh(0.1 + p1 * 0.4 + q1 * 0.3)  # o_2
    q2 = tanh(0.8 + p1 * -0.2 + q1 * 0.1)
    p3 = tanh(-0.6 + p2 * 0.4 + q2 * 0.3)  # o_3
    q3 = tanh(0.2 + p2 * -0.2 + q2 * 0.1)
    z = p3 * 0.7 + q3 * -0.5
    y_hat = 1 / (1 + exp(-z))
    loss = -log(y_hat)  # y = 1
    # The same in numbers, so that nobody has to trust the lines above.
    exactly([p1, q1], [0.46211715726001, -0.29131261245159])
    exactly([p2, q2], [0.19492639405337, 0.59050775271655])
    exactly([p3, q3], [-0.33182450491486, 0.21658048658992])
    exactly([z, y_hat, loss], [-0.34056739673537, 0.41567165620118, 0.87785961835055])

    # Backward. ∂L/∂z = ŷ − y.
    dz = y_hat - 1
    d_wo = [p3 * dz, q3 * dz]
    # ∂L/∂o_3 = ∂L/∂z · W_o; through tanh: ∂L/∂a_t = ∂L/∂o_t · (1 − o_t²); and ∂o_t/∂o_(t−1) goes over W_h.
    dp3, dq3 = dz * 0.7 * (1 - p3**2), dz * -0.5 * (1 - q3**2)
    dp2, dq2 = (dp3 * 0.4 + dq3 * -0.2) * (1 - p2**2), (dp3 * 0.3 + dq3 * 0.1) * (1 - q2**2)
    dp1, dq1 = (dp2 * 0.4 + dq2 * -0.2) * (1 - p1**2), (dp2 * 0.3 + dq2 * 0.1) * (1 - q1**2)
    # ∂L/∂W_h is a sum over the timesteps: o_(t−1) times ∂L/∂a_t, for t = 3 and 2 and, with o_0 = 0, nothing for 1.
    d_wh = [
        [p2 * dp3 + p1 * dp2 + 0 * dp1, p2 * dq3 + p1 * dq2 + 0 * dq1],
        [q2 * dp3 + q1 * dp2 + 0 * dp1, q2 * dq3 + q1 * dq2 + 0 * dq1],
    ]
    # So is ∂L/∂W_i, x_t times ∂L/∂a_t; each word comes once here, so each row has one term.
    d_wi = [[dp1, dq1], [dp2, dq2], [dp3, dq3]]
    exactly(d_wo, [0.19389446338876, -0.12655411702823])
    exactly(d_wh[0], [-0.16043646074504, 0.02979408468274])
    exactly(d_wh[1], [-0.15853046075186, 0.17986759926269])
    exactly(
        d_wi,
        [
            [-0.05258141579982, -0.05801113983473],
            [-0.19364071851524, -0.05298448635125],
            [-0.36399258663537, 0.27845959577644],
        ],
    )

    model, store = notes_network()
    batch = Examples([np.array([CAT, MAT, RAT])], np.array([1]))
    logits, outputs, _ = model.forward(store.params, model_input(batch))
    exactly(outputs, [[p1, q1], [p2, q2], [p3, q3]])
    exactly(logits, [[z]])
    exactly(model.probabilities(logits), [[1 - y_hat, y_hat]])
    our_loss, grads = model.loss_and_gradients(store.params, batch)
    exactly(our_loss, loss)
    cell = grads["encoder"]["0"]["forward"]
    exactly(as_dense(cell["weight_ih"]), d_wi)
    exactly(cell["weight_hh"], d_wh)
    exactly(grads["output"]["weight"][:, 0], d_wo)

    # W ← W − η ∂L/∂W with η = 0.5, and the loss is smaller.
    apply(SGD(), store, store.gather(grads), start(SGD(), store), 0.5)
    new = store.params["encoder"]["0"]["forward"]
    exactly(
        new["weight_ih"], [[w - 0.5 * d for w, d in zip(*rows, strict=True)] for rows in zip(W_I, d_wi, strict=True)]
    )
    exactly(
        new["weight_hh"], [[w - 0.5 * d for w, d in zip(*rows, strict=True)] for rows in zip(W_H, d_wh, strict=True)]
    )
    exactly(store.params["output"]["weight"], [[0.7 - 0.5 * d_wo[0]], [-0.5 - 0.5 * d_wo[1]]])
    assert model.loss_and_gradients(store.params, batch)[0] < loss


def test_a_word_that_comes_twice_adds_up() -> None:
    """The text "rat rat mat" → 1: in ∂L/∂W_i rat's row is the sum of two terms, t = 1 and 2, and cat's is untouched."""
    p1, q1 = math.tanh(-0.6), math.tanh(0.2)
    p2, q2 = math.tanh(-0.6 + p1 * 0.4 + q1 * 0.3), math.tanh(0.2 + p1 * -0.2 + q1 * 0.1)
    p3, q3 = math.tanh(0.1 + p2 * 0.4 + q2 * 0.3), math.tanh(0.8 + p2 * -0.2 + q2 * 0.1)
    dz = 1 / (1 + math.exp(-(p3 * 0.7 + q3 * -0.5))) - 1
    dp3, dq3 = dz * 0.7 * (1 - p3**2), dz * -0.5 * (1 - q3**2)
    dp2, dq2 = (dp3 * 0.4 + dq3 * -0.2) * (1 - p2**2), (dp3 * 0.3 + dq3 * 0.1) * (1 - q2**2)
    dp1, dq1 = (dp2 * 0.4 + dq2 * -0.2) * (1 - p1**2), (dp2 * 0.3 + dq2 * 0.1) * (1 - q1**2)
    model, store = notes_network()
    _, grads = model.loss_and_gradients(store.params, Examples([np.array([RAT, RAT, MAT])], np.array([1])))
    gradient = grads["encoder"]["0"]["forward"]["weight_ih"]
    assert gradient.rows.tolist() == [RAT, MAT]
    exactly(as_dense(gradient), [[0, 0], [dp3, dq3], [dp1 + dp2, dq1 + dq2]])


def model_input(batch: Examples) -> Any:
    from rnncli.core.packed import PackedSequence

    return PackedSequence.pack(batch.inputs)


THREE_ROWS = Examples(
    [np.array([CAT, MAT, RAT]), np.array([RAT, RAT, MAT]), np.array([MAT, MAT, CAT])], np.array([1, 1, 0])
)


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_gradient_descent_learns_the_three_rows(seed: int | None) -> None:
    """The notes' table, from the weights above and from drawn ones: loss under 0.01, and the labels are right."""
    model, store = notes_network()
    if seed is not None:
        store = ParameterStore(model.init(np.random.default_rng(seed)), model.tables)
    state = start(SGD(), store)
    losses = []
    while not losses or (losses[-1] >= 0.01 and len(losses) < 3000):
        loss, grads = model.loss_and_gradients(store.params, THREE_ROWS)
        losses.append(loss)
        apply(SGD(), store, store.gather(grads), state, 0.5)
    assert losses[-1] < 0.01 < 0.3 < losses[0]
    logits = model.logits(store.params, THREE_ROWS.inputs)
    np.testing.assert_array_equal(logits[:, 0] > 0, [True, True, False])
    assert model.probabilities(logits)[[0, 1, 2], [1, 1, 0]].min() > 0.97
