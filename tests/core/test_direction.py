"""Which way each half of a bidirectional layer reads. Shapes cannot tell; a changed input can."""

from __future__ import annotations

import numpy as np
import pytest
from core import checks
from core.checks import CORE, KINDS, H, problem

from rnncli.core.packed import PackedSequence


@pytest.mark.parametrize("kind", KINDS)
def test_first_and_last_input_move_the_right_half(kind: str) -> None:
    checks.check_direction(CORE, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_backward_half_is_the_forward_cell_on_the_mirrored_sequence(kind: str) -> None:
    """With the same weights in both directions, mirroring the input swaps and mirrors the halves."""
    case = problem(CORE, kind, both=True)
    for name, value in case.params["0"]["forward"].items():
        case.params["0"]["backward"][name][...] = value
    sequences = case.x.unpack()
    mirrored = PackedSequence.pack([sequence[::-1] for sequence in sequences])
    outputs = case.x.with_data(case.stack.forward(case.params, case.x)[0]).unpack()
    swapped = mirrored.with_data(case.stack.forward(case.params, mirrored)[0]).unpack()
    for own, other in zip(outputs, swapped, strict=True):
        np.testing.assert_allclose(own[:, :H], other[::-1, H:], rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(own[:, H:], other[::-1, :H], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_one_direction_knows_no_future(kind: str) -> None:
    case = problem(CORE, kind, layers=2)
    before = case.x.with_data(case.forward()[0].copy()).unpack()
    start, n = case.x.steps[2]
    case.x.data[start : start + n] += 1.0
    after = case.x.with_data(case.forward()[0]).unpack()
    for own, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(own[:2], other[:2])
        assert len(own) < 3 or np.abs(own[2:] - other[2:]).max() > 1e-6
