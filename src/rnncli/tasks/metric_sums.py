"""Scores of a part of a data set."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from rnncli.core.cells.recurrence import Params
from rnncli.parallel.spread import in_order


class MetricSums(NamedTuple):
    """What is added up over parts of a data set.

    Attributes:
        right, answers: right answers, and all of them.
        losses, told: the sum of losses, and of how many.
    """

    right: float
    answers: float
    losses: float
    told: float


class Scored(Protocol):
    """A network that scores a part of a data set."""

    def metric_sums(self, params: Params, examples: Any, rank: int = 0, count: int = 1) -> MetricSums: ...


def metric_sums_of_all(network: Scored, params: Params, examples: Any, workers: int) -> MetricSums:
    """Scores all of the examples, each worker a part; the parts are added up in order.

    Raises:
        Exception: as :func:`rnncli.parallel.spread.in_order`.
    """
    parts = in_order(lambda rank: network.metric_sums(params, examples, rank, workers), range(workers), workers)
    return MetricSums._make(map(sum, zip(*parts, strict=True)))
