"""A cell that reads from the front, or two that read from either end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from rnncli.core.cells import compiled
from rnncli.core.cells.cell import Cell
from rnncli.core.layers.named import NamedLayers
from rnncli.core.packed import Array, PackedSequence, Params, State
from rnncli.core.threads import side_by_side


@dataclass(frozen=True)
class Directions:
    """What layers of one and of two directions have in common.

    Args:
        cell: the sizes of every direction.
    """

    cell: Cell
    directions: ClassVar[tuple[str, ...]]

    @property
    def output_size(self) -> int:
        return len(self.directions) * self.cell.hidden_size

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params:
        return self._cells.init(rng, dtype)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return self._cells.shapes()

    @property
    def _cells(self) -> NamedLayers:
        return NamedLayers(dict.fromkeys(self.directions, self.cell))


class BidirectionalCache(NamedTuple):
    """The caches of the two directions; the backward one ran on the reversed sequences."""

    forward: Any
    backward: Any
    reversal: Array


class Bidirectional(Directions):
    """One cell reads from the front, another one from the back; y_t = [→h_t, ←h_t] (Schuster & Paliwal 1997).

    Each direction has weights of its own.
    """

    directions = ("forward", "backward")

    def forward(
        self, params: Params, x: PackedSequence, state: State | None = None, keep: bool = True
    ) -> tuple[Array, State, BidirectionalCache]:
        """y (S, 2H) and the states of the forward, then of the backward direction."""
        k, H = self.cell.state_count, self.cell.hidden_size
        reversal = x.reversal
        y = np.empty((len(x.data), 2 * H), params["forward"]["weight_ih"].dtype)

        def read_forwards() -> tuple[State, Any]:
            y[:, :H], last, kept = compiled.forward(self.cell, params["forward"], x, state[:k] if state else None, keep)
            return last, kept

        def read_backwards() -> tuple[State, Any]:
            h, last, kept = compiled.forward(
                self.cell, params["backward"], x.reversed(), state[k:] if state else None, keep
            )
            y[:, H:] = h[reversal]
            return last, kept

        (last_forward, kept_forward), (last_backward, kept_backward) = side_by_side(read_forwards, read_backwards)
        return y, last_forward + last_backward, BidirectionalCache(kept_forward, kept_backward, reversal)

    def backward(
        self, params: Params, cache: BidirectionalCache, dy: Array | None, dstate: State | None = None
    ) -> tuple[Array | None, State, dict[str, Any]]:
        k, H, reversal = self.cell.state_count, self.cell.hidden_size, cache.reversal

        def of_forwards() -> tuple[Array | None, State, dict[str, Any]]:
            dy_half = None if dy is None else dy[:, :H]
            return compiled.backward(
                self.cell, params["forward"], cache.forward, dy_half, dstate[:k] if dstate else None
            )

        def of_backwards() -> tuple[Array | None, State, dict[str, Any]]:
            dy_half = None if dy is None else dy[:, H:][reversal]
            dx, dstate_0, grads = compiled.backward(
                self.cell, params["backward"], cache.backward, dy_half, dstate[k:] if dstate else None
            )
            # The gradient of a table has a row for each token, in no order of time.
            by_step = dx is not None and isinstance(cache.backward.x.data, np.ndarray)
            return (dx[reversal] if dx is not None and by_step else dx), dstate_0, grads

        of_both = side_by_side(of_forwards, of_backwards)
        (dx, dstate_forward, grads_forward), (dx_backward, dstate_backward, grads_backward) = of_both
        if dx is not None and dx_backward is not None:
            dx += dx_backward
        return dx, dstate_forward + dstate_backward, {"forward": grads_forward, "backward": grads_backward}


class OneDirection(Directions):
    """A cell alone, with the interface of :class:`Bidirectional`."""

    directions = ("forward",)

    def forward(
        self, params: Params, x: PackedSequence, state: State | None = None, keep: bool = True
    ) -> tuple[Array, State, Any]:
        return compiled.forward(self.cell, params["forward"], x, state, keep)

    def backward(
        self, params: Params, cache: Any, dy: Array | None, dstate: State | None = None
    ) -> tuple[Array | None, State, dict[str, Any]]:
        dx, dstate_0, grads = compiled.backward(self.cell, params["forward"], cache, dy, dstate)
        return dx, dstate_0, {"forward": grads}
