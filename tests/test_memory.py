"""What does not fit is refused before it is made, and what is read takes little."""

import os
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnncli
from rnncli import memory
from rnncli.config import Settings
from rnncli.data.dataset import Source
from rnncli.data.opening import read_dataset
from rnncli.data.records import Texts
from rnncli.data.records.ragged import Ragged
from rnncli.errors import StorageError, UsageError
from rnncli.memory import require_room
from rnncli.tasks.classify.network import Classifier
from rnncli.tasks.many_to_one.bag_of_words import FEW_WEIGHTS, MOST_WEIGHTS, problem
from rnncli.tasks.metrics import confusion_matrix


def machine_of(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    pages = {"SC_PHYS_PAGES": size // 4096, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)


def test_what_is_taken_already_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "statm").write_text(f"{2**20} {2**18} 1 1 0 1 0\n")  # pages: of memory 1 GiB
    monkeypatch.setattr(memory, "_PAGES", tmp_path / "statm")
    machine_of(monkeypatch, 4 * 2**30)
    require_room(3 * 2**30, "it", "less")
    with pytest.raises(StorageError) as caught:
        require_room(3 * 2**30 + 1, "it", "less")
    assert caught.value.message == "it needs about 3.0 GiB more memory, and 3.0 GiB is left"
    assert caught.value.hint == "less"


def test_reading_stops_where_there_is_no_room_to_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("text,label\n" + "good film,p\nbad film,n\n" * 70_000)
    assert len(read_dataset(Source(str(path))).texts) == 140_000
    (tmp_path / "statm").write_text("1000 1000 1 1 0 1 0\n")
    monkeypatch.setattr(memory, "_PAGES", tmp_path / "statm")
    machine_of(monkeypatch, 8 * 2**20)
    with pytest.raises(StorageError, match=r"^training on 65,536 records, and there are more, needs about") as caught:
        read_dataset(Source(str(path)))
    assert caught.value.exit_code == 5
    assert "fewer records" in str(caught.value.hint)


def test_records_take_little_beside_their_texts(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("text,label\n" + "ab,p\ncd,n\n" * 100_000)
    tracemalloc.start()
    dataset = read_dataset(Source(str(path)))
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(dataset.texts) == 200_000
    assert taken < 60 * 200_000


def test_a_long_text_of_many_records_is_kept_once() -> None:
    long = "1,2," * 10_000
    texts = Texts(["", long, "", "a", long, long[:-1]])
    assert texts == ["", long, "", "a", long, long[:-1]]
    assert texts.nbytes < 2.1 * len(long)
    rows, places = texts.distinct()
    assert [texts[row] for row in rows[places]] == list(texts)
    assert places[1] == places[4] != places[5]
    assert Texts(["é\ud800", "x"])[:1] == ["é\ud800"]


def test_ragged_sequences() -> None:
    sequences = [np.arange(3), np.arange(0), np.arange(10, 17), np.arange(5)]
    ragged = Ragged.of(np.concatenate(sequences), np.array([3, 0, 7, 5]))
    assert ragged == sequences
    assert ragged != sequences[:3]
    assert ragged.take(np.array([2, 0])) == [sequences[2], sequences[0]]
    assert ragged.take(np.array([2, 0])).joined().tolist() == [*range(10, 17), 0, 1, 2]
    assert ragged[1:3] == sequences[1:3]
    cut = ragged.without_middles(4, 1)
    assert [one.tolist() for one in cut] == [[0, 1, 2], [], [10, 14, 15, 16], [0, 2, 3, 4]]
    assert ragged.without_middles(7, 1) is ragged


def test_a_bag_of_words_too_large_is_left_out_with_a_sentence() -> None:
    network, instead = Classifier(Settings(), 1, 5), "commonest_label"
    assert problem(100, FEW_WEIGHTS // 5, network, instead) is None
    assert "are too many for a bag of words" in str(problem(100, FEW_WEIGHTS, network, instead))
    assert problem(MOST_WEIGHTS, MOST_WEIGHTS // 5, network, instead) is None
    assert problem(10 * MOST_WEIGHTS, MOST_WEIGHTS, network, instead) is not None


def test_many_labels_are_compared_with_the_commonest_alone(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("text,label\n" + "".join(f"good w{k % 1500} film,label{k % 1500}\n" for k in range(7500)))
    model = rnncli.train(path, runs=tmp_path / "runs", epochs=1, hidden=4, embedding=4, batch=256, workers=1)
    assert set(model.record.baselines) == {"commonest_label"}


def test_a_confusion_matrix_without_room_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError, match="a confusion matrix of 100,000 labels is too large: it has at most 11,000"):
        confusion_matrix(np.zeros(2, int), np.zeros(2, int), 100_000)
    machine_of(monkeypatch, 2**31)
    with pytest.raises(StorageError, match="a confusion matrix of 10,000 labels needs about"):
        confusion_matrix(np.zeros(2, int), np.zeros(2, int), 10_000)


@pytest.mark.parametrize(
    ("bound", "value", "chosen"),
    [("_MAX_VALUES", 300, {}), ("_MAX_HEADER_BYTES", 3000, {}), ("_MAX_FILE_BYTES", 20_000, {"hidden": 64})],
)
def test_what_could_not_be_saved_is_refused_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bound: str, value: int, chosen: dict[str, Any]
) -> None:
    from rnncli import model_file

    path = tmp_path / "data.csv"
    path.write_text("text,label\n" + "".join(f"w{k} w{k} good,{'ab'[k % 2]}\n" for k in range(400)))
    monkeypatch.setattr(model_file, bound, value)
    with pytest.raises(UsageError, match=r"^what is trained could not be saved: ") as caught:
        rnncli.train(path, runs=tmp_path / "runs", epochs=1, **chosen)
    assert "--max-vocabulary" in str(caught.value.hint)
    assert not (tmp_path / "runs").exists()
