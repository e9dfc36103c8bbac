"""Any number of labels for a text, or for a sequence of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.clean import or_empty
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.data.records import LabelSets
from rnncli.data.records.label_sets import named_labels, shown_labels
from rnncli.errors import UsageError, closest
from rnncli.inspection.adapters.many_to_one import LabelAdapter, ManyToOneExample
from rnncli.inspection.loss import Opened
from rnncli.record import Record
from rnncli.tasks.many_to_one.network import Examples
from rnncli.tasks.multilabel.labels import LabelSet, indicators
from rnncli.tasks.multilabel.model import MultilabelModel
from rnncli.tasks.multilabel.results import LabelsPrediction
from rnncli.tasks.multilabel.task import TASK

if TYPE_CHECKING:
    from rnncli.inspection.by_hand.answers import LabelsAnswer
    from rnncli.inspection.by_hand.layers import Stack


class MultilabelExample(ManyToOneExample[MultilabelModel]):
    def answers(self, stack: Stack, targets: Array) -> LabelsAnswer:
        from rnncli.inspection.by_hand.answers import LabelsAnswer

        return LabelsAnswer(stack, "output", self.model.labels, targets, self.model.settings.readout)


class MultilabelAdapter(LabelAdapter[MultilabelModel]):
    """An answer is all labels of an input: the loss is of all labels, the score of those that the answer names."""

    targets = TASK
    answers_are = "the prediction if the text ended there, with the probability of exactly these labels"
    worked_example = MultilabelExample

    def labels_named(self, answer: str) -> LabelSet:
        """The labels that an answer names.

        Raises:
            UsageError: the model does not know one.
        """
        named = named_labels(answer, self.labels)
        for label in named:
            if label not in self.labels:
                near = closest(label, self.labels)
                raise UsageError(
                    f"the model knows no label '{label}'{near}",
                    f"it knows {', '.join(self.labels)}; several stand with commas between them, and none is "
                    f"{shown_labels(())}",
                )
        return named

    def score_of(self, answer: str) -> str:
        """The log odds of one label, or the sum over several; of no label, of each being absent."""
        count = len(self.labels_named(answer))
        if count == 1:
            return self.score_is
        return "sum of the log odds" + (" of each label's absence" if count == 0 else "")

    def asked(self, answer: str) -> Array:
        """(K,) 1 for each label of the answer; −1 for every label if it has none."""
        named = self.labels_named(answer)
        return indicators([named], self.labels)[0].astype(np.float64) if named else np.full(len(self.labels), -1.0)

    def _open(self, text: str, steps: tuple[str, ...], answer: str | None) -> Opened:
        model = self.double.model
        read = model.read(text).values
        if answer is None:
            targets = model.predicted(model.probabilities([read]))
        else:
            targets = indicators([self.labels_named(answer)], self.labels)
        named = model.names(targets[0])
        said = f"the label{'s' if len(named) > 1 else ''} {shown_labels(named)}" if named else "no label"
        return Opened(model.network, model.params, Examples([read], targets), {"": steps}, said)

    def predicted(self, texts: Sequence[str]) -> list[str]:
        return [shown_labels(one.labels) if one.tokens else "nothing" for one in self.model.predict(texts)]

    def answers_at(self, outputs: Array) -> dict[str, Any]:
        return super().answers_at(outputs) | {"sets": tuple(map(self.model.names, self.model.predicted(outputs)))}

    def labels_beside(self, records: Dataset, row: int) -> LabelSet:
        return records.labels[row] if isinstance(records.labels, LabelSets) else ()

    def answer_of(self, prediction: LabelsPrediction) -> str:
        return shown_labels(prediction.labels) if prediction.tokens else or_empty(None)

    def labels_of(self, prediction: LabelsPrediction) -> LabelSet:
        return prediction.labels

    def probability_of(self, prediction: LabelsPrediction) -> float | None:
        """That of all labels being as predicted, each by itself."""
        chosen = set(prediction.labels)
        each = (p if label in chosen else 1 - p for label, p in prediction.probabilities.items())
        return math.prod(each) if prediction.probabilities else None

    def change(self, first: LabelsPrediction, second: LabelsPrediction) -> float:
        """The mean of all |Δp|."""
        names = sorted(first.probabilities.keys() | second.probabilities.keys())
        changes = (abs(first.probabilities.get(n, 0.0) - second.probabilities.get(n, 0.0)) for n in names)
        return sum(changes) / max(1, len(names))

    def labelled(self, records: Dataset) -> tuple[Dataset, Sequence[Sequence[str]]]:
        records, _ = super().labelled(records)
        return records, records.labels if isinstance(records.labels, LabelSets) else ()

    def loss_of_rates(self, record: Record) -> float | None:
        """The mean entropy of a label, there or not, by the share of the rows that have it."""
        rows = (record.rows or 0) + (record.validation_rows or 0)
        shares = [count / rows for count in record.label_rows.values()] if rows else []
        if not shares:
            return None
        return sum(-p * math.log(p) - (1 - p) * math.log1p(-p) for p in shares if p < 1) / len(shares)


ADAPTER = MultilabelAdapter
