"""Values of a table's cells: a text, a number, words, numbers, or any other JSON.

A value keeps its type from the file to the network. A text in a cell of a CSV file or on the command line is parsed as
words or numbers here, once, if the model reads such.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.data.formats.missing import Gap, Missing, first_gap, interpolated, number_or_nan, without_end
from rnncli.data.formats.numbers import Floats, finite_number, first_not_finite
from rnncli.errors import counted, quoted

Numbers = npt.NDArray[np.number[Any]]
# Words are a tuple of texts; lists and dictionaries are those of JSON.
Value = str | int | float | tuple[str, ...] | Numbers | list[Any] | dict[str, Any]


class Null(str):
    """An empty text where JSON has null: a value that is missing, and may be so in a column that is not read."""

    __slots__ = ()


NULL = Null()


class Boolean(str):
    """``true`` or ``false`` where JSON has it without quotes: a text, but for who writes it again."""

    __slots__ = ()


TRUE, FALSE = Boolean("true"), Boolean("false")

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
# A whole number becomes a float at once: Python's own conversion fails above 4,300 digits, NumPy's above 308.
_DECODER = json.JSONDecoder(parse_int=float)
_LONGEST_LIST = 100_000  # characters of a list that is not JSON
_TEXT = r"""(?:'(?:[^'\\\n]|\\.)*+'|"(?:[^"\\\n]|\\.)*+")"""
_IN_QUOTES = re.compile(_TEXT)
_QUOTED = re.compile(rf"{_TEXT}(?:(?:\s*,\s*|\s+){_TEXT})*+,?")
_OF_TYPE = re.compile(
    r"(?:np\.|numpy\.|torch\.)?(?:array|tensor|Series)\(\s*(\[[^\[\]]*\])(?:,\s*dtype=[\w.]+)?\s*\)", re.DOTALL
)
_WHOLE_NUMBERS = re.compile(r"-?\d{1,15}(?:\s+-?\d{1,15})++")


def as_text(value: Value) -> str:
    """A value as it is shown: a text as it is, other values as JSON.

    Raises:
        ValueError: it holds a number that is not finite.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, np.ndarray):
        missing = np.isnan(value)
        if missing.any():
            made = value.astype(object)
            made[missing] = None
            value = made.tolist()
        else:
            value = value.astype(np.int64 if is_whole(value) else np.float64).tolist()
    return _ENCODER.encode(value)


def parsed(text: str) -> Any:
    """A text read as JSON, every number in it a float, perhaps an infinite one; None if it is not JSON."""
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None


def is_json(text: str) -> bool:
    """Whether a text is a list or an object as JSON writes it."""
    try:
        return isinstance(json.loads(text), list | dict)
    except (ValueError, RecursionError):
        return False


def is_nested(value: Value) -> bool:
    """Whether a value is a list or an object, and not a text that looks like one."""
    return not isinstance(value, (str, int, float))


def number(value: Value) -> float | None:
    """The number that a value is, or is written as; None if it is something else, or not finite."""
    if isinstance(value, str):
        return finite_number(value)
    made = _float(value) if isinstance(value, int | float) else np.inf
    return made if np.isfinite(made) else None


def list_in(text: str) -> list[Any] | None:
    """The list that a text is, as JSON, Python (``['a', 'b']``) or NumPy (``['a' 'b']``, ``[0 1]``) writes it."""
    text = text.strip()
    if text[:1] != "[" or text[-1:] != "]":
        return None
    found = parsed(text)
    if found is not None:
        return found if isinstance(found, list) else None
    body = text[1:-1].strip()
    if len(body) > _LONGEST_LIST:
        return None
    if _WHOLE_NUMBERS.fullmatch(body):
        return [float(number) for number in body.split()]
    if not _QUOTED.fullmatch(body):
        return None
    try:
        return [ast.literal_eval(one) for one in _IN_QUOTES.findall(body)]
    except (ValueError, SyntaxError):
        return None


def bare(text: str) -> str:
    """A list without the name of its type, as Python shows an object: ``array([1., 2.])``, ``tensor([1, 2])``."""
    found = _OF_TYPE.fullmatch(text.strip())
    return text.strip() if found is None else found[1]


def words(value: Value) -> tuple[str, ...] | None:
    """The words of a list of texts, also of one that is written in a text; None if it is something else."""
    if isinstance(value, tuple):
        return value
    found: Any = value
    if isinstance(value, str):
        found = list_in(value) if value.lstrip().startswith("[") else None
    if not isinstance(found, list):
        return None
    kinds = set(map(type, found))  # one, nearly always: a corpus has millions of words
    return tuple(found) if kinds <= {str} or all(issubclass(kind, str) for kind in kinds) else None


def split_words(value: Value) -> tuple[str, ...]:
    """As :func:`words`; a value that is not a list of texts is split at its white space."""
    found = words(value)
    return tuple(as_text(value).split()) if found is None else found


def size(value: Value) -> int:
    """Roughly how large a value is: characters of a text, words, or numbers."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, int | float) or not value:
        return 1
    first = value[0] if isinstance(value, list) else None
    return len(value) * (len(first) if isinstance(first, list) else 1)


def looks_like_numbers(value: Value) -> bool:
    """Whether a value is a list of numbers or of lists, or a text that begins like one."""
    if isinstance(value, np.ndarray):
        return True
    if isinstance(value, list):
        first = next((one for one in value if one is not None), None)
        return isinstance(first, int | float | list)
    if not isinstance(value, str):
        return False
    start = "".join(value[:8].split())
    return start[:1] == "[" and (start[1:2] in "[-" or start[1:2].isdigit())


def sequence(value: Value, missing: Missing = None) -> Floats:
    """(T, D) from ``[[0, 0.5], [1, 0.25]]``, (T,) from ``[0, 1, 0]`` and from ``0 1 0``.

    Values that are missing at the end (``null``, ``NaN``) are no part of it.

    Args:
        missing: what is done about others that are.

    Raises:
        ValueError: it is something else; the message continues "the sequence ".
    """
    return sequence_as_written(value, missing)[0]


def sequence_as_written(value: Value, missing: Missing = None) -> tuple[Floats, bool]:
    """As :func:`sequence`, which raises the same; and whether its whole numbers have no point."""
    if isinstance(value, str):
        found = parsed(value)
        found = row_of_numbers(value) if found is None else found
        value = "" if found is None else found
    if isinstance(value, np.ndarray):
        array, whole = np.asarray(value, np.float64), is_whole(value)
    elif isinstance(value, list) and value:
        array, whole = _array(value)
    else:
        raise ValueError("has no timesteps" if value == [] else "is not a list of numbers")
    if array.ndim not in (1, 2) or not array.size:
        raise ValueError("has no numbers" if array.ndim in (1, 2) else f"has {array.ndim} dimensions")
    array = _filled(array, missing)
    at = first_not_finite(array)
    if at is not None:
        raise ValueError(f"has a number that is not finite, {place(array.shape, *at)}")
    return array, whole


def _filled(array: Floats, missing: Missing) -> Floats:
    """(T', ...) a sequence of (T, ...) up to its last value, its gaps filled, or refused."""
    if not np.isnan(array).any():
        return array
    series = without_end(array.reshape(len(array), -1))
    if not len(series):
        raise ValueError("has no numbers")
    gap = first_gap(series)
    if gap is not None and missing is None:
        raise Gap(f"has a missing value {place(series.shape, *gap)}")
    series = interpolated(series) if gap is not None else series
    return series if array.ndim == 2 else series[:, 0]


def row_of_numbers(text: str) -> Floats | None:
    """(T,) the numbers of ``0.1 0.2 -0.45``, also with commas, semicolons or bars between them, in brackets or not.

    NaN where one is missing; None if it is something else: of the commas and spaces in ``0,1 0,2`` neither stands
    between all numbers.
    """
    text = bare(text)
    if text[:1] in ("[", "(") and text[-1:] in ("]", ")"):
        text = text[1:-1].strip()
    between = next((mark for mark in "|;," if mark in text), None)
    parts = text.split() if between is None else [part.strip() for part in text.split(between)]
    numbers = [number_or_nan(part) for part in parts]
    return None if len(parts) < 2 or None in numbers else np.array(numbers, np.float64)


def is_whole(array: Numbers) -> bool:
    """Whether its numbers are shown without a point."""
    return array.dtype.kind in "biu" and array.dtype.itemsize <= 4


_NUMBERS = {int, float, type(None)}


def _array(rows: list[Any]) -> tuple[Floats, bool]:
    """As :func:`sequence_as_written`, of a list that is not empty; but the numbers need not be finite."""
    nested = isinstance(rows[0], list)
    table = rows if nested else [rows]
    width = len(table[0])
    if not width:
        raise ValueError("has no numbers at timestep 1")
    types: set[type] = set()  # NoneType: a value is missing
    for step, row in enumerate(table, 1):
        if not isinstance(row, list) or len(row) != width:
            found = counted(len(row), "number") if isinstance(row, list) else "no list"
            raise ValueError(f"has {found} at timestep {step}, and {width} at the first")
        types.update(map(type, row))
        if not types <= _NUMBERS:
            at = next(at for at, item in enumerate(row, 1) if type(item) not in _NUMBERS)
            raise ValueError(f"has something that is not a number at timestep {step if nested else at}")
    try:
        array = np.array(table, np.float64)  # None is NaN
    except OverflowError:  # a whole number of many digits
        array = np.array([[np.nan if number is None else _float(number) for number in row] for row in table])
    return array if nested else array[0], int in types


def _float(number: int | float) -> float:
    """The number as float64; infinite where it is too large."""
    try:
        return float(number)
    except OverflowError:
        return np.inf


def place(shape: tuple[int, ...], step: int, column: int = 0) -> str:
    """``at timestep 3, place 2`` in a sequence of a shape, as far as there are several; both from 0."""
    if shape[0] == 1:
        return f"at place {column + 1}"
    return f"at timestep {step + 1}" + (f", place {column + 1}" if shape[-1] > 1 and len(shape) > 1 else "")


def features(value: Value) -> Floats:
    """(D,) numbers, also of a text with commas or white space between them.

    Raises:
        ValueError: they are something else; the message continues "the input ".
    """
    if isinstance(value, np.ndarray):
        return np.asarray(value, np.float64).reshape(-1)
    # Not as_text, which refuses a number that is not finite before its place is known.
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    parts = text.strip().strip("[]").replace(",", " ").split()
    numbers = [finite_number(part) for part in parts]
    if None in numbers:
        at = numbers.index(None)
        raise ValueError(f"is not a list of numbers: number {at + 1}, {quoted(parts[at])}, is not a finite number")
    return np.array(numbers, np.float64)
