"""Models whose predictions are numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.data.formats.values import number, parsed
from rnncli.errors import UsageError, counted
from rnncli.inspection.adapters.many_to_one import ManyToOneAdapter, ManyToOneExample
from rnncli.inspection.loss import Opened
from rnncli.inspection.question import Question
from rnncli.tasks.many_to_one.network import Examples
from rnncli.tasks.numbers.model import NumberModel
from rnncli.tasks.prepare import in_time, split

if TYPE_CHECKING:
    from rnncli.inspection.by_hand.answers import OneNumber
    from rnncli.inspection.by_hand.layers import Stack

N = TypeVar("N", bound=NumberModel)


class NumberExample(ManyToOneExample[N]):
    answer_is = "number"

    def answers(self, stack: Stack, targets: Array) -> OneNumber:
        from rnncli.inspection.by_hand.answers import OneNumber

        model = self.model
        right = [f"{one:g}" for one in model.network.outputs(targets)[0].tolist()]
        return OneNumber(stack, "output", right, targets, model.settings.readout)


class NumberAdapter(ManyToOneAdapter[N]):
    """A model that predicts one number for an input, or several.

    What an attribution explains is the predicted number, or the mean of several; it has no probability. A prediction
    counts as another one if it is more than a standard deviation of the training targets away.
    """

    labels_per = "none"
    score_is = "predicted number"
    loss_is = "squared error"
    worked_example = NumberExample

    def answers_at(self, outputs: Array) -> dict[str, Any]:
        return {"numbers": {self.model.named: outputs[:, 0]}}

    def asked(self, answer: str) -> None:
        return None

    def right(self, answer: str) -> Array:
        """(K,) the numbers of an answer, in the units of the data.

        Raises:
            UsageError: it is something else, or of another length.
        """
        found: Any = parsed(answer) if answer.lstrip().startswith("[") else answer
        numbers = [number(one) for one in found] if isinstance(found, list) else [number(found)]
        if None in numbers:
            raise UsageError(f"'{answer}' is not a number", "for example: --answer 3.5")
        if len(numbers) != self.model.answer_count:
            wanted = counted(self.model.answer_count, "number")
            raise UsageError(f"the answer is {counted(len(numbers), 'number')}, and the model predicts {wanted}")
        return np.array(numbers, np.float64)

    def _open(self, text: str, steps: tuple[str, ...], answer: str | None) -> Opened:
        model = self.double.model
        read, base = model.read(text).values, model.base(text)
        right = model.outputs([read])[0] + base if answer is None else self.right(answer)
        batch = Examples([read], model.network.standardised(right[None] - base))
        return Opened(model.network, model.params, batch, {"": steps}, f"{model.named} {self._written(right)}")

    def _written(self, numbers: Array) -> str:
        shown = [self.model.shown_number(one) for one in numbers.tolist()]
        return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"

    def numbers(self, texts: Sequence[str]) -> Array:
        """(texts, K) predicted numbers, in float64."""
        model = self.model
        base = np.array([model.base(text) for text in texts])
        return np.asarray(model.outputs([model.read(text).values for text in texts]) + base[:, None])

    def predicted(self, texts: Sequence[str]) -> list[str]:
        return list(map(self._written, self.numbers(texts)))

    def question(self, text: str | None = None, answer: str | None = None) -> Question:
        asked = super().question(text, answer)
        own = float(self.numbers([self.text(text)]).mean())
        far = float(self.model.deviation.mean())

        def predictions(texts: Sequence[str]) -> list[str]:
            found = self.numbers(texts)
            near = np.abs(found.mean(axis=1) - own) <= far
            return [asked.answer if same else self._written(one) for same, one in zip(near, found, strict=True)]

        return replace(asked, predictions=predictions)

    def require_answer(self, text: str, steps: tuple[str, ...], answer: str) -> None:
        raise UsageError("a number has no score of its own: what is explained is the predicted one")

    def scores(self, texts: Sequence[str], answer: str) -> Array:
        return np.asarray(self.numbers(texts).mean(axis=1))

    def probability_of(self, prediction: Any) -> None:
        return None

    def validation_rows(self, records: Dataset) -> Array | None:
        settings = self.model.settings
        if not self.model.uses:
            return split(records, settings).validation
        names = {name: number for number, name in enumerate(dict.fromkeys(records.shown))}
        series = np.array([names[name] for name in records.shown] or [0] * len(records.lines))
        return in_time(records, settings, series, self.model.lags + 1).validation
