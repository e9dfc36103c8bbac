"""Every file that a command writes: a full disk, a folder that takes nothing, a kill, a link, an input's own name."""

from __future__ import annotations

import errno
import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from helpers import fail_nth_call

import rnncli
from rnncli.cli import app
from rnncli.cli.arguments.command import roles_of
from rnncli.cli.arguments.paths import Writes
from rnncli.cli.samples import SAMPLES
from rnncli.errors import StorageError, UsageError

TRAIN = ["--hidden", "4", "--embedding", "3", "--epochs", "2", "--min-count", "1", "--workers", "1", "--name", "new"]


class Output(NamedTuple):
    """A command that writes a file, whose name is the last argument.

    Attributes:
        suffix: of its name.
        parameter: that names it.
        after: whether the work is done by the time that the file is opened.
    """

    command: list[str]
    suffix: str
    parameter: str
    after: bool = True


OUTPUTS = {
    "answers .csv": Output(["predict", "data", "-o"], ".csv", "output"),
    "answers .tsv": Output(["predict", "data", "-o"], ".tsv", "output"),
    "answers .jsonl": Output(["predict", "data", "-o"], ".jsonl", "output"),
    "answers .parquet": Output(["predict", "data", "-o"], ".parquet", "output"),
    "vectors .npy": Output(["predict", "data", "--vectors"], ".npy", "vectors"),
    "vectors .csv": Output(["predict", "data", "--vectors"], ".csv", "vectors"),
    "curves": Output(["train", "data", *TRAIN, "--plot"], ".svg", "plot"),
    "curves .png": Output(["train", "data", *TRAIN, "--plot"], ".png", "plot"),
    "log": Output(["train", "data", *TRAIN, "--log"], ".jsonl", "log", after=False),
    "confusion": Output(["evaluate", "data", "--plot"], ".html", "plot"),
    "picture": Output(["inspect", "--doctor", "data", "--svg"], ".svg", "svg"),
    "page": Output(["inspect", "good film", "--html"], ".html", "html"),
}
each = pytest.mark.parametrize("name", OUTPUTS)
OLD = b"old" * 100


@pytest.fixture
def at(trained: Any, request: pytest.FixtureRequest) -> Callable[..., list[str]]:
    """The arguments of a command that writes to a path, and reads ``data.csv`` or another file."""
    trained.write("data.csv", (trained.folder / "reviews.csv").read_bytes())
    (trained.folder / "there").mkdir()

    def arguments(name: str, path: str, data: str = "data.csv") -> list[str]:
        words = [data if word == "data" else word for word in OUTPUTS[name].command]
        reading = ["--format", "csv"] if data != "data.csv" else []
        return [words[0], *reading, *words[1:], path]

    return arguments


def temporaries(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith(".tmp")]


def test_every_parameter_that_writes_a_file_is_among_them() -> None:
    """But for the folder of a run, which has tests of its own."""
    import inspect

    found = set()
    for command in app.COMMANDS:
        roles = roles_of(inspect.signature(app.function_of(command)).parameters.values())
        found |= {(command, name) for name, role in roles.items() if isinstance(role, Writes) and role.suffixes}
    assert found == {(one.command[0], one.parameter) for one in OUTPUTS.values()}


@each
@pytest.mark.parametrize("old", [False, True])
def test_on_a_full_disk(trained: Any, at: Any, monkeypatch: pytest.MonkeyPatch, name: str, old: bool) -> None:
    """A device that is always full stands for every file in the folder, also for the rows that wait there."""
    path = Path(f"there/x{OUTPUTS[name].suffix}")
    if old:
        path.write_bytes(OLD)
    real_os, real_open = os.open, open

    def opened(path: Any, *more: Any, **named: Any) -> Any:
        there = Path("there").resolve() in Path(os.fspath(path)).resolve().parents
        return real_os("/dev/full" if there else path, *((os.O_WRONLY,) if there else more), **({} if there else named))

    def python_opened(path: Any, *more: Any, **named: Any) -> Any:
        return real_open("/dev/full" if str(path).startswith("there") else path, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr("os.open", opened)
        patch.setattr("builtins.open", python_opened)
        patch.setattr(tempfile, "TemporaryFile", lambda dir: real_open("/dev/full", "r+b", buffering=0))
        result = trained(*at(name, str(path)), *(["--force"] if old else []))
    assert result.code == 5, result
    assert f"rnncli: {path} cannot be written: No space left on device\n" in result.err
    assert result.err.count("rnncli: ") == 1
    if OUTPUTS[name].after:
        assert (path.read_bytes() if path.exists() else None) == (OLD if old else None)
    assert temporaries(trained.folder) == []
    if OUTPUTS[name].command[0] == "train" and OUTPUTS[name].after:
        assert trained.works("predict", "good", "-m", "new").out  # what was learned is not lost


@each
@pytest.mark.parametrize(
    ("folder", "says"),
    [
        ("gone", "No such file or directory"),
        ("data.csv", "Not a directory"),
        ("there", "Permission denied"),
        ("there", "Read-only file system"),
    ],
)
def test_in_a_folder_that_takes_no_file(
    trained: Any, at: Any, monkeypatch: pytest.MonkeyPatch, name: str, folder: str, says: str
) -> None:
    """Before anything is done, be it a second's work or a day's. Root may write where it may not: so it is told."""
    if folder == "there":
        flags = os.statvfs("there").f_flag

        class Told(NamedTuple):
            f_flag: int

        read_only = Told(flags | os.ST_RDONLY if "Read-only" in says else flags & ~os.ST_RDONLY)
        monkeypatch.setattr("os.access", lambda path, mode: not str(path).endswith("there"))
        monkeypatch.setattr("os.statvfs", lambda path: read_only)
    path = f"{folder}/x{OUTPUTS[name].suffix}"
    trained.refuses(5, f"rnncli: {path} cannot be written: {says}", *at(name, path))


@each
def test_a_link_stays_and_its_file_is_replaced(trained: Any, at: Any, name: str) -> None:
    suffix = OUTPUTS[name].suffix
    link, file = Path(f"x{suffix}"), Path(f"there/y{suffix}")
    file.write_bytes(OLD)
    link.symlink_to(file)
    trained.refuses(2, "exists already", *at(name, str(link)))
    trained.works(*at(name, str(link)), "--force")
    assert link.readlink() == file
    assert file.read_bytes() != OLD
    assert os.listdir("there") == [file.name]


@pytest.mark.parametrize("name", [name for name, one in OUTPUTS.items() if "data" in one.command])
@pytest.mark.parametrize("given", ["data", "./data", "hard", "link"])
def test_over_the_data(trained: Any, at: Any, name: str, given: str) -> None:
    suffix = OUTPUTS[name].suffix
    data = trained.write(f"data{suffix}", (trained.folder / "reviews.csv").read_bytes())
    os.link(data, f"hard{suffix}")
    os.symlink(data, f"link{suffix}")
    command = at(name, f"{given}{suffix}", data)
    for force in ([], ["--force"]):
        trained.refuses(2, f"{given}{suffix} is also the input", *command, *force)


KILLED = """
import os, signal

replace = os.replace

def struck(source, target, **more):
    if os.path.basename(target).startswith("x."):
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(source, target, **more)

os.replace = struck
"""


@pytest.mark.parametrize("name", [name for name, one in OUTPUTS.items() if one.after])
def test_killed_before_it_is_there(trained: Any, at: Any, process: Any, at_import: Any, name: str) -> None:
    """The old file is whole; the next one to be written takes away what was left beside it."""
    path = Path(f"there/x{OUTPUTS[name].suffix}")
    path.write_bytes(OLD)
    command = [*at(name, str(path)), "--force"]
    running = process(*command, env=at_import(KILLED))
    _, err = running.communicate(timeout=60)
    assert running.returncode == -signal.SIGKILL, err
    assert path.read_bytes() == OLD
    assert len(temporaries(trained.folder)) == 1
    trained.works(*(f"{word}2" if word == "new" else word for word in command))
    assert path.read_bytes() != OLD
    assert os.listdir("there") == [path.name]


def test_a_log_is_there_up_to_the_moment_that_a_training_was_killed(trained: Any, process: Any, at_import: Any) -> None:
    world = at_import("import os, signal\nos.replace = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)")
    running = process("train", "reviews.csv", *TRAIN, "--log", "x.jsonl", env=world)
    running.communicate(timeout=60)
    assert running.returncode == -signal.SIGKILL
    assert all(line.startswith('{"event": ') for line in Path("x.jsonl").read_text().splitlines())
    trained.works("train", "reviews.csv", *TRAIN, "--log", "x.jsonl", "--force")
    assert Path("x.jsonl").read_text().splitlines()[-1].startswith('{"event": "finished"')


IN_PYTHON: dict[str, Callable[[str], Any]] = {
    "answers": lambda path: rnncli.predict(Path("data.svg"), output=path, force=True, format="csv"),
    "curves": lambda path: rnncli.train("data.svg", format="csv", epochs=1, plot=path),
    "log": lambda path: rnncli.train("data.svg", format="csv", epochs=1, log=path),
    "confusion": lambda path: rnncli.evaluate("data.svg", format="csv", plot=path),
}


@pytest.mark.parametrize("name", IN_PYTHON)
def test_in_python_neither(trained: Any, name: str) -> None:
    content = (trained.folder / "reviews.csv").read_bytes()
    trained.write("data.svg", content)
    with pytest.raises(UsageError, match=r"data\.svg is also the input"):
        IN_PYTHON[name]("data.svg")
    with pytest.raises(UsageError, match="is a directory"):
        IN_PYTHON[name]("runs")
    with pytest.raises(StorageError, match=r"gone/x\.(csv|svg) cannot be written: No such file or directory"):
        IN_PYTHON[name]("gone/x.csv" if name == "answers" else "gone/x.svg")
    assert Path("data.svg").read_bytes() == content
    assert sorted(os.listdir("runs")) == ["latest", "reviews-1"]


# Samples: several files, and a folder that is made


def test_samples_on_a_full_disk(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are there are whole."""
    with monkeypatch.context() as patch:
        fail_nth_call(patch, ["os.write"], lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 4)
        result = cli("samples", "-o", "new")
    assert result.code == 5
    assert "cannot be written: No space left on device" in result.err
    written = {path.name: path.read_bytes() for path in Path("new").iterdir()}
    assert 0 < len(written) < len(SAMPLES)
    cli.works("samples", "-o", "new", "--force")
    assert {name: (Path("new") / name).read_bytes() for name in written} == written
    assert len(os.listdir("new")) == len(SAMPLES)


def test_samples_where_no_folder_can_be(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.write("file", "mine")
    cli.refuses(5, "file: the folder cannot be made: File exists", "samples", "-o", "file")
    cli.refuses(5, "file/new: the folder cannot be made: Not a directory", "samples", "-o", "file/new")
    cli.write("notes.csv", "mine")
    cli.refuses(2, "notes.csv exists already", "samples", "notes.csv")
    os.symlink("gone.csv", "keys.csv")
    cli.refuses(2, "keys.csv exists already", "samples", "keys.csv")
    (cli.folder / "clock.csv").mkdir()
    cli.refuses(5, "clock.csv cannot be written: Is a directory", "samples", "clock.csv", "--force")


def test_samples_killed_in_the_middle(cli: Any, process: Any, at_import: Any) -> None:
    world = at_import(KILLED.replace('"x."', '"tags."'))
    running = process("samples", "-o", "new", env=world)
    running.communicate(timeout=60)
    assert running.returncode == -signal.SIGKILL
    assert len(temporaries(cli.folder)) == 1
    cli.works("samples", "-o", "new", "--force")
    assert temporaries(cli.folder) == []
    assert len(os.listdir("new")) == len(SAMPLES)
