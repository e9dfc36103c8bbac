"""One sequence gives the same answer alone and in any company; and very short and very long ones work.

Stated tolerances: 1e-12 in float64; 1e-5 for float32 logits; 1e-4 between float32 and float64.
"""

from __future__ import annotations

import numpy as np
import pytest
from core import checks, naive
from core.checks import CORE, KINDS

from rnncli.config import Settings
from rnncli.core.gradients import as_dense
from rnncli.core.packed import PackedSequence
from rnncli.tasks.classify.network import Classifier
from rnncli.tasks.many_to_one.network import Examples

V = 30
CELLS = [("rnn", "tanh"), ("rnn", "relu"), ("lstm", "tanh"), ("gru", "tanh")]
every_cell = pytest.mark.parametrize(("cell", "nonlinearity"), CELLS)


def network(cell: str, nonlinearity: str, dtype: str = "float64", **more: object) -> tuple[Classifier, dict]:
    chosen = {"hidden": 16, "layers": 2, "embedding": 8, "embedding_scale": 1.0, "dropout": 0.0} | more
    settings = Settings(cell=cell, nonlinearity=nonlinearity, dtype=dtype, **chosen)
    model = Classifier(settings, V, 3)
    return model, model.init(np.random.default_rng(0))


def sequences(lengths: list[int], seed: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, V, length) for length in lengths]


COMPANIES = {
    "64 of many lengths": [1 + (7 * n) % 23 for n in range(63)],
    "longer ones": [40, 33, 21],
    "shorter ones": [1, 2, 5],
    "equal ones": [9, 9, 9],
}


@pytest.mark.parametrize("company", COMPANIES)
@every_cell
def test_alone_and_in_company(cell: str, nonlinearity: str, company: str) -> None:
    """Outputs of every step, logits, and (with weight on this one alone) the loss and every gradient."""
    model, params = network(cell, nonlinearity)
    own, others = sequences([9])[0], sequences(COMPANIES[company], seed=2)
    place = len(others) // 2
    everybody = [*others[:place], own, *others[place:]]

    alone = PackedSequence.pack([own])
    logits, y, _ = model.forward(params, alone)
    together = PackedSequence.pack(everybody)
    all_logits, all_y, _ = model.forward(params, together)
    close = {"rtol": 1e-12, "atol": 1e-13}
    np.testing.assert_allclose(together.to_caller_order(all_logits)[place], logits[0], **close)
    np.testing.assert_allclose(together.with_data(all_y).unpack()[place], y, **close)

    weights = np.zeros(len(everybody))
    weights[place] = 2.5
    targets = np.arange(len(everybody)) % 3
    loss, grads = model.loss_and_gradients(params, Examples([own], targets[[place]]))
    loss_among, grads_among = model.loss_and_gradients(params, Examples(everybody, targets, weights))
    assert loss_among == pytest.approx(loss, rel=1e-12)
    of_both = zip(checks.leaves(grads), checks.leaves(grads_among), strict=True)
    for (name, gradient), (_, among) in of_both:
        np.testing.assert_allclose(as_dense(among), as_dense(gradient), **close, err_msg=name)


@every_cell
def test_a_batch_is_the_mean_of_its_sequences(cell: str, nonlinearity: str) -> None:
    model, params = network(cell, nonlinearity)
    inputs = sequences([4, 1, 9, 4, 13, 2])
    targets = np.array([0, 1, 2, 2, 1, 0])
    loss, grads = model.loss_and_gradients(params, Examples(inputs, targets))
    singles = [model.loss_and_gradients(params, Examples([x], targets[[n]])) for n, x in enumerate(inputs)]
    assert loss == pytest.approx(np.mean([single for single, _ in singles]), rel=1e-12)
    by_name = [dict(checks.leaves(single)) for _, single in singles]
    for name, gradient in checks.leaves(grads):
        mean = sum(as_dense(single[name]) for single in by_name) / len(inputs)
        np.testing.assert_allclose(as_dense(gradient), mean, rtol=1e-11, atol=1e-13, err_msg=name)


@every_cell
def test_float32_logits_alone_and_in_company(cell: str, nonlinearity: str) -> None:
    model, params = network(cell, nonlinearity, "float32")
    inputs = sequences([1 + (7 * n) % 23 for n in range(64)])
    alone = np.concatenate([model.logits(params, [x]) for x in inputs])
    assert alone.dtype == np.float32
    for batch in (64, 10):
        np.testing.assert_allclose(model.logits(params, inputs, batch), alone, rtol=0, atol=1e-5)


@every_cell
def test_logits_come_in_the_order_of_the_rows(cell: str, nonlinearity: str) -> None:
    model, params = network(cell, nonlinearity)
    inputs = sequences([3, 8, 1, 8, 5])
    forwards = model.logits(params, inputs, batch=2)
    np.testing.assert_allclose(model.logits(params, inputs[::-1], batch=3)[::-1], forwards, rtol=1e-12, atol=1e-13)
    assert np.abs(forwards[0] - forwards[1]).max() > 1e-3


@every_cell
def test_float32_and_float64_agree(cell: str, nonlinearity: str) -> None:
    """The same code in another precision: logits, loss and gradients (by norm) within 1e-4."""
    wide, params = network(cell, nonlinearity, "float64")
    narrow, params32 = network(cell, nonlinearity, "float32")
    for name, value in checks.leaves(params):
        value[...] = dict(checks.leaves(params32))[name]
    batch = Examples(sequences([12, 3, 1, 25]), np.array([0, 2, 1, 1]))
    np.testing.assert_allclose(narrow.logits(params32, batch.inputs), wide.logits(params, batch.inputs), atol=1e-4)
    loss, grads = wide.loss_and_gradients(params, batch)
    loss32, grads32 = narrow.loss_and_gradients(params32, batch)
    assert loss32 == pytest.approx(loss, abs=1e-4)
    for (name, gradient), (_, gradient32) in zip(checks.leaves(grads), checks.leaves(grads32), strict=True):
        assert as_dense(gradient32).dtype == np.float32
        assert checks.relative_error(as_dense(gradient32), as_dense(gradient)) < 1e-4, name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lengths", [[1], [1, 1, 1], [4, 1]])
def test_length_one(kind: str, lengths: list[int]) -> None:
    """A sequence of one step is one step of the naive cell in either direction."""
    rng = np.random.default_rng(checks.SEED)
    stack = checks.build(CORE, kind, layers=2, both=True)
    params = checks.random_params(stack, rng)
    given = checks.random_sequences(lengths, rng)
    x = PackedSequence.pack(given)
    y, last, kept = stack.forward(params, x)
    zeros = [[np.zeros(checks.H)] * len(parts) for parts in last]
    for own, sequence in zip(x.with_data(y).unpack(), given, strict=True):
        expected, _, _ = naive.run(kind, params, sequence, zeros)
        np.testing.assert_allclose(own, expected, rtol=1e-12, atol=1e-14)
    dx, _, _ = stack.backward(params, kept, np.ones_like(y))
    assert dx.shape == x.data.shape
    assert np.isfinite(dx).all()


@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_steps(kind: str) -> None:
    """Beside one of three steps. The last state is the naive one; gradients are finite and reach far back.

    Over thousands of steps a gradient of these cells dies away below the smallest float, and zero is then the
    right answer: underflow is no error here.
    """
    T = 10_000
    rng = np.random.default_rng(checks.SEED)
    stack = checks.build(CORE, kind)
    params = checks.random_params(stack, rng)
    given = checks.random_sequences([3, T], rng)
    x = PackedSequence.pack(given)
    y, last, kept = stack.forward(params, x)
    zeros = [[np.zeros(checks.H)] * len(parts) for parts in last]
    expected, _, _ = naive.run(kind, params, given[1], zeros)
    np.testing.assert_allclose(x.with_data(y).unpack()[1], expected, rtol=1e-9, atol=1e-12)
    with np.errstate(under="ignore"):
        dx, _, grads = stack.backward(params, kept, np.ones_like(y))
    assert np.isfinite(dx).all()
    assert (np.linalg.norm(dx, axis=1) > 0).mean() > 0.5
    assert all(np.isfinite(leaf).all() for _, leaf in checks.leaves(grads))
