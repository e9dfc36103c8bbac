"""From records to a training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from stand_ins.tasks.stars.model import StarsModel, rated

from rnncli.config import Settings
from rnncli.data.dataset import Dataset
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.tasks.comparison import Baseline, RowScores
from rnncli.tasks.prepare import Prepared, split, vocabulary_of
from rnncli.tasks.report import Report, skipped_warning
from rnncli.tasks.task import Task


class StarsTask(Task):
    model = StarsModel

    def fits(self, dataset: Dataset) -> bool:
        return False

    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        return {"bidirectional": False}

    def prepare(self, dataset: Dataset, settings: Settings) -> Prepared:
        untrained = StarsModel(settings=settings, vocabulary=Vocabulary(()), example=dataset.texts[0])
        dataset, _ = rated(dataset, untrained)
        rows = split(dataset, settings)
        words = Counter(word for row in rows.train.tolist() for word in dataset.texts[row].lower().split())
        vocabulary = vocabulary_of(dict(words), settings)
        untrained = StarsModel(settings=settings, vocabulary=vocabulary, example=dataset.texts[0])
        _, whole = rated(dataset, untrained)
        train, validation = whole.take(rows.train), whole.take(rows.validation)
        mean = float(train.targets.mean())

        def baselines() -> tuple[Baseline, ...]:
            off = validation.targets - mean
            return (Baseline("mean_of_all", RowScores(off**2, np.ones(validation.size))),)

        report = Report(
            what="A judge of texts",
            figures={"mean": mean},
            own_lines=[("mean", f"{mean:.2f}")],
            summary=("Mean", f"{mean:.2f}"),
            warnings=skipped_warning(dataset),
            **rows.sizes,
        )
        return Prepared(untrained, train, validation, report, baselines=baselines)


TASK = StarsTask()
