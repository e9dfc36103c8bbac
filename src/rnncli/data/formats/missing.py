"""Values of a series that are missing: after its last value they are its end; between values they are a gap."""

from __future__ import annotations

from typing import Literal

import numpy as np

from rnncli.data.formats.numbers import Floats, finite_number

MISSING_WORDS = frozenset(
    (
        *("", "nan", "na", "n/a", "#n/a", "n.a.", "<na>", "null", "none", "?", "-", "--"),
        *("\\n", "-nan", "nan(ind)", "-nan(ind)", "1.#qnan", "-1.#ind"),  # as MySQL and C write it,
        *("#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!"),  # and a spreadsheet that could not compute
    )
)
Missing = Literal["interpolate"] | None  # what is done about a gap: it is refused where this is None
HOW_TO_FILL = "fill gaps from their neighbours with --missing interpolate"


class Gap(ValueError):
    """A number is missing between others of its sequence: an error that HOW_TO_FILL mends."""


def is_missing(value: str) -> bool:
    """Whether a value stands for none: empty, ``NaN``, ``n/a``."""
    return value.strip().lower() in MISSING_WORDS


def number_or_nan(value: str) -> float | None:
    """The number of a value, NaN where it is missing; None if it is something else, or has no finite float64."""
    number = finite_number(value)
    return np.nan if number is None and is_missing(value) else number


def without_end(series: Floats) -> Floats:
    """(T', D) a series of (T, D) up to its last timestep that has a value."""
    filled = np.flatnonzero(~np.isnan(series).all(axis=1))
    return series[: filled[-1] + 1] if len(filled) else series[:0]


def first_gap(series: Floats) -> tuple[int, int] | None:
    """Timestep and place, from 0, of the first value of (T, D) that is missing; None if none is."""
    gaps = np.argwhere(np.isnan(series))
    return (int(gaps[0][0]), int(gaps[0][1])) if len(gaps) else None


def interpolated(series: Floats, times: Floats | None = None) -> Floats:
    """(T, D) with each gap on the straight line between its neighbours in the same column.

    Before the first value stands the first, after the last one the last.

    Args:
        series: (T, D), NaN where a value is missing.
        times: (T,) ascending; None where the timesteps are equally far apart.

    Raises:
        ValueError: a column has no values; the message goes on after "the sequence ".
    """
    made = series.copy()
    at = np.arange(len(series), dtype=np.float64) if times is None else times
    for place in range(series.shape[1]):
        gaps = np.isnan(series[:, place])
        if gaps.all():
            raise ValueError("has no values" + (f" at place {place + 1}" if series.shape[1] > 1 else ""))
        if gaps.any():
            made[gaps, place] = np.interp(at[gaps], at[~gaps], series[~gaps, place])
    return made
