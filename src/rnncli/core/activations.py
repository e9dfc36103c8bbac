"""The non-linear functions of the cells, and the fastest way to compute their gates."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from rnncli.core.packed import Array


def sigmoid(x: Array) -> Array:
    """σ(x) = 1 / (1 + e^−x), computed as (1 + tanh(x/2)) / 2, which overflows nowhere."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x))


class Squash(NamedTuple):
    """Turns the sums of a step's gates (G, n, H) into gates, in place: σ for the first ones, tanh for the others.

    All gates go through one call of one function. The factors that it needs before are folded into the weights: a
    product with a power of two or −1 is exact, so nothing is lost.

    Attributes:
        scale: (G, 1, 1) what to multiply the weights of each gate by.
        on: array (G, n, H) → a function that turns the sums in it into gates at each call.
    """

    scale: Array
    on: Callable[[Array], Callable[[], None]]


def squash(sigmoids: int, tanhs: int, dtype: np.dtype[Any]) -> Squash:
    """The fastest :class:`Squash` for this many gates of either kind on this machine."""
    if dtype == np.float32 and _exp_is_faster():
        # σ(x) = 1/(1 + e^−x), tanh(x) = 2σ(2x) − 1. An e^−x that overflows gives 1/∞ = 0, as it should.
        one, two = np.array(1, dtype), np.array(2, dtype)  # NumPy need not convert arrays at every step

        def on(a: Array) -> Callable[[], None]:
            centred = a[sigmoids:]

            def apply() -> None:
                np.exp(a, a)
                np.add(a, one, a)
                np.divide(one, a, a)
                if tanhs:
                    np.multiply(centred, two, centred)
                    np.subtract(centred, one, centred)

            return apply

        factors = [-1.0] * sigmoids + [-2.0] * tanhs
    else:
        # σ(x) = (1 + tanh(x/2)) / 2
        half = np.array(0.5, dtype)

        def on(a: Array) -> Callable[[], None]:
            halves = a[:sigmoids]

            def apply() -> None:
                np.tanh(a, a)
                np.multiply(halves, half, halves)
                np.add(halves, half, halves)

            return apply

        factors = [0.5] * sigmoids + [1.0] * tanhs
    return Squash(np.array(factors, dtype)[:, None, None], on)


@cache
def _exp_is_faster() -> bool:
    """Whether NumPy's e^x for float32 is faster than its tanh: twice as fast without AVX-512.

    NumPy says so, not a clock, so that the same machine always computes the same bits.
    """
    introspect = getattr(np.lib, "introspect", None)  # since NumPy 2.1
    if introspect is None:
        return False
    found = introspect.opt_func_info(func_name="tanh", signature="float32")
    current = [kind["current"] for kinds in found.values() for kind in kinds.values()]
    return bool(current) and not any("V4" in name or "AVX512" in name for name in current)
