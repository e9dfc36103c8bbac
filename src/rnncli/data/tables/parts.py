"""What the values of a column say that tells rows for training, validation and testing apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import IntEnum

from rnncli.data.tables.column import Column
from rnncli.data.tables.names import names_split


class Part(IntEnum):
    """What a row is for. Rows for training give a share to validation where no row is for validation."""

    TRAINING = 0
    VALIDATION = 1
    TEST = 2


# The values of a column that says what each row is for, without regard to case.
_VALUES = {
    Part.TRAINING: ("0", "train", "training"),
    Part.VALIDATION: ("1", "valid", "val", "validation", "dev", "development", "publictest"),
    Part.TEST: ("2", "test", "testing", "privatetest"),  # Kaggle's public test rows are seen, the private ones are not
}
_PART_OF = {value: part for part, values in _VALUES.items() for value in values}
_MANY = 200  # rows, of which a file may have more
PART_VALUES = "0, 1, 2, or train, valid (val, validation, dev) and test"


def part_of(value: str) -> Part | None:
    """What a row with this value in the column of the split is for; None where the value means nothing."""
    return _PART_OF.get(re.sub(r"[\s_-]+", "", value).lower().removesuffix(".0"))


def split_among(columns: Iterable[Column]) -> Column | None:
    """The one column that is called a split, and whose values all say what their row is for; None if there is none."""
    found = [column for column in columns if names_split(column.name) and _tells_parts(column.values)]
    return found[0] if len(found) == 1 else None


def _tells_parts(values: Sequence[str]) -> bool:
    """Whether all values are those of parts, and some rows are for training and some are not.

    A file may be in order of its parts: the word ``train`` on all of the first rows says enough, and a number not.
    """
    parts = set(map(part_of, values))
    if None in parts or not parts:
        return False
    words = len(values) >= _MANY and not any(value.strip()[:1].isdigit() for value in values)
    return (Part.TRAINING in parts and len(parts) > 1) or words
