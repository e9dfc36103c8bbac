"""Sequences of different lengths in one array: a few bytes each, where an array of its own takes over a hundred."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_AT_A_TIME = 1 << 16  # sequences that are joined at a time, so that their indices take little memory


@dataclass(frozen=True, eq=False)
class Ragged(Sequence[Array]):
    """N sequences as views into one array, which several may share.

    Args:
        flat: (S, ...) the timesteps of all.
        starts: (N,) where each sequence begins.
        lengths: (N,) how many timesteps it has.
    """

    flat: Array
    starts: Array
    lengths: Array

    @classmethod
    def of(cls, flat: Array, lengths: Array) -> Ragged:
        """From sequences that follow each other."""
        starts = np.cumsum(lengths, dtype=np.int64)
        starts -= lengths
        return cls(flat, starts, lengths)

    def __len__(self) -> int:
        return len(self.starts)

    def __eq__(self, other: object) -> bool:
        """Whether the sequences equal those of a list, or of another one."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(np.array_equal, self, other))

    __hash__ = None  # type: ignore[assignment]

    @overload
    def __getitem__(self, row: int) -> Array: ...
    @overload
    def __getitem__(self, row: slice) -> Ragged: ...
    def __getitem__(self, row: int | slice) -> Array | Ragged:
        if isinstance(row, slice):
            return Ragged(self.flat, self.starts[row], self.lengths[row])
        start = int(self.starts[row])
        return self.flat[start : start + int(self.lengths[row])]

    def __iter__(self) -> Iterator[Array]:
        for first in range(0, len(self), _AT_A_TIME):
            part = self[first : first + _AT_A_TIME]
            for start, length in zip(part.starts.tolist(), part.lengths.tolist(), strict=True):
                yield self.flat[start : start + length]

    def take(self, rows: Array) -> Ragged:
        """The sequences of these rows, in their order."""
        return Ragged(self.flat, self.starts[rows], self.lengths[rows])

    def joined(self) -> Array:
        """(S', ...) the timesteps of all sequences, one sequence after the other."""
        total = int(self.lengths.sum(dtype=np.int64))
        made = np.empty((total, *self.flat.shape[1:]), self.flat.dtype)
        done = 0
        for first in range(0, len(self), _AT_A_TIME):
            part = self[first : first + _AT_A_TIME]
            count = int(part.lengths.sum(dtype=np.int64))
            shift = part.starts - (np.cumsum(part.lengths, dtype=np.int64) - part.lengths)
            made[done : done + count] = self.flat[np.repeat(shift, part.lengths) + np.arange(count)]
            done += count
        return made

    def with_flat(self, flat: Array) -> Ragged:
        """The same sequences with other values: ``flat`` is (S, ...)."""
        return Ragged(flat, self.starts, self.lengths)

    def without_middles(self, limit: int, head: int) -> Ragged:
        """Of each sequence of more than ``limit`` timesteps the first ``head`` and the last ``limit - head``."""
        longer = self.lengths > limit
        if not longer.any():
            return self
        # As twice as many sequences, heads and tails, which joined are the shorter ones.
        heads = np.where(longer, head, self.lengths)
        tails = np.where(longer, limit - head, 0)
        starts = np.stack((self.starts, self.starts + self.lengths - tails), axis=1).reshape(-1)
        halves = Ragged(self.flat, starts, np.stack((heads, tails), axis=1).reshape(-1))
        return Ragged.of(halves.joined(), heads + tails)


def lengths_of(sequences: Sequence[Array]) -> npt.NDArray[np.int64]:
    """(N,) timesteps of each."""
    if isinstance(sequences, Ragged):
        return np.asarray(sequences.lengths, np.int64)
    return np.array([len(sequence) for sequence in sequences], np.int64)


def rows_of(sequences: Sequence[Array] | Array, rows: Array) -> Any:
    """The sequences of these rows, in their order: as a list, an array or ragged, as they are given."""
    if isinstance(sequences, np.ndarray):
        return sequences[rows]
    return sequences.take(rows) if isinstance(sequences, Ragged) else [sequences[row] for row in rows.tolist()]


def joined(sequences: Sequence[Array]) -> Array:
    """(S, ...) the timesteps of all sequences, one sequence after the other."""
    return sequences.joined() if isinstance(sequences, Ragged) else np.concatenate(sequences)
