"""The season of a series: after how many timesteps it repeats."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from rnncli.core.packed import Array

LONGEST = 400  # a year of days and some more
LOOKED_AT = 50_000  # the last timesteps of a series by which its season is guessed
SHARE = 3  # a season stands in a series at least so often
CLEAR = 0.3  # an autocorrelation that is worth a season,
ERRORS = 4.0  # and that chance does not account for, among so many lags: so many times its standard error
NEARLY = 0.9  # of the highest autocorrelation: a multiple of a season has nearly the same, and the shortest counts
ROUNDING = 1e-9  # of the largest change: what is left of changes that are all the same
AROUND = 1.2  # times the first such lag: chance may give a lag beside a peak as much


class Season(NamedTuple):
    """How long a season is, and the autocorrelation at that lag."""

    length: int
    correlation: float


def guess_season(series: Iterable[Array]) -> Season | None:
    """The season that all series (T,) together have; None where none is clear.

    A season is a peak of the autocorrelation of the changes from step to step, in which a trend is only a mean; of the
    lags around it, the one after which the series differs from itself by what varies least.
    """
    # The squares of very large or small numbers are none.
    series = [one[-LOOKED_AT:] / (np.abs(one[-LOOKED_AT:]).max(initial=0.0) or 1.0) for one in series]
    total: Array | None = None
    weight = steps = 0.0
    for one in series:
        changes = np.diff(one)
        longest = min(LONGEST, len(changes) // SHARE)
        if longest < 2:
            continue
        found = _autocovariances(changes, longest)
        if found[0] <= 0:
            continue
        own = np.zeros(LONGEST + 1)
        own[: longest + 1] = found / found[0]
        total = own * len(changes) if total is None else total + own * len(changes)
        weight, steps = weight + len(changes), steps + len(changes)
    if total is None:
        return None
    correlations = total / weight
    least = np.maximum(CLEAR, ERRORS / np.sqrt(np.maximum(1, steps - np.arange(LONGEST + 1))))[2:-1]
    inner = correlations[2:-1]
    peaks = 2 + np.flatnonzero((inner >= correlations[1:-2]) & (inner > correlations[3:]) & (inner >= least))
    if not len(peaks):
        return None
    highest = correlations[peaks].max()
    first = int(peaks[correlations[peaks] >= NEARLY * highest][0])
    near = [lag for lag in range(2, LONGEST) if first / AROUND <= lag <= first * AROUND]
    length = min(near, key=lambda lag: _varies(series, lag))
    return Season(length, float(correlations[length]))


def _varies(series: Iterable[Array], lag: int) -> float:
    """The mean variance of what changes within so many timesteps; infinite where no series is long enough."""
    variances = [float(np.var(one[lag:] - one[:-lag])) for one in series if len(one) > SHARE * lag]
    return sum(variances) / len(variances) if variances else np.inf


def _autocovariances(values: Array, longest: int) -> Array:
    """(longest + 1,) Σ_t v_t · v_(t+k) of values less their mean, for lags k from 0, by Fourier transform."""
    scale = np.abs(values).max()
    if not np.isfinite(scale) or scale == 0:
        return np.zeros(longest + 1)
    apart = values / scale
    apart = apart - apart.mean()
    if np.abs(apart).max() < ROUNDING:
        return np.zeros(longest + 1)
    size = 1 << (2 * len(apart) - 1).bit_length()
    spectrum = np.fft.rfft(apart, size)
    found = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[: longest + 1]
    # Fewer pairs stand for a long lag; each counts the more.
    return np.asarray(found * len(apart) / (len(apart) - np.arange(longest + 1)))
