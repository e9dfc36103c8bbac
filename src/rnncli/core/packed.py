"""A batch of sequences of different lengths, without padding.

Letters used in all of ``core``: ``T`` timesteps of the longest sequence, ``N`` sequences, ``S`` real timesteps of
all sequences together, ``D`` input features, ``E`` embedding size, ``H`` hidden units, ``V`` vocabulary size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.core.engine import rows as compiled_rows

Array = npt.NDArray[Any]
Params = dict[str, Any]  # name → array, or name → Params
State = tuple[Array, ...]  # of a recurrent layer: (N, H) each

# The values of a token that occurs more often than this are added up by themselves.
OFTEN = 16
# NumPy's own reduceat adds up rows of fewer numbers than this.
NARROW = 32


@dataclass(frozen=True, eq=False)
class PackedSequence:
    """Sequences sorted longest first and stored time-major, real steps only.

    Step ``t`` owns the rows ``offsets[t] : offsets[t] + batch_sizes[t]``; its row ``offsets[t] + n`` belongs to
    the n-th longest sequence. A loop over time that touches only the first ``batch_sizes[t]`` states leaves every
    sequence with its own last state, with no mask and no gathering. (The layout that PyTorch also calls
    ``PackedSequence``.)

    Args:
        data: (S,) token ids, (S, D) numbers, or a :class:`Lookup` of (S, D) numbers.
        batch_sizes: (T,) how many sequences are still running at each step; never increasing.
        order: (N,) position in the caller's batch of the n-th longest sequence.
        learned: whether a backward pass has to give the gradient of the data; that of numbers from a file is not
            needed.
    """

    data: Any
    batch_sizes: Array
    order: Array
    learned: bool = True

    @classmethod
    def pack(cls, sequences: Sequence[Array], learned: bool = True) -> PackedSequence:
        """Packs N arrays of shape (T_n,) or (T_n, D).

        Raises:
            ValueError: there is no sequence, or one of them is empty.
        """
        lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
        if lengths.size == 0 or lengths.min() == 0:
            raise ValueError("cannot pack an empty batch or an empty sequence")
        if lengths.min() == lengths.max():  # the same, with fewer steps
            N, T = len(sequences), int(lengths[0])
            joined = np.concatenate(sequences)
            by_step = joined.reshape(N, T, *joined.shape[1:]).swapaxes(0, 1).reshape(joined.shape)
            return cls(by_step, np.full(T, N), np.arange(N), learned)
        order = np.argsort(-lengths, kind="stable")
        lengths = lengths[order]
        batch_sizes = np.searchsorted(-lengths, -np.arange(lengths[0]), side="left")
        joined = np.concatenate([sequences[n] for n in order])
        # In `joined`, sequence n starts at starts[n]; its step t goes to row offsets[t] + n.
        starts = np.cumsum(lengths) - lengths
        sequence_of_row = _running_index(batch_sizes)
        step_of_row = np.repeat(np.arange(len(batch_sizes)), batch_sizes)
        return cls(joined[starts[sequence_of_row] + step_of_row], batch_sizes, order, learned)

    def with_data(self, data: Any, learned: bool = True) -> PackedSequence:
        """The same sequences with other values: ``data`` is (S, ...)."""
        packed = PackedSequence(data, self.batch_sizes, self.order, learned)
        # What depends on the lengths alone is computed once for all layers of a stack.
        for name in ("offsets", "lengths", "sequence_of_row", "reversal", "steps", "stretches"):
            if name in self.__dict__:
                packed.__dict__[name] = self.__dict__[name]
        return packed

    @cached_property
    def offsets(self) -> Array:
        """(T + 1,) first row of each step; the last entry is S."""
        return np.concatenate(([0], np.cumsum(self.batch_sizes)))

    @cached_property
    def lengths(self) -> Array:
        """(N,) timesteps of each sequence, longest first."""
        steps = np.arange(len(self.batch_sizes) + 1)
        ending = -np.diff(np.append(self.batch_sizes, 0))  # how many sequences end after each step
        return np.asarray(np.repeat(steps[1:], ending)[::-1])

    @cached_property
    def sequence_of_row(self) -> Array:
        """(S,) which sequence, in packed order, each row belongs to."""
        return _running_index(self.batch_sizes)

    @cached_property
    def reversal(self) -> Array:
        """(S,) the permutation of rows that turns every sequence back to front; it is its own inverse."""
        step_of_row = np.repeat(np.arange(len(self.batch_sizes)), self.batch_sizes)
        mirrored = self.lengths[self.sequence_of_row] - 1 - step_of_row
        return np.asarray(self.offsets[mirrored] + self.sequence_of_row)

    @property
    def looks_up(self) -> bool:
        """Whether each row stands for one of a table: that of a :class:`Lookup`, or of W_i where ``data`` are ids."""
        return isinstance(self.data, Lookup) or self.data.ndim == 1

    @cached_property
    def distinct_tokens(self) -> DistinctTokens:
        """The distinct rows that are looked up."""
        return self.data.distinct if isinstance(self.data, Lookup) else DistinctTokens.of(self.data)

    def reversed(self) -> PackedSequence:
        """Every sequence back to front."""
        data = self.data[self.reversal] if isinstance(self.data, np.ndarray) else self.data.permuted(self.reversal)
        return self.with_data(data, self.learned)

    @cached_property
    def steps(self) -> list[tuple[int, int]]:
        """For each step its first row and the number of running sequences, as Python integers."""
        return list(zip(self.offsets[:-1].tolist(), self.batch_sizes.tolist(), strict=True))

    @cached_property
    def stretches(self) -> list[tuple[int, int, int]]:
        """Time in stretches of steps that have the same running sequences: (first row, running sequences, steps)."""
        changes = np.flatnonzero(np.diff(self.batch_sizes)) + 1
        begins = np.concatenate(([0], changes))
        counts = np.diff(np.append(begins, len(self.batch_sizes)))
        return list(zip(self.offsets[begins].tolist(), self.batch_sizes[begins].tolist(), counts.tolist(), strict=True))

    def unpack(self) -> list[Array]:
        """The N sequences in the caller's order, each (T_n, ...)."""
        result: list[Array] = [self.data[:0]] * len(self.order)
        for n, length in enumerate(self.lengths.tolist()):
            result[int(self.order[n])] = self.data[self.offsets[:length] + n]
        return result

    @property
    def last_rows(self) -> Array:
        """(N,) the row of each sequence's last step, in packed order."""
        return np.asarray(self.offsets[self.lengths - 1] + np.arange(len(self.lengths)))

    def to_caller_order(self, values: Array) -> Array:
        """(N, ...) values of the sequences in packed order, put back into the caller's order."""
        result = np.empty_like(values)
        result[self.order] = values
        return result


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
        found = compiled_rows.distinct(ids)
        if found is not None:
            return cls(*found)
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

        All second occurrences are added at once, then all third ones, and so on: as the commonest ids come first, each
        addition is to a shorter prefix of the array. (``np.add.reduceat`` does the same; for wide rows it takes five
        times as long.)
        """
        compiled = compiled_rows.sums(values, self.order, self.counts)
        if compiled is not None:
            return compiled
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

    A product with a weight takes the U rows of the table instead of all S; and the gradient of a lookup is that of its
    table, (U, E).

    Args:
        table: (U, E) of the distinct ids.
        whole: (V, E) that its rows are copies of; None where they were changed.
    """

    table: Array
    distinct: DistinctTokens
    whole: Array | None = None

    def __len__(self) -> int:
        return len(self.distinct.inverse)

    def permuted(self, own_inverse: Array) -> Lookup:
        return Lookup(self.table, self.distinct.permuted(own_inverse), self.whole)

    def gathered(self) -> Array:
        """(S, E)."""
        return np.asarray(self.table.take(self.distinct.inverse, axis=0))


def _running_index(counts: Array) -> Array:
    """0 … c−1 for every count c, one after the other: [3, 2] gives [0, 1, 2, 0, 1]."""
    ends = np.cumsum(counts)
    return np.asarray(np.arange(ends[-1]) - np.repeat(ends - counts, counts))


def _order(keys: Array) -> Array:
    """Sorts non-negative integers, stably. NumPy sorts 16-bit ones by counting, eight times as fast as wider ones."""
    narrow = len(keys) > 0 and keys.max() < 2**16
    return np.argsort(keys.astype(np.uint16) if narrow else keys, kind="stable")
