"""How a number is read from data, be it in a table's cell, a JSON list or a file of vectors.

Every number becomes a float64. One without a finite float64, like ``1e400`` or a whole number of 400 digits, is
refused by its reader, with its place. Reading takes time in proportion to the text's length: the patterns do not
backtrack, and no text becomes a Python integer before it is known to have few digits.

A number has a point before its decimals and nothing between its thousands. Tables that write ``1.234,5`` or
``1,234.5`` are brought to this form as they are read, by :func:`with_point`, so that nobody else needs to know.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from enum import Enum, auto
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_WHOLE = re.compile(r"\s*+[+-]?+\d++\s*+\Z")
_NUMBER = re.compile(r"\s*+[+-]?+(?:\d++\.?+\d*+|\.\d++)(?:[eE][+-]?+\d++)?+\s*+\Z")
# Numbers in other writings: with a comma before the decimals, and with one between thousands.
_SIGN, _END = r"\s*+[+-]?+", r"(?:[eE][+-]?+\d++)?+\s*+\Z"
_GROUPED = r"[1-9]\d{{0,2}}(?:[{}]\d{{3}})++"  # 1.234.567
_APART, _COMMAS_APART = ".'’\u00a0\u202f", ",'’"  # between thousands, where a comma is before the decimals or not
_COMMA = re.compile(
    rf"{_SIGN}(?:{_GROUPED.format(_APART)}(?!\d)(?:,\d++)?+|{_GROUPED.format(' ')},\d++|\d*+,\d++|\d++){_END}"
)
_THOUSANDS = re.compile(rf"{_SIGN}{_GROUPED.format(_COMMAS_APART)}(?:\.\d*+)?+{_END}")
_EITHER = re.compile(rf"{_SIGN}[1-9]\d{{0,2}}+[.,]\d{{3}}\s*+\Z")
_NOTHING_APART = str.maketrans("", "", f"{_APART} \t")
_NO_COMMAS_APART = str.maketrans("", "", _COMMAS_APART)

_EXACT = 2.0**53  # up to here a float64 holds every whole number
_LONGEST = 2000  # characters of a number: the longest float64 has some 1,080, and no program writes more


def is_number(value: str) -> bool:
    """Whether a value is written as a number; ``nan``, ``1_000`` and ``0x10`` are not, ``1e400`` is."""
    return _NUMBER.match(value) is not None


def is_whole_number(value: str) -> bool:
    """Whether a value is written as a whole number."""
    return _WHOLE.match(value) is not None


class Writing(Enum):
    """How the numbers of a column are written."""

    WHOLE = auto()  # without decimals, and nothing between thousands
    POINT = auto()  # 12.5
    COMMA = auto()  # 12,50 or 1.234,5
    THOUSANDS = auto()  # 1,234.5, a comma between thousands
    POINT_OR_THOUSANDS = auto()  # 1.234
    COMMA_OR_THOUSANDS = auto()  # 1,234


def writing_of(value: str) -> Writing | None:
    """How a number is written; None if it is no number, in no writing."""
    if len(value) > _LONGEST:
        return None
    if _EITHER.match(value):
        return Writing.COMMA_OR_THOUSANDS if "," in value else Writing.POINT_OR_THOUSANDS
    if _WHOLE.match(value):
        return Writing.WHOLE
    if _NUMBER.match(value):
        return Writing.POINT
    if _COMMA.match(value) and ("," in value or "." in value):
        return Writing.COMMA
    return Writing.THOUSANDS if _THOUSANDS.match(value) else None


def with_point(value: str, decimal: str) -> str:
    """A number with a point before its decimals and nothing between its thousands; what is no number as it is.

    Args:
        decimal: ``,`` if a comma is before the decimals of ``value``, ``.`` if it is between its thousands.
    """
    if decimal == ",":
        # 12.5 has no thousands, and is the number that it would be elsewhere.
        return value.translate(_NOTHING_APART).replace(",", ".") if _COMMA.match(value) else value
    return value.translate(_NO_COMMAS_APART) if _THOUSANDS.match(value) else value


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


def finite_numbers(values: Sequence[Any]) -> list[float] | None:
    """The numbers of several values, where each is a text that has a :func:`finite_number`, and their sum is finite."""
    try:
        text = "".join(values)
        numbers = list(map(float, values))
    except (TypeError, ValueError):
        return None
    return numbers if math.isfinite(sum(numbers)) and "_" not in text and len(text) <= _LONGEST else None


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
