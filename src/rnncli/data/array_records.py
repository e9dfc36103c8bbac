"""Records whose numbers stand in an .npy file each, which a column of the table names.

image,text
images/001.npy,a red boat
images/002.npy,two red boats
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence

from rnncli.data.formats.npy import Vector, named_vector
from rnncli.data.formats.table import Row
from rnncli.data.formats.values import as_text
from rnncli.data.records import Records
from rnncli.data.tables.described import Places
from rnncli.errors import DataError, StorageError, counted

MAX_ALL_NUMBERS = 100_000_000  # of all records together; one file may be named by many of them


def read_arrays(rows: Iterable[Row], columns: Sequence[str], places: Places, folder: str, records: Records) -> str:
    """Reads the records into ``records``, and returns SHA-256 over their arrays, in hex.

    Args:
        columns: of ``rows``.
        folder: that the names start from.

    Raises:
        DataError: a record cannot be used, with its line, and such are not to be left out; or all of them hold more
            than :data:`MAX_ALL_NUMBERS`.
    """
    found: dict[str, Vector | str] = {}
    hasher = hashlib.sha256()
    size = None
    for row in rows:
        named, text = as_text(row.values[places.array]).strip(), as_text(row.values[places.text])
        if named not in found:
            found[named] = _vector_or_problem(named, columns[places.array], folder)
        vector = found[named]
        hasher.update(b"-\n" if isinstance(vector, str) else vector.digest.encode() + b"\n")
        if isinstance(vector, str):
            records.ledger.bad_record(row.line, vector)
        elif size is not None and vector.numbers.size != size:
            held = f"{os.path.join(folder, named)}: holds {counted(vector.numbers.size, 'number')}"
            records.ledger.bad_record(row.line, f"{held}, and the first record has {size:,}")
        elif not text.strip():
            records.ledger.bad_record(row.line, "the text is empty")
        else:
            size = vector.numbers.size
            records.add(row.line, vector.numbers, text, named)
            if size * len(records.inputs) > MAX_ALL_NUMBERS:
                what = f"the .npy files up to here hold more than {MAX_ALL_NUMBERS:,} numbers"
                raise records.ledger.fault(row.line, what, "Take fewer records, or smaller arrays.")
    return hasher.hexdigest()


def _vector_or_problem(named: str, column: str, folder: str) -> Vector | str:
    try:
        return named_vector(named, column, folder)
    except (DataError, StorageError) as error:
        return error.message
