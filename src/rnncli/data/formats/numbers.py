"""How a number is read from data, be it in a table's cell, a JSON list or a file of vectors.

Every number becomes a float64. One without a finite float64, like ``1e400`` or a whole number of 400 digits, is
refused by its reader, with its place. Reading takes time in proportion to the text's length: the patterns do not
backtrack, and no text becomes a Python integer before it is known to have few digits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_WHOLE = re.compile(r"\s*+[+-]?+\d++\s*+\Z")
_NUMBER = re.compile(r"\s*+[+-]?+(?:\d++\.?+\d*+|\.\d++)(?:[eE][+-]?+\d++)?+\s*+\Z")

_EXACT = 2.0**53  # up to here a float64 holds every whole number
_LONGEST = 2000  # characters of a number: the longest float64 has some 1,080, and no program writes more


def is_number(value: str) -> bool:
    """Whether a value is written as a number; ``nan``, ``1_000`` and ``0x10`` are not, ``1e400`` is."""
    return _NUMBER.match(value) is not None


def is_whole_number(value: str) -> bool:
    """Whether a value is written as a whole number."""
    return _WHOLE.match(value) is not None


def finite_number(value: str) -> float | None:
    """The number of a value; None if it is not written as a number, is absurdly long, or has no finite float64."""
    if len(value) > _LONGEST:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    # Python also reads nan, inf and 1_000, which is_number does not.
    return number if math.isfinite(number) and "_" not in value else None


def exact_number(value: str) -> int | float:
    """The number of a value that has a :func:`finite_number`; a whole number keeps all its digits."""
    return int(value) if is_whole_number(value) else float(value)


def as_json(number: float) -> float:
    """The number as JSON lines have it: 3 and not 3.0."""
    return int(number) if abs(number) < _EXACT and number % 1 == 0 else number


def first_not_finite(numbers: npt.NDArray[Any]) -> tuple[int, ...] | None:
    """The index of the first number that is not finite; None if all are."""
    wrong = np.argwhere(~np.isfinite(numbers))
    return tuple(wrong[0].tolist()) if len(wrong) else None


def finite_vector(values: Sequence[str]) -> Floats | None:
    """(n,) the numbers of the values; None if one of them is not a finite number."""
    numbers = [finite_number(value) for value in values]
    return None if None in numbers else np.array(numbers, np.float64)
