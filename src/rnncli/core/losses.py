"""Losses on logits, or on predicted numbers, each with its gradient.

No exponential in them can overflow. One that underflows, e^−1000, is meant to be 0.
"""

from __future__ import annotations

import numpy as np

from rnncli.core.activations import sigmoid
from rnncli.core.packed import Array


@np.errstate(under="ignore")
def sigmoid_cross_entropy(logits: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
    """L = −y log ŷ − (1 − y) log(1 − ŷ) with ŷ = σ(logit), the mean over the K labels and over the batch.

    Computed as max(z, 0) − z·y + log(1 + e^−|z|), the same number for every finite logit z.

    Args:
        logits: (N, K).
        targets: (N, K) 0 or 1; (N,) where K is 1.
        weights: (N,) how much each sequence counts; the mean is then the weighted one.

    Returns:
        The loss, and ∂L/∂logits (N, K), which is (ŷ − y)/(N·K) when unweighted.
    """
    z, y = logits, targets.reshape(logits.shape).astype(logits.dtype)
    share = _shares(len(z), weights, logits.dtype)
    losses = (np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))).mean(axis=1)
    return float(losses @ share), (sigmoid(z) - y) * (share / z.shape[1])[:, None]


@np.errstate(under="ignore")
def softmax_cross_entropy(logits: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
    """L = −log softmax(logits)[target], the mean over the batch.

    Args:
        logits: (N, K).
        targets: (N,) class numbers.
        weights: (N,) how much each sequence counts; the mean is then the weighted one.

    Returns:
        The loss, and ∂L/∂logits (N, K), which is (softmax − one-hot)/N when unweighted.
    """
    rows = np.arange(len(targets))
    share = _shares(len(targets), weights, logits.dtype)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(shifted).sum(axis=1))
    losses = log_total - shifted[rows, targets]
    d_logits = np.exp(shifted - log_total[:, None])
    d_logits[rows, targets] -= 1
    d_logits *= share[:, None]
    return float(losses @ share), d_logits


@np.errstate(under="ignore")
def squared_error(outputs: Array, targets: Array) -> tuple[float, Array]:
    """L = (ŷ − y)², the mean over the batch and over the K outputs.

    Args:
        outputs: (N, K).
        targets: (N, K).

    Returns:
        The loss, and ∂L/∂outputs (N, K), which is 2 (ŷ − y)/(N·K).
    """
    off = outputs - targets.astype(outputs.dtype)
    return float((off * off).mean()), np.asarray(off * outputs.dtype.type(2 / off.size))


@np.errstate(under="ignore")
def softmax(logits: Array) -> Array:
    """(N, K) probabilities."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def log_softmax(logits: Array) -> Array:
    """(N, K) logarithms of :func:`softmax`, even of probabilities that underflow."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _shares(count: int, weights: Array | None, dtype: np.dtype[np.floating]) -> Array:
    """(N,) each sequence's share of the mean: they add up to 1."""
    if weights is None:
        return np.full(count, 1 / count, dtype)
    return np.asarray(weights / weights.sum(), dtype)
