"""Many-to-one: any number of labels, none included, for a text or for a sequence of numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.data.records import LabelSets
from rnncli.tasks.comparison import Baseline, RowScores
from rnncli.tasks.many_to_one.model import ManyToOneModel
from rnncli.tasks.many_to_one.network import Examples, ManyToOne
from rnncli.tasks.many_to_one.targets import LabelTargets
from rnncli.tasks.many_to_one.task import ManyToOneTask
from rnncli.tasks.multilabel import labels
from rnncli.tasks.multilabel.model import MultilabelModel, usual_thresholds
from rnncli.tasks.multilabel.network import f1_of_rows
from rnncli.tasks.prepare import Split, learned_columns
from rnncli.tasks.report import Report

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


class Multilabel(ManyToOneTask, LabelTargets):
    """The task of records that have a set of labels each."""

    model = MultilabelModel
    recognized_by = "any number of labels for each input"
    trains = "A multi-label classifier"
    continues = True
    constant_is = "commonest_labels"

    def fits(self, dataset: Dataset) -> bool:
        return isinstance(dataset.labels, LabelSets)

    def require(self, dataset: Dataset) -> None:
        labels.require_labels(dataset)

    def numbered(self, answers: Sequence[labels.LabelSet]) -> tuple[dict[str, Any], Array]:
        names, targets = labels.numbered(answers)
        return {"labels": names, "thresholds": usual_thresholds(names)}, targets

    def learned(
        self, dataset: Dataset, rows: Split, fields: dict[str, Any], targets: Array, begin: ManyToOneModel | None
    ) -> tuple[dict[str, Any], Array]:
        known = () if begin is None else begin.classes
        names, targets = learned_columns(dataset, rows, fields["labels"], targets, known)
        return {"labels": names, "thresholds": usual_thresholds(names)}, targets

    def strata(self, targets: Array) -> Array:
        return labels.rarest(targets)

    def counts(self, answers: Sequence[labels.LabelSet]) -> Counter[str]:
        return labels.counts_of(answers)

    def report(self, answers: Sequence[labels.LabelSet], *args: Any, **more: Any) -> Report:
        return super().report(answers, *args, **more, whole=len(answers))

    def indicators(self, targets: Array, label_count: int) -> Array:
        return targets

    def judged(self, scores: Array, targets: Array) -> RowScores:
        return f1_of_rows(scores > 0, targets)

    def warnings(self, dataset: Dataset, settings: Settings) -> tuple[str, ...]:
        return labels.warnings_of(dataset, settings)

    def constant(self, train: Examples, validation: Examples, network: ManyToOne) -> Baseline:
        """The commonest labels, as many of them as have the largest micro F1 on the training rows."""
        counts = train.targets.sum(axis=0)
        order = np.argsort(-counts, kind="stable")
        size = np.arange(1, len(counts) + 1)
        f1 = 2 * np.cumsum(counts[order]) / (size * train.size + counts.sum())
        chosen = np.zeros(len(counts), np.bool_)
        chosen[order[: f1.argmax() + 1]] = True
        return Baseline(
            self.constant_is, f1_of_rows(np.broadcast_to(chosen, validation.targets.shape), validation.targets)
        )


TASK = Multilabel()
