"""The label of a row of the training data, found by its input."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from rnncli.data.dataset import Source
from rnncli.inspection.adapters import adapter_of
from rnncli.tasks.model import Model
from rnncli.training import starting
from rnncli.training.rows import LabelledRow, labelled_row

ROWS = "text,label\nthe Cat sat,a\nthe dog sat,b\nthe dog  sat,a\n<br>the cat ran,b\n"
TAGGED = [{"tokens": ["the", "cat"], "tags": ["D", "N"]}, {"tokens": ["a", "dog", "ran"], "tags": ["D", "N", "V"]}]
FILES: dict[str, tuple[str, str]] = {
    "rows.csv": ("text", ROWS),
    "tags.jsonl": ("tag", "".join(json.dumps(row) + "\n" for row in TAGGED)),
    "sets.jsonl": (
        "multilabel",
        '{"text": "the cat", "labels": ["b", "a"]}\n{"text": "a dog", "labels": []}\n{"text": "ran", "labels": ["b"]}',
    ),
    "pairs.csv": ("seq2seq", "source,target\nab,xy\nba,yx\nbb,yy\n"),
    "shapes.csv": ("caption", "r,g,text\n1,2,a red one\n0,1.5,a green one\n3,1,a blue one\n"),
    "steps.jsonl": (
        "numbers",
        '{"sequence": [[1, 2], [0.5, 1]], "label": "up"}\n{"sequence": [[3, 1]], "label": "no"}\n',
    ),
}


def trained(folder: Path, file: str, **settings: Any) -> tuple[Model, Path]:
    (folder / file).write_text(FILES[file][1])
    tiny = {"hidden": 2, "embedding": 2, "epochs": 0, "min_count": 1, "validation": 0.0, "workers": 1} | settings
    training = starting.start(Source(str(folder / file)), tiny, folder / "runs")
    for _ in training.events():
        pass
    return Model.load(training.folder.model), training.folder.model


def row_of(model: Model, path: Path, text: str) -> LabelledRow | str:
    return labelled_row(model, path, text, lambda one: adapter_of(model).parts(one).values)


@pytest.mark.parametrize(
    ("file", "text", "label", "line"),
    [
        ("rows.csv", "the cat  SAT", "a", 2),  # the model reads no capitals, and words
        ("rows.csv", "<br>the cat ran", "b", 5),
        ("tags.jsonl", "a dog ran", '["D", "N", "V"]', 2),
        ("tags.jsonl", '["the", "cat"]', '["D", "N"]', 1),
        ("sets.jsonl", "The cat", "a, b", 1),
        ("sets.jsonl", "a  dog", "(none)", 2),
        ("pairs.csv", "ba", "yx", 3),
        ("shapes.csv", "0, 1.5", "a green one", 3),
        ("steps.jsonl", "[[3,1]]", "no", 2),
    ],
)
def test_a_row_is_found_as_the_model_reads_it(tmp_path: Path, file: str, text: str, label: str, line: int) -> None:
    model, path = trained(tmp_path, file)
    found = row_of(model, path, text)
    assert isinstance(found, LabelledRow), found
    assert (json.loads(found.label) if label.startswith("[") else found.label) == (
        json.loads(label) if label.startswith("[") else label
    )
    assert (found.file, found.line, found.differing) == (file, line, ())
    adapter_of(model).open(text, found.label)  # it is one that can be given


def test_rows_with_the_same_input_and_another_label_are_named(tmp_path: Path) -> None:
    model, path = trained(tmp_path, "rows.csv")
    assert row_of(model, path, "the dog sat") == LabelledRow("b", "rows.csv", 3)  # just so
    found = row_of(model, path, "The dog sat")  # not just so: both are it
    assert found == LabelledRow("b", "rows.csv", 3, (4,))


def test_capitals_are_a_difference_to_a_model_that_reads_them(tmp_path: Path) -> None:
    model, path = trained(tmp_path, "rows.csv", lowercase=False)
    assert row_of(model, path, "the cat sat") == "the input is not a row of its training data, rows.csv"
    assert isinstance(row_of(model, path, "the Cat sat"), LabelledRow)


def test_why_there_is_none(tmp_path: Path) -> None:
    model, path = trained(tmp_path, "rows.csv")
    text, data = "the Cat sat", tmp_path / "rows.csv"
    shutil.copy(path, tmp_path / "copy.safetensors")
    found = row_of(model, tmp_path / "copy.safetensors", text)
    assert found == "nothing beside the model's file says where its training data are"
    data.write_text(ROWS.replace("Cat sat,a", "Cat sat,b"))
    assert row_of(model, path, text) == "its training data, rows.csv, have changed"
    data.write_text("text\n")
    assert row_of(model, path, text) == "its training data, rows.csv, can no longer be read"
    data.unlink()
    assert row_of(model, path, text) == "its training data, rows.csv, are no longer where they were"
    data.mkdir()  # whatever stands there now, it is not waited for
    assert row_of(model, path, text) == "its training data, rows.csv, are no longer where they were"
    (path.parent / "state.safetensors").write_bytes(b"x")
    assert row_of(model, path, text) == "the saved state of its training cannot be read"


def test_of_a_model_of_an_epoch_too(tmp_path: Path) -> None:
    model, path = trained(tmp_path, "rows.csv", keep_epochs=True, epochs=1)
    assert isinstance(row_of(model, path.parent / "epochs" / "0.safetensors", "the Cat sat"), LabelledRow)


def test_a_file_that_takes_long_to_read_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, path = trained(tmp_path, "rows.csv")
    monkeypatch.setattr("rnncli.training.rows.MOST_BYTES", 10)
    assert row_of(model, path, "x") == "its training data, rows.csv, are too large to be searched for one row"
