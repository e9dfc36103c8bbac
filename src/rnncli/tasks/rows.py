"""Encoded rows of a data set, of which a training takes some at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from rnncli.core.packed import Array
from rnncli.data.records.ragged import lengths_of, rows_of
from rnncli.data.splits import batches


@dataclass(frozen=True, eq=False)
class EncodedRows:
    """Encoded rows of a data set.

    Attributes:
        by_row: fields with an entry for each row, or None, the sequences first; the others are shared by all rows.
    """

    by_row: ClassVar[tuple[str, ...]]

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(getattr(self, self.by_row[0]))

    def __len__(self) -> int:
        return self.size

    @property
    def lengths(self) -> Array:
        """(rows,) timesteps of each."""
        return lengths_of(getattr(self, self.by_row[0]))

    @property
    def weight(self) -> float:
        """How much all of them count together in a loss."""
        return float(self.lengths.sum())

    def take(self, rows: Array) -> Self:
        """These rows alone, in their order."""
        taken: dict[str, Any] = {}
        for name in self.by_row:
            if (of := getattr(self, name)) is not None:
                taken[name] = rows_of(of, rows)
        return type(self)(**(vars(self) | taken))  # like dataclasses.replace, in a third of its time

    def batches(self, size: int, seed: int, epoch: int) -> list[Array]:
        """The rows of each step of an epoch: a function of ``(seed, epoch)`` alone."""
        return batches(self.lengths, size, seed, epoch)
