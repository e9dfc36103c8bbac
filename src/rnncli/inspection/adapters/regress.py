"""A number for a text, or for a sequence of numbers."""

from __future__ import annotations

from rnncli.clean import or_empty
from rnncli.inspection.adapters.numbers import NumberAdapter
from rnncli.tasks.numbers.results import NumberPrediction
from rnncli.tasks.regress.model import RegressionModel


class RegressAdapter(NumberAdapter[RegressionModel]):
    def answer_of(self, prediction: NumberPrediction) -> str:
        return or_empty(prediction.shown or None)

    def change(self, first: NumberPrediction, second: NumberPrediction) -> float:
        """How far the two are apart, in standard deviations of the training targets, and at most 1."""
        if first.number is None or second.number is None:
            return 0.0
        return min(1.0, abs(first.number - second.number) / float(self.model.deviation[0]))


ADAPTER = RegressAdapter
