"""The one way in which a number is read from data, wherever it stands: a table's cell, a JSON list, a file of vectors.

Every number becomes a float64. What has no finite one, like ``1e400`` or a whole number of 400 digits, is no number
to compute with, and whoever reads it says where it stands. No text takes longer than its length: the patterns give
back nothing that they have taken, and no text becomes a Python integer before it is known to be of few digits.
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

# Up to here a float64 holds every whole number.
_EXACT = 2.0**53

# Characters of a number: the longest float64 has some 1,080, written out, and what is longer no program has written.
_LONGEST = 2000


def is_number(value: str) -> bool:
    """Whether a value is written as a number; ``nan``, ``1_000`` and ``0x10`` are not, ``1e400`` is."""
    return _NUMBER.match(value) is not None


def is_whole_number(value: str) -> bool:
    """Whether a value is written as a whole number."""
    return _WHOLE.match(value) is not None


def finite_number(value: str) -> float | None:
    """What a value stands for; None if it is not written as a number, is absurdly long, or has no finite float64."""
    if len(value) > _LONGEST:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    # Beside what is_number takes, Python reads nan, inf and 1_000.
    return number if math.isfinite(number) and "_" not in value else None


def exact_number(value: str) -> int | float:
    """What a value that has a :func:`finite_number` stands for; a whole number keeps all its digits."""
    return int(value) if is_whole_number(value) else float(value)


def as_json(number: float) -> float:
    """The number as JSON lines write it: 3 and not 3.0."""
    return int(number) if abs(number) < _EXACT and number % 1 == 0 else number


def first_not_finite(numbers: npt.NDArray[Any]) -> tuple[int, ...] | None:
    """Where the first number stands that is not finite; None if all are."""
    finite = np.isfinite(numbers)
    if finite.all():
        return None
    return tuple(int(at) for at in np.unravel_index(int(finite.argmin()), numbers.shape))


def finite_vector(values: Sequence[str]) -> Floats | None:
    """(n,) what the values stand for; None if one of them is no finite number."""
    numbers = [finite_number(value) for value in values]
    return None if None in numbers else np.array(numbers, np.float64)
