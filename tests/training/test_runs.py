"""Folders for trainings: none overwrites another, and what a user means is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnncli.errors import StorageError, UsageError
from rnncli.training import runs
from rnncli.training.runs import RunFolder


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("data/reviews.csv.gz", "reviews-1"),
        ("-", "stdin-1"),
        ("a b&c.csv", "a-b-c-1"),
        ("/x/\u00e9t\u00e9.csv", "t-1"),
        ("\u4e2d\u6587.csv", "run-1"),
        (".csv", "run-1"),
        ("../..", "run-1"),
        ("--force.csv", "force-1"),
        ("\x1b[31m.csv", "31m-1"),
        ("x" * 200 + ".csv", "x" * 60 + "-1"),
    ],
)
def test_a_folder_is_named_after_the_data(tmp_path: Path, data: str, name: str) -> None:
    folder = runs.create(tmp_path / "deep" / "runs", data)
    assert folder.path == tmp_path / "deep" / "runs" / name
    assert folder.path.is_dir()
    assert [path.name for path in (folder.model, folder.state, folder.config, folder.metrics, folder.card)] == [
        "model.safetensors",
        "state.safetensors",
        "config.yaml",
        "metrics.jsonl",
        "README.md",
    ]


def test_numbers_go_on_after_the_highest(tmp_path: Path) -> None:
    assert [runs.create(tmp_path, "r.csv").path.name for _ in range(3)] == ["r-1", "r-2", "r-3"]
    for other in ("r-41", "r-x", "rr-99", "r-07x", "r-" + "9" * 12):
        (tmp_path / other).mkdir()
    (tmp_path / "r-1").rmdir()
    assert runs.create(tmp_path, "r.csv").path.name == "r-42"


def test_a_folder_that_appears_in_between_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "r-1").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", lambda self: iter(()))
        assert runs.create(tmp_path, "r.csv").path.name == "r-2"


def test_a_name_of_ones_own(tmp_path: Path) -> None:
    assert runs.create(tmp_path, "r.csv", "first try").path == tmp_path / "first try"
    with pytest.raises(UsageError, match="exists already"):
        runs.create(tmp_path, "r.csv", "first try")


@pytest.mark.parametrize("name", ["", ".", "..", "latest", "a/b", "/b", "../up", "a\0b", "a\tb", "\x1b[31m"])
def test_what_cannot_name_a_run(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a run"):
        runs.create(tmp_path / "runs", "r.csv", name)
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be made"):
        runs.create(tmp_path / "file", "r.csv")
    with pytest.raises(StorageError, match="cannot be made"):
        runs.create(tmp_path, "r.csv", "n" * 300)


def test_latest_names_the_newest(tmp_path: Path) -> None:
    first, second = runs.create(tmp_path, "r.csv"), runs.create(tmp_path, "r.csv")
    for folder in (first, second, second, first):
        runs.point_latest(folder)
        assert os.readlink(tmp_path / "latest") == folder.path.name
        assert runs.find("latest", tmp_path) == folder
    assert sorted(os.listdir(tmp_path)) == ["latest", "r-1", "r-2"]


def test_latest_is_followed_once(tmp_path: Path) -> None:
    """What is read after a training has moved it still comes from one run."""
    first, second = runs.create(tmp_path, "r.csv"), runs.create(tmp_path, "r.csv")
    runs.point_latest(first)
    found = runs.find("latest", tmp_path)
    runs.point_latest(second)
    assert found == first


def test_the_folder_can_move_with_its_link(tmp_path: Path) -> None:
    folder = runs.create(tmp_path / "old", "r.csv")
    runs.point_latest(folder)
    (tmp_path / "old").rename(tmp_path / "new")
    assert runs.find("latest", tmp_path / "new") == RunFolder(tmp_path / "new" / "r-1")


def test_a_latest_that_cannot_be_set(tmp_path: Path) -> None:
    folder = runs.create(tmp_path, "r.csv")
    (tmp_path / "latest").mkdir()  # since the training began
    with pytest.raises(StorageError, match="cannot be set"):
        runs.point_latest(folder)
    assert sorted(os.listdir(tmp_path)) == ["latest", "r-1"]


def test_something_else_called_latest_is_refused_before_the_training(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    for name in (None, "first"):
        with pytest.raises(UsageError, match="latest is no link"):
            runs.create(tmp_path, "r.csv", name)
    assert os.listdir(tmp_path) == ["latest"]
    (tmp_path / "latest").rmdir()
    (tmp_path / "latest").symlink_to("r-9")  # of a training that was removed
    assert runs.create(tmp_path, "r.csv").path.name == "r-1"


def test_a_run_by_name_or_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runs.create(tmp_path / "runs", "r.csv")
    assert runs.find("r-1", tmp_path / "runs") == folder
    assert runs.find(str(folder.path), tmp_path / "elsewhere") == folder
    runs.point_latest(folder)
    monkeypatch.chdir(tmp_path)
    assert runs.find("runs/latest", Path("elsewhere")) == RunFolder(Path("runs/r-1"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("latest", "there is no model in"),
        ("r-7", "there is no run 'r-7'; did you mean 'r-1'?"),
        ("x" * 5000, "there is no run"),
        ("a\0b", "there is no run"),
    ],
)
def test_a_run_that_is_not_there(tmp_path: Path, name: str, message: str) -> None:
    runs.create(tmp_path, "r.csv")
    for find in (runs.find, runs.find_model):
        with pytest.raises(StorageError) as caught:
            find(name, tmp_path)
        assert message in caught.value.message
    with pytest.raises(StorageError):
        runs.find(name, tmp_path / "no such folder")


def test_a_model_by_file_or_by_run(tmp_path: Path) -> None:
    folder = runs.create(tmp_path, "r.csv")
    with pytest.raises(StorageError, match="r-1 is not a run of rnncli"):
        runs.find_model("r-1", tmp_path)
    folder.config.write_text("hidden: 4")
    with pytest.raises(StorageError, match="holds no model yet"):
        runs.find_model("r-1", tmp_path)
    folder.model.write_bytes(b"model")
    assert runs.find_model("r-1", tmp_path) == folder.model
    assert runs.find_model(str(folder.path), tmp_path / "elsewhere") == folder.model
    assert runs.find_model(str(folder.model), tmp_path / "elsewhere") == folder.model


def test_the_model_of_an_epoch(tmp_path: Path) -> None:
    folder = runs.create(tmp_path, "r.csv")
    folder.model.write_bytes(b"model")
    with pytest.raises(StorageError, match="keeps no models of single epochs"):
        runs.find_model("r-1@1", tmp_path)
    folder.epochs.mkdir()
    for epoch in (0, 1, 2, 10):
        folder.epoch(epoch).write_bytes(b"model")
    assert runs.find_model("r-1@10", tmp_path) == folder.epoch(10)
    assert runs.find_model("r-1@02", tmp_path) == folder.epoch(2)
    assert runs.find_model(f"{folder.path}@0", tmp_path / "elsewhere") == folder.epoch(0)
    runs.point_latest(folder)
    assert runs.find_model("latest@1", tmp_path) == folder.epoch(1)
    for name, says, hint in (
        ("r-1@7", "has no model of epoch 7", "there are those of 0, 1, 2, 10"),
        ("r-1@999999999", "has no model of epoch 999999999", "there are those of 0, 1, 2, 10"),
        ("r-1@" + "9" * 5000, "there is no run 'r-1@99", None),
        ("r-1@0000000001", "there is no run 'r-1@0000000001'", None),
        ("r-1@٣", "there is no run 'r-1@٣'", None),
        ("@1", "there is no run '@1'", None),
        ("r-1@best", "there is no run 'r-1@best'", None),
        ("r-1@-1", "there is no run 'r-1@-1'", None),
        ("r-2@1", "there is no run 'r-2'; did you mean 'r-1'?", None),
    ):
        with pytest.raises(StorageError) as caught:
            runs.find_model(name, tmp_path)
        assert says in caught.value.message
        assert caught.value.hint == hint
    folder.epoch(10).unlink()
    with pytest.raises(StorageError) as caught:
        runs.find_model("r-1@7", tmp_path)
    assert caught.value.hint == "there are those of 0 to 2"
    (folder.epochs / "note.safetensors").write_bytes(b"")
    (folder.epochs / "٣.safetensors").write_bytes(b"")
    for epoch in (1, 2):
        folder.epoch(epoch).unlink()
    with pytest.raises(StorageError) as caught:
        runs.find_model("r-1@7", tmp_path)
    assert caught.value.hint == "there is only that of 0"


def test_no_run_is_called_like_an_epoch_and_a_file_may_be(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'a@3' cannot name a run: that is how the model of an epoch is called"):
        runs.create(tmp_path, "r.csv", "a@3")
    assert runs.create(tmp_path, "r.csv", "a@b").path.name == "a@b"
    file = tmp_path / "m@3"
    file.write_bytes(b"model")
    assert runs.find_model(str(file), tmp_path) == file
    (tmp_path / "b@3").mkdir()  # by another hand
    (tmp_path / "b@3" / "model.safetensors").write_bytes(b"model")
    assert runs.find_model("b@3", tmp_path) == tmp_path / "b@3" / "model.safetensors"


def test_the_run_of_a_file(tmp_path: Path) -> None:
    folder = runs.create(tmp_path, "r.csv")
    assert runs.of_file(folder.model) == folder
    assert runs.of_file(folder.epoch(3)) == folder
    named = runs.create(tmp_path, "r.csv", "epochs")
    assert runs.of_file(named.model) == named
    assert runs.of_file(named.epoch(3)) == named
