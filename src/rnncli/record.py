"""The record of a training: kept in its model, and in the state from which it is resumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from rnncli.schema import Count, Ordinal, Range

Share = Annotated[float, Range(0, 1)]
# Losses and scores are shown with four decimals, added and divided; no training reaches larger ones.
Loss = Annotated[float, Range(-1e100, 1e100)]


@dataclass(frozen=True)
class EpochRecord:
    """One line of the training record; nothing in it depends on the clock."""

    epoch: Ordinal
    loss: Loss
    validation_loss: Loss | None
    validation_accuracy: Share | None
    best: bool


@dataclass(frozen=True)
class Record:
    """The training of a model; a model that was put together in Python has an empty one.

    Attributes:
        data: the name of the data file.
        rows, validation_rows: how many were learned from and how many set aside; None where that is not known.
        label_rows: label → how many rows have it.
        best_epoch: the epoch whose parameters the model has; None for those from before the first one.
        epochs: every epoch up to the last.
        baselines: name → score on the validation rows.
    """

    data: str | None = None
    rows: Count | None = None
    validation_rows: Count | None = None
    label_rows: dict[str, Count] = field(default_factory=dict)
    best_epoch: Ordinal | None = None
    epochs: tuple[EpochRecord, ...] = ()
    baselines: dict[str, Loss] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_epochs(self.epochs)
        if self.best_epoch is not None and self.best_epoch > len(self.epochs):
            raise ValueError(f"best_epoch is {self.best_epoch}, of {len(self.epochs)} epochs")

    @property
    def best(self) -> EpochRecord | None:
        """The epoch whose parameters the model has."""
        return None if self.best_epoch is None else self.epochs[self.best_epoch - 1]


def require_epochs(epochs: Sequence[EpochRecord]) -> None:
    """Raises ValueError: the epochs are not numbered one after the other from 1."""
    for number, epoch in enumerate(epochs, 1):
        if epoch.epoch != number:
            raise ValueError(f"the record of epoch {number} is of epoch {epoch.epoch}")
