"""The values that follow a series."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.inspection.adapters.numbers import NumberAdapter
from rnncli.inspection.integrated_gradients import GradientPath
from rnncli.inspection.states import States
from rnncli.tasks.forecast.model import ForecastModel
from rnncli.tasks.forecast.results import Forecast


class ForecastAdapter(NumberAdapter[ForecastModel]):
    """A forecast is relative to the last value of its window, and so are the values that the network reads."""

    def raw(self, text: str) -> Array:
        """(T, D) the window of a series as the user has it."""
        return np.asarray(self.model.input.steps(text)[-self.model.window :])

    def read(self, count: int) -> Array:
        return np.arange(count)[-self.model.window :]

    def beginnings(self, text: str) -> list[Array]:
        """Of each of them its own last value counts, as it does in a forecast of its own."""
        raw = self.raw(text)
        return [self.model.read(raw[: end + 1]).values for end in range(len(raw))]

    def answers_at(self, outputs: Array) -> dict[str, Any]:
        ahead = sorted({0, outputs.shape[1] - 1})
        names = [self.model.named] if len(ahead) == 1 else [f"{self.model.named} +{k + 1}" for k in ahead]
        return {"numbers": {name: outputs[:, k] for name, k in zip(names, ahead, strict=True)}}

    def _trace(self, text: str, steps: tuple[str, ...]) -> States:
        states = super()._trace(text, steps)
        last = self.raw(text)[:, self.model.input.target]
        return replace(
            states,
            numbers={name: values + last for name, values in states.numbers.items()},
            answers_are="the forecast if the series ended there",
        )

    def path(self, text: str, baseline: str, answer: str) -> GradientPath:
        """The path through the values as the user has them: the last one changes how all others are read."""
        model, network, params = self.model, self.model.network, self.model.params
        target, spread, dtype = model.input.target, model.input.spread, np.dtype(model.settings.dtype)

        def read(x: Array) -> list[Array]:
            return [model.input.standardised(one).astype(dtype) for one in x]

        def scores(x: Array) -> Array:
            own = network.answer_score(network.logits(params, read(x)), None)
            return np.asarray(own + x[:, -1, target])

        def gradients(x: Array) -> Array:
            d_raw = self.gradients_of_numbers(read(x), None) / spread
            # The last value is taken from every one of its column, and added to the forecast.
            d_raw[:, -1, target] += 1 - d_raw[:, :, target].sum(axis=1)
            return np.asarray(d_raw)

        return GradientPath(self.raw(text), self.raw(baseline), scores, gradients)

    def answer_of(self, prediction: Forecast) -> str:
        return prediction.answer

    def change(self, first: Forecast, second: Forecast) -> float:
        """How far the two are apart on average, in standard deviations of the training targets, and at most 1."""
        pairs = list(zip(first.numbers, second.numbers, strict=False))
        if not pairs:
            return 0.0
        return min(1.0, float(np.mean([abs(a - b) for a, b in pairs])) / float(self.model.deviation.mean()))


ADAPTER = ForecastAdapter
