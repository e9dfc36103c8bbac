"""The Python face: what the commands do, without printing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rnncli import schema
from rnncli.data.dataset import Source
from rnncli.errors import UsageError
from rnncli.results import Event
from rnncli.tasks.model import Model, path_of
from rnncli.training import runs, session


def train(
    data: str | os.PathLike[str],
    *,
    text: str | None = None,
    label: str | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    skip_bad: bool = False,
    runs_folder: str | os.PathLike[str] = "runs",
    name: str | None = None,
    on_event: Callable[[Event], None] | None = None,
    **settings: Any,
) -> Model:
    """Trains a classifier on a file and returns the best model.

    Args:
        data: CSV, TSV or JSON lines, also gzipped.
        text, label: columns; guessed when None.
        format, encoding, skip_bad: how to read the file.
        runs_folder, name: where the training is kept; never over another one.
        on_event: called with every step, epoch and the end.
        settings: any field of :class:`rnncli.config.Settings`. ``workers`` is 1 unless it is said: a program that has
            threads of its own, as a notebook has, should not be forked unasked.

    Raises:
        RnncliError: of the kind that fits; see :mod:`rnncli.errors`. An argument of another type is a UsageError.
    """
    try:
        source = schema.read(Source, asdict(Source(path_of(data), text, label, format, encoding, skip_bad)))
    except schema.Wrong as wrong:
        raise UsageError(str(wrong)) from None
    if name is not None and not isinstance(name, str):
        raise UsageError(f"name is a text, not of type {type(name).__name__}")
    if on_event is not None and not callable(on_event):
        raise UsageError(f"on_event is a function that takes an event, not of type {type(on_event).__name__}")
    training = session.start(source, {"workers": 1} | settings, Path(path_of(runs_folder)), name)
    for event in training.events():
        if on_event is not None:
            on_event(event)
    return Model.load(training.folder.model)


def load(path: str | os.PathLike[str] = "runs/latest") -> Model:
    """Reads a model: its file, its run's folder, or the newest run.

    Raises:
        ModelFileError: the file is not a model of ours, or damaged.
        StorageError: there is nothing to read.
    """
    return Model.load(runs.find_model(path_of(path), Path("runs")))
