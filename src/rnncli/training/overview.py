"""All runs in a folder: what each was trained on, how good it is, how large; and their removal."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rnncli import storage
from rnncli.errors import ModelFileError, StorageError, UsageError
from rnncli.tasks.model import Model
from rnncli.training import runs
from rnncli.training.runs import LATEST, RunFolder, RunLock

_MOST_METRICS = 2**28  # bytes of metrics.jsonl: a million epochs


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """One run, read from its files.

    Attributes:
        latest: whether commands use it where no model is named.
        status: ``finished``, ``training`` (a process has it now), ``stopped`` (it can be resumed), or what is wrong.
        data: the name of the data file.
        score: of the kept epoch on the validation rows, by ``metric``; None without such rows.
        parameters: how many numbers the model has; ``bytes`` of all files of the run.
        seconds: that its epochs took.
        modified: when a file of it was last written, in UTC.
    """

    name: str
    latest: bool
    status: str
    modified: datetime
    data: str | None = None
    task: str | None = None
    network: str | None = None
    metric: str | None = None
    score: float | None = None
    epoch: int | None = None
    rows: int | None = None
    parameters: int | None = None
    bytes: int = 0
    seconds: float | None = None


def summaries(folder: Path) -> list[RunSummary]:
    """The runs in ``folder``, the newest first.

    Raises:
        StorageError: the folder is there and cannot be read.
    """
    try:
        entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".") and not entry.is_symlink()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"{storage.one_line(folder)} cannot be read: {error.strerror}") from error
    found = [RunFolder(Path(entry.path)) for entry in entries if entry.is_dir()]
    newest = _latest(folder)
    made = [_summary(run, newest) for run in found if run.is_run]
    return sorted(made, key=lambda one: (one.modified, one.name), reverse=True)


def _latest(folder: Path) -> str | None:
    """The name of the run that ``latest`` leads to."""
    with contextlib.suppress(OSError):
        return os.readlink(folder / LATEST)
    return None


def _summary(run: RunFolder, latest: str | None) -> RunSummary:
    files = [path for path in run.files if path.is_file()]
    stats = [path.stat() for path in files]
    summary = {
        "name": run.path.name,
        "latest": run.path.name == latest,
        "bytes": sum(one.st_size for one in stats),
        "seconds": _seconds(run),
        "modified": datetime.fromtimestamp(max((one.st_mtime for one in stats), default=0), UTC),
    }
    status = "training" if _is_training(run) else "finished" if run.card.exists() else "stopped"
    if not run.model.exists():
        return RunSummary(**summary, status=status)  # type: ignore[arg-type]
    try:
        model, parameters = Model.load_untrained(run.model)
    except (ModelFileError, StorageError) as error:
        return RunSummary(**summary, status=error.message)  # type: ignore[arg-type]
    record = model.record
    return RunSummary(
        **summary,  # type: ignore[arg-type]
        status=status,
        data=record.data,
        task=model.task,
        network=str(dict(model.describe())["network"]),
        metric=model.metric.name,
        score=model.metric.of(record.best) if record.best and record.validation_rows else None,
        epoch=record.best_epoch,
        rows=record.rows,
        parameters=parameters,
    )


def _seconds(run: RunFolder) -> float | None:
    """The sum over the epochs; None where that cannot be read."""
    with contextlib.suppress(StorageError, ValueError, KeyError, TypeError):
        lines = storage.read_bytes(run.metrics, _MOST_METRICS).decode().splitlines()
        total = math.fsum(float(json.loads(line)["seconds"]) for line in lines)
        return total if math.isfinite(total) else None
    return None


def _is_training(run: RunFolder) -> bool:
    try:
        RunLock(run.path, run.named).release()
    except StorageError:
        return True
    return False


def find_all(names: Iterable[str], folder: Path) -> list[RunFolder]:
    """The runs of these names, each once.

    Raises:
        UsageError: a name means a run in another folder.
        StorageError: there is no such run.
    """
    found: dict[Path, RunFolder] = {}
    for name in names:
        run = runs.find_run(name, folder)
        if run.path.resolve().parent != folder.resolve():
            raise UsageError(f"{run.path} is not in {folder}/", "--runs names the folder of the runs")
        found.setdefault(run.path.resolve(), run)
    return list(found.values())


def remove(run: RunFolder) -> list[str]:
    """Removes the files that a training writes, and the folder if nothing else is in it.

    ``latest`` then leads to the newest of the other runs.

    Returns:
        The names of the files that are left, which no training of ours wrote.

    Raises:
        StorageError: it is being trained, or a file cannot be removed.
    """
    lock = RunLock(run.path, run.named)
    try:
        for path in run.files:
            path.unlink(missing_ok=True)
        storage.sweep(run.path, folders=True)
        for folder in run.inner_folders:
            with contextlib.suppress(OSError):
                folder.rmdir()
        left = sorted(entry.name for entry in os.scandir(run.path))
        if not left:
            shutil.rmtree(run.path)
    except OSError as error:
        raise StorageError(f"{storage.one_line(run.path)} cannot be removed: {error.strerror}") from error
    finally:
        lock.release()
    beside = run.path.parent
    if _latest(beside) == run.path.name:
        others = summaries(beside)
        if others:
            runs.point_latest(RunFolder(beside / others[0].name))
        else:
            (beside / LATEST).unlink(missing_ok=True)
    return left
