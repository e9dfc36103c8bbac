"""A training from its data to the moment before its first step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rnncli.data.dataset import Dataset, Source
from rnncli.data.description import DataDescription
from rnncli.data.opening import read_opened
from rnncli.parallel import group_of
from rnncli.tasks import task_named
from rnncli.tasks.prepare import Prepared
from rnncli.training import arranging, engines, loop, runs, vectors
from rnncli.training.data import Asked
from rnncli.training.final_scores import OlderRows
from rnncli.training.runs import RunFolder
from rnncli.training.session import Session
from rnncli.training.starting_point import OtherFile


def start(
    source: Source,
    given: Mapping[str, Any],
    runs_folder: Path,
    name: str | None = None,
    *,
    on_data: Callable[[DataDescription], object] = lambda _: None,
    **more: Any,
) -> Session:
    """As :func:`begun`, of the fields of what is asked for."""
    return begun(Asked(source, given, runs_folder, name, **more), on_data)


def begun(asked: Asked, on_data: Callable[[DataDescription], object] = lambda _: None) -> Session:
    """Reads the data, prepares it, and makes the run's folder last: what fails before leaves no trace.

    Args:
        on_data: takes what the data were taken for, before all of them are read.

    Raises:
        RnncliError: of every kind.
    """
    opened = asked.opened()
    on_data(opened.described())
    dataset = read_opened(opened.records)
    others = {
        option: arranging.read_like(dataset, path, f"--{option}", opened.settings.task)
        for option, path in opened.beside.items()
    }
    ready = opened.ready(*arranging.with_files(dataset, others))
    session = new_session(RunFolder(asked.runs), ready.dataset, ready.prepared, ready.files, ready.tested)
    session.unused, session.folds, session.keep_folds = ready.warnings, asked.folds, asked.keep_folds
    session.begin = asked.begin
    fill(session)
    if asked.keep is not None and asked.begin is not None:
        rows = arranging.read_like(ready.dataset, asked.keep, "--keep", session.settings.task)
        with session.computing():
            session.keep = OlderRows.of(asked.begin.model, rows)
        session.files = {**ready.files, "keep": OtherFile(rows.source.path, rows.digest)}
    session.require_saveable()
    session.folder = runs.create(asked.runs, asked.source.path, asked.name, session.begin_in)
    return session


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
    """Replaces ``auto``: epochs, patience and workers by numbers, the engine by one that is here.

    Raises:
        UsageError: the engine that is asked for is not here.
    """
    settings, lengths = prepared.settings, prepared.train.lengths
    epochs = settings.epochs
    if epochs is None:
        epochs = loop.auto_epochs(len(lengths), int(lengths.sum()), settings.batch, task_named(settings.task).effort)
    patience = loop.auto_patience(epochs) if settings.patience is None else settings.patience
    workers = settings.workers or loop.auto_workers(settings, len(lengths), float(lengths.mean()))
    engine = engines.chosen_for(settings)
    return prepared.with_settings(settings.replace(epochs=epochs, patience=patience, workers=workers, engine=engine))


def fill(session: Session) -> None:
    """Puts the word vectors and the weights that a training begins with into its parameters."""
    session.coverage = vectors.fill(session.prepared, session.state)
    if session.begin is not None:
        session.begin.fill(session.prepared.untrained, session.state.store.flat)
