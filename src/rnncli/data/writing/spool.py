"""Rows on the disk until all are there, so that a file is written in one step and in memory that does not grow."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from rnncli.storage import writing

_CHUNK = 2_000  # rows that are written at a time


class Spool:
    """Rows in a file without a name, which is gone when the program ends, however it ends.

    Args:
        path: the file that is to be made, beside which there is room.

    Raises:
        StorageError: its folder cannot be written to.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._rows: list[Any] = []
        self.count = 0
        with writing(self._path):
            self._file = tempfile.TemporaryFile(dir=os.path.dirname(os.path.realpath(path)))  # noqa: SIM115

    def add(self, row: Any) -> None:
        """Takes a row.

        Raises:
            StorageError: the disk is full.
        """
        self._rows.append(row)
        self.count += 1
        if len(self._rows) == _CHUNK:
            self._write()

    def chunks(self) -> Iterator[Sequence[Any]]:
        """All rows, some at a time.

        Raises:
            StorageError: they cannot be read again.
        """
        self._write()
        with writing(self._path):
            self._file.seek(0)
            while True:
                try:
                    chunk = pickle.load(self._file)
                except EOFError:
                    return
                yield chunk

    def close(self) -> None:
        self._file.close()

    def _write(self) -> None:
        if self._rows:
            with writing(self._path):
                pickle.dump(self._rows, self._file, pickle.HIGHEST_PROTOCOL)
            self._rows = []
