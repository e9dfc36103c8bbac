"""A sixth task as inspection sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from rnncli.inspection.adapters.stars_by_hand import StarsExample
from stand_ins.tasks.stars.model import Stars, StarsModel, number_of
from stand_ins.tasks.stars.network import Rated, Regression

from rnncli.core.packed import Array, PackedSequence, Params
from rnncli.data.dataset import Dataset
from rnncli.errors import UsageError
from rnncli.inspection.activation_states import TextActivations
from rnncli.inspection.adapters.adapter import Adapter
from rnncli.inspection.integrated_gradients import GradientPath, through_tables
from rnncli.inspection.loss import Opened
from rnncli.inspection.question import BASELINE_TOKEN, InputParts
from rnncli.inspection.states import States


class StarsAdapter(Adapter[StarsModel]):
    worked_example = StarsExample

    score_is = "predicted number"

    def _steps(self, text: str) -> Sequence[str]:
        return text.lower().split()

    def _trace(self, text: str, steps: tuple[str, ...]) -> States:
        model = self.model
        ids = model.encode(text)
        beginnings = [ids[: end + 1] for end in range(len(ids))]
        return States(
            tokens=steps,
            known=tuple(word in model.vocabulary for word in steps),
            hidden=model.network.forward(model.params, PackedSequence.pack([ids]))[1],
            units=self.units,
            answers_are="the number if the text ended there",
            numbers={"stars": model.network.numbers(model.params, beginnings)},
        )

    def _open(self, text: str, steps: tuple[str, ...], answer: str | None) -> Opened:
        model = self.double.model
        (said,) = self.predicted([text]) if answer is None else [answer]
        try:
            target = number_of(said)
        except ValueError:
            raise UsageError(f"'{said}' is not a number of stars") from None
        batch = Rated([model.encode(text)], np.array([target]))
        return Opened(model.network, model.params, batch, {"": steps}, f"{target:g} stars")

    def parts(self, text: str) -> InputParts:
        words = tuple(self._steps(text))
        return InputParts(words, words, BASELINE_TOKEN, " ".join, self.model.unit)

    def predicted(self, texts: Sequence[str]) -> list[str]:
        return ["nothing" if one is None else f"{one:.1f}" for one in self.model.numbers(list(texts))]

    def require_answer(self, text: str, steps: tuple[str, ...], answer: str) -> None:
        raise UsageError("a number has no score of its own: what is explained is the predicted one")

    def scores(self, texts: Sequence[str], answer: str) -> Array:
        return np.array(self.model.numbers(list(texts)), np.float64)

    def path(self, text: str, baseline: str, answer: str) -> GradientPath:
        network = self.model.network

        def scores(wide: Regression, own: Params, rows: list[Array]) -> Array:
            return wide.numbers(own, rows)

        def gradients(wide: Regression, own: Params, rows: list[Array]) -> Params:
            numbers, _, cache = wide.forward(own, PackedSequence.pack(rows))
            return wide.backward(own, cache, np.ones_like(numbers))

        tables = {"embedding/weight": (self.model.encode(text), self.model.encode(baseline))}
        return through_tables(
            self.model.params, tables, lambda size: replace(network, input_size=size), scores, gradients
        )

    def activations(self, records: Dataset) -> Iterator[TextActivations]:
        """The units along each text; its number is not a label to set them beside."""
        for text, line in zip(records.texts, records.lines, strict=True):
            if text.split():
                states = self.trace(text)
                yield TextActivations(line=line, tokens=states.tokens, hidden=states.hidden)

    def answer_of(self, prediction: Stars) -> str:
        return "nothing" if prediction.stars is None else f"{prediction.stars:.1f}"

    def probability_of(self, prediction: Stars) -> None:
        return None

    def change(self, first: Stars, second: Stars) -> float:
        """Of five stars."""
        return min(1.0, abs((first.stars or 0.0) - (second.stars or 0.0)) / 5)


ADAPTER = StarsAdapter
