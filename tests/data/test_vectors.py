"""Files of word vectors: what is read of them, and what is refused with its line."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from rnncli.data.text.word_vectors import dimension, read_vectors
from rnncli.errors import DataError, StorageError


def written(folder: Path, text: str, name: str = "vectors.txt") -> str:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return str(path)


@pytest.mark.parametrize("name", ["vectors.txt", "vectors.txt.gz"])
@pytest.mark.parametrize("header", ["", "3 2\n"])  # word2vec and fastText begin with words and numbers
def test_the_wanted_words_with_their_numbers(tmp_path: Path, name: str, header: str) -> None:
    path = written(tmp_path, header + "good 0.5 -1\nfilm 1e-2 3 \n. . 7 8\ngood 9 9\n", name)
    assert dimension(path) == 2
    found = read_vectors(path, ["good", "film", ". .", "absent"])
    assert {word: vector.tolist() for word, vector in found.items()} == {
        "good": [0.5, -1.0],
        "film": [0.01, 3.0],
        ". .": [7.0, 8.0],
    }


def test_a_word_that_is_not_wanted_is_not_parsed(tmp_path: Path) -> None:
    path = written(tmp_path, "good 1 2\nbroken x y\nfilm 3 4\n")
    assert np.array_equal(read_vectors(path, ["film"])["film"], [3, 4])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "{path}: no vectors"),
        ("good\n", "{path}:1: a line holds a word and its numbers, with a space between them"),
        ("good 1 x\n", "{path}:1: a vector holds something that is not a finite number"),
        ("good 1 2\nfilm 1 nan\n", "{path}:2: a vector holds something that is not a finite number"),
        ("good 1 2\nfilm 3\n", "{path}:2: a vector of 1 number, and the first has 2"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DataError) as caught:
        read_vectors(path, ["good", "film"])
    assert caught.value.message == message.format(path=path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no such file"):
        dimension(str(tmp_path / "none.txt"))
