"""JSON lines: one object a line, with a value for each column.

Stricter than :mod:`json`: values that another program would read differently, or not at all (NaN, a number too large
for a float, a key given twice, half a surrogate pair), are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NoReturn

from rnncli.data.formats.decoding import lines_of
from rnncli.data.formats.table import Ledger, Opened, Row
from rnncli.data.formats.values import Value, as_text, is_nested
from rnncli.errors import DataError, quoted

MAX_NESTING = 64  # lists in lists; far below Python's own limit of recursion, so that a value can be parsed again

_READS = 'rnncli reads an object a line: {"text": "so it is", "label": "good"}'
_KINDS = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
_TOO_DEEP = f"brackets are nested more than {MAX_NESTING} deep"

# In a number that may have no float64. One pattern for all three would take ten times as long.
_LARGE = (re.compile(r"e\+?\d"), re.compile(r"E\+?\d"), re.compile(r"(?<!\d)\d{308}"))
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class _BadRecord(ValueError):
    """A fault of one record; the caller knows the file and the line."""


def open_json_lines(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """The first object's keys are the columns, and every object must have exactly these.

    Raises:
        DataError: there is no object, or the first has no keys.
    """
    numbered = ((number, text) for number, text in enumerate(lines_of(chunks, ledger), 1) if text.strip(" \t\r\n"))
    for number, text in numbered:
        if text.strip(" \t\r\n") in ("[", "{", "[{"):
            raise _spread_out(text.strip()[0], number, ledger)
        try:
            keys = tuple(_parse_object(text))
            if not keys:
                raise _BadRecord("an object without keys")
            for key in keys:
                _check_characters(key, key, nested=False)
        except _BadRecord as bad:
            ledger.bad_record(number, str(bad))
            continue
        return Opened(keys, _json_rows(chain(((number, text),), numbered), keys, ledger), number)
    raise ledger.no_records()


def _spread_out(bracket: str, number: int, ledger: Ledger) -> DataError:
    """The refusal of one JSON value over many lines; to leave its lines out one by one would leave nothing."""
    if bracket == "{":
        what = "object over several lines, and each line must be one"
        how, records = "If its records are a list under the key data", 'json.load(sys.stdin)["data"]'
    else:
        what = "array over several lines, and each line must be an object"
        how, records = "Write its records so", "json.load(sys.stdin)"
    return ledger.fault(number, f"a JSON {what}", f"{_READS}. {how}: {ledger.file.as_json('r', records)}")


def _json_rows(numbered: Iterable[tuple[int, str]], keys: tuple[str, ...], ledger: Ledger) -> Iterator[Row]:
    for number, text in numbered:
        try:
            values = _values_of(_parse_object(text), keys, text)
        except _BadRecord as bad:
            ledger.bad_record(number, str(bad))
        else:
            yield Row(number, values)


def _parse_object(line: str) -> dict[str, Any]:
    """The object that ``line`` holds; :class:`_BadRecord` where it cannot be read as one."""
    try:
        value: object = _DECODER.decode(line)
    except _BadRecord:
        raise
    except json.JSONDecodeError as error:
        raise _BadRecord(f"broken JSON ({error.msg}, at character {error.pos + 1})") from None
    except RecursionError:
        raise _BadRecord(_TOO_DEEP) from None
    except ValueError:  # Python's own limit, sys.set_int_max_str_digits
        raise _BadRecord("an integer of thousands of digits") from None
    if not isinstance(value, dict):
        raise _BadRecord(f"{_KINDS.get(type(value), 'a number')}, but each line must be a JSON object")
    # Brackets in strings count here too; the slower count without them is for the few records that may be too deep.
    if line.count("[") + line.count("{") > MAX_NESTING and _depth(value) > MAX_NESTING:
        raise _BadRecord(_TOO_DEEP)
    return value


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _BadRecord(f"the key {quoted(key)} is given twice")
            seen.add(key)
    return made


def _refuse_constant(text: str) -> NoReturn:
    raise _BadRecord(f"{text} is not a JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)


def _values_of(record: dict[str, Any], keys: Sequence[str], line: str) -> tuple[Value, ...]:
    """The values of a record that was parsed from ``line``, in the order of the first object's keys."""
    if len(record) != len(keys) or not all(key in record for key in keys):
        for key in keys:
            if key not in record:
                raise _BadRecord(f"the key {quoted(key)} is missing")
        known = frozenset(keys)
        new = next(key for key in record if key not in known)
        raise _BadRecord(f"the key {quoted(new)} is not in the first record")
    # Only an escape brings in odd characters, for a decoded line holds none; only an exponent makes a number too large.
    looked_at = "\\u" in line or any(pattern.search(line) for pattern in _LARGE)
    for key in keys:
        value = record[key]
        if value is None:
            raise _BadRecord(f"the value of {quoted(key)} is null")
        if looked_at or isinstance(value, bool):
            record[key] = _checked(key, value)
    return tuple(record[key] for key in keys)


def _checked(key: str, value: Value) -> Value:
    """A value whose characters and numbers can be passed on; true and false are texts."""
    try:
        text = as_text(value)
    except ValueError:  # 1e999 has become infinity
        raise _BadRecord(f"a number in {quoted(key)} is too large") from None
    _check_characters(key, text, nested=is_nested(value))
    return text if isinstance(value, bool) else value


def _depth(value: dict[str, Any]) -> int:
    """How many brackets are open at the deepest value; in a loop, since recursion could run out."""
    depth = 0
    level: list[dict[str, Any] | list[Any]] = [value]
    while level:
        depth += 1
        parts = (item.values() if isinstance(item, dict) else item for item in level)
        level = [part for part in chain.from_iterable(parts) if isinstance(part, (dict, list))]
    return depth


def _check_characters(key: str, value: str, *, nested: bool) -> None:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        half = ord(value[error.start])
        raise _BadRecord(f"\\u{half:04x} in {quoted(key)} is half a surrogate pair, no character") from None
    if "\0" in value or (nested and _ESCAPED_NUL.search(value)):
        raise _BadRecord(f"a NUL character in {quoted(key)}")
