"""The list of runs, and their removal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import rnncli
from rnncli.errors import StorageError
from rnncli.model_file import load, load_manifest
from rnncli.training.runs import RunLock


def train(cli, *more: object) -> None:
    cli.write("r.csv", "text,label\n" + "good one,pos\nbad one,neg\n" * 8)
    cli.works("train", "r.csv", "--hidden", "3", "--epochs", "2", "--min-count", "1", "--validation", "0.3", *more)


@pytest.fixture
def two(cli):
    """r-1 and r-2, of which r-2 is the latest."""
    for second in (1, 2):
        train(cli)
        for path in (cli.folder / f"runs/r-{second}").iterdir():
            os.utime(path, (1e9 + second, 1e9 + second))
    return cli


def test_a_run_is_a_row_with_what_its_files_say(two):
    newest, older = two.works("runs", "--json").json
    assert (newest["name"], newest["latest"], older["name"], older["latest"]) == ("r-2", True, "r-1", False)
    model = rnncli.load("runs/r-2")
    assert newest["score"] == model.record.best.validation_accuracy
    assert {key: newest[key] for key in ("data", "task", "metric", "epoch", "rows", "status")} == {
        "data": "r.csv",
        "task": "classify",
        "metric": "accuracy",
        "epoch": model.record.best_epoch,
        "rows": model.record.rows,
        "status": "finished",
    }
    assert newest["parameters"] == sum(
        array.size for array in load(two.folder / "runs/r-2/model.safetensors")[1].values()
    )
    assert newest["bytes"] == sum(path.stat().st_size for path in (two.folder / "runs/r-2").iterdir())
    assert newest["modified"] == "2001-09-09T01:46:42+00:00"
    rows = two.works("runs").rows
    assert rows[0][:3] == ["run", "data", "task"]
    assert [row[0] for row in rows[1:]] == ["r-2", "r-1"]
    assert [one.name for one in rnncli.list_runs()] == ["r-2", "r-1"]


def test_the_manifest_alone_is_that_of_the_whole_file(two):
    path = two.folder / "runs/r-1/model.safetensors"
    manifest, parameters = load_manifest(path)
    whole, tensors = load(path)
    assert manifest == whole
    assert parameters == sum(array.size for array in tensors.values())


def test_what_is_no_whole_run_is_said(two):
    (two.folder / "runs/r-1/model.safetensors").write_bytes(b"no model at all, not even near")
    (two.folder / "runs/r-2/README.md").unlink()
    (two.folder / "runs/mine").mkdir()
    found = {one["name"]: one["status"] for one in two.works("runs", "--json").json}
    assert found["r-2"] == "stopped"
    assert "is not an rnncli model" in found["r-1"]
    assert set(found) == {"r-1", "r-2"}
    lock = RunLock(two.folder / "runs/r-2", Path("runs/r-2"))
    assert {one["name"]: one["status"] for one in two.works("runs", "--json").json}["r-2"] == "training"
    two.refuses(5, "is being trained at this moment", "runs", "rm", "r-2", "--yes")
    lock.release()


def test_nothing_to_list(cli):
    assert cli.works("runs").out == ""
    assert cli.works("runs", "--json").json == []
    cli.write("file", "x")
    cli.refuses(5, "file cannot be read", "runs", "--runs", "file")


def test_a_removed_run_is_gone_and_latest_leads_to_the_newest_left(two):
    two.refuses(2, ["1 run would be removed for good: runs/r-2", "add --yes"], "runs", "rm", "latest")
    two.works("runs", "rm", "latest", "--yes")
    assert not (two.folder / "runs/r-2").exists()
    assert os.readlink(two.folder / "runs/latest") == "r-1"
    (two.folder / "runs/r-1/mine.txt").write_text("mine")
    assert two.works("runs", "rm", "r-1", "-y", "--json").json == {
        "removed": ["runs/r-1"],
        "left": {"runs/r-1": ["mine.txt"]},
    }
    assert [path.name for path in (two.folder / "runs/r-1").iterdir()] == ["mine.txt"]
    assert not os.path.lexists(two.folder / "runs/latest")


def test_nothing_else_is_removed(two):
    (two.folder / "data").mkdir()
    (two.folder / "data/README.md").write_text("mine")
    two.refuses(5, "data is not a run of rnncli", "runs", "rm", "data", "--yes")
    two.refuses(5, "there is no run 'r-3'; did you mean", "runs", "rm", "r-1", "r-3", "--yes")
    two.works("train", "r.csv", "--epochs", "0", "--min-count", "1", "--validation", "0", "--runs", "other")
    two.refuses(2, "other/r-1 is not in runs/", "runs", "rm", "other/r-1", "--yes")
    two.refuses(2, "name the runs to remove", "runs", "rm")
    two.refuses(2, "did you mean 'rm'?", "runs", "rmm", "r-1")
    two.refuses(2, "--yes is for runs rm", "runs", "--yes")
    with pytest.raises(StorageError, match="there is no run"):
        rnncli.remove_runs(["none"])


def test_a_removed_run_keeps_no_epochs(cli):
    train(cli, "--keep-epochs")
    assert (cli.folder / "runs/r-1/epochs/2.safetensors").exists()
    assert rnncli.remove_runs(["r-1"]) == {"runs/r-1": []}
    assert not (cli.folder / "runs/r-1").exists()
