"""Recurrent layers on top of each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnncli.core.cells.named import cell_named
from rnncli.core.layers.directions import Bidirectional, OneDirection
from rnncli.core.layers.dropout import dropout
from rnncli.core.layers.named import NamedLayers
from rnncli.core.packed import Array, PackedSequence, Params, State


class StackCache(NamedTuple):
    """For each layer its cache, and the dropout mask of its input (None for the first)."""

    layers: list[Any]
    masks: list[Array | None]


@dataclass(frozen=True)
class Stack:
    """Recurrent layers on top of each other, with dropout between them.

    Args:
        layers: each takes the (S, output_size) of the one below.
        dropout: the share of numbers dropped between two layers.
    """

    layers: tuple[OneDirection | Bidirectional, ...]
    dropout: float = 0.0

    @property
    def output_size(self) -> int:
        return self.layers[-1].output_size

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params:
        return self._named.init(rng, dtype)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return self._named.shapes()

    @property
    def _named(self) -> NamedLayers:
        return NamedLayers({str(k): layer for k, layer in enumerate(self.layers)})

    def forward(
        self,
        params: Params,
        x: PackedSequence,
        state: list[State] | None = None,
        rng: np.random.Generator | None = None,
        keep: bool = True,
    ) -> tuple[Array, list[State], StackCache]:
        """y (S, output_size) of the topmost layer, the last states and the caches of all layers."""
        cache, last = StackCache([], []), []
        y = x.data
        for k, layer in enumerate(self.layers):
            y, mask = dropout(y, self.dropout, rng) if k else (y, None)
            below = x.with_data(y) if k else x
            y, last_k, kept = layer.forward(params[str(k)], below, state[k] if state else None, keep)
            cache.layers.append(kept)
            cache.masks.append(mask)
            last.append(last_k)
        return y, last, cache

    def backward(
        self, params: Params, cache: StackCache, dy: Array | None, dstate: list[State] | None = None
    ) -> tuple[Array | None, list[State], dict[str, Any]]:
        dstates: list[State] = []
        grads: dict[str, Any] = {}
        for k in reversed(range(len(self.layers))):
            dy, dstate_k, grads[str(k)] = self.layers[k].backward(
                params[str(k)], cache.layers[k], dy, dstate[k] if dstate else None
            )
            dstates.insert(0, dstate_k)
            mask = cache.masks[k]
            if dy is not None and mask is not None:
                dy *= mask
        return dy, dstates, grads


def recurrent_stack(
    cell: str,
    *,
    input_size: int,
    hidden_size: int,
    layers: int = 1,
    bidirectional: bool = False,
    bias: bool = True,
    dropout: float = 0.0,
    **options: Any,
) -> Stack:
    """``layers`` recurrent layers of one kind.

    Args:
        input_size: that of the lowest.
        options: what this kind of cell takes beside its sizes.
    """
    wrap = Bidirectional if bidirectional else OneDirection
    built: list[OneDirection | Bidirectional] = []
    for _ in range(layers):
        built.append(wrap(cell_named(cell)(input_size, hidden_size, bias, **options)))
        input_size = built[-1].output_size
    return Stack(tuple(built), dropout)
