"""A training that goes on from its last saved state."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rnncli import storage
from rnncli.config import Settings
from rnncli.data.dataset import Dataset, Source
from rnncli.data.formats.sources import display_name
from rnncli.data.opening import read_dataset
from rnncli.errors import DataError, DivergedError, ModelFileError, StorageError, UsageError
from rnncli.tasks import task_for
from rnncli.tasks.model import Model
from rnncli.training import arranging, engines, runs, state
from rnncli.training.continuing import Begin
from rnncli.training.data import prepare
from rnncli.training.final_scores import OlderRows
from rnncli.training.runs import RunFolder, RunLock
from rnncli.training.session import Session
from rnncli.training.starting import new_session
from rnncli.training.starting_point import StartingPoint
from rnncli.training.state import Checkpoint


def resume(
    run: str,
    runs_folder: Path,
    *,
    data: str | Source | None = None,
    given: Mapping[str, Any] | None = None,
    reading: Mapping[str, Any] | None = None,
    beside: Mapping[str, str | None] | None = None,
    on_found: Callable[[], object] = lambda: None,
) -> Session:
    """Goes on with a training from its last saved state.

    Args:
        run: ``latest``, a run's folder or its name.
        runs_folder: where names are looked for.
        data: the data file, or several, if they have moved (or came from stdin).
        given: settings that the user has named again; those of MAY_CHANGE may differ from the run's. A finished
            training goes on if more epochs or more patience are allowed now.
        reading: fields of the :class:`Source` that the user has named again; none may differ from the run's.
        beside: option → the file that it names, of those beside the data that have moved.
        on_found: called when there is a run to resume, before its data are read.

    Raises:
        UsageError: the data or a setting is not what the training began with, or ``latest`` could not name it.
        StorageError: there is no such run, it has no saved state, or another process trains it.
        DivergedError: it has diverged, and would again.
        RnncliError: of every other kind.
    """
    folder = runs.find_run(run, runs_folder)
    runs.require_free_latest(folder.named.parent)
    if not folder.state.exists():
        has_model = "; the model that is there can be used, but not trained on" if folder.model.exists() else ""
        raise StorageError(f"{folder.named} holds no saved state to resume{has_model}", "start anew: rnncli train DATA")
    with locked(folder) as lock:
        session = _resumed(folder, data, given or {}, reading or {}, beside or {}, on_found)
        session.lock = lock
        return session


@contextmanager
def locked(folder: RunFolder) -> Iterator[RunLock]:
    """Locks a run for this process; what the block raises ends the lock.

    Raises:
        StorageError: another process trains it.
    """
    lock = RunLock(folder.path, folder.named)
    try:
        yield lock
    except BaseException:
        lock.release()
        raise


def _resumed(
    folder: RunFolder,
    data: str | Source | None,
    given: Mapping[str, Any],
    reading: Mapping[str, Any],
    beside: Mapping[str, str | None],
    on_found: Callable[[], object],
) -> Session:
    """As :func:`resume`, of a run that is locked for this process."""
    checkpoint = state.load(folder.state)
    refuse_diverged(folder, checkpoint)
    start = checkpoint.start
    settings = start.settings_again(given)
    start.check_reading(reading)
    _require_engine(folder, settings)
    for option, path in beside.items():
        if path is not None and option not in start.files:
            raise UsageError(
                f"--{option}: the training to resume has no such file", "score it afterwards: rnncli evaluate FILE"
            )
    if data is None and start.source.path == "-":
        raise UsageError(
            f"{folder.named} was trained from stdin", "name the data again: rnncli train DATA --resume RUN"
        )
    moved = {"validation": given.get("validation"), **beside}
    paths = {option: moved.get(option) or file.path for option, file in start.files.items()}
    data = Source(data) if isinstance(data, str) else data
    read = [*(start.source if data is None else data).paths, settings.vectors, *paths.values()]
    storage.require_apart(folder.files, [path for path in read if path not in (None, "-")])
    on_found()
    begin = None if start.origin is None else Begin.again(folder.origin, start.origin)
    dataset, others = _read_again(folder, start, data, paths, begin)
    joined, files, warnings = arranging.with_files(dataset, others)
    task = task_for(joined, settings.task)
    prepared, tested = prepare(task, joined, settings, begin)
    _require_same_words(folder, prepared.untrained)
    session = new_session(folder, joined, prepared, files, tested)
    session.begin, session.unused = begin, (*warnings, *_other_bits(start, session))
    if begin is not None and "keep" in others:
        with session.computing():
            session.keep = OlderRows.of(begin.model, others["keep"])
    session.folds, session.keep_folds = start.folds, start.keep_folds
    session.restore(checkpoint)
    open_folds = len(session.state.progress.folds) < start.folds
    if open_folds and any(
        getattr(session.settings, name) != getattr(start.settings, name) for name in ("epochs", "patience")
    ):
        raise UsageError(
            f"{folder.named} has folds that are not done, and all of them have the same epochs and patience",
            "leave --epochs and --patience out until they are done",
        )
    storage.write_atomically(folder.config, session.settings.to_yaml().encode())
    return session


def _require_engine(folder: RunFolder, settings: Settings) -> None:
    """Raises UsageError: the engine that computed the training until now cannot be used here."""
    why = engines.why_not(settings.engine)
    if why is not None:
        raise UsageError(
            f"{folder.named} was computed by the compiled engine, which cannot be used here: {why}",
            "resume it where it was begun, or train anew with its best model: "
            f"rnncli train DATA --from {shlex.quote(str(folder.named))}",
        )


def _other_bits(start: StartingPoint, session: Session) -> Iterator[str]:
    """Says where the rest of a training is computed otherwise than its beginning."""
    if start.computed_by and start.computed_by != session.computed_by:
        yield (
            f"this training began on {start.computed_by} and goes on on {session.computed_by}: "
            "its last bits may not be those that it would have without the stop"
        )


def _require_same_words(folder: RunFolder, now: Model) -> None:
    """Refuses a run whose words or labels are others than this version makes of the same data.

    Their numbers in the saved state would mean something else: the records of a table were the lines of one text to a
    language model once, and its line break stands where the end of a document is now.

    Raises:
        ModelFileError: the run's model knows others.
    """
    try:
        before, _ = Model.load_untrained(folder.model)
    except (ModelFileError, StorageError):  # none was saved yet, and the state shows what is wrong
        return
    known = [{name: axis.names for name, axis in model.axes.items()} for model in (before, now)]
    if known[0] != known[1]:
        raise ModelFileError(
            f"{folder.named} was begun by another version of rnncli, which made other words or labels of these data, "
            "and cannot be resumed",
            f"go on with its best model: rnncli train DATA --from {shlex.quote(str(folder.named))}",
        )


def _read_again(
    folder: RunFolder, start: StartingPoint, data: Source | None, paths: Mapping[str, str], begin: Begin | None
) -> tuple[Dataset, dict[str, Dataset]]:
    """The data that a training began with, from where they were or from ``data``, and the files beside them.

    Args:
        paths: option → where the file that it named is now, of those that were read beside the data.
        begin: the model that it began with.

    Raises:
        UsageError: they are not the same.
        StorageError: they cannot be read.
    """
    source = start.source if data is None else start.source.of(data.path, data.more, data.target)
    resume = f"--resume {shlex.quote(str(folder.named))}"
    command = f"rnncli train DATA {resume}"
    with _the_same(source.path, "data that {} was trained on", folder, command, data is None):
        if begin is None:
            dataset = read_dataset(source, source.label is not None, task=start.settings.task, settled=True)
        else:
            dataset = begin.read(source)
        _require_digest(dataset.digest, start.digest)
    others = {}
    for option, path in paths.items():
        command, kept = f"rnncli train {resume} --{option} FILE", path == start.files[option].path
        with _the_same(path, f"{option} file of {{}}", folder, command, kept):
            others[option] = arranging.read_like(dataset, path, f"--{option}", start.settings.task)
            _require_digest(others[option].digest, start.files[option].digest)
    return dataset, others


def _require_digest(digest: str, before: str) -> None:
    if digest != before:
        raise DataError("its contents have changed")


@contextmanager
def _the_same(path: str, what: str, folder: RunFolder, command: str, kept: bool) -> Iterator[None]:
    """Inside, a file is read that a training began with.

    Args:
        what: it should be, with the run in place of ``{}``.
        command: that names it where it is now.
        kept: whether it is looked for where it was.

    Raises:
        UsageError: what was read is something else.
        StorageError: it is not there.
    """
    try:
        yield
    except DataError as error:  # it could be read when the training began
        reason = error.message.removeprefix("--text: ").removeprefix("--label: ")
        raise UsageError(
            f"{display_name(path)} is not the {what.format(folder.named)}: {reason}",
            f"start a new training, or name the right file: {command}",
        ) from None
    except StorageError as error:
        if not kept or os.path.exists(path):
            raise
        raise StorageError(error.message, f"if it has moved: {command}") from None


def refuse_diverged(folder: RunFolder, checkpoint: Checkpoint) -> None:
    """Raises DivergedError: a training has diverged, and would again."""
    diverged = checkpoint.manifest.progress.diverged
    if diverged is not None:
        raise DivergedError(
            f"{folder.named} cannot be resumed: {diverged}, and it would diverge again",
            "start anew with a smaller learning rate"
            + (f"; its best model is kept: {folder.named}" if folder.model.exists() else ""),
        )
