"""Where each token of a batch stands: a batch of 6,400 tokens has some 2,000 different ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnncli.core.packed import Array

# A token that occurs more often than this is added up by itself.
OFTEN = 16


@dataclass(frozen=True, eq=False)
class Occurrences:
    """The distinct ids among (S,) ids, and the places of each.

    Args:
        rows: (U,) the distinct ids, ascending.
        inverse: (S,) which of them stands at each place.
        order: (S,) the places, those of the first id first.
        counts: (U,) how often each occurs.
    """

    rows: Array
    inverse: Array
    order: Array
    counts: Array

    @classmethod
    def of(cls, ids: Array) -> Occurrences:
        # NumPy sorts 16-bit integers by counting, eight times as fast as wider ones.
        keys = ids.astype(np.uint16) if len(ids) and ids.max() < 2**16 else ids
        order = np.argsort(keys, kind="stable")
        sorted_ids = ids[order]
        first = np.concatenate(([True], sorted_ids[1:] != sorted_ids[:-1]))
        counts = np.diff(np.append(np.flatnonzero(first), len(ids)))
        inverse = np.empty(len(ids), np.intp)
        inverse[order] = np.cumsum(first) - 1
        return cls(sorted_ids[first], inverse, order, counts)

    def permuted(self, own_inverse: Array) -> Occurrences:
        """The same for ``ids[own_inverse]``, a permutation that undoes itself."""
        return Occurrences(self.rows, self.inverse[own_inverse], own_inverse[self.order], self.counts)

    @cached_property
    def _by_count(self) -> tuple[Array, Array, Array]:
        """The distinct ids, the commonest first; where the places of each begin in ``order``; how often each occurs."""
        commonest = np.argsort(-self.counts, kind="stable")
        starts = np.cumsum(self.counts) - self.counts
        return commonest, starts[commonest], self.counts[commonest]

    def sums(self, values: Array) -> Array:
        """(…, U, K) the (…, S, K) values added up over the places of each id.

        All second occurrences are added at once, then all third ones, and so on: with the commonest ids first these
        are ever shorter beginnings of one array. (``np.add.reduceat`` does the same and takes five times as long.)
        """
        commonest, starts, counts = self._by_count
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
        result = np.empty_like(summed)
        result[..., commonest, :] = summed
        return result


@dataclass(frozen=True, eq=False)
class Lookup:
    """Rows of a table in the places of a packed batch, (S, E) in all, not yet gathered.

    What is linear in a row (a product with a weight) is done for the U rows of the table instead of all S places; and
    a gradient with respect to a lookup is one with respect to its table, (U, E).
    """

    table: Array
    places: Occurrences

    def __len__(self) -> int:
        return len(self.places.inverse)

    def permuted(self, own_inverse: Array) -> Lookup:
        return Lookup(self.table, self.places.permuted(own_inverse))

    def gathered(self) -> Array:
        """(S, E)."""
        return np.asarray(self.table.take(self.places.inverse, axis=0))
