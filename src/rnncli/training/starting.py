"""A training from its data to the moment before its first step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnncli.config import Settings
from rnncli.data.dataset import Dataset, Source, read_opened
from rnncli.data.description import DataDescription
from rnncli.errors import UsageError
from rnncli.parallel import group_of
from rnncli.tasks import task_for, task_named
from rnncli.tasks.prepare import Prepared
from rnncli.tasks.task import Task
from rnncli.training import arranging, loop, runs, vectors
from rnncli.training.continuing import Begin
from rnncli.training.data import described, open_data
from rnncli.training.final_scores import OlderRows
from rnncli.training.folds import dataset_of, require_free
from rnncli.training.runs import RunFolder
from rnncli.training.session import Session
from rnncli.training.starting_point import OtherFile
from rnncli.training.unused import require_used


def start(
    source: Source,
    given: Mapping[str, Any],
    runs_folder: Path,
    name: str | None = None,
    *,
    test: str | None = None,
    begin: Begin | None = None,
    keep: str | None = None,
    folds: int = 0,
    keep_folds: bool = False,
    named: Collection[str] = (),
    on_data: Callable[[DataDescription], object] = lambda _: None,
) -> Session:
    """Reads the data, prepares it, and makes the run's folder last: what fails before leaves no trace.

    Args:
        given: settings by name; the others have the defaults of the task that these or the data ask for.
        test: a file of rows on which the best model is scored once, at the end.
        begin: the model that the training begins with; None for a new training.
        keep: a file of rows on which that model and the new one are scored.
        folds: how many trainings that leave out a fold come before; 0 for none.
        keep_folds: whether the runs of the folds are kept.
        named: those that the user named for this training: each has to change something.
        on_data: takes what the data were taken for, before all of them are read.

    Raises:
        RnncliError: of every kind.
    """
    settings = Settings.from_mapping(given if begin is None else begin.settings(given, {}))
    if begin is None:
        if keep is not None:
            raise UsageError(
                "--keep names older rows, which are scored before and after a training that begins with a model",
                "name the model too: --from RUN",
            )
        opened = open_data(source, settings, named)
    else:
        opened = begin.open(source)
    on_data(described(opened, settings))
    dataset = read_opened(opened)
    paths = {"validation": settings.validation_file, "test": test}
    others = {
        option: arranging.read_like(dataset, path, f"--{option}", settings.task)
        for option, path in paths.items()
        if path is not None
    }
    dataset, files, warnings = arranging.with_files(dataset, others)
    task = task_for(dataset, settings.task)
    if keep_folds and not folds:
        raise UsageError("--keep-folds keeps the runs of folds, and there are none", "say how many: --folds 5")
    if keep_folds and name is not None:
        require_free(runs_folder, name, folds)
    defaults = task.defaults(dataset, settings)
    chosen = {**defaults, **given} if begin is None else begin.settings(given, defaults)
    settings = vectors.with_dimension(Settings.from_mapping({**chosen, "task": task.name}), given)
    prepared, tested = prepare(task, dataset, settings, begin)
    unused = require_used(named, prepared.untrained)
    session = new_session(RunFolder(runs_folder), dataset, prepared, files, tested)
    session.unused, session.folds, session.keep_folds = (*unused, *warnings), folds, keep_folds
    session.begin = begin
    fill(session)
    if folds:
        prepare(task, dataset_of(arranging.without_test(dataset), folds, 1), session.settings, begin)
    if keep is not None and begin is not None:
        rows = arranging.read_like(dataset, keep, "--keep", task.name)
        session.keep = OlderRows.of(begin.model, rows)
        session.files = {**files, "keep": OtherFile(rows.source.path, rows.digest)}
    session.require_saveable()
    session.folder = runs.create(runs_folder, source.path, name, session.begin_in)
    return session


def prepare(
    task: Task, dataset: Dataset, settings: Settings, begin: Begin | None = None
) -> tuple[Prepared, Prepared | None]:
    """What a training starts from; and the rows for testing in the place of those for validation, if there are any.

    These are prepared before the training, so that one that cannot be read is found before it. The former never sees
    them; what the latter has learned is the same, since the rows for training decide it.
    """
    # A task that cannot begin with a model has no argument for it.
    known = {} if begin is None else {"begin": begin.model}
    prepared, arrangement = task.prepare(arranging.without_test(dataset), settings, **known), dataset.arrangement
    # Other files with these columns are read alike.
    prepared = replace(prepared, untrained=replace(prepared.untrained, roles=dataset.lasting_roles))
    if arrangement is None or not arrangement.has_test:
        return prepared, None
    tested = task.prepare(replace(dataset, arrangement=arrangement.testing()), settings, **known)
    report = replace(prepared.report, test_rows=tested.report.validation_rows)
    return replace(prepared, report=report), tested


def new_session(
    folder: RunFolder,
    dataset: Dataset,
    prepared: Prepared,
    files: Mapping[str, OtherFile],
    test: Prepared | None,
) -> Session:
    """A session before its first step, with every ``auto`` resolved."""
    automatic_patience = prepared.settings.patience is None
    prepared = _resolve_auto(prepared)
    settings = prepared.settings
    group = group_of(settings.workers or 1)
    frozen = prepared.word_tables if settings.freeze else ()
    training = loop.new_state(prepared.network, settings, group, frozen)
    return Session(
        folder,
        dataset,
        prepared,
        training,
        group,
        automatic_patience=automatic_patience,
        files=files,
        test=test,
    )


def _resolve_auto(prepared: Prepared) -> Prepared:
    """Replaces ``auto`` by a number: epochs, patience and workers."""
    settings, lengths = prepared.settings, prepared.train.lengths
    epochs = settings.epochs
    if epochs is None:
        epochs = loop.auto_epochs(len(lengths), int(lengths.sum()), settings.batch, task_named(settings.task).effort)
    patience = loop.auto_patience(epochs) if settings.patience is None else settings.patience
    workers = settings.workers or loop.auto_workers(settings, len(lengths), float(lengths.mean()))
    return prepared.with_settings(settings.replace(epochs=epochs, patience=patience, workers=workers))


def fill(session: Session) -> None:
    """Puts the word vectors and the weights that a training begins with into its parameters."""
    session.coverage = vectors.fill(session.prepared, session.state)
    if session.begin is not None:
        session.begin.fill(session.prepared.untrained, session.state.store.flat)
