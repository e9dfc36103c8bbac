"""Where trainings are kept: each in its own folder under ``runs/``, with ``latest`` naming the newest."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from rnncli.errors import StorageError, UsageError, closest

LATEST = "latest"
_OF_EPOCH = re.compile(r"(?P<run>.+)@(?P<epoch>[0-9]{1,9})", re.DOTALL)
TRAIN_ONE = "train one: rnncli train reviews.csv"


@dataclass(frozen=True)
class RunFolder:
    """The files of one training."""

    path: Path

    @property
    def is_run(self) -> bool:
        """Whether a training was ever kept here."""
        return any(path.exists() for path in (self.config, self.model, self.state))

    @property
    def model(self) -> Path:
        return self.path / "model.safetensors"

    @property
    def epochs(self) -> Path:
        """The folder of the models of single epochs, if they are kept."""
        return self.path / "epochs"

    def epoch(self, number: int) -> Path:
        """The model after so many epochs."""
        return self.epochs / f"{number}.safetensors"

    @property
    def state(self) -> Path:
        return self.path / "state.safetensors"

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def card(self) -> Path:
        return self.path / "README.md"

    @property
    def files(self) -> list[Path]:
        """All that a training writes here."""
        kept = sorted(self.epochs.glob("*.safetensors"))
        return [self.config, self.model, self.state, self.metrics, self.card, *kept]


def create(runs: Path, data_path: str, name: str | None = None) -> RunFolder:
    """A new folder under ``runs``: the name given, or the data file's with the next free number.

    Raises:
        UsageError: the named folder exists, the name is a path, or something else than a link is called ``latest``.
        StorageError: the folder cannot be made.
    """
    if name is not None and (name in ("", ".", "..", LATEST) or "/" in name or not name.isprintable()):
        raise UsageError(f"'{name}' cannot name a run", "give a plain folder name; --runs says where it is made")
    if name is not None and _OF_EPOCH.fullmatch(name):
        raise UsageError(f"'{name}' cannot name a run: that is how the model of an epoch is called", "leave the @ out")
    require_free_latest(runs)
    try:
        runs.mkdir(parents=True, exist_ok=True)
        if name is not None:
            return _create_named(runs, name)
        stem = _stem(data_path)
        number = 1 + max((_number(entry.name, stem) for entry in runs.iterdir()), default=0)
        while True:
            folder = runs / f"{stem}-{number}"
            try:
                folder.mkdir()
                return RunFolder(folder)
            except FileExistsError:  # another training took it in between
                number += 1
    except OSError as error:
        raise StorageError(f"{runs}: the folder for the training cannot be made: {error.strerror}") from error


def _create_named(runs: Path, name: str) -> RunFolder:
    folder = runs / name
    if folder.exists():
        raise UsageError(f"{folder} exists already, and a training never overwrites another", "give another --name")
    folder.mkdir()
    return RunFolder(folder)


def require_free_latest(runs: Path) -> None:
    """Refuses a folder in which :func:`point_latest` would fail.

    Raises:
        UsageError: something else than a link is called ``latest``.
    """
    link = runs / LATEST
    if link.exists() and not link.is_symlink():
        raise UsageError(
            f"{link} is no link, and the newest training could not be named there", "move it away, or give other --runs"
        )


def point_latest(folder: RunFolder) -> None:
    """Makes ``runs/latest`` a link to this run, in one atomic step."""
    link = folder.path.parent / LATEST
    temporary = folder.path.parent / f".{LATEST}.{os.getpid()}.tmp"
    try:
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(folder.path.name)
        os.replace(temporary, link)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageError(f"{link} cannot be set: {error.strerror}") from error


def find(name: str, runs: Path) -> RunFolder:
    """The run that a user means: ``latest``, a run's folder, or its name under ``runs``.

    Raises:
        StorageError: there is none.
    """
    candidates = (runs / name, Path(name))
    for candidate in candidates:
        if os.path.isdir(candidate):  # False, where Path.is_dir raises, for a name that no file can have
            # "latest" is followed once, here: what is read afterwards all comes from one run.
            return RunFolder(candidate.parent / candidate.readlink() if candidate.is_symlink() else candidate)
    for candidate in candidates:
        if os.path.islink(candidate):
            raise _gone(name, candidate)
    if _OF_EPOCH.fullmatch(name):
        raise StorageError(f"there is no run '{name}'", "a single epoch is a model, and no training to go on with")
    if os.path.isfile(runs):
        raise StorageError(f"{runs} is a file, not a folder of trainings", "--runs names the folder")
    if name == LATEST:
        raise StorageError(f"there is no model in {runs}/ yet", TRAIN_ONE)
    there = [entry.name for entry in runs.iterdir()] if runs.is_dir() else []
    raise StorageError(f"there is no run '{name}'{closest(name, there)}")


def _gone(name: str, link: Path) -> StorageError:
    """For a link whose run was removed; names the newest of those beside it."""
    said = f"{name} names run {os.readlink(link)}, which is gone"
    beside = [entry for entry in link.parent.iterdir() if RunFolder(entry).is_run]
    if not beside:
        return StorageError(said, TRAIN_ONE)
    newest = sorted(beside, key=os.path.getmtime, reverse=True)[:3]
    return StorageError(f"{said}; name another: {', '.join(entry.name for entry in newest)}")


def no_run(folder: RunFolder) -> StorageError:
    """For a folder in which no training was ever kept."""
    return StorageError(f"{folder.path} is not a run of rnncli")


def find_model(name: str, runs: Path) -> Path:
    """The model file that a user means: a file, that of a run as :func:`find` finds it, or ``RUN@EPOCH``.

    Raises:
        StorageError: there is none.
    """
    path = Path(name)
    if name != LATEST and os.path.exists(path) and not os.path.isdir(path):
        return path
    of_epoch = _OF_EPOCH.fullmatch(name)
    if of_epoch and not any(map(os.path.isdir, (runs / name, path))):
        return _of_epoch(_required_run(of_epoch["run"], runs), int(of_epoch["epoch"]))
    folder = _required_run(name, runs)
    if not folder.model.exists():
        raise StorageError(f"{folder.path} holds no model yet: its training was stopped before it saved one")
    return folder.model


def of_file(path: Path) -> RunFolder:
    """The folder of a model's file, be it that of an epoch; it need not be a run's."""
    above = RunFolder(path.parent.parent)
    return above if path.parent == above.epochs and _is_number(path.stem) else RunFolder(path.parent)


def _required_run(name: str, runs: Path) -> RunFolder:
    folder = find(name, runs)
    if not folder.is_run:
        raise no_run(folder)
    return folder


def _of_epoch(folder: RunFolder, epoch: int) -> Path:
    """The model of a single epoch.

    Raises:
        StorageError: it was not kept; names those that were.
    """
    if folder.epoch(epoch).is_file():
        return folder.epoch(epoch)
    files = folder.epochs.glob("*.safetensors")
    kept = sorted(int(file.stem) for file in files if _is_number(file.stem))
    if not kept:
        raise StorageError(f"{folder.path} keeps no models of single epochs", "rnncli train DATA --keep-epochs does")
    there = f"there are those of {', '.join(map(str, kept))}"
    if len(kept) == 1:
        there = f"there is only that of {kept[0]}"
    elif kept == list(range(kept[0], kept[-1] + 1)):
        there = f"there are those of {kept[0]} to {kept[-1]}"
    raise StorageError(f"{folder.path} has no model of epoch {epoch}", there)


def _is_number(stem: str) -> bool:
    """Whether a file's name is the number of an epoch."""
    return re.fullmatch("[0-9]{1,9}", stem) is not None


def _stem(data_path: str) -> str:
    """``reviews`` for ``data/reviews.csv.gz``: letters, digits, - and _ only."""
    name = "stdin" if data_path == "-" else os.path.basename(data_path).split(".")[0]
    return re.sub(r"[^\w-]+", "-", name, flags=re.ASCII).strip("-")[:60] or "run"


def _number(entry: str, stem: str) -> int:
    matched = re.fullmatch(re.escape(stem) + r"-([0-9]{1,9})", entry)
    return int(matched[1]) if matched else 0
