"""Encoded rows of a data set, of which a training takes some at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.ragged import rows_of
from rnncli.data.splits import batches


@dataclass(frozen=True, eq=False)
class EncodedRows(ABC):
    """Encoded rows of a data set.

    Attributes:
        by_row: fields with an entry for each row; the others are shared by all.
    """

    by_row: ClassVar[tuple[str, ...]]

    @property
    @abstractmethod
    def size(self) -> int:
        """How many rows there are."""

    def __len__(self) -> int:
        return self.size

    @property
    @abstractmethod
    def lengths(self) -> Array:
        """(rows,) timesteps of each."""

    @property
    def weight(self) -> float:
        """How much all of them count together in a loss."""
        return float(self.lengths.sum())

    def take(self, rows: Array) -> Self:
        """These rows alone, in their order."""
        taken = {name: getattr(self, name) for name in self.by_row}
        return replace(
            self, **{name: of[rows] if isinstance(of, np.ndarray) else rows_of(of, rows) for name, of in taken.items()}
        )

    def batches(self, size: int, seed: int, epoch: int) -> list[Array]:
        """The rows of each step of an epoch: a function of ``(seed, epoch)`` alone."""
        return batches(self.lengths, size, seed, epoch)
