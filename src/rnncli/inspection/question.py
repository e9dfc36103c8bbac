"""What an attribution asks: the score of one answer, for an input with parts left out or replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rnncli.core.packed import Array
from rnncli.inspection.integrated_gradients import GradientPath

BASELINE_TOKEN = "☐"  # a word or a letter that no text has


@dataclass(frozen=True)
class InputParts:
    """An input in parts that can be left out.

    Attributes:
        baseline: the value that replaces a part's.
        join: values → the input that they make.
        unit: what a part is: ``word``, ``number``.
        deletable: whether the input may also have fewer parts.
    """

    names: tuple[str, ...]
    values: tuple[Any, ...]
    baseline: Any
    join: Callable[[Sequence[Any]], str]
    unit: str
    deletable: bool = True

    def replaced(self, out: Sequence[int]) -> str:
        """The input with some parts replaced."""
        gone = set(out)
        return self.join([self.baseline if k in gone else value for k, value in enumerate(self.values)])

    def without(self, out: Sequence[int]) -> str:
        """The input without some parts: deleted where that is possible; without all of them, one baseline part."""
        if not self.deletable:
            return self.replaced(out)
        gone = set(out)
        return self.join([value for k, value in enumerate(self.values) if k not in gone] or [self.baseline])


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of a model.

    Attributes:
        answer: whose score counts.
        score_is: what the score is, in words.
        scores: inputs → (inputs,) float64.
        predictions: inputs → what the model predicts for each.
        path: through the network's inputs, from the baseline to the input; None where its timesteps are not the parts.
        read: (timesteps,) the part that each timestep of the path is.
    """

    parts: InputParts
    answer: str
    score_is: str
    scores: Callable[[Sequence[str]], Array]
    predictions: Callable[[Sequence[str]], list[str]]
    path: GradientPath | None
    read: Array
