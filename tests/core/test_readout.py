"""From the outputs of all timesteps to one vector a sequence, and the gradient back."""

from __future__ import annotations

import numpy as np
import pytest
from core import checks
from core.checks import CORE

from rnncli.core.layers.readout import READOUTS
from rnncli.core.packed import PackedSequence


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("kind", ["rnn_tanh", "lstm", "gru"])
@pytest.mark.parametrize("name", READOUTS)
def test_against_plain_loops_and_differences(name: str, kind: str, both: bool) -> None:
    checks.check_readout(CORE, name, kind, both)


def two_sequences() -> tuple[PackedSequence, np.ndarray]:
    """Outputs, K = 2, of (caller's order) one step, and of three: rows are longest first, time-major."""
    x = PackedSequence.pack([np.zeros((1, 2)), np.zeros((3, 2))])
    return x, np.array([[1.0, -2.0], [9.0, -9.0], [4.0, -2.0], [1.0, 1.0]])


def test_mean_by_hand() -> None:
    x, y = two_sequences()
    pooled, kept = READOUTS["mean"].forward(y, x, ())
    np.testing.assert_array_equal(pooled, [[2.0, -1.0], [9.0, -9.0]])
    dy, dstate = READOUTS["mean"].backward(kept, np.array([[3.0, 6.0], [5.0, 7.0]]))
    np.testing.assert_allclose(dy, [[1, 2], [5, 7], [1, 2], [1, 2]], rtol=1e-15)
    assert dstate is None


def test_max_by_hand() -> None:
    x, y = two_sequences()
    pooled, kept = READOUTS["max"].forward(y, x, ())
    np.testing.assert_array_equal(pooled, [[4.0, 1.0], [9.0, -9.0]])
    np.testing.assert_array_equal(kept.winner, [[1, 2], [0, 0]])
    dy, dstate = READOUTS["max"].backward(kept, np.array([[3.0, 6.0], [5.0, 7.0]]))
    np.testing.assert_array_equal(dy, [[0, 0], [5, 7], [3, 0], [0, 6]])
    assert dstate is None


def test_first_of_equal_maxima_gets_the_gradient() -> None:
    x = PackedSequence.pack([np.zeros((3, 1))])
    _, kept = READOUTS["max"].forward(np.array([[1.0], [2.0], [2.0]]), x, ())
    dy, _ = READOUTS["max"].backward(kept, np.array([[5.0]]))
    np.testing.assert_array_equal(dy, [[0], [5], [0]])


def test_max_of_negative_outputs_is_negative() -> None:
    """A maximum that starts from zero would say 0."""
    x = PackedSequence.pack([np.zeros((2, 1))])
    pooled, _ = READOUTS["max"].forward(np.array([[-3.0], [-2.0]]), x, ())
    np.testing.assert_array_equal(pooled, [[-2.0]])


def test_last_takes_h_and_not_c() -> None:
    x, y = two_sequences()
    h, c = np.array([[1.0, 2.0], [3.0, 4.0]]), np.full((2, 2), 9.0)
    pooled, kept = READOUTS["last"].forward(y, x, (h, c))
    np.testing.assert_array_equal(pooled, h)
    dy, (dh, dc) = READOUTS["last"].backward(kept, np.array([[5.0, 6.0], [7.0, 8.0]]))
    assert dy is None
    np.testing.assert_array_equal(dh, [[5, 6], [7, 8]])
    np.testing.assert_array_equal(dc, np.zeros((2, 2)))


@pytest.mark.parametrize("name", READOUTS)
def test_outputs_are_left_as_they_are(name: str) -> None:
    case = checks.problem(CORE, "gru", both=True)
    y, last, _ = case.forward()
    before, states = y.copy(), [part.copy() for part in last[-1]]
    pooled, kept = READOUTS[name].forward(y, case.x, last[-1])
    dpooled = np.ones_like(pooled)
    pooled += 1
    READOUTS[name].backward(kept, dpooled)
    np.testing.assert_array_equal(y, before)
    np.testing.assert_array_equal(dpooled, 1)
    for part, state in zip(last[-1], states, strict=True):
        np.testing.assert_array_equal(part, state)


@pytest.mark.parametrize("name", READOUTS)
def test_precision_is_kept(name: str) -> None:
    x, y = two_sequences()
    y32 = y.astype(np.float32)
    pooled, kept = READOUTS[name].forward(y32, x, (y32[:2],))
    grads = READOUTS[name].backward(kept, np.ones_like(pooled))
    got = [pooled, *(g for g in grads if isinstance(g, np.ndarray)), *(grads[1] or ())]
    assert {array.dtype.name for array in got} == {"float32"}
