"""The trained model: from a text, or a sequence of numbers, to a number."""

from __future__ import annotations

from dataclasses import dataclass

from rnncli.core.packed import Array
from rnncli.results import Column, TableView
from rnncli.tasks.numbers.model import NumberManifest, NumberModel
from rnncli.tasks.numbers.results import NumberPrediction


@dataclass(frozen=True, kw_only=True)
class RegressionManifest(NumberManifest):
    """What the file of such a model adds; it predicts one number."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.center) != 1:
            raise ValueError("a regression predicts one number")


@dataclass(frozen=True, kw_only=True, repr=False)
class RegressionModel(NumberModel):
    """A regression, and what turns texts or sequences of numbers into its inputs."""

    task = "regress"
    stored = RegressionManifest
    columns = (Column("text"), Column("prediction", True, "bold"), Column("unknown words"))

    def shown(self, predictions: list[NumberPrediction]) -> list[TableView]:  # type: ignore[override]
        text, _, unknown = self.columns
        columns = text, Column(self.named, True, "bold"), unknown
        return [TableView("", columns, tuple(prediction.cells() for prediction in predictions))]

    def _prediction(
        self, outputs: Array, *, text: str, tokens: int, unknown: tuple[str, ...], cut: int
    ) -> NumberPrediction:
        number = float(outputs[0]) if tokens else None
        shown = "" if number is None else self.shown_number(number)
        return NumberPrediction(text=text, number=number, shown=shown, tokens=tokens, unknown=unknown, cut=cut)
