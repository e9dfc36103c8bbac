"""Records whose numbers stand in an .npy file each, which a column of the table names.

    image,text
    images/001.npy,a red boat
    images/002.npy,two red boats

A data file may come from anybody, so what it names is read only where it is an array of numbers, of a bounded size, in
the data file's own folder or below. Nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import tokenize
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rnncli.data.columns import names_rows, quoted, text_rank
from rnncli.data.formats.registry import ARRAY_SUFFIX as SUFFIX
from rnncli.data.formats.registry import is_array
from rnncli.data.records import Records
from rnncli.data.sources import check_path
from rnncli.data.table import Row
from rnncli.errors import DataError, StorageError

MAX_NUMBERS = 250_000  # in one file; a model keeps mean and spread of each, and as much as that its file can hold
MAX_ALL_NUMBERS = 100_000_000  # of all records together; one file may be named by many of them
_MAX_BYTES = 16 * MAX_NUMBERS + 100_000  # the widest real numbers, and a header
_MAX_DIMENSIONS = 32  # of every NumPy

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,  # (3, 0) differs for names of fields alone
}
# What NumPy raises over a header that is none.
_BROKEN = (ValueError, TypeError, KeyError, AttributeError, SyntaxError, OverflowError, RecursionError, MemoryError)


@dataclass(frozen=True)
class ArrayColumn:
    """An input is the numbers of the .npy file that this column names."""

    name: str


class Places(NamedTuple):
    """Where the names of the arrays stand in ``table.columns``, and the text that describes them."""

    array: int
    text: int


class Vector(NamedTuple):
    """The numbers of an array, flattened, as a JSON list; how many they are; and SHA-256 of the file, in hex."""

    text: str
    size: int
    digest: str


def described_arrays(
    columns: Sequence[str], sample: Sequence[Sequence[str]], label: str | None = None, array: str | None = None
) -> Places | None:
    """The column of .npy files and the text beside it; None if the table has no such columns.

    Args:
        label: the column of the describing text, if the user gave it.
        array: the column of the files, if it is known.
    """
    if array is None:
        found = [at for at in range(len(columns)) if 2 * sum(is_array(row[at]) for row in sample) > len(sample)]
    else:
        found = [at for at, column in enumerate(columns) if column == array]
    if len(found) != 1:
        return None
    others = [at for at in range(len(columns)) if at != found[0]]
    if label is not None:
        others = [at for at in others if columns[at] == label]
    else:
        others = [at for at in others if not names_rows(columns[at])]
        ranks = [(rank, at) for at in others if (rank := text_rank(columns[at])) is not None]
        if ranks:
            others = [at for rank, at in ranks if rank == min(ranks)[0]]
    return Places(found[0], others[0]) if len(others) == 1 else None


def read_arrays(rows: Iterable[Row], columns: Sequence[str], places: Places, folder: str, records: Records) -> str:
    """Reads the records into ``records``, and returns SHA-256 over what their arrays are, in hex.

    Args:
        columns: of ``rows``.
        folder: that the names start from.

    Raises:
        DataError: a record cannot be used, with its line, and such are not to be left out; or all of them hold more
            than :data:`MAX_ALL_NUMBERS`.
    """
    seen: dict[str, Vector | str] = {}
    hasher = hashlib.sha256()
    size = None
    for row in rows:
        named, text = row.values[places.array].strip(), row.values[places.text]
        if named not in seen:
            seen[named] = _vector_or_problem(named, columns[places.array], folder)
        vector = seen[named]
        hasher.update(b"-\n" if isinstance(vector, str) else vector.digest.encode() + b"\n")
        problem = "the text is empty" if not text.strip() else None
        if isinstance(vector, str):
            problem = vector
        elif size is not None and vector.size != size:
            problem = f"{os.path.join(folder, named)}: {_numbers(vector.size)}, and the first record has {size:,}"
        if problem is not None or isinstance(vector, str):
            records.leave_out(row.line, str(problem))
            continue
        size = vector.size
        records.add(row.line, vector.text, text, named)
        if size * len(records.texts) > MAX_ALL_NUMBERS:
            raise DataError(
                f"{records.name}:{row.line}: the .npy files up to here hold more than {MAX_ALL_NUMBERS:,} numbers",
                "Take fewer records, or smaller arrays.",
            )
    return hasher.hexdigest()


def named_vector(named: str, column: str, folder: str) -> Vector:
    """The array of a name that stands in a data file.

    Raises:
        DataError: it leads out of the folder, or is no array of numbers.
        StorageError: it cannot be read.
    """
    if not named:
        raise DataError(f"the value of {quoted(column)} is missing")
    if not is_array(named):
        raise DataError(f"the value of {quoted(column)} does not end in {SUFFIX}: {quoted(named)}")
    if os.path.isabs(named) or os.pardir in named.split("/"):
        raise DataError(f"{named}: the path leads out of the folder of the data file")
    return read_vector(os.path.join(folder, named))


def read_vector(path: str) -> Vector:
    """The numbers of an .npy file, of whatever shape, row by row.

    Raises:
        DataError: it is something else, holds anything but real, finite numbers, none, or more than
            :data:`MAX_NUMBERS`.
        StorageError: it is missing, no regular file, or cannot be read.
    """
    check_path(path)
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror or error})") from None
    numbers = _numbers_in(data, path)
    return Vector(_as_json(numbers), numbers.size, hashlib.sha256(data).hexdigest())


def _numbers_in(data: bytes, path: str) -> npt.NDArray[np.generic]:
    """(D,) what the bytes of an .npy file hold. The header is judged before anything of its size is made."""
    file = io.BytesIO(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # NumPy mends headers that Python 2 wrote, and warns: refused here
            shape, _, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
    except (*_BROKEN, Warning, tokenize.TokenError):
        raise DataError(f"{path}: is not an {SUFFIX} file") from None
    if dtype.kind not in "biuf":
        what = "Python objects" if dtype.hasobject else str(dtype)
        raise DataError(f"{path}: holds {what[:60]}, not real numbers")
    count = math.prod(shape)
    if len(shape) > _MAX_DIMENSIONS:
        raise DataError(f"{path}: has {len(shape)} dimensions; the most is {_MAX_DIMENSIONS}")
    if min(shape, default=1) < 0 or not count:
        raise DataError(f"{path}: holds no numbers")
    if count > MAX_NUMBERS:
        raise DataError(f"{path}: holds {count:,} numbers; the most is {MAX_NUMBERS:,}")
    if len(data) - file.tell() < count * dtype.itemsize:
        raise DataError(f"{path}: is cut off before its end")
    numbers: npt.NDArray[np.generic] = np.load(io.BytesIO(data), allow_pickle=False).reshape(-1)
    with np.errstate(over="ignore"):  # wider numbers than 64 bits may have no finite float64
        finite = np.isfinite(numbers.astype(np.float64))
    if not finite.all():
        raise DataError(f"{path}: number {int(finite.argmin()) + 1:,} of {count:,} is not finite")
    return numbers


def _as_json(numbers: npt.NDArray[np.generic]) -> str:
    """Small integers as such, everything else as the float64 it becomes."""
    whole = numbers.dtype.kind in "biu" and numbers.dtype.itemsize <= 4
    return json.dumps(numbers.astype(np.int64 if whole else np.float64).tolist(), separators=(",", ":"))


def _vector_or_problem(named: str, column: str, folder: str) -> Vector | str:
    try:
        return named_vector(named, column, folder)
    except (DataError, StorageError) as error:
        return error.message


def _numbers(count: int) -> str:
    return "holds 1 number" if count == 1 else f"holds {count:,} numbers"
