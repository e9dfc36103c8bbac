"""Folders for trainings: none overwrites another, and what a user means is found."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest

from rnncli import storage
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


def test_what_fails_while_a_run_is_filled_names_the_run(tmp_path: Path) -> None:
    def fill(folder: RunFolder) -> None:
        (folder.path / "epochs").write_bytes(b"")
        storage.write_atomically(folder.epoch(1), b"model")

    with pytest.raises(StorageError) as caught:
        runs.create(tmp_path, "r.csv", fill=fill)
    said = f"{tmp_path / 'r-1' / 'epochs' / '1.safetensors'} cannot be written: Not a directory"
    assert caught.value.message == said
    assert os.listdir(tmp_path) == []


def test_something_else_called_latest_is_refused_before_the_training(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    for name in (None, "first"):
        with pytest.raises(UsageError, match="latest is not a link"):
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


# Links and folders that cannot be read


def test_a_run_behind_a_link_is_named_where_the_link_is(tmp_path: Path) -> None:
    """Nothing is written beside what a link leads to."""
    here, far = tmp_path / "runs", tmp_path / "far"
    far.mkdir()
    runs.create(here, "r.csv", "x").path.rename(far / "x")
    (here / "x").symlink_to(far / "x")
    for name, folder in (("x", here), (str(here / "x"), tmp_path)):
        found = runs.find(name, folder)
        assert (found.path, found.named) == (far / "x", here / "x")
        runs.point_latest(found)
        assert os.readlink(here / "latest") == "x"
    found = runs.find("latest", here)
    assert (found.path, found.named) == (far / "x", here / "x")
    assert os.listdir(far) == ["x"]


def test_a_link_beside_the_run_is_followed_to_it(tmp_path: Path) -> None:
    folder = runs.create(tmp_path, "r.csv")
    (tmp_path / "best").symlink_to("r-1")
    assert (runs.find("best", tmp_path).path, runs.find("best", tmp_path).named) == (folder.path, folder.path)


def test_a_latest_that_leads_elsewhere_stays(tmp_path: Path) -> None:
    folder = runs.create(tmp_path / "far", "r.csv")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "latest").symlink_to(folder.path)
    found = runs.find("latest", tmp_path / "runs")
    assert found.path == folder.path
    runs.point_latest(found)
    assert os.readlink(tmp_path / "runs" / "latest") == str(folder.path)
    assert os.listdir(tmp_path / "far") == ["r-1"]


@pytest.mark.parametrize("name", ["latest", "r-1", "r-2"])
def test_a_folder_that_cannot_be_read_is_not_said_to_be_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    runs.point_latest(runs.create(tmp_path, "r.csv"))
    stat = os.stat

    def refuse(path: object, **more: object) -> object:
        if str(path).startswith(str(tmp_path)):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("os.stat", refuse)
    for find in (runs.find, runs.find_model):
        with pytest.raises(StorageError, match=f"{name} cannot be read: Permission denied"):
            find(name, tmp_path)


@pytest.mark.parametrize("nth", [1, 2])
def test_what_a_killed_process_left_of_latest_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    """Of the link, and of a run that did not get its name."""
    pid = os.fork()
    if pid == 0:
        replace = os.replace

        def killed(*names: str) -> None:
            if str(names[1]).endswith("latest" if nth == 1 else "r-2"):
                os.kill(os.getpid(), signal.SIGKILL)
            replace(*names)

        monkeypatch.setattr("os.replace", killed)
        runs.point_latest(runs.create(tmp_path, "r.csv"))
        runs.create(tmp_path, "r.csv", fill=lambda folder: folder.state.write_text("state"))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    if nth == 2:
        runs.point_latest(runs.find("r-1", tmp_path))
    (left,) = (name for name in os.listdir(tmp_path) if name.endswith(".tmp"))
    assert left.startswith(".latest." if nth == 1 else ".r-2.")
    assert runs.create(tmp_path, "r.csv").path.name == "r-2"
    runs.point_latest(runs.find("r-2", tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["latest", "r-1", "r-2"]


def test_a_run_is_there_with_all_it_holds_or_not_at_all(tmp_path: Path) -> None:
    def fill(folder: RunFolder) -> None:
        assert folder.named == tmp_path / "r-1"
        folder.config.write_text("a: 1")
        assert not (tmp_path / "r-1").exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runs.create(tmp_path, "r.csv", fill=fill)
    assert os.listdir(tmp_path) == []
