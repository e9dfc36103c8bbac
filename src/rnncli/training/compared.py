"""Trained models side by side on one data set: scores with intervals, speed, size, and which to take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rnncli.core.optim.parameters import flatten
from rnncli.data.dataset import Dataset
from rnncli.errors import DataError, UsageError, counted, listed
from rnncli.results import format_number
from rnncli.tasks.comparison import Comparison, IntervalMethod, RowScores, score_interval
from rnncli.tasks.model import Model
from rnncli.training.final_scores import row_scores

_SOON = 2.0  # seconds after which speed is measured once


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A model on the data.

    Attributes:
        score: of all rows, by the metric; ``interval`` is its central 95%, by the ``method``.
        rows_per_second: how fast it was, reading and scoring, on this machine at this time.
        parameters: how many numbers it has.
        trained_on_these: whether the very file made the model.
        beside_best: the best model beside this one, on the same rows; None for the best itself.
    """

    name: str
    score: float
    interval: tuple[float, float]
    method: IntervalMethod
    rows_per_second: float
    parameters: int
    trained_on_these: bool
    beside_best: Comparison | None = None


@dataclass(frozen=True, kw_only=True)
class ModelComparison:
    """Models on the same rows, the best first.

    Attributes:
        verdict: which to take, or that they cannot be told apart; one or two sentences.
    """

    data: str
    task: str
    metric: str
    rows: int
    models: tuple[Scored, ...]
    verdict: str


def compare_models(models: Sequence[tuple[str, Model]], datasets: Sequence[Dataset]) -> ModelComparison:
    """Scores each model on each row, and the best beside each of the others, row by row.

    Args:
        models: with their names, at least two.
        datasets: the same records, as each model reads them.

    Raises:
        UsageError: the models are of different tasks, or the same one is named twice.
        DataError: a record cannot be read, or the models are not scored on the same rows.
    """
    first = models[0][1]
    for name, model in models[1:]:
        if (model.task, model.metric.name) != (first.task, first.metric.name):
            raise UsageError(
                f"{models[0][0]} is a model of the task {first.task}, and {name} of {model.task}",
                "compare models of one task",
            )
    found = [_scored(name, model, dataset) for (name, model), dataset in zip(models, datasets, strict=True)]
    for (one, rows), dataset in zip(found[1:], datasets[1:], strict=True):
        if len(rows.sums) != len(found[0][1].sums) or list(dataset.lines) != list(datasets[0].lines):
            raise DataError(
                f"{datasets[0].name}: {models[0][0]} is scored on {len(found[0][1].sums):,} rows or pieces, and "
                f"{one.name} on {len(rows.sums):,}, so they cannot be compared row by row",
                "compare models that read the same records in the same steps",
            )
    metric = first.metric
    found.sort(key=lambda pair: pair[0].score, reverse=metric.higher_is_better)
    best, best_rows = found[0]
    scored = [best]
    for one, rows in found[1:]:
        scored.append(replace(one, beside_best=metric.compare(best_rows, rows, one.name)))
    return ModelComparison(
        data=datasets[0].name,
        task=first.task,
        metric=metric.name,
        rows=len(best_rows.sums),
        models=tuple(scored),
        verdict=_verdict(scored, metric.name, metric.is_share, datasets[0].name, len(best_rows.sums)),
    )


def _scored(name: str, model: Model, dataset: Dataset) -> tuple[Scored, RowScores]:
    rows, seconds = _timed(model, dataset)
    if seconds < _SOON:  # the first run also imports and warms up
        seconds = _timed(model, dataset)[1]
    low, high, method = score_interval(rows)
    one = Scored(
        name=name,
        score=rows.score,
        interval=(low, high),
        method=method,
        rows_per_second=len(dataset.lines) / seconds,
        parameters=sum(array.size for _, array in flatten(model.params)),
        trained_on_these=model.record.digest == dataset.digest,
    )
    return one, rows


def _timed(model: Model, dataset: Dataset) -> tuple[RowScores, float]:
    """The scores of the rows, and the seconds that they took."""
    started = time.perf_counter()
    rows = row_scores(model, dataset)
    return rows, max(time.perf_counter() - started, 1e-9)


def _verdict(models: Sequence[Scored], metric: str, share: bool, data: str, rows: int) -> str:
    best, others = models[0], models[1:]
    close = [one for one in others if one.beside_best is not None and not one.beside_best.significant]
    where = f"on {counted(rows, 'row')} of {data}"
    if not close:
        runner_up = others[0]
        assert runner_up.beside_best is not None
        margin = _margin(runner_up.beside_best, share)
        said = f"Take {best.name}: its {metric} {where} is better than that of {runner_up.name}, {margin}."
    else:
        alike = [best, *close]
        sizes = {one.parameters for one in alike}
        smallest = min(alike, key=lambda one: one.parameters)
        names = listed([one.name for one in alike])
        said = f"{names} cannot be told apart by their {metric} {where}"
        said += f" ({_margin(close[0].beside_best, share)})" if len(close) == 1 and close[0].beside_best else ""
        said += f"; take {smallest.name}, which is the smallest" if len(sizes) > 1 else "; take any of them"
        worse = [one.name for one in others if one not in close]
        said += f", and not {listed(worse, 'or')}, which {'is' if len(worse) == 1 else 'are'} worse." if worse else "."
    seen = [one.name for one in models if one.trained_on_these]
    if seen:
        learned = "was" if len(seen) == 1 else "were"
        said += f" {listed(seen)} {learned} trained on this very file: such a score says nothing about new rows."
    return said


def _margin(beside: Comparison, share: bool) -> str:
    if beside.same:
        return beside.right_rows
    low, high = (f"{100 * x:.1f}" if share else format_number(x) for x in beside.interval)
    by = f"{100 * beside.difference:.1f} points" if share else format_number(beside.difference)
    return f"by {by}; 95% interval {low} to {high}".replace(" -", " −")
