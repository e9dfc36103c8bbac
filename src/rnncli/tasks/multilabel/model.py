"""The trained model: from an input to its labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np

from rnncli.core.packed import Array
from rnncli.record import Share
from rnncli.results import Column, TableCell
from rnncli.schema import Length
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.many_to_one.model import LabelModel, ManyToOneManifest
from rnncli.tasks.many_to_one.network import Examples
from rnncli.tasks.model import Metric, distinct
from rnncli.tasks.multilabel.network import THRESHOLD, MultilabelClassifier, f1_of_rows
from rnncli.tasks.multilabel.results import LabelsEvaluation, LabelsPrediction, WrongLabels
from rnncli.tasks.multilabel.scores import judge
from rnncli.tasks.multilabel.thresholds import best_thresholds
from rnncli.tasks.rows import EncodedRows

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset

SHOWN_THRESHOLDS = 20  # in a description


@dataclass(frozen=True, kw_only=True)
class MultilabelManifest(ManyToOneManifest):
    """What the file of such a model adds."""

    labels: Annotated[tuple[Annotated[str, Length(1)], ...], Length(1)]
    thresholds: tuple[Share, ...]

    def parts(self) -> dict[str, Any]:
        if len(self.thresholds) != len(self.labels):
            raise ValueError("there is not one of thresholds for each of labels")
        return {"labels": distinct(self.labels, "label"), "thresholds": self.thresholds, **super().parts()}


@dataclass(frozen=True, kw_only=True, repr=False)
class MultilabelModel(LabelModel):
    """A classifier that predicts any number of labels, and what turns texts or sequences of numbers into its inputs.

    Attributes:
        thresholds: of each label, the probability above which it is predicted.
        threshold: a probability from which every label is predicted, in place of those.
    """

    task = "multilabel"
    options = frozenset({"threshold"})
    # An epoch's figure is the micro F1 with all thresholds at one half: right = 2·TP, of answers = predicted + right.
    share_is = "micro F1"
    metric = Metric(share_is, "validation_accuracy")
    stored = MultilabelManifest
    networks = MultilabelClassifier
    columns = (Column("labels", style="bold"), Column("probabilities", True), Column("unknown words"), Column("text"))
    thresholds: tuple[float, ...]
    threshold: Share | None = None

    @property
    def unused(self) -> frozenset[str]:
        return super().unused | {"class_weights"}

    def calibrated(self, validation: EncodedRows) -> Self:
        """With the threshold of each label that gives it the largest F1 on these rows."""
        assert isinstance(validation, Examples)
        if not validation.size:
            return self
        found = self.probabilities(validation.inputs)
        return replace(self, thresholds=best_thresholds(found, validation.targets))

    def row_scores(self, examples: Examples) -> RowScores:
        """By the thresholds, as its answers are."""
        return f1_of_rows(self.predicted(self.probabilities(examples.inputs)), examples.targets)

    def predicted(self, probabilities: Array) -> Array:
        """(rows, K) whether each label is predicted."""
        if self.threshold is not None:
            return np.asarray(probabilities >= self.threshold)
        return np.asarray(probabilities > np.array(self.thresholds))

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> LabelsEvaluation:
        dataset, each = self._each(dataset, workers, list)
        probabilities = np.array(each).reshape(len(each), len(self.labels))
        sets = list(dataset.labels)
        judged = judge(sets, probabilities, self.predicted(probabilities), self.labels, worst)
        mistakes = (
            WrongLabels(
                line=dataset.lines[row],
                file=dataset.file(row),
                text=dataset.called(row),
                truth=sets[row],
                predicted=self.names(self.predicted(probabilities[row])),
                surest=judged.names[label],
                probability=float(probabilities[row, label]) if label < len(self.labels) else 0.0,
            )
            for row, label in judged.worst
        )
        return LabelsEvaluation(
            scores=judged.scores,
            thresholds=dict(zip(self.labels, self.thresholds, strict=True)),
            mistakes=tuple(mistakes),
            unseen=judged.unseen,
            skipped=dataset.skipped,
            skipped_because=dataset.skipped_because,
        )

    def names(self, chosen: Array) -> tuple[str, ...]:
        """The labels that are True in (K,) ``chosen``."""
        return tuple(self.labels[k] for k in np.flatnonzero(chosen).tolist())

    def describe(self) -> list[tuple[str, TableCell]]:
        pairs = zip(self.labels, self.thresholds, strict=True)
        shown = [f"{label} {threshold:.2f}" for label, threshold in islice(pairs, SHOWN_THRESHOLDS)]
        more = len(self.labels) - len(shown)
        listed = ", ".join([*shown, f"and {more:,} more"] if more else shown)
        return [*super().describe(), ("thresholds", listed)]

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"thresholds": dict(zip(self.labels, self.thresholds, strict=True))}

    def own_manifest(self) -> dict[str, Any]:
        return super().own_manifest() | {"thresholds": list(self.thresholds)}

    def _prediction(
        self, outputs: Array, *, text: str, tokens: int, unknown: tuple[str, ...], cut: int
    ) -> LabelsPrediction:
        return LabelsPrediction(
            text=text,
            labels=self.names(self.predicted(outputs)) if tokens else (),
            probabilities=dict(zip(self.labels, outputs.tolist(), strict=True)) if tokens else {},
            tokens=tokens,
            unknown=unknown,
            cut=cut,
        )


def usual_thresholds(labels: Sequence[str]) -> tuple[float, ...]:
    """Those of a model of which no rows were validated."""
    return (THRESHOLD,) * len(labels)
