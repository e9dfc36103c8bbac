"""A record of what a backward pass adds up.

The gradient of a weight is a sum with a term for each timestep, and a backward pass returns the sum. Within
:func:`recording`, every layer also records the terms: training's own numbers, from training's own code, computed once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnncli.core.packed import Array


@dataclass(frozen=True, eq=False)
class RecordedGradients:
    """One layer's backward pass.

    Attributes:
        layer: the cell, linear layer, embedding or attention.
        params: its own parameters: the same dict object as in the network's, by which it is found there.
        cache: what its forward pass kept.
        dy: the gradient of its output; None where there was none.
        found: by name. Of a cell ``sums`` (A, S, H), the gradients of its sums in the order of its specification,
            ``states`` (K, S, H), the whole ∂L/∂ each state of each step, and ``dstate``, that of the last or None.
            Of tables in which timesteps are looked up ``looked_up``, the name of each → (S,) the rows that are read,
            and their columns of the input; and ``distinct``, the distinct tokens. Of every other layer ``terms``, the
            name of each parameter → (rows, D) what it multiplies, None for a bias, and (rows, K) ∂L/∂ what comes out.
    """

    layer: Any
    params: Any
    cache: Any
    dy: Array | None
    found: dict[str, Any] = field(default_factory=dict)


_recordings: list[list[RecordedGradients]] = []


@contextmanager
def recording() -> Iterator[list[RecordedGradients]]:
    """Collects the backward passes of all layers, in all threads of this process, in the order in which they end."""
    recorded: list[RecordedGradients] = []
    _recordings.append(recorded)
    try:
        yield recorded
    finally:
        _recordings[:] = [other for other in _recordings if other is not recorded]


def is_recording() -> bool:
    """Whether :func:`record` keeps anything."""
    return bool(_recordings)


def buffer(states: int, h: Array) -> Array | None:
    """(states, S, H) for a cell's gradients of its states, step by step; None outside of :func:`recording`."""
    return np.empty((states, *h.shape), h.dtype) if _recordings else None


def record(layer: Any, params: Any, cache: Any, dy: Array | None, **found: Any) -> None:
    """A layer calls it at the end of its backward pass; nothing may write to the arrays afterwards."""
    for recorded in _recordings:
        recorded.append(RecordedGradients(layer, params, cache, dy, found))
