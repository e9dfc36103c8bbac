"""A vector for each input, as a .npy file or as a table."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from rnncli.data.writing.spool import Spool
from rnncli.storage import write_atomically

_HEADER = 128  # bytes of a .npy file's header

Vector = npt.NDArray[np.float32]


class VectorFile:
    """Vectors in the order of the inputs, float32; of an input that has none NaN.

    Args:
        path: ends in ``.npy`` or ``.csv``.
        width: H, numbers of a vector.

    Raises:
        StorageError: its folder cannot be written to.
    """

    def __init__(self, path: str, width: int) -> None:
        self.path, self.width = path, width
        self._spool = Spool(path)

    @property
    def count(self) -> int:
        return self._spool.count

    def add(self, vector: Vector | None, name: str) -> None:
        """Takes the (H,) vector of an input; ``name`` is its id, or where it stands."""
        found = np.full(self.width, np.nan, np.float32) if vector is None else np.asarray(vector, np.float32)
        self._spool.add((name, found.tobytes()))

    def finish(self, named: str) -> None:
        """Writes the file.

        Args:
            named: the column of the names, in a table.

        Raises:
            StorageError: it cannot be written.
        """
        is_table = os.path.splitext(self.path)[1].lower() == ".csv"
        write_atomically(self.path, self._table(named) if is_table else self._array())

    def close(self) -> None:
        """Gives up the room that the vectors took."""
        self._spool.close()

    def _array(self) -> Iterator[bytes]:
        """A .npy file of version 1.0: magic string, length of the header, the header, then the numbers row by row."""
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({self.count}, {self.width}), }}"
        text = header.ljust(_HEADER - 11) + "\n"
        yield b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode("ascii")
        for chunk in self._spool.chunks():
            yield b"".join(numbers for _, numbers in chunk)

    def _table(self, named: str) -> Iterator[bytes]:
        yield _lines([[named, *(f"v{k}" for k in range(self.width))]])
        for chunk in self._spool.chunks():
            yield _lines([[name, *_written(numbers)] for name, numbers in chunk])


def _written(numbers: bytes) -> list[str]:
    """Each float32 in the fewest digits that are read as itself."""
    return [str(number) if number == number else "" for number in np.frombuffer(numbers, np.float32)]


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    lines = io.StringIO(newline="")
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.getvalue().encode("utf-8", "backslashreplace")
