"""A trained model whose predictions are numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.records import Amounts
from rnncli.data.tables.series_form import SeriesForm
from rnncli.errors import DataError, quoted
from rnncli.results import TableCell, format_number
from rnncli.schema import Length
from rnncli.tasks.inputs import Numbers, Spreads
from rnncli.tasks.many_to_one.model import ManyToOneManifest, ManyToOneModel
from rnncli.tasks.model import Metric
from rnncli.tasks.numbers.network import NumberNetwork, absolute_errors
from rnncli.tasks.numbers.results import Errors, FarOff, NumberEvaluation, written

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset

# Larger numbers have errors whose sums are none.
LARGEST_NUMBER = 1e90
Name = Annotated[str, Length(0, 1_000)]


@dataclass(frozen=True, kw_only=True)
class NumberManifest(ManyToOneManifest):
    """What the file of such a model adds: the name of what is predicted, and its mean and deviation in training."""

    target: Name
    center: Numbers
    deviation: Spreads

    def parts(self) -> dict[str, Any]:
        if len(self.center) != len(self.deviation):
            raise ValueError("center and deviation do not go together")
        own = {"target": self.target, "center": np.array(self.center), "deviation": np.array(self.deviation)}
        return super().parts() | own


class Judged(NamedTuple):
    """Numbers of (rows, K) that are right beside predicted ones, and those of simple predictors by their names."""

    truth: Array
    predicted: Array
    baselines: Mapping[str, Array]


@dataclass(frozen=True, kw_only=True, repr=False)
class NumberModel(ManyToOneModel):
    """A model that predicts K numbers.

    Attributes:
        target: the name of what is predicted.
        center, deviation: (K,) its mean and standard deviation in the training rows, by which it is standardised.
    """

    networks = NumberNetwork
    stored: ClassVar[type[NumberManifest]]
    metric = Metric("MAE", "validation_error", higher_is_better=False)
    target: str = ""
    center: Array
    deviation: Array

    @property
    def answer_count(self) -> int:
        return len(self.center)

    @property
    def unused(self) -> frozenset[str]:
        return super().unused | {"class_weights"}

    @property
    def lags(self) -> int:
        """How many of the rows that follow a row share some of its numbers."""
        return 0

    @property
    def network(self) -> NumberNetwork:
        center, spread = tuple(self.center.tolist()), tuple(self.deviation.tolist())
        return NumberNetwork(
            self.settings, self.input.size, self.answer_count, self.reads_numbers, center, spread, self.lags
        )

    @property
    def named(self) -> str:
        """What is predicted, as a table heads it."""
        return self.target or "number"

    def base(self, value: Any) -> float:
        """What the numbers predicted for an input are relative to."""
        return 0.0

    def shown_number(self, number: float) -> str:
        """A predicted number as people read it."""
        return written(number, float(self.deviation.min()))

    def describe(self) -> list[tuple[str, TableCell]]:
        low, high = float(self.center[0]), float(self.deviation[0])
        about = f"{self.named}, mean {format_number(low)}, standard deviation {format_number(high)}"
        return [*super().describe(), ("target", about)]

    def facts(self) -> dict[str, Any]:
        return {**self._target(), **super().facts()}

    def own_manifest(self) -> dict[str, Any]:
        return {**self._target(), **super().own_manifest()}

    def _target(self) -> dict[str, Any]:
        return {"target": self.target, "center": self.center.tolist(), "deviation": self.deviation.tolist()}

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> NumberEvaluation:
        dataset, each = self._each(dataset, workers, lambda found: list(found))
        base = np.array([self.base(one) for one in dataset.inputs])[:, None]
        truth = amounts_of(dataset)
        judged = Judged(truth, np.array(each) + base, self.simple(dataset, base))
        off = judged.predicted - truth
        scores = absolute_errors(off, self.lags)
        simple = {name: found - truth for name, found in judged.baselines.items()}
        comparison = None
        if simple:
            best = min(simple, key=lambda name: float(np.abs(simple[name]).mean()))
            comparison = self.metric.compare(scores, absolute_errors(simple[best], self.lags), best)
        return NumberEvaluation(
            rows=len(truth),
            numbers=truth.shape[1],
            **vars(Errors.of(off)),
            by_step=tuple(Errors.of(off[:, [k]]) for k in range(truth.shape[1])),
            baselines={name: Errors.of(found) for name, found in simple.items()},
            comparison=comparison,
            mistakes=tuple(
                self._far_off(dataset, judged, row) for row in np.argsort(-scores.sums, kind="stable")[:worst]
            ),
            skipped=dataset.skipped,
            skipped_because=dataset.skipped_because,
        )

    def simple(self, dataset: Dataset, base: Array) -> Mapping[str, Array]:
        """Name → (rows, K) numbers of the simple predictors that need no training data.

        Args:
            base: (rows, 1) what the numbers of each row are relative to.
        """
        return {"mean": np.broadcast_to(self.center, (len(base), len(self.center)))}

    def _far_off(self, dataset: Dataset, judged: Judged, row: int) -> FarOff:
        """The number of a row that is furthest off."""
        off = np.abs(judged.predicted[row] - judged.truth[row])
        k = int(off.argmax())
        return FarOff(
            line=dataset.lines[row] + self.later(k),
            file=dataset.file(row),
            text=dataset.called(row),
            truth=dataset.labels.text(row) if len(off) == 1 else format_number(float(judged.truth[row, k])),
            predicted=self.shown_number(float(judged.predicted[row, k])),
            error=float(off[k]),
        )

    def later(self, k: int) -> int:
        """How many lines after that of a record its k-th number stands."""
        return 0


def amounts_of(dataset: Dataset) -> Array:
    """(rows, K) the numbers that are right.

    Raises:
        DataError: there are none, or one is too large.
    """
    labels = dataset.labels
    if not isinstance(labels, Amounts):
        raise DataError(
            f"{dataset.name}: there is no number to be predicted beside each input", "name its column: --label"
        )
    found = labels.array()
    large = np.flatnonzero((np.abs(found) > LARGEST_NUMBER).any(axis=1))
    if len(large):
        row = int(large[0])
        raise DataError(
            f"{dataset.place(row)}: {quoted(labels.text(row))} is too large to be learned",
            f"numbers up to {LARGEST_NUMBER:g} can be",
        )
    return found


def stored_series(series: SeriesForm | None) -> dict[str, Any]:
    """The columns of a series in a model's file; nothing where there are none."""
    return {} if series is None else {"series": asdict(series) | {"features": list(series.features)}}
