"""A word and its tag a row, and a column of sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnncli.data.dataset import Dataset, Source
from rnncli.data.inputs import stream_inputs
from rnncli.data.opening import read_dataset
from rnncli.data.records import TokenLists
from rnncli.errors import DataError

TABLE = """\
Sentence #,Word,POS,Tag
Sentence: 1,Ada,NNP,B-PER
,came,VBD,O
,",",",",O
Sentence: 2,So,RB,O
,it,PRP,O
Sentence: 3,Rome,NNP,B-LOC
"""


def read(path: Path, text: str, **how: object) -> Dataset:
    path.write_text(text)
    return read_dataset(Source(str(path), **how))  # type: ignore[arg-type]


def test_the_rows_of_a_sentence_are_put_together(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for text in (TABLE, TABLE.replace("\n,", "\nSentence: 1,", 2).replace("\n,it", "\nSentence: 2,it")):
        dataset = read(path, text)
        assert list(dataset.inputs) == [("Ada", "came", ","), ("So", "it"), ("Rome",)]
        assert list(dataset.labels) == [("B-PER", "O", "O"), ("O", "O"), ("B-LOC",)]
        assert list(dataset.lines) == [2, 5, 7]
        assert "sentences: Sentence #, 3 of them; text: Word, label: Tag" in dataset.why
    dataset = read(path, TABLE.replace("Sentence #", "s"), id="s")
    assert (dataset.source.id, len(dataset.inputs)) == ("s", 3)


def test_a_sentence_with_an_empty_tag_is_a_bad_one(tmp_path: Path) -> None:
    path, text = tmp_path / "a.csv", TABLE.replace(",came,VBD,O", ",came,VBD,")
    with pytest.raises(DataError) as caught:
        read(path, text)
    assert caught.value.message == f"{path}:3: the tag is empty"
    assert list(read(path, text, skip_bad=True).lines) == [5, 7]


def test_a_prediction_has_the_same_sentences(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(TABLE)
    inputs = stream_inputs(Source(str(path)), inputs=TokenLists)
    assert [one.value for one in inputs] == [("Ada", "came", ","), ("So", "it"), ("Rome",)]


def test_a_table_of_texts_with_numbers_beside_them_is_none(tmp_path: Path) -> None:
    """An empty text is no row of the sentence above it."""
    path = tmp_path / "new.csv"
    path.write_text("id,text\n1,Ada came\n2,\n3,so\n")
    assert [one.value for one in stream_inputs(Source(str(path)), inputs=TokenLists)] == ["Ada came", "", "so"]
