"""Learning-rate schedules: the share of the full rate at a step, between 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Callable


def constant(step: int, total: int) -> float:
    """1 throughout."""
    return 1.0


def linear(step: int, total: int) -> float:
    """From 1 down to 0 in a straight line: ``step`` counts from 0, ``total`` is the planned number of steps."""
    return max(0.0, 1.0 - step / max(1, total))


def cosine(step: int, total: int) -> float:
    """From 1 down to 0 along half a cosine (Loshchilov & Hutter 2017)."""
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / max(1, total))))


SCHEDULES: dict[str, Callable[[int, int], float]] = {"constant": constant, "linear": linear, "cosine": cosine}


def with_warmup(factor: float, step: int, warmup: int) -> float:
    """The first ``warmup`` steps climb up to the schedule."""
    return factor * min(1.0, (step + 1) / warmup) if warmup else factor
