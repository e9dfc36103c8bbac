"""A training that begins with the weights of a model, and adds what it does not know yet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from rnncli import model_file, storage
from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset, Source
from rnncli.data.layouts.layout import Request
from rnncli.data.opening import OpenedRecords, open_records, read_opened
from rnncli.data.readers import open_table
from rnncli.data.several import open_source
from rnncli.errors import ModelFileError, RnncliError, UsageError
from rnncli.record import Origin
from rnncli.tasks import task_named
from rnncli.tasks.model import Axis, Model
from rnncli.training import runs, state

# Settings that the weights have been made for: they stay as they are.
FIXED = (
    *("task", "cell", "nonlinearity", "hidden", "layers", "bidirectional", "readout", "input", "embedding"),
    *("attention", "inject", "bias", "tokens", "lowercase", "normalize", "window", "horizon", "season", "dtype"),
)
# Settings that are the model's unless the user says otherwise.
INHERITED = ("embedding_scale", "initializer", "dropout", "max_length", "max_vocabulary")


@dataclass(frozen=True)
class Begin:
    """The model that a training begins with.

    Attributes:
        name: of its run, or of its file.
        content: of its file, which the new run keeps: the old one may go.
        columns: field of a source → the column that the model was trained on, where its run says so.
    """

    model: Model
    name: str
    content: bytes
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.content).hexdigest()

    @classmethod
    def of(cls, model: Model, path: Path | None) -> Begin:
        """A model and its file; without a file, as it would be saved.

        Raises:
            StorageError: the file cannot be read.
        """
        if path is not None:
            return cls(model, _name_of(path), model_file.content(path), _columns_of(path))
        with TemporaryDirectory() as folder:
            file = Path(folder) / "model.safetensors"
            model.save(file)
            return cls(model, "a model in Python", file.read_bytes())

    @classmethod
    def again(cls, path: Path, origin: Origin) -> Begin:
        """The model that a run began with, from the copy that the run keeps.

        Raises:
            ModelFileError: the copy is damaged, or another model.
            StorageError: it cannot be read.
        """
        begin = cls(Model.load(path), origin.model, model_file.content(path))
        if begin.digest != origin.digest:
            raise ModelFileError(f"{storage.one_line(path)}: this is not the model that the training began with")
        return begin

    def settings(self, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
        """The settings of the training: those that the weights ask for, those of the user, and else the defaults.

        Raises:
            UsageError: the user asks for another network, or for what such a training cannot have.
        """
        before = self.model.settings
        wanted = Settings.from_mapping(given)
        for name in FIXED:
            if given.get(name) not in (None, "auto") and getattr(wanted, name) != getattr(before, name):
                option = "--" + name.replace("_", "-")
                raise UsageError(
                    f"{option} {getattr(wanted, name)}: the model {self.name} has {name} {getattr(before, name)}, "
                    "and a training that begins with its weights keeps it",
                    f"leave {option} out, or train anew without --from",
                )
        if wanted.vectors is not None or wanted.freeze:
            raise UsageError(
                "--vectors and --freeze are for a new training: with --from the words begin as the model has them",
                "leave them out, or train anew without --from",
            )
        kept = {name: getattr(before, name) for name in (*FIXED, *INHERITED)}
        return {**defaults, **kept, **{name: value for name, value in given.items() if name not in FIXED}}

    def read(self, source: Source) -> Dataset:
        """New data, read as the model reads data.

        Raises:
            UsageError, DataError, StorageError: as for :meth:`open`.
        """
        return read_opened(self.open(source))

    def open(self, source: Source) -> OpenedRecords:
        """New data, of which the first rows are read as the model reads data.

        Raises:
            UsageError, DataError, StorageError: as :func:`rnncli.data.opening.read_dataset`; or no model of this task
                can be trained further.
        """
        self.require_task()
        model = self.model
        if model.roles is None and model.reads is None and self.columns and source.path != "-":
            one = partial(open_table, encoding=source.encoding, sheet=source.sheet)
            there = open_source(source, lambda path, format: one(path, format=format)).columns
            text, label = (name if name in there else None for name in map(self.columns.get, ("text", "label")))
            source = replace(source, text=source.text or text, label=source.label or label)
        how: dict[str, Any] = {"reads": model.reads, "roles": model.roles, "inputs": model.inputs}
        return open_records(Request(source, model.labelled, **how), model.task)

    def require_task(self) -> None:
        """Raises UsageError: a model of this task cannot be trained further."""
        if not task_named(self.model.task).continues:
            raise UsageError(f"--from is not for a model of the task {self.model.task}", "train anew without --from")

    def origin(self, new: Model) -> Origin:
        """What the record of a model that was trained from this one says."""
        before, after = _sizes(self.model), _sizes(new)
        return Origin(self.name, self.digest, before, {what: after[what] - before[what] for what in after})

    def fill(self, new: Model, params: Mapping[str, Array]) -> None:
        """Puts the weights into the fresh parameters of a model that knows at least as much.

        Args:
            params: flat name → the new model's parameters, changed in place. Entries that are new stay as they are.
        """
        weights, axes = self.model.carried(new)
        mine = new.axes
        for name, target in params.items():
            if name not in mine:
                target[...] = weights[name]
                continue
            into, source = _places(mine[name], axes[name], target.ndim)
            target[into] = weights[name][source]


def _places(mine: Axis, its: Axis, dimensions: int) -> tuple[Any, Any]:
    """Indices of the entries that both have: of the first parameter, and of the second one."""
    place = {name: k for k, name in enumerate(its.names)}
    both = [(k, place[name]) for k, name in enumerate(mine.names) if name in place]
    into, source = np.array(both, np.int64).reshape(-1, 2).T
    before = (slice(None),) * mine.number
    assert mine.number < dimensions
    return (*before, into), (*before, source)


def _sizes(model: Model) -> dict[str, int]:
    """What a model knows: how many words, how many labels."""
    return {axis.what: axis.size for axis in model.axes.values() if axis.what}


def _columns_of(path: Path) -> dict[str, str]:
    """The columns that a model was trained on, by the state of its run; nothing where there is none."""
    try:
        source = state.load(runs.of_file(path).state).start.source
    except RnncliError:
        return {}
    return {role: name for role in ("text", "label") if (name := getattr(source, role)) is not None}


def _name_of(path: Path) -> str:
    folder = runs.of_file(path)
    if path == folder.model:
        return folder.path.name
    return f"{folder.path.name}@{path.stem}" if path.parent == folder.epochs else path.name
