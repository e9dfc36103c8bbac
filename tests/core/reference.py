"""A cell's own reference step in plain NumPy, one sequence and one timestep at a time: slow, and easy to believe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnncli.core.cells.cell import Cell

Array = np.ndarray[Any, Any]
FUNCTIONS = {"σ": lambda a: 1 / (1 + np.exp(-a)), "tanh": np.tanh, "relu": lambda a: np.maximum(a, 0)}


class NumPyStep:
    """:class:`rnncli.core.cells.specification.Step` in numbers (H,).

    Args:
        x: (D,) what is read.
        before: state's letter → (H,).

        moved: letter → (H,) what is added to a line of that letter.

    Attributes:
        values: letter → (H,), line by line.
    """

    def __init__(
        self,
        cell: Cell,
        params: dict[str, Array],
        x: Array,
        before: dict[str, Array],
        moved: Mapping[str, Array] | None = None,
    ) -> None:
        self.cell, self.params, self.x, self.before, self.moved = cell, params, x, before, moved or {}
        self.values: dict[str, Array] = {}

    def past(self, state: str) -> Array:
        return self.before[state]

    def sums(self, letter: str, label: str, beside: Array | None = None) -> Array:
        H, total = self.cell.hidden_size, np.zeros(self.cell.hidden_size) if beside is None else beside
        for parameter, place in self.cell.into(letter):
            weight = self.params[parameter.name][..., place * H : (place + 1) * H]
            factor = parameter.factor
            if factor is None:
                total = total + weight
                continue
            at = self.x if factor.letter == "x" else (self.before if factor.past else self.values)[factor.letter]
            total = total + (at * weight if parameter.elementwise else at @ weight)
        return self.line(letter, total, label)

    def gate(self, letter: str, beside: Array | None = None) -> Array:
        gate = self.cell.specification.gate(letter)
        return self.line(letter, FUNCTIONS[gate.function](self.sums(gate.sums, "", beside)), gate.name)

    def line(self, letter: str, value: Array, label: str) -> Array:
        assert letter not in self.values
        self.values[letter] = value + self.moved.get(letter, 0.0)
        return self.values[letter]

    tanh = staticmethod(FUNCTIONS["tanh"])
    relu = staticmethod(FUNCTIONS["relu"])


def run(
    cell: Cell,
    params: dict[str, Array],
    xs: Array,
    state: list[Array],
    moved: Mapping[int, Mapping[str, Array]] | None = None,
) -> list[dict[str, Array]]:
    """Every value of every step.

    Args:
        xs: (T, D).
        state: (H,) each.
        moved: timestep → what is added to its lines, all that follows following.
    """
    letters = [one.letter for one in cell.specification.states]
    before, steps = dict(zip(letters, state, strict=True)), []
    for t, x in enumerate(xs):
        s = NumPyStep(cell, params, x, before, (moved or {}).get(t))
        cell.step(s)
        before = {letter: s.values[letter] for letter in letters}
        steps.append(s.values)
    return steps
