"""The trained classifier: from an input to its label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rnncli.core.packed import Array
from rnncli.errors import UsageError
from rnncli.record import Share
from rnncli.results import Column
from rnncli.tasks.classify.network import Classifier
from rnncli.tasks.classify.results import ClassifierEvaluation, Mistake, Prediction
from rnncli.tasks.many_to_one.model import LabelModel, ManyToOneManifest
from rnncli.tasks.metrics import judge
from rnncli.tasks.model import UNSURE, Labels, distinct

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class ClassifierManifest(ManyToOneManifest):
    """What the file of a classifier adds."""

    labels: Labels

    def parts(self) -> dict[str, Any]:
        return {"labels": distinct(self.labels, "label"), **super().parts()}


@dataclass(frozen=True, kw_only=True, repr=False)
class ClassifierModel(LabelModel):
    """A classifier, and what turns texts or sequences of numbers into its inputs.

    Attributes:
        threshold: of two labels, the probability from which the second is predicted; None for the more probable one.
        min_probability: a label of a lower one is :data:`~rnncli.tasks.model.UNSURE`.
    """

    task = "classify"
    options = frozenset({"threshold", "min_probability"})
    stored = ClassifierManifest
    networks = Classifier
    columns = (Column("label", style="bold"), Column("probability", True), Column("unknown words"), Column("text"))

    threshold: Share | None = None
    min_probability: Share | None = None

    def with_options(self, **options: Any) -> Self:
        if "threshold" in options and len(self.labels) > 2:
            raise UsageError(
                f"--threshold is for the second of two labels, and this model has {len(self.labels):,}",
                f"--min-probability X says {UNSURE} where the most probable label has less",
            )
        return super().with_options(**options)

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> ClassifierEvaluation:
        def best(found: Array) -> list[tuple[int, float]]:
            """The number of the most probable label, and its probability."""
            return list(zip(found.argmax(axis=1).tolist(), found.max(axis=1).tolist(), strict=True))

        dataset, each = self._each(dataset, workers, best)
        predicted, confidence = (np.array(of_texts) for of_texts in zip(*each, strict=True))
        judged = judge(dataset.labels, predicted, confidence, self.labels, worst)
        mistakes = (
            Mistake(
                line=dataset.lines[row],
                file=dataset.file(row),
                text=dataset.called(row),
                truth=dataset.labels[row],
                predicted=judged.names[predicted[row]],
                probability=float(confidence[row]),
            )
            for row in judged.worst
        )
        return ClassifierEvaluation(
            scores=judged.scores,
            mistakes=tuple(mistakes),
            unseen=judged.unseen,
            skipped=dataset.skipped,
            skipped_because=dataset.skipped_because,
        )

    def _prediction(self, outputs: Array, *, text: str, tokens: int, unknown: tuple[str, ...], cut: int) -> Prediction:
        best = self._chosen(outputs) if tokens else None
        unsure = best is not None and self.min_probability is not None and outputs[best] < self.min_probability
        return Prediction(
            text=text,
            label=None if best is None else UNSURE if unsure else self.labels[best],
            probability=None if best is None else float(outputs[best]),
            probabilities={} if best is None else dict(zip(self.labels, outputs.tolist(), strict=True)),
            tokens=tokens,
            unknown=unknown,
            cut=cut,
        )

    def _chosen(self, outputs: Array) -> int:
        """The number of the predicted label."""
        return int(outputs.argmax()) if self.threshold is None else int(outputs[1] >= self.threshold)
