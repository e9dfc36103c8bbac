"""Results as strict JSON, which any parser reads: no NaN, no NumPy, no raw control character.

NumPy's values are recognized by their methods, so that NumPy need not be imported.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import unicodedata
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any

from rnncli.render.console import Output

_NOT_ASCII = re.compile("[^\\x20-\\x7e\\n]")


def print_json(output: Output, value: object, *, indent: int | None = None) -> None:
    """Write ``value`` to stdout as one document: one line, unless ``indent`` is given."""
    output.write(dumps(value, indent=indent, ensure_ascii=not output.speaks_unicode) + "\n")


def dumps(value: object, *, indent: int | None = None, ensure_ascii: bool = False) -> str:
    r"""Return ``value`` as JSON.

    Dataclasses, named tuples and mappings become objects (a field with ``json`` in its metadata goes by that name),
    NumPy's arrays lists, an Enum its value, a path its text; numbers that are not finite become null. Characters that
    could act on a terminal, or hide, are written as
    ``\u001b``, ``\u202e``, ``\udcff``, which a parser reads back as what they were.

    Raises:
        TypeError: for a value that has no JSON form.
    """
    text = json.dumps(_plain(value), indent=indent, ensure_ascii=ensure_ascii, allow_nan=False)
    if text.replace("\n", "").isprintable():
        return text
    return _NOT_ASCII.sub(_escaped, text)


def _plain(value: Any) -> Any:
    """Return ``value`` in the types that the standard library writes."""
    if isinstance(value, Enum):  # before str and int: an Enum may be one of these too
        return _plain(value.value)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        names = getattr(value, "_fields", None)  # a named tuple's
        if names is None:
            return [_plain(item) for item in value]
        return {name: _plain(item) for name, item in zip(names, value, strict=True)}
    if isinstance(value, PurePath):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        entries = dataclasses.fields(value)
        return {entry.metadata.get("json", entry.name): _plain(getattr(value, entry.name)) for entry in entries}
    if hasattr(value, "tolist"):
        return _from_numpy(value)
    raise TypeError(f"a {type(value).__name__} has no JSON form")


def _key(key: object) -> str:
    """Return an object's key: a string as it is, anything else in its JSON form."""
    plain = _plain(key)
    return plain if isinstance(plain, str) else json.dumps(plain)


def _from_numpy(value: Any) -> Any:
    """Return a NumPy array or scalar as numbers. A float32 is written as its own digits, 0.1 and not 0.100000001490."""
    if value.dtype.kind != "f" or value.dtype.itemsize == 8:
        return _plain(value.tolist())
    if value.ndim == 0:
        return _plain(float(str(value[()])))
    return [_from_numpy(item) for item in value]


def _escaped(match: re.Match[str]) -> str:
    """Escape one character of a JSON string unless it is visible."""
    char = match[0]
    if char.isprintable() or unicodedata.category(char) == "Zs":
        return char
    return json.dumps(char)[1:-1]
