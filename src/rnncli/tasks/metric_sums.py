"""Scores of a part of a data set."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from rnncli.core.cells.recurrence import Params
from rnncli.parallel.chunks import map_chunks


class MetricSums(NamedTuple):
    """What is added up over parts of a data set.

    Attributes:
        right, answers: right answers, and all of them.
        losses, counted: the sum of losses, and of how many.
    """

    right: float
    answers: float
    losses: float
    counted: float


class Scored(Protocol):
    """A network that scores a part of a data set."""

    def metric_sums(self, params: Params, examples: Any, rank: int = 0, count: int = 1) -> MetricSums: ...


def metric_sums_of_all(network: Scored, params: Params, examples: Any, parts: int, workers: int) -> MetricSums:
    """Scores all of the examples, in so many parts, which are added up in order.

    Args:
        parts: does not depend on ``workers``, lest the bits of the sums do.

    Raises:
        Exception: as :func:`rnncli.parallel.chunks.map_chunks`.
    """
    sums = map_chunks(
        lambda part: network.metric_sums(params, examples, part, parts), range(parts), min(workers, parts)
    )
    return MetricSums._make(map(sum, zip(*sums, strict=True)))
