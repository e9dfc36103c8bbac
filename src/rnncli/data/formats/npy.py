"""The numbers of an .npy file, which a table's column or the command line names.

A data file may come from anybody, so a file that it names is read only if it is an array of numbers, of a bounded
size, in the data file's own folder or below. Nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import tokenize
import warnings
from typing import NamedTuple

import numpy as np

from rnncli.data.formats.registry import ARRAY_SUFFIX as SUFFIX
from rnncli.data.formats.registry import is_array
from rnncli.data.formats.sources import check_path
from rnncli.data.formats.values import Numbers
from rnncli.errors import DataError, StorageError, quoted

MAX_NUMBERS = 250_000  # in one file; a model's file holds mean and spread of each
_MAX_BYTES = 16 * MAX_NUMBERS + 100_000  # the widest real numbers, and a header
_MAX_DIMENSIONS = 32  # of every NumPy

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,  # (3, 0) differs for names of fields alone
}
# What NumPy raises over a broken header.
_BROKEN = (ValueError, TypeError, KeyError, AttributeError, SyntaxError, OverflowError, RecursionError, MemoryError)


class Vector(NamedTuple):
    """The numbers of an array, flattened, and SHA-256 of the file, in hex."""

    numbers: Numbers
    digest: str


def named_vector(named: str, column: str, folder: str) -> Vector:
    """The array that a data file names.

    Raises:
        DataError: the path leads out of the folder, or the file is not an array of numbers.
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
        DataError: it is something else, or holds no numbers, more than :data:`MAX_NUMBERS`, or others than real,
            finite ones.
        StorageError: it is missing, no regular file, or cannot be read.
    """
    check_path(path)
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror or error})") from None
    numbers = _numbers_in(data, path)
    return Vector(numbers, hashlib.sha256(data).hexdigest())


def _numbers_in(data: bytes, path: str) -> Numbers:
    """(D,) the numbers in the bytes of an .npy file. Its header is checked before an array of its size is made."""
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
    numbers: Numbers = np.load(io.BytesIO(data), allow_pickle=False).reshape(-1)
    with np.errstate(over="ignore"):  # wider numbers than 64 bits may have no finite float64
        finite = np.isfinite(numbers.astype(np.float64))
    if not finite.all():
        raise DataError(f"{path}: number {int(finite.argmin()) + 1:,} of {count:,} is not finite")
    return numbers
