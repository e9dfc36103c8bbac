"""Predicted numbers, and how far off they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.clean import or_empty
from rnncli.core.packed import Array
from rnncli.results import Column, FileCell, TableCell, TableView, format_number, place_of
from rnncli.tasks.comparison import Comparison
from rnncli.tasks.many_to_one.results import NOTHING_READ, shown_unknown
from rnncli.tasks.model import Evaluation

DIGITS = 3  # that a predicted number has behind the first digit of the deviation of what is predicted


def written(number: float, spread: float) -> str:
    """A predicted number with as many decimals as mean something beside the spread of what is predicted."""
    if not math.isfinite(number) or abs(number) >= 1e15:
        return f"{number:.6g}"
    decimals = max(0, DIGITS - 1 - math.floor(math.log10(spread)))
    return f"{number:.{decimals}f}" if decimals <= 12 else f"{number:.6g}"


@dataclass(frozen=True, kw_only=True)
class NumberPrediction:
    """The number for one input.

    Attributes:
        text: as it was given.
        number: in the units of the training data; None for an input without timesteps.
        shown: the same as people read it.
        tokens: how many timesteps the input has.
        unknown: tokens that the model does not know, each once.
        cut: how many timesteps in the middle of a long input were not read.
    """

    text: str
    number: float | None
    shown: str
    tokens: int
    unknown: tuple[str, ...]
    cut: int

    @property
    def problem(self) -> str | None:
        return NOTHING_READ if self.number is None else None

    def values(self) -> tuple[FileCell, ...]:
        return (self.number,)

    def cells(self) -> tuple[TableCell, ...]:
        return or_empty(self.shown or None), shown_unknown(self.unknown, self.tokens), self.text

    def fields(self) -> tuple[str, ...]:
        return self.shown or "-", " ".join(self.unknown) or "-", self.text

    def brief(self) -> tuple[tuple[str, ...], str, str]:
        return (or_empty(self.shown or None), shown_unknown(self.unknown, self.tokens)), self.text, ""


@dataclass(frozen=True, kw_only=True)
class Errors:
    """How far predictions are off, in the units of the data.

    Attributes:
        mae: the mean absolute error.
        rmse: the root of the mean squared error.
    """

    mae: float
    rmse: float

    @classmethod
    def of(cls, off: Array) -> Errors:
        """Of (rows, K) differences."""
        scale = float(np.abs(off).max(initial=0.0)) or 1.0  # whose square may be too large for a float
        return cls(mae=float(np.abs(off).mean()), rmse=scale * float(np.sqrt(((off / scale) ** 2).mean())))


@dataclass(frozen=True, kw_only=True)
class FarOff:
    """A prediction that is far off, with its line, and its file where there are several."""

    line: int
    text: str
    truth: str
    predicted: str
    error: float
    file: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class NumberEvaluation(Evaluation):
    """How far predicted numbers are off.

    Attributes:
        rows: inputs, each with ``numbers`` predicted numbers.
        mae, rmse: mean absolute error, and root of the mean squared error, in the units of the data.
        by_step: of each of several numbers, in their order.
        baselines: name → the same of the simple predictors.
        comparison: with the best of these, row by row.
        mistakes: the rows that are furthest off.
    """

    rows: int
    numbers: int
    mae: float
    rmse: float
    by_step: tuple[Errors, ...]
    baselines: Mapping[str, Errors]
    comparison: Comparison | None
    mistakes: tuple[FarOff, ...]
    skipped: int
    skipped_because: tuple[str, ...]

    def pairs(self) -> list[tuple[str, TableCell]]:
        pairs: list[tuple[str, TableCell]] = [("rows", self.rows)]
        pairs += [("MAE", format_number(self.mae)), ("RMSE", format_number(self.rmse))]
        if self.comparison is not None:
            pairs.append(("verdict", self.comparison.sentence(f"{self.rows:,} row{'s' * (self.rows != 1)}")))
        return pairs

    def tables(self) -> list[TableView]:
        figures = Column("MAE", True), Column("RMSE", True)
        beside = (("the network", self.mae, self.rmse), *_named(self.baselines))
        shown = [TableView("Beside simple predictions", (Column("model"), *figures), beside)]
        if len(self.by_step) > 1:
            rows = tuple((step, one.mae, one.rmse) for step, one in enumerate(self.by_step, 1))
            shown.append(TableView("By step ahead", (Column("step", True), *figures), rows))
        named = Column("line", True), Column("truth", True), Column("prediction", True), Column("error", True)
        far = tuple((place_of(m), m.truth, m.predicted, m.error, m.text) for m in self.mistakes)
        return [*shown, TableView("Furthest off", (*named, Column("text")), far)]


def _named(baselines: Mapping[str, Errors]) -> Sequence[tuple[TableCell, ...]]:
    return [(name.replace("_", " "), one.mae, one.rmse) for name, one in baselines.items()]
