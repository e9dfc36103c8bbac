"""Many-to-one: a label for a text, or for a sequence of numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.tasks.classify import labels
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.comparison import Baseline, RowScores
from rnncli.tasks.many_to_one.model import ManyToOneModel
from rnncli.tasks.many_to_one.network import Examples, ManyToOne
from rnncli.tasks.many_to_one.targets import LabelTargets
from rnncli.tasks.many_to_one.task import ManyToOneTask
from rnncli.tasks.prepare import Split, learned_labels, numbered

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


class Classify(ManyToOneTask, LabelTargets):
    """The task that takes what no other one does."""

    model = ClassifierModel
    recognized_by = "a label for each input"
    trains = "A classifier"
    continues = True
    constant_is = "commonest_label"

    def fits(self, dataset: Dataset) -> bool:
        return True

    def require(self, dataset: Dataset) -> None:
        labels.require_labels(dataset)

    def numbered(self, answers: Sequence[str]) -> tuple[dict[str, Any], Array]:
        names, targets = numbered(answers)
        return {"labels": names}, targets

    def learned(
        self, dataset: Dataset, rows: Split, fields: dict[str, Any], targets: Array, begin: ManyToOneModel | None
    ) -> tuple[dict[str, Any], Array]:
        known = () if begin is None else begin.classes
        names, targets = learned_labels(dataset, rows, fields["labels"], targets, known)
        return {"labels": names}, targets

    def strata(self, targets: Array) -> Array:
        return targets

    def counts(self, answers: Sequence[str]) -> Counter[str]:
        return Counter(answers)

    def indicators(self, targets: Array, label_count: int) -> Array:
        return np.eye(label_count)[targets]

    def judged(self, scores: Array, targets: Array) -> RowScores:
        return RowScores.of_answers(targets == scores.argmax(axis=1))

    def weights(self, train_targets: Array, targets: Array, settings: Settings) -> Array | None:
        return labels.row_weights(train_targets, targets, settings)

    def warnings(self, dataset: Dataset, settings: Settings) -> tuple[str, ...]:
        return labels.warnings_of(dataset, settings)

    def constant(self, train: Examples, validation: Examples, network: ManyToOne) -> Baseline:
        """The label that most training rows have."""
        commonest = np.bincount(train.targets).argmax()
        return Baseline(self.constant_is, RowScores.of_answers(validation.targets == commonest))


TASK = Classify()
