"""The scores at the end of a training: on rows for testing, and on older rows that a model is to keep."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from rnncli.data.arrangement import Arrangement
from rnncli.data.dataset import Dataset
from rnncli.record import FinalScore, FoldScore, KeptScore
from rnncli.tasks import task_named
from rnncli.tasks.comparison import Comparison, RowScores, score_interval, standard_error
from rnncli.tasks.model import Model
from rnncli.tasks.prepare import Prepared


@dataclass(frozen=True)
class FinalScores:
    """The best model on rows that nothing before has looked at.

    Attributes:
        score: that of the model.
        comparison: the model beside the best baseline.
        fold: the score as the record of a cross-validation has it, where the rows are a fold.
    """

    score: FinalScore
    comparison: Comparison
    fold: FoldScore

    @classmethod
    def of(cls, model: Model, test: Prepared, data: str) -> FinalScores:
        """The scores of a model, whose record says which epoch it is from.

        Args:
            test: the examples for testing in the place of those for validation.
            data: the file of the rows.
        """
        metric, baselines = model.metric, test.baselines()
        own = model.row_scores(test.validation)
        scores = {baseline.name: baseline.score for baseline in baselines}
        low, high, method = score_interval(own, model.settings.seed)
        score = FinalScore(
            rows=len(own.sums),
            score=own.score,
            baselines=scores,
            data=stored_name(data),
            metric=metric.name,
            interval=(low, high),
            method=method,
        )
        several = len(own.sums) > 1
        fold = FoldScore(
            rows=score.rows,
            score=own.score,
            baselines=scores,
            epoch=model.record.best_epoch,
            error=standard_error(own) if several else None,
            errors={one.name: standard_error(own, one.rows) for one in baselines if several},
        )
        best = metric.best_of(baselines)
        return cls(score, metric.compare(own, best.rows, best.name), fold)


@dataclass(frozen=True)
class OlderRows:
    """Rows on which a model is scored before and after a training that begins with it.

    Attributes:
        before: the scores before.
    """

    dataset: Dataset
    before: RowScores

    @classmethod
    def of(cls, model: Model, dataset: Dataset) -> OlderRows:
        """The rows, with the scores of the model that a training begins with.

        Raises:
            DataError: a row cannot be read.
        """
        return cls(dataset, row_scores(model, dataset))

    def score(self, model: Model) -> KeptScore:
        """The score before the training, and that of the model after it."""
        metric, after = model.metric, row_scores(model, self.dataset)
        gain = metric.compare(after, self.before, "before")
        return KeptScore(
            data=stored_name(self.dataset.source.name),
            rows=gain.rows,
            metric=metric.name,
            before=self.before.score,
            after=after.score,
            interval=gain.interval if all(map(math.isfinite, gain.interval)) else None,
        )


def row_scores(model: Model, dataset: Dataset) -> RowScores:
    """The scores of single rows of a data set, by the metric of the model.

    Args:
        dataset: read as the model reads data.

    Raises:
        DataError: a row cannot be read.
    """
    arrangement = Arrangement.of_counts(0, 0, len(dataset.lines)).testing()
    judged = Dataset.joined(dataset, (), arrangement)
    settings = model.settings.replace(validation=0.0, class_weights="none")
    prepared = task_named(model.task).prepare(judged, settings, model)
    return model.row_scores(prepared.validation)


def stored_name(path: str) -> str:
    """The name of a file as a record holds it."""
    return os.fsencode(os.path.basename(path)).decode("utf-8", "backslashreplace")
