"""A window of a series as a network reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.formats.values import Value
from rnncli.errors import counted
from rnncli.tasks.inputs import NumberInput, Steps, named_steps, steps_of


@dataclass(frozen=True)
class SeriesInput(NumberInput):
    """D numbers a timestep, of which the one to be forecast is read relative to its last value.

    A trend leaves the range of the training data, and a network knows nothing beyond it; how the values of a window lie
    around its last one stays the same (the normalisation of NLinear, Zeng et al. 2023). The other numbers are
    standardised by mean and spread.

    Args:
        mean, spread: (D,); of the number to be forecast the spread around the last value of a window.
        target: which of the numbers is forecast.
    """

    target: int = 0

    @classmethod
    def of_windows(cls, windows: Array, target: int) -> tuple[SeriesInput, int]:
        """By (N, W, D) windows of the training data; and how many of the D numbers never change."""
        plain, constant = NumberInput.of(windows.reshape(-1, windows.shape[2]))
        around, _ = NumberInput.of((windows[:, :, target] - windows[:, -1:, target]).reshape(-1, 1))
        spread = plain.spread.copy()
        spread[target] = around.spread[0]
        return cls(plain.mean, spread, target=target), constant

    def described(self, reads: str) -> str:
        others = f"{counted(self.size - 1, 'other number')} standardised, " if self.size > 1 else ""
        return f"{counted(self.size, 'number')} a timestep, {others}the one to be forecast relative to its last value"

    def standardised(self, sequence: Array) -> Array:
        mean = self.mean.copy()
        mean[self.target] = sequence[-1, self.target]
        return NumberInput(mean, self.spread).standardised(sequence)

    def read(self, numbers: Value, limit: int) -> Steps:
        """The (T, D) numbers of the last ``limit`` timesteps.

        Raises:
            ValueError: they are something else; the message goes on after "the sequence ".
        """
        if isinstance(numbers, str) and not numbers.strip():
            return Steps(np.empty((0, self.size)), 0)
        steps = self.steps(numbers)[-limit:]
        return Steps(self.standardised(steps), len(steps))

    def names(self, text: Value, limit: int) -> tuple[list[str], list[bool]]:
        return named_steps(steps_of(text)[-limit:])

    def last(self, numbers: Value) -> float:
        """The last value of what is forecast; 0 of an empty input."""
        if isinstance(numbers, str) and not numbers.strip():
            return 0.0
        return float(self.steps(numbers)[-1, self.target])

    def windows(self, raw: Array, dtype: str) -> Array:
        """(N, W, D) as the network reads them.

        Raises:
            ValueError: a number has nothing to do with those of the training data.
        """
        found = np.empty(raw.shape, dtype)
        for at, window in enumerate(raw):
            found[at] = self.standardised(window)
        return found


def input_of(plain: NumberInput, target: int) -> SeriesInput:
    """An input read from a model's file.

    Raises:
        ValueError: it has no such number.
    """
    if not 0 <= target < plain.size:
        raise ValueError("column is none of the input's numbers")
    return SeriesInput(plain.mean, plain.spread, plain.missing, target)
