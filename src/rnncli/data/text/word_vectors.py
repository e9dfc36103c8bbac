"""Word vectors from a file: a word and its numbers a line, as GloVe, fastText (``.vec``) and word2vec's text format
have them, also gzipped.

The file is read in one pass, and of it only the vectors of the words that are asked for are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from rnncli.data.formats.decoding import decode_lines
from rnncli.data.formats.numbers import Floats, finite_vector
from rnncli.data.formats.sources import check_path, open_chunks
from rnncli.errors import DataError, counted

MAX_BYTES = 32 << 30  # as stored and as unzipped; nothing of it is kept but what is asked for
MAX_LINE = 1_000_000  # characters
MAX_DIMENSION = 65_536  # as Settings.embedding
MAX_NUMBER = 1e12  # the squares of a text's vectors can still be added up in float32


def dimension(path: str) -> int:
    """How many numbers a vector of the file has.

    Raises:
        DataError: the file is empty, or its first line is not a vector.
        StorageError: it cannot be read.
    """
    for number, line in _vector_lines(path):
        _, *numbers = line.split(" ")
        _parsed(numbers, f"{path}:{number}", len(numbers))
        if not 0 < len(numbers) <= MAX_DIMENSION:
            raise DataError(f"{path}:{number}: a line holds a word and its numbers, with a space between them")
        return len(numbers)
    raise DataError(f"{path}: no vectors")


def read_vectors(path: str, words: Collection[str]) -> dict[str, Floats]:
    """Word → (dimension,), for those of ``words`` that the file has; the first, where a word has several.

    Raises:
        DataError: a vector is broken, or of another dimension than the first (with file and line).
        StorageError: the file cannot be read.
    """
    size = dimension(path)
    wanted = set(words)
    found: dict[str, Floats] = {}
    for number, line in _vector_lines(path):
        # From the right, for words may have spaces in them.
        word, *numbers = line.rsplit(" ", size)
        if word in wanted:
            found[word] = _parsed(numbers, f"{path}:{number}", size)
            wanted.remove(word)
            if not wanted:
                break
    return found


def _vector_lines(path: str) -> Iterator[tuple[int, str]]:
    """Each line with its number, without a first line that has the counts of words and of numbers."""
    check_path(path)
    chunks = open_chunks(path, max_bytes=MAX_BYTES)
    lines = decode_lines(chunks, path, encoding="utf-8", max_line=MAX_LINE)
    for number, line in enumerate(lines, 1):
        stripped = line.rstrip(" \r\n")
        if number == 1 and len(fields := stripped.split(" ")) == 2 and all(field.isdigit() for field in fields):
            continue
        if stripped:
            yield number, stripped


def _parsed(numbers: list[str], where: str, size: int) -> Floats:
    vector = finite_vector(numbers)
    if vector is None:
        raise DataError(f"{where}: a vector holds something that is not a finite number")
    if len(vector) and np.abs(vector).max() > MAX_NUMBER:
        raise DataError(f"{where}: a vector holds the number {vector[np.abs(vector).argmax()]:g}; no word has such")
    if len(vector) != size:
        raise DataError(f"{where}: a vector of {counted(len(vector), 'number')}, and the first has {size:,}")
    return vector
