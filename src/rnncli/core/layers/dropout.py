"""Dropout."""

from __future__ import annotations

import numpy as np

from rnncli.core.packed import Array


def dropout(x: Array, rate: float, rng: np.random.Generator | None) -> tuple[Array, Array | None]:
    """Zeroes a share ``rate`` of the numbers and scales up the others to keep the mean (Srivastava et al. 2014).

    With ``rng`` None (prediction) or rate 0 the input comes back as it is, with None for a mask. One random byte
    decides each number, so the rate is met to the nearest 1/256; the scale uses the rate that is really applied.

    Returns:
        The new values, and the mask that :func:`dropout_backward` needs.
    """
    if rng is None or rate == 0:
        return x, None
    threshold = min(255, max(1, round(rate * 256)))
    random = np.frombuffer(rng.bytes(x.size), np.uint8).reshape(x.shape)
    mask = (random >= threshold).astype(x.dtype)
    mask *= np.asarray(256 / (256 - threshold), x.dtype)
    return x * mask, mask


def dropout_backward(dy: Array, mask: Array | None) -> Array:
    """The gradient of :func:`dropout`'s input from that of its output, in place."""
    if mask is not None:
        dy *= mask
    return dy
