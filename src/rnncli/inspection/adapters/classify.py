"""A label for a text, or for a sequence of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnncli.clean import or_empty
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.errors import UsageError, closest
from rnncli.inspection.adapters.many_to_one import LabelAdapter, ManyToOneExample
from rnncli.inspection.loss import Opened
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.classify.results import Prediction
from rnncli.tasks.classify.task import TASK
from rnncli.tasks.many_to_one.network import Examples

if TYPE_CHECKING:
    from rnncli.inspection.by_hand.answers import OneAnswer
    from rnncli.inspection.by_hand.layers import Stack


class ClassifyExample(ManyToOneExample[ClassifierModel]):
    def answers(self, stack: Stack, targets: Array) -> OneAnswer:
        from rnncli.inspection.by_hand.answers import OneAnswer

        return OneAnswer(stack, "output", self.model.labels, targets, self.model.settings.readout)


class ClassifyAdapter(LabelAdapter[ClassifierModel]):
    targets = TASK
    worked_example = ClassifyExample

    def asked(self, label: str) -> int:
        if label not in self.labels:
            near = closest(label, self.labels)
            raise UsageError(f"the model knows no label '{label}'{near}", f"it knows {', '.join(self.labels)}")
        return self.labels.index(label)

    def _open(self, text: str, steps: tuple[str, ...], answer: str | None) -> Opened:
        model = self.double.model
        read = model.read(text).values
        label = int(model.probabilities([read])[0].argmax()) if answer is None else self.asked(answer)
        batch = Examples([read], np.array([label]))
        return Opened(model.network, model.params, batch, {"": steps}, f"the label {self.labels[label]}")

    def labels_beside(self, records: Dataset, row: int) -> tuple[str, ...]:
        return (records.labels[row],) if records.labels[row] else ()

    def predicted(self, texts: Sequence[str]) -> list[str]:
        return [prediction.label or "nothing" for prediction in self.model.predict(texts)]

    def answer_of(self, prediction: Prediction) -> str:
        return or_empty(prediction.label)

    def labels_of(self, prediction: Prediction) -> Sequence[str]:
        return () if prediction.label is None else (prediction.label,)

    def change(self, first: Prediction, second: Prediction) -> float:
        """Half of the sum of all |Δp|."""
        names = sorted(first.probabilities.keys() | second.probabilities.keys())
        return sum(abs(first.probabilities.get(n, 0.0) - second.probabilities.get(n, 0.0)) for n in names) / 2


ADAPTER = ClassifyAdapter
