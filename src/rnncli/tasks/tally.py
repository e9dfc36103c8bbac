"""Scores of a part of a data set."""

from __future__ import annotations

from typing import NamedTuple


class Tally(NamedTuple):
    """What is added up over parts of a data set.

    Attributes:
        right, answers: right answers, and all of them.
        losses, told: the sum of losses, and of how many.
    """

    right: float
    answers: float
    losses: float
    told: float
