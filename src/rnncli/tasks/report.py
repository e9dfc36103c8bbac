"""What a data set is like: worth reading before anything is trained on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from rnncli.clean import clean
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset, left_out

Spread = tuple[int, int, int]  # smallest, median, largest

# Labels are uneven enough to speak of when the largest has this many times the rows of the smallest.
UNEVEN = 3
# Labels named in the report and on the card; the other ones are counted.
LABELS_IN_REPORT, LABELS_ON_CARD = 8, 20
LABEL_WIDTH = 40  # characters of a label in a line of text


@dataclass(frozen=True, kw_only=True)
class Report(ABC):
    """What a data set is like.

    Attributes:
        what: what is trained, as a sentence begins: "A classifier of text".
        rows, training_rows, validation_rows: how many there are.
        warnings: sentences.
    """

    what: ClassVar[str]
    rows: int
    training_rows: int
    validation_rows: int
    warnings: tuple[str, ...] = ()

    @property
    def rows_are(self) -> str:
        """What rows are called."""
        return "rows"

    @property
    def label_rows(self) -> Mapping[str, int]:
        """Label → how often it occurs, by falling count; nothing where there are no labels."""
        return {}

    def lines(self) -> list[tuple[str, str]]:
        """The report as ``(what, value)``."""
        split = f"{self.rows:,}: {self.training_rows:,} to train, {self.validation_rows:,} to validate"
        return [(self.rows_are, split), *self._lines()]

    @abstractmethod
    def _lines(self) -> Iterable[tuple[str, str]]:
        """Those after the rows."""

    @abstractmethod
    def summary(self) -> tuple[str, str]:
        """``(what, value)`` for the model's card, beside the rows."""

    def document(self) -> dict[str, Any]:
        """For ``--json``: every field, the warnings last."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return found | {"warnings": found.pop("warnings")}

    @property
    def looked_at(self) -> str:
        """Whose unknown tokens are counted."""
        return "validation" if self.validation_rows else "training"


@dataclass(frozen=True, kw_only=True)
class LabelReport(Report):
    """What a data set with labels is like.

    Attributes:
        labels: label → rows, by falling count; of tags, how many words.
        labels_are: what they are called.
    """

    labels: dict[str, int]
    labels_are: ClassVar[str] = "Labels"

    @property
    def label_rows(self) -> Mapping[str, int]:
        return self.labels

    def summary(self) -> tuple[str, str]:
        return self.labels_are, label_counts(self.labels)


def spread(lengths: Array) -> Spread:
    return int(lengths.min()), int(np.median(lengths)), int(lengths.max())


def spread_words(lengths: Spread, unit: str) -> str:
    """``1 to 20 words, median 5``."""
    low, middle, high = lengths
    return f"{low:,} to {high:,} {unit}s, median {middle:,}"


def numbers_words(count: int, constant: int, where: str) -> str:
    """``3 a timestep, 1 of them always the same; standardised``."""
    same = f", {constant:,} of them always the same" if constant else ""
    return f"{count:,} a {where}{same}; standardised"


def by_falling_count(counts: Mapping[str, int]) -> dict[str, int]:
    """Labels with their counts, those of one count by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def label_shares(labels: Mapping[str, int]) -> str:
    """``pos 60 (50%), neg 60 (50%)``, the commonest labels first."""
    whole = sum(labels.values())
    shown = [f"{clean(label, LABEL_WIDTH)} {n:,} ({n / whole:.0%})" for label, n in labels.items()][:LABELS_IN_REPORT]
    if len(labels) > len(shown):
        shown.append(f"and {len(labels) - len(shown)} more")
    return ", ".join(shown)


def label_counts(labels: Mapping[str, int]) -> str:
    """``pos (60), neg (60)``."""
    shown = [f"{clean(label, LABEL_WIDTH)} ({rows:,})" for label, rows in labels.items()]
    return ", ".join(shown[:LABELS_ON_CARD])


def skipped_warning(dataset: Dataset) -> tuple[str, ...]:
    """A sentence on the bad records that were left out, if any were."""
    return (left_out(dataset.skipped, dataset.skipped_because),) if dataset.skipped else ()
