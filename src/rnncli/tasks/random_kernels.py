"""A strong baseline for series: features of random convolution kernels, and ridge regression on them.

In the manner of ROCKET (Dempster, Petitjean & Webb 2020, "ROCKET: exceptionally fast and accurate time series
classification using random convolutional kernels"): kernels of random length, weights, bias, dilation and padding, and
of each its largest output and the share of its outputs above 0. Ours are fewer than its 10,000, so that they take
seconds, and eight at a time share all but weights and bias, so that one matrix product computes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.records.ragged import joined, lengths_of, rows_of

LENGTHS = (7, 9, 11)
TOGETHER = 8  # kernels that differ in their weights and bias alone
MOST_KERNELS, LEAST_KERNELS = 1000, 48
MOST_ROWS = 10_000  # training rows that are fitted
PENALTIES = np.logspace(-3, 3, 10)
# Multiplications of all kernels with all series, some five seconds of one core; numbers of all features.
_MOST_WORK, _MOST_FEATURES = 2e11, 2**23
_AT_A_TIME = 1 << 16  # timesteps that are convolved at a time
_LARGEST = 1e15  # a number in a series, so that all outputs are finite in float32


@dataclass(frozen=True)
class _Kernels:
    """Kernels that read the same places.

    Attributes:
        weights: (TOGETHER, length · channels), the channels of a place side by side.
        bias: (TOGETHER,)
        channels: (C,) the numbers of a timestep that they read.
        length, dilation: how many places, and how far apart.
        padded: whether outputs at the ends are used too, for which a series is continued with zeros.
    """

    weights: Array
    bias: Array
    channels: Array
    length: int
    dilation: int
    padded: bool

    @property
    def margin(self) -> int:
        """Timesteps before the middle of a kernel."""
        return (self.length - 1) * self.dilation // 2


@dataclass(frozen=True)
class RandomKernels:
    """Random kernels for series of D numbers a timestep."""

    kernels: tuple[_Kernels, ...]

    @classmethod
    def draw(cls, rng: np.random.Generator, count: int, channels: int, steps: int) -> RandomKernels:
        """Draws at least ``count`` kernels for series of so many channels and about so many timesteps."""
        return cls(tuple(_drawn(rng, channels, steps) for _ in range(-(-count // TOGETHER))))

    def features(self, series: Sequence[Array]) -> Array:
        """(N, 2 · kernels) float64 of each series the largest outputs, and the shares of outputs above 0.

        Args:
            series: each (T_n, D), T_n at least 1.
        """
        parts = [
            np.concatenate([part for one in self.kernels for part in _outputs(one, *block)]).T
            for block in _blocks(series, max(one.margin for one in self.kernels))
        ]
        return np.concatenate(parts)


def _drawn(rng: np.random.Generator, channels: int, steps: int) -> _Kernels:
    length = int(rng.choice(LENGTHS))
    used = int(2 ** rng.uniform(0, np.log2(min(channels, length) + 1)))
    weights = rng.standard_normal((TOGETHER, length, used))
    weights -= weights.mean(axis=1, keepdims=True)
    return _Kernels(
        weights=weights.reshape(TOGETHER, -1).astype(np.float32),
        bias=rng.uniform(-1, 1, TOGETHER).astype(np.float32),
        channels=rng.choice(channels, used, replace=False),
        length=length,
        dilation=int(2 ** rng.uniform(0, max(0.0, np.log2(max(steps - 1, 1) / (length - 1))))),
        padded=bool(rng.integers(2)),
    )


def _blocks(series: Sequence[Array], gap: int) -> Iterator[tuple[Array, Array, Array]]:
    """Some series at a time: (D, P) their numbers with ``gap`` zeros around each, where each begins, and its length."""
    lengths = lengths_of(series)
    _, firsts = np.unique(np.cumsum(lengths + gap) // _AT_A_TIME, return_index=True)
    for first, last in zip(firsts, [*firsts[1:], len(lengths)], strict=True):
        own = lengths[first:last]
        starts = gap + np.cumsum(own + gap) - (own + gap)
        numbers = joined(rows_of(series, np.arange(first, last)))
        made = np.zeros((numbers.shape[1], int(own.sum()) + gap * (len(own) + 1)), np.float32)
        made[:, np.repeat(starts - (np.cumsum(own) - own), own) + np.arange(len(numbers))] = np.clip(
            numbers.T, -_LARGEST, _LARGEST
        )
        yield made, starts, own


def _outputs(kernels: _Kernels, numbers: Array, starts: Array, lengths: Array) -> tuple[Array, Array]:
    """(TOGETHER, N) the largest output of each series, and the share of its outputs above 0."""
    gap, margin, width = int(starts[0]), kernels.margin, len(kernels.channels)
    count = numbers.shape[1] - 2 * gap
    places = np.empty((kernels.length * width, count), np.float32)
    chosen = numbers[kernels.channels]
    for k in range(kernels.length):
        first = gap - margin + k * kernels.dilation
        places[k * width : (k + 1) * width] = chosen[:, first : first + count]
    out = kernels.weights @ places
    out += kernels.bias[:, None]
    # Without padding, only where all of the kernel is within the series; one shorter than the kernel is padded.
    inner = 0 if kernels.padded else (lengths > 2 * margin) * margin
    begins, ends = starts - gap + inner, starts - gap + lengths - inner
    out = np.concatenate((out, np.full((TOGETHER, 1), -np.inf, np.float32)), axis=1)  # the last end is an index too
    edges = np.stack((begins, ends), axis=1).reshape(-1)
    largest = np.maximum.reduceat(out, edges, axis=1)[:, ::2]
    above = np.add.reduceat(out > 0, edges, axis=1, dtype=np.int64)[:, ::2]
    return largest, above / (ends - begins)


@dataclass(frozen=True)
class Ridge:
    """Linear least squares with a penalty on the weights of standardised features.

    The penalty is that of :data:`PENALTIES` with the smallest squared error where each row is left out once, which one
    eigendecomposition gives for all of them (Golub, Heath & Wahba 1979).
    """

    mean: Array  # (F,)
    scale: Array  # (F,)
    weights: Array  # (F, K)
    bias: Array  # (K,)

    @classmethod
    def fit(cls, features: Array, targets: Array) -> Ridge:
        """Fits (N, F) features to (N, K) targets."""
        mean, scale = features.mean(axis=0), features.std(axis=0)
        scale[scale < 1e-12] = 1.0
        x, bias = (features - mean) / scale, targets.mean(axis=0)
        y = targets - bias
        # x = u·s·vᵀ, from the smaller of its two squares; z = u·s.
        wide = len(x) <= x.shape[1]
        squares, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
        kept = squares > 1e-10 * max(squares[-1], 1e-300)
        squares, vectors = squares[kept], vectors[:, kept]
        z = vectors * np.sqrt(squares) if wide else x @ vectors
        zy, rows = z.T @ y, len(x)
        errors = []
        for penalty in PENALTIES:
            shrunk = 1 / (squares + penalty)
            leverage = z**2 @ shrunk + 1 / rows  # 1 / rows is the bias's
            residual = (y - z @ (shrunk[:, None] * zy)) / np.maximum(1 - leverage, 1e-9)[:, None]
            errors.append(float((residual**2).sum()))
        solved = zy / (squares + PENALTIES[int(np.argmin(errors))])[:, None]
        weights = x.T @ ((vectors / np.sqrt(squares)) @ solved) if wide else vectors @ solved
        return cls(mean, scale, weights, bias)

    def predict(self, features: Array) -> Array:
        """(N, K) for (N, F) features."""
        return np.asarray((features - self.mean) / self.scale @ self.weights + self.bias)


@dataclass(frozen=True)
class KernelRidge:
    """Random kernels, and ridge regression on their features."""

    kernels: RandomKernels
    ridge: Ridge

    @classmethod
    def fit(cls, series: Sequence[Array], targets: Array, seed: int) -> KernelRidge:
        """Fits to (N, K) targets; of many rows, to :data:`MOST_ROWS` of them, evenly spaced."""
        rows = np.linspace(0, len(series) - 1, min(len(series), MOST_ROWS)).round().astype(np.int64)
        series, targets = rows_of(series, rows), targets[rows]
        lengths, width = lengths_of(series), series[0].shape[1]
        reads = np.mean(LENGTHS) * (1 + np.mean([min(width, length) for length in LENGTHS]) / 2)
        count = int(min(_MOST_WORK / (lengths.sum() * reads), _MOST_FEATURES / (2 * len(rows)), MOST_KERNELS))
        rng = np.random.default_rng(seed)
        kernels = RandomKernels.draw(rng, max(count, LEAST_KERNELS), width, int(np.median(lengths)))
        return cls(kernels, Ridge.fit(kernels.features(series), targets))

    def predict(self, series: Sequence[Array]) -> Array:
        """(N, K) values."""
        return self.ridge.predict(self.kernels.features(series))
