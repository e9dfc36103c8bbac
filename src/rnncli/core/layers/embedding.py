"""A learned row of numbers for each token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnncli.core import backward_trace
from rnncli.core.gradients import Gradient, RowGradient
from rnncli.core.initializers import normal
from rnncli.core.packed import Array, DistinctTokens, Lookup, PackedSequence, Params


class EmbeddingCache(NamedTuple):
    """The distinct ids, whether their rows were gathered for every step, and the parameters."""

    distinct: DistinctTokens
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

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.vocabulary_size, self.size)}

    def forward(self, params: Params, x: PackedSequence, gather: bool = False) -> tuple[PackedSequence, EmbeddingCache]:
        """The rows of the ids: numbers (S, E) if ``gather``, else a :class:`Lookup` of the distinct ones."""
        whole, distinct = params["weight"], x.distinct_tokens
        rows = Lookup(whole.take(distinct.rows, axis=0), distinct, whole)
        return x.with_data(rows.gathered() if gather else rows), EmbeddingCache(distinct, gather, params)

    def backward(self, cache: EmbeddingCache, dy: Array) -> dict[str, Gradient]:
        """From dy, the gradient of the output of :meth:`forward`: (S, E) if gathered, else (U, E)."""
        distinct, gathered, params = cache
        values = distinct.sums(dy) if gathered else dy
        if backward_trace.is_recording():
            read = {"weight": (distinct.rows[distinct.inverse], slice(None))}
            backward_trace.record(self, params, cache, dy if gathered else None, looked_up=read, distinct=distinct)
        return {"weight": RowGradient(distinct.rows, values, (self.vocabulary_size, self.size))}
