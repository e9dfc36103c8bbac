"""One JSON object as a record: parsed, and its values in the order of the columns.

Stricter than :mod:`json`: values that another program would read differently, or not at all (NaN, a number too large
for a float, a key given twice, half a surrogate pair), are refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from itertools import chain
from typing import Any

from rnncli.data.formats.values import FALSE, NULL, TRUE, Value, as_text, is_nested
from rnncli.errors import quoted

MAX_NESTING = 64  # lists in lists; far below Python's own limit of recursion, so that a value can be parsed again

AS_PYTHON = re.compile(r"\s*(?:\[\s*)?\{\s*'")  # an object, or the first of a list, as Python shows it
_KINDS = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
# A text, and what is said of it, as spaCy's training data have them: ["so it is", {"entities": [[0, 2, "X"]]}].
PAIR = ("text", "annotations")
IS_PAIR = re.compile(r'\[\s*+"[^"\\]*+(?:\\.[^"\\]*+)*+"\s*+,\s*+\{')
TOO_DEEP = f"brackets are nested more than {MAX_NESTING} deep"
MANY_DIGITS = "an integer of thousands of digits"

# In a number that may have no float64. One pattern for all three would take ten times as long.
_LARGE = (re.compile(r"e\+?\d"), re.compile(r"E\+?\d"), re.compile(r"(?<!\d)\d{308}"))
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class BadRecord(ValueError):
    """A fault of one record; the caller knows the file and the line."""


def parse_object(line: str) -> dict[str, Any]:
    """The object that a line holds.

    Raises:
        BadRecord: it cannot be read as one.
    """
    try:
        value: object = DECODER.decode(line)
    except BadRecord:
        raise
    except json.JSONDecodeError as error:
        raise BadRecord(f"broken JSON ({error.msg}, at character {error.pos + 1})") from None
    except RecursionError:
        raise BadRecord(TOO_DEEP) from None
    except ValueError:  # Python's own limit, sys.set_int_max_str_digits
        raise BadRecord(MANY_DIGITS) from None
    return as_object(value, line, "line")


def as_object(value: object, written: str, each: str) -> dict[str, Any]:
    """A value that was parsed from a text, if it is an object, or a text with an object.

    Args:
        each: what holds an object, in messages.

    Raises:
        BadRecord: it is something else, or nested too deep.
    """
    if isinstance(value, list) and [type(one) for one in value] == [str, dict]:
        value = dict(zip(PAIR, value, strict=True))
    if not isinstance(value, dict):
        raise BadRecord(f"{_KINDS.get(type(value), 'a number')}, but each {each} must be a JSON object")
    # Brackets in strings count here too; the slower count without them is for the few records that may be too deep.
    if written.count("[") + written.count("{") > MAX_NESTING and _depth(value) > MAX_NESTING:
        raise BadRecord(TOO_DEEP)
    return value


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise BadRecord(f"the key {quoted(key)} is given twice")
            seen.add(key)
    return made


def _without_constants(value: Any, inside: bool = False) -> Any:
    """A value in which NULL stands for NaN and infinities, as Python writes them; inside of lists and objects, null.

    Raises:
        BadRecord: a list has an infinite number.
    """
    if isinstance(value, list):
        return [_without_constants(one, True) for one in value]
    if isinstance(value, dict):
        return {key: None if _is_constant(one) else _without_constants(one) for key, one in value.items()}
    if not _is_constant(value):
        return value
    if inside and value == value:
        raise BadRecord(f"{'-' * (value < 0)}Infinity is not a JSON number")
    return None if inside else NULL


def _is_constant(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


DECODER = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_constant=float)


def keys_of(record: dict[str, Any]) -> tuple[str, ...]:
    """The names of the columns, by the first record.

    Raises:
        BadRecord: there is none, or one has characters that cannot be passed on.
    """
    if not record:
        raise BadRecord("an object without keys")
    for key in record:
        check_characters(key, key, nested=False)
    return tuple(record)


def values_of(record: dict[str, Any], keys: Sequence[str], written: str) -> tuple[Value, ...]:
    """The values of a record, in the order of the first one's keys.

    Args:
        written: the text that it was parsed from.

    Raises:
        BadRecord: it has other keys, or a value that cannot be used.
    """
    if len(record) != len(keys) or not all(key in record for key in keys):
        for key in keys:
            if key not in record:
                raise BadRecord(f"the key {quoted(key)} is missing")
        known = frozenset(keys)
        new = next(key for key in record if key not in known)
        raise BadRecord(f"the key {quoted(new)} is not in the first record")
    # Only an escape brings in odd characters, for decoded text holds none; only an exponent makes a number too large.
    looked_at = "\\u" in written or any(pattern.search(written) for pattern in _LARGE)
    if "NaN" in written or "Infinity" in written:
        record = {key: _without_constants(value) for key, value in record.items()}
    for key in keys:
        value = record[key]
        if value is None:
            record[key] = NULL
        elif looked_at or isinstance(value, bool):
            record[key] = checked(key, value)
    return tuple(record[key] for key in keys)


def checked(key: str, value: Value) -> Value:
    """A value whose characters and numbers can be passed on; true and false are texts.

    Raises:
        BadRecord: they cannot.
    """
    try:
        text = as_text(value)
    except ValueError:  # 1e999 has become infinity
        raise BadRecord(f"a number in {quoted(key)} is too large") from None
    check_characters(key, text, nested=is_nested(value))
    return (TRUE if value else FALSE) if isinstance(value, bool) else value


def _depth(value: dict[str, Any]) -> int:
    """How many brackets are open at the deepest value; in a loop, since recursion could run out."""
    depth = 0
    level: list[dict[str, Any] | list[Any]] = [value]
    while level:
        depth += 1
        parts = (item.values() if isinstance(item, dict) else item for item in level)
        level = [part for part in chain.from_iterable(parts) if isinstance(part, (dict, list))]
    return depth


def check_characters(key: str, value: str, *, nested: bool) -> None:
    """Raises BadRecord: a value, as it is shown, has half a surrogate pair, or a NUL."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        half = ord(value[error.start])
        raise BadRecord(f"\\u{half:04x} in {quoted(key)} is half a surrogate pair, no character") from None
    if "\0" in value or (nested and _ESCAPED_NUL.search(value)):
        raise BadRecord(f"a NUL character in {quoted(key)}")
