"""For who wants to see what a backward pass adds up.

The gradient of a weight is a sum with a term for each timestep, and what a backward pass returns is the sum. Within
:func:`recording`, every layer also leaves what it has summed up: training's own numbers, from training's own code, with
nothing computed twice. Outside of it a layer finds nobody and goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rnncli.core.packed import Array


@dataclass(frozen=True, eq=False)
class RecordedGradients:
    """One layer's way back.

    Attributes:
        layer: the cell, linear layer or embedding.
        params: its own parameters: the very dict in the network's, by which it is found there.
        cache: what its forward pass kept.
        dy: the gradient that came in from above; None where none did.
        found: by name. Of a cell ``input_side`` and ``recurrent_side``, (G, S, H) gradients of the sums that its
            input and its last state go into, and ``dstate``, that of the last state or None. Of tables in which
            timesteps are looked up ``looked_up``, the name of each → (S,) its rows that are read, and which columns
            of the input they are; and ``places`` of these. Of attention ``query`` (S_dec, M) and ``sums`` (S_dec, K),
            the gradients of h_t·W_a and of what is inside its tanh.
    """

    layer: Any
    params: Any
    cache: Any
    dy: Array | None
    found: dict[str, Any] = field(default_factory=dict)


_recordings: list[list[RecordedGradients]] = []


@contextmanager
def recording() -> Iterator[list[RecordedGradients]]:
    """Collects, in the order in which they end, the backward passes of all layers; of this process's every thread."""
    seen: list[RecordedGradients] = []
    _recordings.append(seen)
    try:
        yield seen
    finally:
        _recordings[:] = [other for other in _recordings if other is not seen]


def is_recording() -> bool:
    """Whether it is worth preparing what is told."""
    return bool(_recordings)


def record(layer: Any, params: Any, cache: Any, dy: Array | None, **found: Any) -> None:
    """Called by a layer at the end of its backward pass; the arrays are not to be written to any more."""
    for seen in _recordings:
        seen.append(RecordedGradients(layer, params, cache, dy, found))
