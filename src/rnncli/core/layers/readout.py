"""From the outputs of all timesteps to one vector a sequence: last state, mean, or maximum.

``forward(y, x, state)`` takes y (S, K), the packed sequence it belongs to, and the topmost layer's last state;
``backward`` returns ``(dy, dstate)``, of which one is None or both are arrays to hand to the recurrent layer.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from rnncli.core.packed import Array, PackedSequence, State


class ReadoutCache(NamedTuple):
    x: PackedSequence
    state: State
    winner: Array  # (N, K) the timestep that holds each maximum; empty for the others


class Readout(Protocol):
    def forward(self, y: Array, x: PackedSequence, state: State) -> tuple[Array, ReadoutCache]: ...
    def backward(self, cache: ReadoutCache, dpooled: Array) -> tuple[Array | None, State | None]: ...


_NO_WINNER: Array = np.empty((0, 0), np.int64)


class Last:
    """The last hidden state of each direction, as in the notes: (N, H) or (N, 2H)."""

    def forward(self, y: Array, x: PackedSequence, state: State) -> tuple[Array, ReadoutCache]:
        # A layer in one direction ends with (h,) or (h, c), one in two with (→h, ←h) or (→h, →c, ←h, ←c).
        return np.concatenate(_hidden_parts(state, y.shape[1]), axis=1), ReadoutCache(x, state, _NO_WINNER)

    def backward(self, cache: ReadoutCache, dpooled: Array) -> tuple[Array | None, State | None]:
        H = cache.state[0].shape[1]
        directions = dpooled.shape[1] // H
        per_direction = len(cache.state) // directions
        dstate = [np.zeros_like(part) for part in cache.state]
        for d in range(directions):
            dstate[d * per_direction] = dpooled[:, d * H : (d + 1) * H]
        return None, tuple(dstate)


def _hidden_parts(state: State, width: int) -> list[Array]:
    """The h of each direction out of a last state, for outputs that are ``width`` wide."""
    directions = width // state[0].shape[1]
    return list(state[:: len(state) // directions])


class Mean:
    """The mean over a sequence's timesteps."""

    def forward(self, y: Array, x: PackedSequence, state: State) -> tuple[Array, ReadoutCache]:
        total = np.zeros((len(x.order), y.shape[1]), y.dtype)
        for start, n in x.steps:
            total[:n] += y[start : start + n]
        total /= x.lengths[:, None].astype(y.dtype)
        return total, ReadoutCache(x, state, _NO_WINNER)

    def backward(self, cache: ReadoutCache, dpooled: Array) -> tuple[Array | None, State | None]:
        x = cache.x
        share = dpooled / x.lengths[:, None].astype(dpooled.dtype)
        return share[x.sequence_of_row], None


class Max:
    """The maximum of each unit over a sequence's timesteps; the first of equal ones gets the gradient."""

    def forward(self, y: Array, x: PackedSequence, state: State) -> tuple[Array, ReadoutCache]:
        best = y[: len(x.order)].copy()
        winner = np.zeros(best.shape, np.int64)
        t = 0
        for start, n, steps in x.stretches:
            stretch = y[start : start + n * steps].reshape(steps, n, y.shape[1])
            top = stretch.max(axis=0)
            better = top > best[:n]
            np.copyto(best[:n], top, where=better)
            # The first step that has the maximum: of those that have it, the one with most steps to go.
            to_go = np.arange(steps, 0, -1, dtype=np.int32)[:, None, None]
            np.copyto(winner[:n], t + steps - ((stretch == top) * to_go).max(axis=0), where=better)
            t += steps
        return best, ReadoutCache(x, state, winner)

    def backward(self, cache: ReadoutCache, dpooled: Array) -> tuple[Array | None, State | None]:
        x, winner = cache.x, cache.winner
        dy = np.zeros((int(x.offsets[-1]), dpooled.shape[1]), dpooled.dtype)
        rows = x.offsets[winner] + np.arange(len(winner))[:, None]
        dy[rows, np.arange(dpooled.shape[1])] = dpooled
        return dy, None


READOUTS: dict[str, Readout] = {"last": Last(), "mean": Mean(), "max": Max()}
