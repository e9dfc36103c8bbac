"""A binary format that ours are not like: records of float arrays and texts, read from bytes, with nothing to decode.

b"FLT1", then for each record: the lengths of its array's two sides and of its two texts, and these themselves.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from rnncli.data.formats.registry import FORMATS, Format
from rnncli.data.formats.table import Ledger, Opened, Row
from rnncli.errors import DataError

MAGIC = b"FLT1"
FLOATS = Format("floats", (".flt",), f"{__name__}:open_floats", binary=True)
_SIZES = struct.Struct("<4I")


def written(records: list[tuple[np.ndarray, str, str]]) -> bytes:
    """The file of records: (T, D) numbers, a text, a label."""
    made = MAGIC
    for numbers, *texts in records:
        encoded = [text.encode() for text in texts]
        made += _SIZES.pack(*numbers.shape, *map(len, encoded)) + numbers.astype("<f8").tobytes() + b"".join(encoded)
    return made


def open_floats(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """Columns ``sequence``, ``note`` and ``label``."""
    data = b"".join(chunks)
    if data[:4] != MAGIC:
        raise DataError(f"{ledger.file.name}: no file of floats")
    return Opened(("sequence", "note", "label"), _rows(data))


def _rows(data: bytes) -> Iterator[Row]:
    at, number = len(MAGIC), 0
    while at < len(data):
        steps, width, *lengths = _SIZES.unpack_from(data, at)
        at += _SIZES.size
        numbers = np.frombuffer(data, "<f8", steps * width, at).reshape(steps, width)
        at += numbers.nbytes
        texts = []
        for length in lengths:
            texts.append(data[at : at + length].decode())
            at += length
        number += 1
        yield Row(number, (numbers, *texts))


def register() -> None:
    """The row that is all the rest of the program needs."""
    FORMATS[FLOATS.name] = FLOATS
