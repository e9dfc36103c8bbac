"""A row of numbers as a row of small bars: ▇▅▃▂▁."""

from __future__ import annotations

import math
from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], width: int = 24) -> str:
    """One bar for each number, from the lowest to the highest; a gap for None and what is not finite.

    More numbers than ``width`` become the means of groups of neighbours; equal numbers become bars of middle height.
    """
    count = min(width, len(values))
    groups = [values[k * len(values) // count : (k + 1) * len(values) // count] for k in range(count)]
    means = [_mean(group) for group in groups]
    there = [mean for mean in means if mean is not None]
    if not there:
        return ""
    low, span = min(there), max(there) - min(there)
    return "".join(" " if mean is None else BARS[round((mean - low) / span * 7) if span else 3] for mean in means)


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None and math.isfinite(value)]
    return sum(there) / len(there) if there else None
