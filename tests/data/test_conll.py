"""Tagged words, one a line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rnncli.data.dataset import Source, read_dataset
from rnncli.errors import DataError
from rnncli.tasks import task_for

TEXT = "The DET\ncat NOUN\n\n\nIt\tPRON\n“sat” VERB\n"


def read(tmp_path: Path, text: str, skip_bad: bool = False, name: str = "a.conll") -> list[tuple[int, object, object]]:
    path = tmp_path / name
    path.write_text(text)
    dataset = read_dataset(Source(str(path), skip_bad=skip_bad))
    assert task_for(dataset, "auto").name == "tag"
    found = zip(dataset.lines, dataset.inputs, dataset.labels, strict=True)
    return [(line, list(words), list(tags)) for line, words, tags in found]


def test_sentences_with_their_first_lines(tmp_path: Path) -> None:
    expected = [(1, ["The", "cat"], ["DET", "NOUN"]), (5, ["It", "“sat”"], ["PRON", "VERB"])]
    assert read(tmp_path, TEXT) == expected
    assert read(tmp_path, "\n" + TEXT.replace("\n", "\r\n"))[0] == (2, *expected[0][1:])


def test_another_number_of_columns_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, TEXT + "\na b c\nd X\n\ne Y\n")
    assert caught.value.message == f"{tmp_path}/a.conll:8: 3 columns, and a line is a word and its tag"
    kept = read(tmp_path, TEXT + "\na b c\nd X\n\ne Y\n", skip_bad=True)
    assert [line for line, *_ in kept] == [1, 5, 11]


@pytest.mark.parametrize("skip_bad", [False, True])
def test_lines_of_three_columns_are_refused_once_with_the_command_that_cuts_them(
    skip_bad: bool, tmp_path: Path
) -> None:
    text = "-DOCSTART- -X- O\n\nThe  D DET\ncat\tN NOUN\n \nIt P PRON\n"
    with pytest.raises(DataError) as caught:
        read(tmp_path, text, skip_bad)
    assert caught.value.message == f"{tmp_path}/a.conll:3: each line has 3 columns, and a line is a word and its tag"
    made, command = "a-2.conll", str(caught.value.hint).partition(": ")[2]
    assert command.endswith(f" > {made}")
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    assert read(tmp_path, (tmp_path / made).read_text()) == [
        (3, ["The", "cat"], ["DET", "NOUN"]),
        (6, ["It"], ["PRON"]),
    ]


def test_words_without_tags(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, "The\ncat\n")
    assert caught.value.message == f"{tmp_path}/a.conll:1: each line has 1 column, and a line is a word and its tag"
    assert caught.value.hint == "write the tag behind each word"


def test_nothing_but_empty_lines(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no records"):
        read(tmp_path, "\n \n")
