"""What a doctor says: what was looked at, what is found, and the one command to try for it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from rnncli.data.dataset import Dataset
from rnncli.tasks import task_named
from rnncli.tasks.model import Model


@dataclass(frozen=True)
class Finding:
    """Something that may be wrong.

    Attributes:
        number: what was measured, as in its check.
        sentence: what it says, with its numbers.
        command: of rnncli, to be run as it is.
    """

    name: str
    number: float
    sentence: str
    command: str


@dataclass(frozen=True)
class Check:
    """Something that was looked at.

    Attributes:
        name: of the finding that it may lead to.
        number: what was measured; None where there is nothing to measure it by.
        means: what the number is.
        limit: from where on it is a finding; the finding may depend on more than that.
        finding: None where nothing is wrong.
    """

    name: str
    number: float | None
    means: str
    limit: str
    finding: Finding | None = None

    @property
    def said(self) -> str:
        """Whether it is one, in a word."""
        if self.number is None:
            return "not known"
        return "fine" if self.finding is None else "FOUND"

    def found(self, sentence: str, command: str) -> Check:
        """The same, with its finding."""
        assert self.number is not None
        finding = Finding(self.name, self.number, sentence, command)
        return Check(self.name, self.number, self.means, self.limit, finding)


@dataclass(frozen=True)
class Commands:
    """Commands that do something again, a little differently. Every part is quoted for a shell already.

    Attributes:
        data: the file, and how it is read: ``reviews.csv --label stars``.
        model: as it was given.
        config: the settings file of its training; None where there is none.
        settings: options in place of it, each by its setting's name.
        where: ``--runs DIR``, if the models are somewhere else than usual.
    """

    data: str
    model: str = "latest"
    config: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    where: str = ""

    @classmethod
    def of(cls, model: Model, dataset: Dataset) -> Commands:
        """For a model that is no file: as it was trained by settings alone."""
        return cls(shlex.quote(dataset.source.path), settings=settings_flags(model, dataset))

    def train(self, **changes: Any) -> str:
        """A new training that differs in some settings."""
        like = [f"--config {self.config}"]
        if self.config is None:
            like = [option for name, option in self.settings.items() if name not in changes]
        changed = [flag(name, value) for name, value in changes.items()]
        return _joined("rnncli train", self.data, *like, self.where, *changed)

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


# What a training makes out of "auto" for itself, and would again.
_ITS_OWN = ("epochs", "patience", "workers")


def settings_flags(model: Model, dataset: Dataset) -> dict[str, str]:
    """The options, each by its setting's name, by which a model's training differs from one without any."""
    usual = {entry.name: entry.default for entry in fields(model.settings)}
    usual |= task_named(model.task).defaults(dataset, model.settings)
    chosen = model.settings.as_dict()
    names = [name for name in chosen if name not in _ITS_OWN and chosen[name] != usual[name]]
    return {name: flag(name, chosen[name]) for name in names}
