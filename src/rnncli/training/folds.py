"""Cross-validation: a training for each fold, on all other rows, before the one on all rows.

Each of them is trained as the run's own model is: its settings, its share of the rows for validation. The fold decides
nothing; the best model is scored on it once. A fold's training has a folder of its own within that of the run, from
which it is resumed; its score is kept in the run's state before that folder goes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rnncli import storage
from rnncli.data.arrangement import Arrangement
from rnncli.data.dataset import Dataset
from rnncli.errors import StorageError, UsageError
from rnncli.training.runs import RunFolder


def dataset_of(dataset: Dataset, folds: int, number: int) -> Dataset:
    """The records of a training that leaves out a fold.

    Args:
        dataset: without rows for testing.
        number: of the fold, from 1.
    """
    arrangement = dataset.arrangement or Arrangement.of_counts(len(dataset.lines), 0, 0)
    return replace(dataset, arrangement=replace(arrangement, folds=folds, fold=number - 1))


def folder_of(run: RunFolder, number: int) -> RunFolder:
    """Where the training of a fold is kept while it goes on."""
    return RunFolder(run.folds / str(number))


def kept_as(run: RunFolder, number: int) -> Path:
    """Where the run of a fold is kept in the end, if it is."""
    return run.named.parent / f"{run.path.name}-fold{number}"


def require_free(runs: Path, name: str, folds: int) -> None:
    """Raises UsageError: there is a run with the name of one that is to be kept."""
    for number in range(1, folds + 1):
        path = runs / f"{name}-fold{number}"
        if path.exists():
            raise UsageError(f"{path} exists already, and --keep-folds would make it", "give another --name")


def made(run: RunFolder, number: int, fill: Callable[[RunFolder], None]) -> RunFolder:
    """A new folder for the training of a fold, with its first files.

    Raises:
        StorageError: it cannot be made.
    """
    folder = folder_of(run, number)
    storage.make_folder(run.folds)
    try:
        storage.new_folder(folder.path, lambda path: fill(RunFolder(Path(path), folder.path)))
    except OSError as error:
        raise StorageError(f"{folder.path}: the folder for a fold cannot be made: {error.strerror}") from error
    return folder


def put_away(run: RunFolder, number: int, keep: bool) -> None:
    """Moves the folder of a fold that is scored to the other runs, or removes it.

    Raises:
        StorageError: it cannot be moved or removed.
    """
    folder = folder_of(run, number).path
    if not folder.exists():
        return
    target = kept_as(run, number)
    try:
        if keep and target.exists():
            raise StorageError(
                f"{target} exists already, so the run of fold {number} cannot be kept there", "move it away"
            )
        if keep:
            folder.rename(target)
        else:
            shutil.rmtree(folder)
        if not any(run.folds.iterdir()):
            run.folds.rmdir()
    except OSError as error:
        raise StorageError(f"{folder}: the run of a fold cannot be put away: {error.strerror}") from error
