"""NaN and infinity go where the equations take them: to all that depends on them, and to nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from core import checks
from core.checks import CORE, KINDS, problem

every_kind = pytest.mark.parametrize("kind", KINDS)
Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True)
def _invalid_is_no_error() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


def outputs(case: checks.Problem) -> list[Array]:
    return case.x.with_data(case.forward()[0]).unpack()


def row_of(case: checks.Problem, place: int, step: int) -> int:
    """The row of a step of the sequence that stands at this place of the packed order."""
    return int(case.x.offsets[step] + place)


@every_kind
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_nan_goes_on_from_its_step_in_its_sequence(kind: str, dtype: str) -> None:
    case = problem(CORE, kind)
    case.x = case.x.with_data(case.x.data.astype(dtype))
    case.states = [tuple(part.astype(dtype) for part in parts) for parts in case.states]
    weights = case.params["0"]["forward"]
    weights |= {name: value.astype(dtype) for name, value in weights.items()}
    before = outputs(case)
    case.x.data[row_of(case, 1, 1), 0] = np.nan
    y, last, _ = case.forward()
    for at, (own, other) in enumerate(zip(case.x.with_data(y).unpack(), before, strict=True)):
        reached = 1 if at == case.x.order[1] else len(own)
        np.testing.assert_array_equal(own[:reached], other[:reached])
        assert np.isnan(own[reached:]).all()
    for part in last[0]:
        assert np.isnan(part).all(axis=1).tolist() == [n == 1 for n in range(len(part))]


@every_kind
def test_a_nan_in_a_first_state_reaches_its_sequence_alone(kind: str) -> None:
    case = problem(CORE, kind)
    before = outputs(case)
    for part in case.states[0]:
        part[2] = np.nan
    for at, (own, other) in enumerate(zip(outputs(case), before, strict=True)):
        if at == case.x.order[2]:
            assert np.isnan(own).all()
        else:
            np.testing.assert_array_equal(own, other)


@every_kind
def test_a_nan_in_any_weight_is_seen(kind: str) -> None:
    """In the outputs of all sequences, and by the gradients; but the slope of a ReLU there is 0."""
    case = problem(CORE, kind)
    for name, value in case.params["0"]["forward"].items():
        kept = value.copy()
        value[..., 0] = np.nan
        assert all(np.isnan(own[-1]).any() for own in outputs(case)), name
        assert np.isnan(case.gradients()["0/forward/weight_ih"]).any() or kind == "rnn_relu", name
        value[...] = kept
    assert all(np.isfinite(own).all() for own in outputs(case))


@every_kind
def test_a_nan_in_a_gradient_goes_back_through_its_sequence(kind: str) -> None:
    case = problem(CORE, kind)
    before = case.x.with_data(case.gradients()["x"]).unpack()
    case.of_y[row_of(case, 1, 1)] = np.nan
    found = case.gradients()
    for at, (own, other) in enumerate(zip(case.x.with_data(found["x"]).unpack(), before, strict=True)):
        reached = 2 if at == case.x.order[1] else 0
        assert np.isnan(own[:reached]).all()
        np.testing.assert_allclose(own[reached:], other[reached:], rtol=1e-12)
    for name, gradient in found.items():
        if name.startswith("state"):
            assert np.isnan(gradient).all(axis=1).tolist() == [n == 1 for n in range(len(gradient))], name
        elif name != "x":
            assert np.isnan(gradient).any(), name


@every_kind
@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300, -1e300])
def test_after_an_infinite_input_is_what_the_equations_say(kind: str, value: float) -> None:
    """Saturated gates stay finite; what is infinite, or infinite less infinite, is not.

    A ReLU's NaN stays one in both engines, and is 0 in the naive cell: of it only that step is compared.
    """
    compared = 2 if kind == "rnn_relu" else None
    case = problem(CORE, kind)
    case.x.data[row_of(case, 0, 1), 0] = value
    found = outputs(case)
    for n, (expected, _, _) in enumerate(checks.naive_runs(case)):
        own, expected = found[case.x.order[n]][:compared], expected[:compared]
        is_finite = np.isfinite(expected)
        np.testing.assert_array_equal(np.isfinite(own), is_finite)
        np.testing.assert_allclose(own[is_finite], expected[is_finite], rtol=1e-12, atol=1e-14)
        assert is_finite.all() or kind in ("rnn_relu", "mingru")
