"""The trained model: from a text, or a sequence of numbers, to a number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnncli.core.packed import Array
from rnncli.data.records import Series, SeriesArrays
from rnncli.data.tables.series_form import SeriesForm
from rnncli.results import Column, TableCell, TableView
from rnncli.tasks.numbers.model import NumberManifest, NumberModel, stored_series
from rnncli.tasks.numbers.results import NumberPrediction
from rnncli.tasks.windows import Windows

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset
    from rnncli.data.layouts.layout import Reads


@dataclass(frozen=True, kw_only=True)
class RegressionManifest(NumberManifest):
    """What the file of such a model adds; it predicts one number."""

    series: SeriesForm | None = None

    def parts(self) -> dict[str, Any]:
        if len(self.center) != 1:
            raise ValueError("a regression predicts one number, and center has several")
        if self.series is not None and (self.columns is not None or not self.settings.window or self.mean is None):
            raise ValueError("series does not go with columns, settings.window and mean")
        return super().parts() | {"series": self.series}


@dataclass(frozen=True, kw_only=True, repr=False)
class RegressionModel(NumberModel):
    """A regression, and what turns texts or sequences of numbers into its inputs.

    Attributes:
        series: the columns of a table in order of time, where a number is predicted from the rows up to its own.
    """

    task = "regress"
    stored = RegressionManifest
    columns = (Column("prediction", True, "bold"), Column("unknown words"), Column("text"))
    answers = ("prediction",)
    series: SeriesForm | None = None

    @property
    def uses(self) -> frozenset[str]:
        return frozenset() if self.series is None else frozenset({"window"})

    @property
    def unused(self) -> frozenset[str]:
        return super().unused | (frozenset() if self.series is None else {"max_length"})

    @property
    def reads(self) -> Reads | None:  # type: ignore[override]
        return self.form if self.series is None else self.series

    @property
    def answers_timesteps(self) -> bool:
        return self.series is not None

    @property
    def row(self) -> str:
        return "row"

    def examples(self, dataset: Dataset) -> Dataset:
        if not isinstance(dataset.inputs, SeriesArrays):
            return dataset
        return Windows(self.settings.window or 1, 0).cut(dataset).dataset

    def parts_of(self, series: Series) -> Iterator[tuple[int, Array]]:
        """Of each timestep the last ones up to it."""
        length = self.settings.window or 1
        for end in range(len(series.numbers)):
            yield end, series.numbers[max(0, end + 1 - length) : end + 1]

    def describe(self) -> list[tuple[str, TableCell]]:
        if self.series is None:
            return super().describe()
        window = f"{self.settings.window:,} rows up to each; {self.series.sentence}"
        return [*super().describe(), ("window", window)]

    def own_manifest(self) -> dict[str, Any]:
        return {**super().own_manifest(), **stored_series(self.series)}

    def shown(self, predictions: list[NumberPrediction]) -> list[TableView]:  # type: ignore[override]
        columns = Column(self.named, True, "bold"), *self.columns[1:]
        return [TableView("", columns, tuple(prediction.cells() for prediction in predictions))]

    def _prediction(
        self, outputs: Array, *, text: str, tokens: int, unknown: tuple[str, ...], cut: int
    ) -> NumberPrediction:
        number = float(outputs[0]) if tokens else None
        shown = "" if number is None else self.shown_number(number)
        return NumberPrediction(text=text, number=number, shown=shown, tokens=tokens, unknown=unknown, cut=cut)
