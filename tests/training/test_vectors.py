"""Trainings that begin with word vectors: tuned or frozen, covered or not, stopped and taken up again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnncli.data.dataset import Source
from rnncli.errors import UsageError
from rnncli.results import EpochDone
from rnncli.training import resuming, starting
from rnncli.training.session import Session

TINY: dict[str, Any] = {
    **{"hidden": 4, "batch": 4, "epochs": 2, "validation": 0.25, "min_count": 1, "lr": 0.02, "dropout": 0.2},
    **{"weight_decay": 0.5},  # of AdamW: it moves every row that is not frozen, with a gradient or without
}
VECTORS = {"good": [0.5, -0.25, 2.0], "bad": [1.0, 1.0, 1.0], "film": [-1.0, 0.0, 0.125], "elsewhere": [9.0, 9.0, 9.0]}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    path.write_text("text,label\n" + "good film,pos\nbad film,neg\nwarm good one,pos\ncold bad one,neg\n" * 4)
    return path


@pytest.fixture
def vectors(tmp_path: Path) -> str:
    path = tmp_path / "vectors.txt"
    path.write_text("".join(f"{word} {' '.join(map(str, numbers))}\n" for word, numbers in VECTORS.items()))
    return str(path)


def begin(data: Path, folder: Path, **chosen: Any) -> Session:
    return starting.start(Source(str(data)), TINY | chosen, folder)


def row(training: Session, table: str, word: str) -> list[float]:
    words = list(training.prepared.word_tables[table])
    numbers: list[float] = training.state.store.tables[table][words.index(word)].tolist()
    return numbers


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("optimizer", ["adamw", "momentum", "sgd"])
def test_frozen_vectors_stay_and_other_words_learn(
    data: Path, vectors: str, tmp_path: Path, workers: int, optimizer: str
) -> None:
    training = begin(data, tmp_path, vectors=vectors, freeze=True, workers=workers, optimizer=optimizer)
    assert training.settings.embedding == 3
    assert training.coverage is not None
    assert training.coverage.sentence == "3 of 6 known words (50%) have one of 3 numbers, left as they are"
    before = row(training, "embedding/weight", "warm")
    list(training.events())
    for word in ("good", "bad", "film"):
        assert row(training, "embedding/weight", word) == VECTORS[word]
    assert row(training, "embedding/weight", "warm") != before


def test_tuned_vectors_begin_where_the_file_says_and_move(data: Path, vectors: str, tmp_path: Path) -> None:
    training = begin(data, tmp_path, vectors=vectors)
    assert row(training, "embedding/weight", "bad") == VECTORS["bad"]
    assert training.coverage is not None
    assert training.coverage.sentence == "3 of 6 known words (50%) have one of 3 numbers, tuned with the rest"
    list(training.events())
    assert row(training, "embedding/weight", "bad") != VECTORS["bad"]


def test_a_frozen_row_takes_no_part_in_the_gradients_length(data: Path, vectors: str, tmp_path: Path) -> None:
    training = begin(data, tmp_path, vectors=vectors, freeze=True, dropout=0.0)
    store, network = training.state.store, training.prepared.network
    _, grads = network.loss_and_gradients(store.params, training.prepared.train)
    gathered = store.gather(grads).tables["embedding/weight"]
    moving = [list(training.prepared.word_tables["embedding/weight"]).index(w) for w in ("warm", "cold", "one")]
    assert sorted(gathered.rows.tolist()) == sorted(moving)
    whole = grads["embedding"]["weight"].dense()
    np.testing.assert_array_equal(gathered.dense()[moving], whole[moving])


@pytest.mark.parametrize("freeze", [False, True])
def test_taken_up_again_without_the_file_to_the_same_bytes(
    data: Path, vectors: str, tmp_path: Path, freeze: bool
) -> None:
    whole = begin(data, tmp_path / "a", vectors=vectors, freeze=freeze)
    list(whole.events())
    stopped = begin(data, tmp_path / "b", vectors=vectors, freeze=freeze)
    for event in stopped.events():
        if isinstance(event, EpochDone):
            break
    Path(vectors).unlink()
    again = resuming.resume(str(stopped.folder.path), tmp_path / "b")
    list(again.events())
    assert again.folder.model.read_bytes() == whole.folder.model.read_bytes()


def test_a_tagger_gets_them_for_its_words(vectors: str, tmp_path: Path) -> None:
    data = tmp_path / "tags.jsonl"
    sentences = [(["Good", "film"], ["A", "N"]), (["bad", "day"], ["A", "N"])] * 4
    data.write_text("".join(json.dumps({"tokens": words, "tags": tags}) + "\n" for words, tags in sentences))
    training = begin(data, tmp_path, vectors=vectors)
    assert row(training, "views/word", "good") == VECTORS["good"]
    assert row(training, "views/word", "film") == VECTORS["film"]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"freeze": True}, "--freeze is for word vectors from a file"),
        ({"vectors": "V", "embedding": 7}, "--embedding 7: the vectors of V have 3 numbers"),
        ({"vectors": "V", "tokens": "char"}, "--vectors are for words, and this network reads none as an embedding"),
        ({"vectors": "V", "input": "onehot"}, "--vectors are for words, and this network reads none as an embedding"),
    ],
)
def test_what_does_not_go_together(
    data: Path, vectors: str, tmp_path: Path, chosen: dict[str, Any], message: str
) -> None:
    chosen = {name: vectors if value == "V" else value for name, value in chosen.items()}
    with pytest.raises(UsageError) as caught:
        begin(data, tmp_path / "runs", **chosen)
    assert caught.value.message == message.replace("of V", f"of {vectors}")
    assert not (tmp_path / "runs").exists()


def test_vectors_of_other_words_only(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text("zebra 1 2\n")
    with pytest.raises(UsageError, match=r"other\.txt has a vector for none of the known words"):
        begin(data, tmp_path / "runs", vectors=str(path))
