"""A sixth task as inspection sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from rnncli.inspection.adapters.stars_by_hand import StarsExample
from stand_ins.tasks.stars.model import Stars, StarsModel, number_of
from stand_ins.tasks.stars.network import Rated

from rnncli.core.cells.recurrence import Params
from rnncli.core.packed import Array, PackedSequence
from rnncli.data.dataset import Dataset
from rnncli.errors import UsageError
from rnncli.inspection.activation_states import TextActivations
from rnncli.inspection.adapters.adapter import Adapter
from rnncli.inspection.flow import Opened
from rnncli.inspection.integrated_gradients import GradientPath, rows_of, through_tables
from rnncli.inspection.question import UNWRITTEN, InputParts, Question
from rnncli.inspection.states import States


class StarsAdapter(Adapter[StarsModel]):
    worked_example = StarsExample

    def _words(self, text: str) -> tuple[str, ...]:
        words = tuple(text.lower().split())
        if not words:
            raise UsageError("the text has no words: there is no timestep to show")
        return words

    def _trace(self, text: str) -> States:
        model, words = self.model, self._words(text)
        ids = model.encode(text)
        beginnings = [ids[: end + 1] for end in range(len(ids))]
        return States(
            tokens=words,
            known=tuple(word in model.vocabulary for word in words),
            hidden=model.network.forward(model.params, PackedSequence.pack([ids]))[1],
            units=self.units,
            answers_are="the number if the text ended there",
            numbers={"stars": model.network.numbers(model.params, beginnings)},
        )

    def _open(self, text: str, answer: str | None) -> Opened:
        words, model = self._words(text), self.double.model
        (said,) = self.predicted([text]) if answer is None else [answer]
        try:
            target = number_of(said)
        except ValueError:
            raise UsageError(f"'{said}' is no number of stars") from None
        batch = Rated([model.encode(text)], np.array([target]))
        return Opened(model.network, model.params, batch, {"": words}, f"{target:g} stars")

    def parts(self, text: str) -> InputParts:
        words = tuple(text.lower().split())
        return InputParts(words, words, UNWRITTEN, " ".join, self.model.unit)

    def predicted(self, texts: Sequence[str]) -> list[str]:
        return ["nothing" if one is None else f"{one:.1f}" for one in self.model.numbers(list(texts))]

    def _question(self, text: str, answer: str | None) -> Question:
        self._words(text)
        if answer is not None:
            raise UsageError("a number has no score of its own: what is explained is the predicted one")
        parts, double = self.parts(text), self.double
        ends = [double.model.encode(end) for end in parts.whole_and_baseline()]
        return Question(
            parts=parts,
            answer=self.predicted([text])[0],
            score_is="the predicted number",
            scores=lambda texts: np.array(double.model.numbers(list(texts)), np.float64),
            predictions=self.predicted,
            path=double._path(*ends),
        )

    def _path(self, text: Array, baseline: Array) -> GradientPath:
        network, T = self.model.network, len(text)

        def scores(own: Params, n: int) -> Array:
            return replace(network, input_size=n * T).numbers(own, rows_of(n, T))

        def gradients(own: Params, n: int) -> Params:
            wide = replace(network, input_size=n * T)
            numbers, _, cache = wide.forward(own, PackedSequence.pack(rows_of(n, T)))
            return wide.backward(own, cache, np.ones_like(numbers))

        return through_tables(self.model.params, {"embedding/weight": (text, baseline)}, scores, gradients)

    def activations(self, records: Dataset) -> Iterator[TextActivations]:
        """The units along each text; its number is no label to set them beside."""
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
