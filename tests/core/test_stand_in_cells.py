"""Cells that ours are not like: that they are right, so that whatever is shown of them can be held against them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from core import checks
from core.checks import CORE, Array, problem
from core.naive import sigmoid

from rnncli.core.backward_trace import recording
from rnncli.core.gradient_check import numeric_gradient, relative_error

pytestmark = pytest.mark.usefixtures("stand_in_cells")
every_cell = pytest.mark.parametrize("name", ["peephole", "sru"])


def peephole(params: dict[str, Array], xs: Array, h: Array, c: Array) -> list[Array]:
    """h of every step, written once more from the paper's equations."""
    outputs = []
    W, U = np.split(params["weight_ih"], 4, axis=1), np.split(params["weight_hh"], 4, axis=1)
    b, (p_i, p_f), p_o = np.split(params["bias"], 4), np.split(params["peep_past"], 2), params["peep_now"]
    for x in xs:
        i = sigmoid(x @ W[0] + h @ U[0] + np.diag(p_i) @ c + b[0])
        f = sigmoid(x @ W[1] + h @ U[1] + np.diag(p_f) @ c + b[1])
        c = f * c + i * np.tanh(x @ W[2] + h @ U[2] + b[2])
        h = sigmoid(x @ W[3] + h @ U[3] + np.diag(p_o) @ c + b[3]) * np.tanh(c)
        outputs.append(h)
    return outputs


def sru(params: dict[str, Array], xs: Array, h: Array, c: Array) -> list[Array]:
    outputs = []
    W_u, W_f, W_r = np.split(params["weight_ih"], 3, axis=1)
    b_f, b_r = np.split(params["bias"], 2)
    for x in xs:
        f = sigmoid(x @ W_f + b_f)
        c = f * c + (1 - f) * (x @ W_u)
        outputs.append(sigmoid(x @ W_r + b_r) * np.tanh(c))
    return outputs


@every_cell
def test_every_step_is_the_naive_one(name: str) -> None:
    case = problem(CORE, name)
    naive = {"peephole": peephole, "sru": sru}[name]
    y, _, _ = case.forward()
    for n, at in enumerate(case.x.order):
        expected = naive(case.params["0"]["forward"], case.x.unpack()[at], *(part[n] for part in case.states[0]))
        np.testing.assert_allclose(case.x.with_data(y).unpack()[at], expected, rtol=1e-12, atol=1e-14)


@every_cell
@pytest.mark.parametrize("bias", [False, True])
def test_values_and_recorded_gradients_are_those_of_the_specification(name: str, bias: bool) -> None:
    case = problem(CORE, name, bias=bias)
    checks.check_against_reference(case)
    checks.check_recorded(case)


@every_cell
@pytest.mark.parametrize("more", [{"layers": 2, "both": True}, {"bias": False}, {"ids": True}])
def test_gradients_against_differences(name: str, more: dict[str, Any]) -> None:
    case = problem(CORE, name, **more)
    analytic, values = case.gradients(), case.values()
    assert analytic.keys() == values.keys()
    for key, value in values.items():
        if name == "sru" and key.startswith("state/") and key[-1] in "02":  # no step reads an h
            np.testing.assert_array_equal(analytic[key], 0)
            continue
        numeric = numeric_gradient(case.loss, value)
        assert np.linalg.norm(numeric) > 1e-3, key
        assert relative_error(analytic[key], numeric) < 1e-6, key


@every_cell
def test_a_table_is_read_row_by_row(name: str) -> None:
    checks.check_lookup(CORE, name, both=True)


@every_cell
def test_being_recorded_changes_no_bit(name: str) -> None:
    case = problem(CORE, name, both=True)
    alone = case.gradients()
    with recording():
        recorded = case.gradients()
    for key, value in alone.items():
        np.testing.assert_array_equal(value, recorded[key])
