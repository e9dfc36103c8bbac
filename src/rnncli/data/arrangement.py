"""Which rows of a data set are for training, for validation and for testing, where the user has said so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]


class Part(IntEnum):
    """What a row is for. Rows for training give a share to validation where no row is for validation."""

    TRAINING = 0
    VALIDATION = 1
    TEST = 2


# The values of a column that says what each row is for, without regard to case.
_VALUES = {
    Part.TRAINING: ("0", "train", "training"),
    Part.VALIDATION: ("1", "valid", "val", "validation", "dev"),
    Part.TEST: ("2", "test", "testing"),
}
_PART_OF = {value: part for part, values in _VALUES.items() for value in values}
PART_VALUES = "0, 1, 2, or train, valid (val, validation, dev) and test"


def part_of(value: str) -> Part | None:
    """What a row with this value in the column of the split is for; None where the value means nothing."""
    return _PART_OF.get(value.strip().lower().removesuffix(".0"))


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
