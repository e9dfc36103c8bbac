"""Numbers as the targets of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.data.records import Amounts
from rnncli.errors import DataError
from rnncli.results import format_number
from rnncli.tasks.comparison import Baseline
from rnncli.tasks.inputs import NumberInput
from rnncli.tasks.least_squares import Ridge, too_large
from rnncli.tasks.many_to_one.network import Examples, ManyToOne
from rnncli.tasks.many_to_one.targets import Targets
from rnncli.tasks.numbers.model import NumberModel, amounts_of
from rnncli.tasks.report import Report, skipped_warning

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


class NumberTargets(Targets):
    """Those of a task that predicts one number for an input."""

    trains = "A regression"
    constant_is = "mean"

    def require(self, dataset: Dataset) -> None:
        numbers, name = amounts_of(dataset), dataset.name
        if len(numbers) < 2:
            raise DataError(f"{name}: a number is learned from at least 2 records, and this file has 1")
        if (numbers == numbers[0]).all():
            raise DataError(
                f"{name}: there is nothing to learn, the number of every record is {dataset.labels.text(0)}"
            )

    def numbered(self, answers: Sequence[Any]) -> tuple[dict[str, Any], Array]:
        assert isinstance(answers, Amounts)
        return {}, answers.array()

    def strata(self, targets: Array) -> None:
        return None

    def fitted(
        self, fields: dict[str, Any], targets: Array, train: Array, begin: Any = None
    ) -> tuple[dict[str, Any], Array]:
        return standardised(fields, targets, train, begin)

    def warnings(self, dataset: Dataset, settings: Settings) -> tuple[str, ...]:
        return skipped_warning(dataset)

    def report(
        self, answers: Sequence[Any], figures: Mapping[str, Any], lines: Sequence[tuple[str, str]], **more: Any
    ) -> Report:
        assert isinstance(answers, Amounts)
        return number_report(answers.array(), figures, lines, **more)

    def constant(self, train: Examples, validation: Examples, network: ManyToOne) -> Baseline:
        """The mean of the training rows, which is 0 once it is standardised."""
        return Baseline(self.constant_is, network.judged(np.zeros_like(validation.targets), validation.targets))

    def baselines_of_numbers(self, train: Examples, validation: Examples, network: ManyToOne) -> tuple[Baseline, ...]:
        mean = self.constant(train, validation, network)
        own = features_of(train.inputs)
        if too_large(*own.shape):
            return (mean,)
        linear = Ridge.fit(own, train.targets).predict(features_of(validation.inputs))
        return Baseline("linear_model", network.judged(linear, validation.targets)), mean


def standardised(
    fields: dict[str, Any], targets: Array, train: Array, begin: NumberModel | None = None
) -> tuple[dict[str, Any], Array]:
    """Targets (rows, K) by mean and deviation of the training rows, and the fields of the model that keep these.

    Args:
        begin: the model that the training goes on from: then by its own.
    """
    if begin is None:
        scale, _ = NumberInput.of(targets[train])
        center, deviation = scale.mean, scale.spread
    else:
        center, deviation = begin.center, begin.deviation
    return fields | {"center": center, "deviation": deviation}, (targets - center) / deviation


def number_report(numbers: Array, figures: Mapping[str, Any], lines: Sequence[tuple[str, str]], **more: Any) -> Report:
    """The report on a data set whose answers are (rows, K) numbers."""
    found = {"lowest": numbers.min(), "mean": numbers.mean(), "highest": numbers.max(), "deviation": numbers.std()}
    target = {name: float(value) for name, value in found.items()}
    low, mean, high, deviation = map(format_number, target.values())
    said = f"{low} to {high}, mean {mean}, standard deviation {deviation}"
    return Report(
        figures={"target": target, **figures},
        own_lines=[("target", said), *lines],
        summary=("Target", said),
        **more,
    )


def features_of(sequences: Sequence[Array]) -> Array:
    """(rows, 6 D + 1) what a linear model reads of sequences (T, D): first, last, mean, deviation, smallest, largest of
    each number, and how many timesteps there are."""
    rows = [
        np.concatenate(
            (one[0], one[-1], one.mean(axis=0), one.std(axis=0), one.min(axis=0), one.max(axis=0), [len(one)])
        )
        for one in map(_double, sequences)
    ]
    return np.array(rows, np.float64)


def _double(sequence: Array) -> Array:
    return np.asarray(sequence, np.float64)
