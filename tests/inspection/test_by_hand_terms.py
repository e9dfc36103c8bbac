"""The arithmetic of the worked example: each operation's way back is its slope, and is written in the same formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from by_hand_examples import (
    Bounds,
    work_out,
)

from rnncli.inspection.by_hand.tape import Place, Tape
from rnncli.inspection.by_hand.terms import (
    Gradient,
    Term,
    added_gradients,
    argmax,
    exp,
    gradients,
    hstack,
    log,
    maximum,
    named,
    relu,
    row_sum,
    sigmoid,
    softmax,
    tanh,
    vstack,
)

# Each operation of a row a, another one b, a matrix W and a number c, all of which have slopes.
OPERATIONS: dict[str, Callable[[Term, Term, Term, Term], Term]] = {
    "a·W": lambda a, b, W, c: a @ W,
    "c·a": lambda a, b, W, c: c @ a,
    "c·c": lambda a, b, W, c: c @ c,
    "a·bᵀ": lambda a, b, W, c: a @ b.T,
    "a ⊙ b": lambda a, b, W, c: a * b,
    "a ⊙ c": lambda a, b, W, c: a * c,
    "a/b": lambda a, b, W, c: a / b,
    "a/c": lambda a, b, W, c: a / c,
    "c/a": lambda a, b, W, c: c / a,
    "a + b": lambda a, b, W, c: a + b,
    "a − (b + c)": lambda a, b, W, c: a - (b + c),
    "c − a": lambda a, b, W, c: c - a,
    "1 − a": lambda a, b, W, c: 1 - a,
    "1 + a": lambda a, b, W, c: 1 + a,
    "−a": lambda a, b, W, c: -a,
    "(Wᵀ·bᵀ)ᵀ": lambda a, b, W, c: (W.T @ b.T).T,
    "a²": lambda a, b, W, c: a.squared,
    "a[2:3]": lambda a, b, W, c: a.columns(2, 3),
    "tanh(a)": lambda a, b, W, c: tanh(a),
    "relu(a − b)": lambda a, b, W, c: relu(a - b),
    "σ(a)": lambda a, b, W, c: sigmoid(a),
    "exp(a)": lambda a, b, W, c: exp(a),
    "log(a)": lambda a, b, W, c: log(a),
    "sum(a ⊙ a)": lambda a, b, W, c: row_sum(a * a),
    "softmax(a)": lambda a, b, W, c: softmax(exp(a), a),
    "a/sum(a)": lambda a, b, W, c: a / row_sum(a),
    "[a, c, b]": lambda a, b, W, c: hstack([a, c, b]),
    "a·[a; b]ᵀ": lambda a, b, W, c: a @ vstack([a, b]).T,
    "b·[a; b; c·a]": lambda a, b, W, c: b @ vstack([a, b, c @ a]),
    "max(a, b)": lambda a, b, W, c: maximum([a, b], lambda: argmax([a, b])),
    "a gate": lambda a, b, W, c: (1 - a) * b + a * c,
    "a layer norm": lambda a, b, W, c: (a - row_sum(a) / named("n", np.array([[3.0]]))) / row_sum(a * a),
}


def values() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    return {
        "a": rng.uniform(0.3, 2, (1, 3)),
        "b": rng.uniform(0.3, 2, (1, 3)),
        "W": rng.normal(0, 1, (3, 2)),
        "c": np.array([[0.7]]),
        "n": np.array([[3.0]]),
    }


def made(operation: str, numbers: dict[str, Any]) -> tuple[Term, dict[str, Term]]:
    names = {name: named(name, value) for name, value in numbers.items()}
    return OPERATIONS[operation](*(names[name] for name in "abWc")), names


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_way_back_is_the_slope(operation: str) -> None:
    """L is the sum of all elements of the result times a weight each; the gradients are held against differences."""
    numbers = values()
    result, names = made(operation, numbers)
    weights = np.random.default_rng(6).normal(0, 1, result.value.shape)
    d = named("∂L/∂y", weights)
    slopes = 0
    for name in "abWc":
        found = gradients(result, names[name], Gradient(d), named("y", result.value))
        numeric = np.zeros_like(numbers[name])
        for place in np.ndindex(numeric.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = {key: value.copy() for key, value in numbers.items()}
                moved[name][place] += step
                ends.append(float((made(operation, moved)[0].value * weights).sum()))
            numeric[place] = (ends[0] - ends[1]) / 2e-6
        if not found:
            assert not numeric.any(), name
            continue
        gradient = added_gradients(found)
        np.testing.assert_allclose(gradient.value, numeric, rtol=1e-7, atol=1e-8, err_msg=f"{name}: {gradient.text}")
        # And it is what its formula says, by another arithmetic.
        known = {key: Bounds(value) for key, value in numbers.items()} | {
            "y": Bounds(result.value),
            "∂L/∂y": Bounds(weights),
        }
        again = work_out(f"g = {gradient.text}", known)
        np.testing.assert_allclose(gradient.value, again.lo, rtol=1e-12, err_msg=gradient.text)
        slopes += 1
    assert slopes


@pytest.mark.parametrize(
    ("operation", "to", "formula"),
    [
        ("a·W", "a", "∂L/∂y · Wᵀ"),
        ("a·W", "W", "aᵀ · ∂L/∂y"),
        ("a·bᵀ", "b", "∂L/∂y · a"),
        ("tanh(a)", "a", "∂L/∂y ⊙ (1 − y²)"),
        ("σ(a)", "a", "∂L/∂y ⊙ y ⊙ (1 − y)"),
        ("softmax(a)", "a", "∂L/∂y · (diag(y) − yᵀ·y)"),
        ("a gate", "a", "∂L/∂y ⊙ (c − b)"),
        ("a − (b + c)", "b", "−∂L/∂y"),
        ("[a, c, b]", "b", "∂L/∂y[5:7]"),
        ("b·[a; b; c·a]", "a", "b[1] · ∂L/∂y + c · b[3] · ∂L/∂y"),
        ("a·[a; b]ᵀ", "b", "∂L/∂y[2] · a"),
    ],
)
def test_as_one_would_write_it(operation: str, to: str, formula: str) -> None:
    result, names = made(operation, values())
    found = gradients(result, names[to], Gradient(named("∂L/∂y", result.value)), named("y", result.value))
    assert added_gradients(found).text == formula


def test_what_the_loss_does_not_depend_on_has_no_gradient() -> None:
    """A weight gets one of zeros, for it has a step like any other; a line that nobody reads gets none."""
    from rnncli.inspection.by_hand.tape import Sheet, Weight

    tape = Tape({"w": np.array([[2.0, 1.0]]), "v": np.array([[1.0, 3.0]])})
    s = Sheet(tape)
    s.section("What is given")
    s.learn(Weight("w", "w", "weight"))
    s.learn(Weight("v", "v", "other weight"))
    s.given("x", np.array([[3.0, -1.0]]))
    s.given("η", np.array([[0.5]]))
    s.section("Forward", place=Place(s.block("Backward")))
    s.line("y", s["w"] * s["x"])
    s.line("unread", s["v"] * s["x"])
    s.line("L", row_sum(s["y"]), passes=True)
    tape.backward()
    steps = {step.name: step for _, step in tape.steps}
    assert steps["∂L/∂w"].result.tolist() == [[3.0, -1.0]]
    assert steps["∂L/∂v"].result.tolist() == [[0.0, 0.0]]
    assert steps["w"].result.tolist() == [[0.5, 1.5]]
    assert steps["v"].result.tolist() == [[1.0, 3.0]]
    assert "∂L/∂unread" not in steps
