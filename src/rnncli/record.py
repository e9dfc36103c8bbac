"""The record of a training: kept in its model, and in the state from which it is resumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from rnncli.errors import counted, listed
from rnncli.schema import Count, Length, Ordinal, Range

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
    validation_error: Loss | None = None  # the mean absolute error of predicted numbers, in the units of the data


@dataclass(frozen=True)
class Origin:
    """The model that a training began with.

    Attributes:
        model: the name of its run, or of its file.
        digest: SHA-256 of its file.
        known: what it knows → how many: words, labels.
        added: how many more the new model knows.
    """

    model: Annotated[str, Length(1, 1000)]
    digest: Annotated[str, Length(1, 200)]
    known: dict[str, Count] = field(default_factory=dict)
    added: dict[str, Count] = field(default_factory=dict)

    @property
    def in_words(self) -> str:
        """``reviews-1, with 43 words and 4 labels; added: 12 words and 1 label``."""

        def count(sizes: Mapping[str, int]) -> str:
            return listed([counted(size, what) for what, size in sizes.items()])

        added = {what: size for what, size in self.added.items() if size}
        known = f", with {count(self.known)}" if self.known else ""
        return f"{self.model}{known}" + (f"; added: {count(added)}" if added else "; nothing was to be added")


@dataclass(frozen=True, kw_only=True)
class UnseenScore:
    """The score of a model on rows that decided nothing in its training.

    Attributes:
        rows: how many.
        baselines: name → score on the same rows.
    """

    rows: Ordinal
    score: Loss
    baselines: dict[str, Loss] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FinalScore(UnseenScore):
    """That of the best model on the rows for testing.

    Attributes:
        data: the name of the file.
        metric: the score's name.
        interval: its central 95%, by the ``method``.
    """

    data: str
    metric: Annotated[str, Length(1, 200)]
    interval: tuple[Loss, Loss]
    method: Literal["Wilson", "bootstrap"]


@dataclass(frozen=True, kw_only=True)
class FoldScore(UnseenScore):
    """That of a training that left out a fold, on that fold.

    Attributes:
        epoch: the one that was kept; None for the model from before the first one.
        error: the standard error of the score, by the rows of the fold; None for a single row.
        errors: name of a baseline → that of the score less the baseline's.
    """

    epoch: Ordinal | None
    error: Loss | None = None
    errors: dict[str, Loss] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class KeptScore:
    """The scores of the model that a training began with, and of the one it made, on the same older rows.

    Attributes:
        data: the name of their file.
        rows: how many.
        metric: the score's name.
        before, after: the scores.
        interval: the central 95% of by how much the score is better; below 0 it fell. None for a single row.
    """

    data: str
    rows: Ordinal
    metric: Annotated[str, Length(1, 200)]
    before: Loss
    after: Loss
    interval: tuple[Loss, Loss] | None

    @property
    def fell(self) -> bool:
        """Whether the score fell by more than chance."""
        return self.interval is not None and self.interval[1] < 0


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
        version: of rnncli, which made it.
        digest: SHA-256 of the data, as they were read.
        test: the score on test rows, where there were some.
        origin: the model that the training began with, if it began with one.
        kept: the score on rows that the training was to keep, before it and after it.
        folds: the scores of trainings that left out a fold each, where there were some.
        arranged: whether the user said which rows are for what, by files or by columns.
    """

    data: str | None = None
    rows: Count | None = None
    validation_rows: Count | None = None
    label_rows: dict[str, Count] = field(default_factory=dict)
    best_epoch: Ordinal | None = None
    epochs: tuple[EpochRecord, ...] = ()
    baselines: dict[str, Loss] = field(default_factory=dict)
    version: Annotated[str, Length(1, 40)] | None = None
    digest: Annotated[str, Length(0, 200)] | None = None
    test: FinalScore | None = None
    origin: Origin | None = None
    kept: KeptScore | None = None
    folds: tuple[FoldScore, ...] = ()
    arranged: bool = False

    def __post_init__(self) -> None:
        require_epochs(self.epochs)
        if self.best_epoch is not None and self.best_epoch > len(self.epochs):
            raise ValueError(f"best_epoch is {self.best_epoch}, of {len(self.epochs)} epochs")

    @property
    def best(self) -> EpochRecord | None:
        """The epoch whose parameters the model has."""
        return None if self.best_epoch is None else self.epochs[self.best_epoch - 1]


def scored_by(epochs: Sequence[EpochRecord]) -> str:
    """The field with the score of the validation rows: an error in the units of the data, or the accuracy."""
    errors = any(epoch.validation_error is not None for epoch in epochs)
    return "validation_error" if errors else "validation_accuracy"


def require_epochs(epochs: Sequence[EpochRecord]) -> None:
    """Raises ValueError: the epochs are not numbered one after the other from 1."""
    for number, epoch in enumerate(epochs, 1):
        if epoch.epoch != number:
            raise ValueError(f"the record of epoch {number} is of epoch {epoch.epoch}")
