"""What a doctor says: what it checked, what it found, and the one command to try for it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from rnncli.config import Settings
from rnncli.data.dataset import Dataset
from rnncli.inspection.adapters import Adapter
from rnncli.record import EpochRecord
from rnncli.results import TableCell, place_of
from rnncli.tasks import task_named
from rnncli.tasks.model import Model


@dataclass(frozen=True)
class Evidence:
    """A row that makes a finding.

    Attributes:
        name: of the finding.
        line, other: of the file: the row's, and that of the first row with the same text, where that is what is wrong.
        file, other_file: where there are several.
    """

    name: str
    line: int
    other: int | None
    label: str
    text: str
    file: str | None = None
    other_file: str | None = None

    @property
    def places(self) -> tuple[TableCell, TableCell]:
        """The line and the other one, each after its file where there are several."""
        other = self.other if self.other_file is None else f"{self.other_file}:{self.other}"
        return place_of(self), other


@dataclass(frozen=True)
class Check:
    """Something that was checked.

    Attributes:
        name: of the finding that it may lead to.
        number: what was measured; None where there is nothing to measure.
        means: what the number is.
        limit: from where on it is a finding; the finding may depend on more than that.
        sentence: what is wrong, with its numbers; empty where nothing is.
        command: of rnncli, to be run as it is, against what is wrong.
        evidence: the rows that make the finding, where it is made of single rows.
    """

    name: str
    number: float | None
    means: str
    limit: str
    sentence: str = ""
    command: str = ""
    evidence: Sequence[Evidence] = ()

    @property
    def verdict(self) -> str:
        """In a word."""
        if self.number is None:
            return "not known"
        return "FOUND" if self.sentence else "fine"

    def found(self, sentence: str, command: str, evidence: Sequence[Evidence] = ()) -> Check:
        """The same, with its finding."""
        return replace(self, sentence=sentence, command=command, evidence=evidence)


@dataclass(frozen=True)
class Commands:
    """Commands that do something again, a little differently. Every part is quoted for a shell already.

    Attributes:
        data: the file, and how it is read: ``reviews.csv --label stars``.
        model: as it was given.
        config: the settings file of its training; None where there is none.
        settings: options in place of it, each by its setting's name.
        where: ``--runs DIR``, if the models are not in the usual folder.
    """

    data: str
    model: str = "latest"
    config: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    where: str = ""

    @classmethod
    def of(cls, model: Model, dataset: Dataset) -> Commands:
        """For a model without a file: as it was trained by settings alone."""
        return cls(dataset.source.typed, settings=settings_flags(model, dataset))

    def train(self, **changes: Any) -> str:
        """A new training that differs in some settings."""
        like = [f"--config {self.config}"]
        if self.config is None:
            like = [option for name, option in self.settings.items() if name not in changes]
        return _joined("rnncli train", self.data, *like, self.where, *(flag(*change) for change in changes.items()))

    def evaluate(self, mistakes: int) -> str:
        """The mistakes, with their lines."""
        return _joined("rnncli evaluate", self.model, self.data, f"--mistakes {mistakes}", self.where)

    def rows(self) -> str:
        """The rows that make a finding, with their lines."""
        return _joined("rnncli inspect --model", self.model, "--doctor", self.data, "--full", self.where)


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def flag(name: str, value: Any) -> str:
    """A setting as an option of ``rnncli train``."""
    option = "--" + name.replace("_", "-")
    if isinstance(value, bool):
        return option if value else f"--no-{option[2:]}"
    return f"{option} {'none' if value is None else shlex.quote(str(value))}"


# Settings that a training chooses by itself for "auto", and would choose again.
_CHOSEN = ("epochs", "patience", "workers")


def settings_flags(model: Model, dataset: Dataset) -> dict[str, str]:
    """Setting → option, of those in which a model's training differs from one without any options."""
    usual = {entry.name: entry.default for entry in fields(model.settings)}
    usual |= task_named(model.task).defaults(dataset, model.settings)
    chosen = model.settings.as_dict()
    names = [name for name in chosen if name not in _CHOSEN and chosen[name] != usual[name]]
    return {name: flag(name, chosen[name]) for name in names}


@dataclass(frozen=True)
class Patient:
    """A model that is examined, and the commands that train it again."""

    adapter: Adapter[Any]
    commands: Commands

    @property
    def model(self) -> Model:
        model: Model = self.adapter.model
        return model

    @property
    def settings(self) -> Settings:
        return self.model.settings

    @property
    def epochs(self) -> Sequence[EpochRecord]:
        return self.model.record.epochs

    @property
    def validation_losses(self) -> list[float]:
        """One for each epoch; none at all where an epoch has none."""
        losses = [epoch.validation_loss for epoch in self.epochs if epoch.validation_loss is not None]
        return losses if len(losses) == len(self.epochs) else []
