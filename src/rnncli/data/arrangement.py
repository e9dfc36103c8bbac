"""Which rows of a data set are for training, for validation and for testing, where the user has said so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rnncli.data.tables.parts import PART_VALUES, Part, part_of

__all__ = ["PART_VALUES", "Arrangement", "Part", "part_of"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Arrangement:
    """What each row of a data set is for.

    Attributes:
        parts: (rows,) the :class:`Part` of each.
        groups: (rows,) the number of each row's group, all rows of which stay on one side; None where rows stand alone.
        grouped_by: the column of the groups.
        folds: into how many parts the rows for training are divided, of which number ``fold`` is for testing; 0 for no
            such division.
        tested: whether the rows for testing are looked at in place of those for validation.
    """

    parts: npt.NDArray[np.int8]
    groups: Rows | None = None
    grouped_by: str = ""
    folds: int = 0
    fold: int = 0
    tested: bool = False

    @classmethod
    def of_counts(cls, training: int, validation: int, test: int) -> Arrangement:
        """Of so many rows of each part, one part after the other."""
        return cls(np.repeat(np.array(list(Part), np.int8), [training, validation, test]))

    def rows(self, part: Part) -> Rows:
        """The numbers of the rows of a part, ascending."""
        return np.flatnonzero(self.parts == part)

    def take(self, rows: Sequence[int] | Rows) -> Arrangement:
        """That of these rows, in their order."""
        chosen = np.asarray(rows, np.int64)
        groups = None if self.groups is None else self.groups[chosen]
        return replace(self, parts=self.parts[chosen], groups=groups)

    @property
    def has_test(self) -> bool:
        """Whether some rows are for testing."""
        return self.folds > 0 or bool((self.parts == Part.TEST).any())

    def testing(self) -> Arrangement:
        """The same, where the rows for testing are looked at in place of those for validation."""
        return replace(self, tested=True)
