"""Numeric gradients, to check a hand-written backward pass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnncli.core.packed import Array


def numeric_gradient(loss: Callable[[], float], value: Array, step: float = 1e-5) -> Array:
    """∂loss/∂value by central differences: (L(v + ε) − L(v − ε)) / 2ε for every entry of ``value``.

    Args:
        loss: computes the loss from the present contents of ``value``.
        value: a float64 array, changed in place, entry by entry, and restored.
        step: ε. The error of the formula is O(ε²), that of the subtraction about 1e-16/ε.
    """
    gradient = np.empty_like(value)
    for index in np.ndindex(value.shape):
        gradient[index] = difference(loss, value, index, step)
    return gradient


def difference(loss: Callable[[], float], value: Array, index: int | tuple[int, ...], step: float = 1e-5) -> float:
    """One entry of :func:`numeric_gradient`; ``value`` is restored."""
    kept = value[index]
    value[index] = kept + step
    above = loss()
    value[index] = kept - step
    below = loss()
    value[index] = kept
    return (above - below) / (2 * step)


def relative_error(analytic: Array, numeric: Array) -> float:
    """‖a − n‖ / max(‖a‖, ‖n‖) over the whole array; 0 when both are zero."""
    size = max(float(np.linalg.norm(analytic)), float(np.linalg.norm(numeric)))
    return float(np.linalg.norm(analytic - numeric)) / size if size else 0.0
