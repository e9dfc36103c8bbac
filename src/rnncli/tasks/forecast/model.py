"""The trained model: from a series to the values that follow it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.formats.values import Value, as_text
from rnncli.data.records import SeriesArrays
from rnncli.data.tables.calendar import continued
from rnncli.data.tables.series_form import SeriesForm
from rnncli.results import Column, TableCell, TableView
from rnncli.schema import Count, Length
from rnncli.tasks.forecast.inputs import SeriesInput, input_of
from rnncli.tasks.forecast.results import Forecast, ForecastStep
from rnncli.tasks.inputs import Numbers
from rnncli.tasks.least_squares import Ridge
from rnncli.tasks.model import OF_SERIES
from rnncli.tasks.numbers.model import NumberManifest, NumberModel, stored_series
from rnncli.tasks.windows import Windows

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset

# A linear model of more weights is not kept, and not compared with when the model is evaluated.
MOST_KEPT = 20_000


@dataclass(frozen=True)
class StoredRidge:
    """A linear model in a model's file: (W·D, H) weights and (H,) intercepts."""

    weights: Annotated[tuple[Numbers, ...], Length(1)]
    intercept: Numbers


@dataclass(frozen=True, kw_only=True)
class ForecastManifest(NumberManifest):
    """What the file of such a model adds: which number is forecast, and the linear model beside it."""

    column: Count = 0
    series: SeriesForm | None = None
    linear: StoredRidge | None = None

    def parts(self) -> dict[str, Any]:
        found = super().parts()
        if not self.settings.window or not self.settings.season or self.settings.horizon != len(self.center):
            raise ValueError("settings.window, settings.season and settings.horizon do not go with center")
        input = found["input"]
        if isinstance(input, SeriesInput) or not hasattr(input, "mean"):
            raise ValueError("a forecast is made from numbers")
        linear = None
        if self.linear is not None:
            linear = Ridge(np.array(self.linear.weights), np.array(self.linear.intercept))
            size = self.settings.window * input.size, self.settings.horizon
            if any(len(row) != size[1] for row in self.linear.weights) or linear.weights.shape != size:
                raise ValueError("the linear model is of another size")
            if linear.intercept.shape != size[1:]:
                raise ValueError("the linear model is of another size")
        return found | {"input": input_of(input, self.column), "linear": linear, "series": self.series}


@dataclass(frozen=True, kw_only=True, repr=False)
class ForecastModel(NumberModel):
    """A forecast of the next H values of a series from its last W timesteps, all at once.

    Attributes:
        series: the columns of the table that it was trained on, if it was one.
        linear: the linear model of the same windows, on standardised values, that the network is compared with.
    """

    task = "forecast"
    stored = ForecastManifest
    columns = (Column("time"), Column("forecast", True, "bold"), Column("series"))
    answers = ("step", "time", "prediction")
    input: SeriesInput
    linear: Ridge | None = None
    series: SeriesForm | None = None

    @property
    def reads(self) -> SeriesForm | None:  # type: ignore[override]
        return self.series

    @property
    def uses(self) -> frozenset[str]:
        return OF_SERIES

    @property
    def window(self) -> int:
        return self.settings.window or 1

    @property
    def season(self) -> int:
        """1 for none."""
        return self.settings.season or 1

    @property
    def windows(self) -> Windows:
        return Windows(self.window, self.settings.horizon, self.input.target)

    @property
    def unused(self) -> frozenset[str]:
        return super().unused | {"max_length"}

    @property
    def lags(self) -> int:
        return self.settings.horizon - 1

    @property
    def row(self) -> str:
        return "window"

    def examples(self, dataset: Dataset) -> Dataset:
        return self.windows.cut(dataset).dataset if isinstance(dataset.inputs, SeriesArrays) else dataset

    def base(self, value: Any) -> float:
        return self.input.last(value)

    def later(self, k: int) -> int:
        return k

    def describe(self) -> list[tuple[str, TableCell]]:
        ahead = f"{self.settings.horizon:,} ahead, from the last {self.window:,}"
        season = f"season {self.season:,}" if self.season > 1 else "no season"
        columns = [] if self.series is None else [("columns", self.series.sentence)]
        return [*super().describe(), ("windows", f"{ahead}, {season}"), *columns]

    def own_manifest(self) -> dict[str, Any]:
        linear = None
        if self.linear is not None and self.linear.weights.size <= MOST_KEPT:
            linear = {"weights": self.linear.weights.tolist(), "intercept": self.linear.intercept.tolist()}
        own = {"column": self.input.target, "linear": linear, **stored_series(self.series)}
        return {**super().own_manifest(), **own}

    def simple(self, dataset: Dataset, base: Array) -> Mapping[str, Array]:
        windows = np.stack([self.input.steps(one)[-self.window :] for one in dataset.inputs])
        relative = simple_forecasts(windows, self.input.target, self.season, self.settings.horizon)
        found = {name: values + base for name, values in relative.items()}
        if self.linear is not None:
            read = flat(self.input.windows(windows, "float64"))
            found["linear_model"] = self.network.outputs(self.linear.predict(read)) + base
        return found

    def _predict_chunk(self, texts: list[Value], first: int) -> Iterator[Forecast]:
        read = [self.read(text) for text in texts]
        for text, steps, row in zip(texts, read, self.outputs([one.values for one in read]), strict=True):
            numbers = tuple((row + self.base(text)).tolist()) if steps.count else ()
            yield Forecast(text=as_text(text), numbers=numbers, shown=tuple(map(self.shown_number, numbers)))

    def _prediction(self, outputs: Array, **fields: Any) -> Any:
        raise NotImplementedError("a forecast is relative to its series")

    def dated(self, prediction: Forecast, times: Sequence[str]) -> Forecast:
        return replace(prediction, times=continued(times, len(prediction.numbers)))

    def rows_of(self, prediction: Forecast) -> Sequence[ForecastStep]:
        return prediction.steps

    def shown(self, predictions: Sequence[Forecast]) -> list[TableView]:
        time, _, series = self.columns
        columns = time, Column(self.named, True, "bold"), series
        rows = tuple(step.cells() for prediction in predictions for step in prediction.steps)
        return [TableView("", columns, rows)]


def simple_forecasts(windows: Array, target: int, season: int, horizon: int) -> dict[str, Array]:
    """(N, H) values relative to the last of each of (N, W, D) windows: the last again, and that of a season before."""
    values = windows[:, :, target]
    last = values[:, -1:]
    found = {"naive": np.zeros((len(values), horizon))}
    if 1 < season <= values.shape[1]:
        found["seasonal_naive"] = values[:, values.shape[1] - season + np.arange(horizon) % season] - last
    return found


def flat(windows: Array) -> Array:
    """(N, W·D) of (N, W, D) windows, in float64."""
    return np.asarray(windows.reshape(len(windows), -1), np.float64)
