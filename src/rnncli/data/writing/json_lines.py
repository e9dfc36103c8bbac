"""JSON lines: an object with all columns on each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rnncli.data.formats.values import Boolean, Null
from rnncli.data.writing.table import Chunks, distinct_names
from rnncli.results import Several


def json_lines_bytes(columns: Sequence[str], chunks: Chunks) -> Iterator[bytes]:
    """Values with their types; what is missing is null."""
    names = distinct_names(columns)
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    for rows in chunks():
        lines = (encode(dict(zip(names, map(plain, values), strict=True))) + "\n" for values in rows)
        yield "".join(lines).encode("utf-8", "backslashreplace")


def plain(value: Any) -> Any:
    """A value in the types of JSON."""
    if type(value) is str or type(value) is float:
        return value
    if isinstance(value, Null):
        return None
    if isinstance(value, Boolean):
        return value == "true"
    if isinstance(value, Several):
        return list(value.values)
    return value.tolist() if isinstance(value, np.ndarray) else value
