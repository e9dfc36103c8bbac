"""Where each token of a batch stands: a batch of 6,400 tokens has some 2,000 different ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.core.packed import Array

# A token that occurs more often than this is added up by itself.
OFTEN = 16
# Rows of fewer numbers than this are added up by NumPy's own reduceat.
NARROW = 32


@dataclass(frozen=True, eq=False)
class DistinctTokens:
    """The distinct ids among (S,) ids, the commonest first, and the rows that have each.

    Args:
        rows: (U,) the distinct ids.
        inverse: (S,) which of them each row has.
        order: (S,) the rows, those that have the first id first.
        counts: (U,) how often each occurs, never increasing.
    """

    rows: Array
    inverse: Array
    order: Array
    counts: Array

    @classmethod
    def of(cls, ids: Array) -> DistinctTokens:
        ascending = _order(ids)
        sorted_ids = ids[ascending]
        first = np.concatenate(([True], sorted_ids[1:] != sorted_ids[:-1]))
        starts = np.flatnonzero(first)
        counts = np.diff(starts, append=len(ids))
        commonest = np.argsort(-counts, kind="stable")
        rank = np.empty_like(commonest)
        rank[commonest] = np.arange(len(commonest))
        inverse = np.empty(len(ids), np.intp)
        inverse[ascending] = np.repeat(rank, counts)
        return cls(sorted_ids[starts[commonest]], inverse, _order(inverse), counts[commonest])

    def permuted(self, own_inverse: Array) -> DistinctTokens:
        """The same for ``ids[own_inverse]``, a permutation that undoes itself."""
        return DistinctTokens(self.rows, self.inverse[own_inverse], own_inverse[self.order], self.counts)

    def sums(self, values: Array) -> Array:
        """(…, U, K) the (…, S, K) values added up over the rows that have each id.

        All second occurrences are added at once, then all third ones, and so on: with the commonest ids first these
        are ever shorter beginnings of one array. (``np.add.reduceat`` does the same; for wide rows it takes five times
        as long.)
        """
        counts = self.counts
        starts = np.cumsum(counts) - counts
        if values.shape[-1] < NARROW:
            return np.add.reduceat(values.take(self.order, axis=-2), starts, axis=-2)
        often = int(np.searchsorted(-counts, -OFTEN, side="left"))
        summed = np.empty((*values.shape[:-2], len(counts), values.shape[-1]), values.dtype)
        for k, (start, count) in enumerate(zip(starts[:often].tolist(), counts[:often].tolist(), strict=True)):
            own = values.take(self.order[start : start + count], axis=-2)
            np.add.reduce(own, axis=-2, out=summed[..., k, :])
        rest, first = summed[..., often:, :], starts[often:]
        rest[...] = values.take(self.order[first], axis=-2)
        reached = np.searchsorted(-counts[often:], -np.arange(OFTEN), side="left").tolist()
        for nth in range(1, OFTEN):
            there = reached[nth]  # how many occur more than nth times
            if there == 0:
                break
            rest[..., :there, :] += values.take(self.order[first[:there] + nth], axis=-2)
        return summed


@dataclass(frozen=True, eq=False)
class Lookup:
    """Rows of a table for a packed batch, (S, E) in all, not yet gathered.

    What is linear in a row (a product with a weight) is done for the U rows of the table instead of all S; and
    a gradient with respect to a lookup is one with respect to its table, (U, E).
    """

    table: Array
    distinct: DistinctTokens

    def __len__(self) -> int:
        return len(self.distinct.inverse)

    def permuted(self, own_inverse: Array) -> Lookup:
        return Lookup(self.table, self.distinct.permuted(own_inverse))

    def gathered(self) -> Array:
        """(S, E)."""
        return np.asarray(self.table.take(self.distinct.inverse, axis=0))


def _order(keys: Array) -> Array:
    """Sorts non-negative integers, stably. NumPy sorts 16-bit ones by counting, eight times as fast as wider ones."""
    narrow = len(keys) > 0 and keys.max() < 2**16
    return np.argsort(keys.astype(np.uint16) if narrow else keys, kind="stable")
