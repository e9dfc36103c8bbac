"""The layers around the cells: embedding, dropout, linear, both directions, a stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnncli.core import watch
from rnncli.core.gradients import Gradient, RowGradient
from rnncli.core.initializers import glorot_uniform, normal
from rnncli.core.occurrences import Lookup, Occurrences
from rnncli.core.packed import Array, PackedSequence
from rnncli.core.recurrence import Cell, Params, State
from rnncli.core.threads import side_by_side


class EmbeddingCache(NamedTuple):
    """Where the ids stand, whether their rows were gathered to every place, and the parameters they are rows of."""

    places: Occurrences
    gathered: bool
    params: Params


@dataclass(frozen=True)
class Embedding:
    """A learned row of numbers for each token: ids (S,) → (S, E).

    The same as one-hot times a (V, E) matrix, without ever making the one-hot.

    Args:
        vocabulary_size: V.
        size: E.
        scale: standard deviation of the initial rows. Small ones let the recurrent layer learn before the table has
            memorised the rare words.
    """

    vocabulary_size: int
    size: int
    scale: float = 0.1

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params:
        return {"weight": normal(rng, (self.vocabulary_size, self.size), self.scale, dtype)}

    def forward(self, params: Params, x: PackedSequence, gather: bool = False) -> tuple[PackedSequence, EmbeddingCache]:
        """The rows of the ids: numbers (S, E) if ``gather``, else a :class:`Lookup` of the distinct ones."""
        rows = Lookup(params["weight"].take(x.occurrences.rows, axis=0), x.occurrences)
        return x.with_data(rows.gathered() if gather else rows), EmbeddingCache(x.occurrences, gather, params)

    def backward(self, cache: EmbeddingCache, dy: Array) -> dict[str, Gradient]:
        """From the gradient of what :meth:`forward` gave: (S, E) if gathered, else (U, E)."""
        places, gathered, params = cache
        values = places.sums(dy) if gathered else dy
        if watch.anybody():
            read = {"weight": (places.rows[places.inverse], slice(None))}
            watch.tell(self, params, cache, dy if gathered else None, looked_up=read, places=places)
        return {"weight": RowGradient(places.rows, values, (self.vocabulary_size, self.size))}


@dataclass(frozen=True)
class Linear:
    """y = x·W + b: (N, D) → (N, K)."""

    input_size: int
    output_size: int
    bias: bool = True

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params:
        params = {"weight": glorot_uniform(rng, self.input_size, self.output_size, 1, dtype)}
        if self.bias:
            params["bias"] = np.zeros(self.output_size, dtype)
        return params

    def forward(self, params: Params, x: Array) -> tuple[Array, Array]:
        y = x @ params["weight"]
        return (y + params["bias"] if self.bias else y), x

    def backward(self, params: Params, cache: Array, dy: Array) -> tuple[Array, dict[str, Gradient]]:
        grads: dict[str, Gradient] = {"weight": cache.T @ dy}
        if self.bias:
            grads["bias"] = dy.sum(axis=0)
        watch.tell(self, params, cache, dy)
        return dy @ params["weight"].T, grads


def dropout(x: Array, rate: float, rng: np.random.Generator | None) -> tuple[Array, Array | None]:
    """Zeroes a share ``rate`` of the numbers and scales up the others to keep the mean (Srivastava et al. 2014).

    With ``rng`` None (prediction) or rate 0 the input comes back as it is, with None for a mask. One random byte
    decides each number, so the rate is met to the nearest 1/256; the scale uses the rate that is really applied.

    Returns:
        The new values and the mask: multiply the gradient by it on the way back.
    """
    if rng is None or rate == 0:
        return x, None
    threshold = min(255, max(1, round(rate * 256)))
    random = np.frombuffer(rng.bytes(x.size), np.uint8).reshape(x.shape)
    mask = (random >= threshold).astype(x.dtype)
    mask *= np.asarray(256 / (256 - threshold), x.dtype)
    return x * mask, mask


class BidirectionalCache(NamedTuple):
    """The caches of the two directions; the backward one ran on the reversed sequences."""

    forward: Any
    backward: Any
    reversal: Array


@dataclass(frozen=True)
class Bidirectional:
    """One cell reads from the front, another one from the back; y_t = [→h_t, ←h_t] (Schuster & Paliwal 1997).

    Args:
        cell: the sizes of either direction; each has weights of its own.
    """

    cell: Cell

    @property
    def output_size(self) -> int:
        return 2 * self.cell.hidden_size

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params:
        return {"forward": self.cell.init(rng, dtype), "backward": self.cell.init(rng, dtype)}

    def forward(
        self, params: Params, x: PackedSequence, state: State | None = None, keep: bool = True
    ) -> tuple[Array, State, BidirectionalCache]:
        """y (S, 2H) and the states of the forward, then of the backward direction."""
        k, H = self.cell.state_count, self.cell.hidden_size
        reversal = x.reversal
        y = np.empty((len(x.data), 2 * H), params["forward"]["weight_hh"].dtype)

        def read_forwards() -> tuple[State, Any]:
            y[:, :H], last, kept = self.cell.forward(params["forward"], x, state[:k] if state else None, keep)
            return last, kept

        def read_backwards() -> tuple[State, Any]:
            h, last, kept = self.cell.forward(params["backward"], x.reversed(), state[k:] if state else None, keep)
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
            return self.cell.backward(params["forward"], cache.forward, dy_half, dstate[:k] if dstate else None)

        def of_backwards() -> tuple[Array | None, State, dict[str, Any]]:
            dy_half = None if dy is None else dy[:, H:][reversal]
            dx, dstate_0, grads = self.cell.backward(
                params["backward"], cache.backward, dy_half, dstate[k:] if dstate else None
            )
            # The gradient of a table knows no places, and has none to turn round.
            by_place = dx is not None and isinstance(cache.backward.x.data, np.ndarray)
            return (dx[reversal] if dx is not None and by_place else dx), dstate_0, grads

        of_both = side_by_side(of_forwards, of_backwards)
        (dx, dstate_forward, grads_forward), (dx_backward, dstate_backward, grads_backward) = of_both
        if dx is not None and dx_backward is not None:
            dx += dx_backward
        return dx, dstate_forward + dstate_backward, {"forward": grads_forward, "backward": grads_backward}


@dataclass(frozen=True)
class OneDirection:
    """A cell alone, with the face that :class:`Bidirectional` has."""

    cell: Cell

    @property
    def output_size(self) -> int:
        return self.cell.hidden_size

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params:
        return {"forward": self.cell.init(rng, dtype)}

    def forward(
        self, params: Params, x: PackedSequence, state: State | None = None, keep: bool = True
    ) -> tuple[Array, State, Any]:
        return self.cell.forward(params["forward"], x, state, keep)

    def backward(
        self, params: Params, cache: Any, dy: Array | None, dstate: State | None = None
    ) -> tuple[Array | None, State, dict[str, Any]]:
        dx, dstate_0, grads = self.cell.backward(params["forward"], cache, dy, dstate)
        return dx, dstate_0, {"forward": grads}


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
        return {str(k): layer.init(rng, dtype) for k, layer in enumerate(self.layers)}

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
            below = x.with_data(y, learned=k > 0 or x.learned)
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
