"""Where trainings are kept: each in its own folder under ``runs/``, with ``latest`` naming the newest."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shlex
import stat
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from rnncli import storage
from rnncli.errors import StorageError, UsageError, closest

LATEST = "latest"
_OF_EPOCH = re.compile(r"(?P<run>.+)@(?P<epoch>[0-9]{1,9})", re.DOTALL)
# What the system says of a path where there is nothing: no such entry, a file on the way, links in a circle, too long.
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})
TRAIN_ONE = "train one: rnncli train reviews.csv"


class RunFolder:
    """The files of one training.

    Args:
        path: of the folder.
        named: the run as it stands among the others, if that is a link to another place; ``latest`` is beside it.

    Attributes:
        epochs: the folder of the models of single epochs, if they are kept.
        origin: a copy of the model that the training began with, if it began with one.
        folds: the folder of the trainings that leave out a fold, as long as they go on.
    """

    def __init__(self, path: Path, named: Path | None = None) -> None:
        self.path, self.named = path, named or path
        self.config, self.metrics, self.card = path / "config.yaml", path / "metrics.jsonl", path / "README.md"
        self.model, self.state, self.epochs = path / "model.safetensors", path / "state.safetensors", path / "epochs"
        self.origin, self.folds = path / "origin.safetensors", path / "folds"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunFolder) and self.path == other.path

    __hash__ = None  # type: ignore[assignment]

    @property
    def is_run(self) -> bool:
        """Whether a training was ever kept here."""
        return any(path.exists() for path in (self.config, self.model, self.state))

    def epoch(self, number: int) -> Path:
        """The model after so many epochs."""
        return self.epochs / f"{number}.safetensors"

    @property
    def files(self) -> list[Path]:
        """All files that a training writes here, those of its folds too."""
        kept = sorted(self.epochs.glob("*.safetensors"))
        kept += [file for fold in self._of_folds for file in RunFolder(fold).files]
        return [self.config, self.model, self.state, self.metrics, self.card, self.origin, *kept]

    @property
    def inner_folders(self) -> list[Path]:
        """The folders that a training makes within this one, the innermost first."""
        return [self.epochs, *self._of_folds, self.folds]

    @property
    def _of_folds(self) -> list[Path]:
        return sorted(self.folds.glob("[0-9]*"))


class RunLock:
    """Keeps a run for one process: as long as it is held, another process that trains the same run is refused.

    It is a lock on the folder itself, leaves no file behind, and ends with the process, however that ends. Where the
    file system has no locks, as on some network drives, nothing is locked.

    Args:
        folder: to be locked.
        named: how a message calls it.

    Raises:
        StorageError: another training holds the lock, or the folder cannot be read.
    """

    # Open descriptors. Forked workers close theirs, or the lock would outlive the training.
    _held: ClassVar[set[int]] = set()

    def __init__(self, folder: Path, named: Path) -> None:
        self._descriptor: int | None = None
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise StorageError(f"{named} cannot be read: {error.strerror}") from error
        self._descriptor = descriptor
        self._held.add(descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise StorageError(
                f"{named} is being trained at this moment, by another process",
                "wait until it is done, or stop it first",
            ) from None
        except OSError:
            self.release()

    def release(self) -> None:
        """Ends the lock; a second time changes nothing."""
        if self._descriptor is not None:
            self._held.discard(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        self.release()

    @classmethod
    def _leave_to_parent(cls) -> None:
        for descriptor in cls._held:
            os.close(descriptor)
        cls._held.clear()


os.register_at_fork(after_in_child=RunLock._leave_to_parent)


def create(
    runs: Path, data_path: str, name: str | None = None, fill: Callable[[RunFolder], None] = lambda folder: None
) -> RunFolder:
    """A new folder under ``runs``: the name given, or the data file's with the next free number.

    Args:
        fill: writes the first files; the folder appears with all of them, or not at all.

    Raises:
        UsageError: the named folder exists, the name is a path, or something else than a link is called ``latest``.
        StorageError: the folder cannot be made.
    """
    require_free(runs, name)

    def made(folder: Path) -> bool:
        return storage.new_folder(folder, lambda path: fill(RunFolder(Path(path), folder)))

    try:
        runs.mkdir(parents=True, exist_ok=True)
        storage.sweep(runs, folders=True)
        if name is not None:
            folder = runs / name
            if not made(folder):
                raise _taken(folder)
            return RunFolder(folder)
        stem = _stem(data_path)
        taken = (re.fullmatch(re.escape(stem) + r"-([0-9]{1,9})", entry.name) for entry in runs.iterdir())
        number = 1 + max((int(match[1]) for match in taken if match), default=0)
        while not made(folder := runs / f"{stem}-{number}"):  # another training took it in between
            number += 1
        return RunFolder(folder)
    except OSError as error:
        raise StorageError(f"{runs}: the folder for the training cannot be made: {error.strerror}") from error


def require_free(runs: Path, name: str | None) -> None:
    """Refuses a name that no new run can have.

    Raises:
        UsageError: the named folder exists, the name is a path, or something else than a link is called ``latest``.
    """
    require_free_latest(runs)
    if name is None:
        return
    if name in ("", ".", "..", LATEST) or "/" in name or not name.isprintable():
        raise UsageError(f"'{name}' cannot name a run", "give a plain folder name; --runs says where it is made")
    if _OF_EPOCH.fullmatch(name):
        raise UsageError(f"'{name}' cannot name a run: that is how the model of an epoch is called", "leave the @ out")
    if os.path.lexists(runs / name):
        raise _taken(runs / name)


def _taken(folder: Path) -> UsageError:
    return UsageError(f"{folder} exists already, and a training never overwrites another", "give another --name")


def require_free_latest(runs: Path) -> None:
    """Refuses a folder in which :func:`point_latest` would fail.

    Raises:
        UsageError: something else than a link is called ``latest``.
    """
    link = runs / LATEST
    if os.path.lexists(link) and not link.is_symlink():
        raise UsageError(
            f"{link} is not a link, so it cannot point to the newest training", "move it away, or give other --runs"
        )


def point_latest(folder: RunFolder) -> None:
    """Makes ``latest`` a link to this run, in one atomic step, in the folder where the run was found.

    Raises:
        StorageError: the link cannot be made.
    """
    if folder.named.name != LATEST:  # else it is that link, to another place, and stays
        storage.link_atomically(folder.named.parent / LATEST, folder.named.name)


def find(name: str, runs: Path) -> RunFolder:
    """The run that a user means: ``latest``, a run's folder, or its name under ``runs``.

    Raises:
        StorageError: there is none, or the folder cannot be read.
    """
    candidates = (runs / name, Path(name))
    for candidate in candidates:
        if _is_folder(candidate):
            return _followed(candidate)
    for candidate in candidates:
        if os.path.islink(candidate):
            raise _dangling(name, candidate)
    if _OF_EPOCH.fullmatch(name):
        raise StorageError(f"there is no run '{name}'", "the model of a single epoch can be used, but not trained on")
    if os.path.isfile(runs):
        raise StorageError(f"{runs} is a file, not a folder of trainings", "--runs names the folder")
    if name == LATEST:
        raise StorageError(f"there is no model in {runs}/ yet", TRAIN_ONE)
    raise StorageError(f"there is no run '{name}'{closest(name, _names(runs))}")


def _followed(entry: Path) -> RunFolder:
    """The run behind a link: ``latest`` is followed here, once, so that what is read afterwards comes from one run."""
    folder = entry.parent
    while entry.is_symlink():
        target = folder / entry.readlink()
        if target.parent != folder:
            return RunFolder(entry.resolve(), entry)
        entry = target
    return RunFolder(entry)


def _is_folder(path: Path) -> bool:
    """Whether there is a folder.

    Raises:
        StorageError: the system does not say.
    """
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except ValueError:  # no file can have this name
        return False
    except OSError as error:
        if error.errno in _NOT_THERE:
            return False
        raise StorageError(f"{storage.one_line(path)} cannot be read: {error.strerror}") from error


def _names(runs: Path) -> list[str]:
    """What is in ``runs``; nothing where it cannot be read."""
    try:
        return [name for name in os.listdir(runs) if not name.startswith(".")]
    except OSError:
        return []


def _dangling(name: str, link: Path) -> StorageError:
    """For a link whose run was removed; names the newest of those beside it."""
    said = f"{name} names run {os.readlink(link)}, which is gone"
    beside = [entry for name in _names(link.parent) if RunFolder(entry := link.parent / name).is_run]
    if not beside:
        return StorageError(said, TRAIN_ONE)
    newest = sorted(beside, key=os.path.getmtime, reverse=True)[:3]
    return StorageError(f"{said}; name another: {', '.join(entry.name for entry in newest)}")


def find_run(name: str, runs: Path) -> RunFolder:
    """As :func:`find`, of a folder in which a training was kept.

    Raises:
        StorageError: there is none.
    """
    folder = find(name, runs)
    if not folder.is_run:
        raise StorageError(f"{folder.path} is not a run of rnncli")
    return folder


def find_model(name: str, runs: Path) -> Path:
    """The model file that a user means: a file, that of a run as :func:`find` finds it, or ``RUN@EPOCH``.

    Raises:
        StorageError: there is none.
    """
    path = Path(name)
    if name != LATEST and os.path.exists(path) and not os.path.isdir(path):
        return path
    of_epoch = _OF_EPOCH.fullmatch(name)
    if of_epoch and not any(map(_is_folder, (runs / name, path))):
        return _of_epoch(find_run(of_epoch["run"], runs), int(of_epoch["epoch"]))
    folder = find_run(name, runs)
    if not folder.model.exists():
        raise StorageError(
            f"{folder.named} holds no model yet: its training was stopped before it saved one",
            f"go on with: rnncli train --resume {shlex.quote(str(folder.named))}" if folder.state.exists() else None,
        )
    return folder.model


def of_file(path: Path) -> RunFolder:
    """The folder of a model's file, be it that of an epoch; it need not be a run's."""
    above = RunFolder(path.parent.parent)
    return above if path.parent == above.epochs and _is_number(path.stem) else RunFolder(path.parent)


def _of_epoch(folder: RunFolder, epoch: int) -> Path:
    """The model of a single epoch.

    Raises:
        StorageError: it was not kept; names those that were.
    """
    if folder.epoch(epoch).is_file():
        return folder.epoch(epoch)
    kept = sorted(int(file.stem) for file in folder.epochs.glob("*.safetensors") if _is_number(file.stem))
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
    name = "stdin" if data_path == "-" else os.path.basename(data_path.rstrip("/")).split(".")[0]
    return re.sub(r"[^\w-]+", "-", name, flags=re.ASCII).strip("-")[:60] or "run"
