"""What a data set is like: worth reading before anything is trained on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.clean import clean
from rnncli.core.packed import Array
from rnncli.data.tables.facts import is_plain_number
from rnncli.errors import counted
from rnncli.record import FinalScore
from rnncli.results import format_number

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset

Spread = tuple[int, int, int]  # smallest, median, largest

# Labels are uneven enough for a warning when the commonest has this many times the rows of the rarest.
UNEVEN = 3
# Labels named in the report and on the card; the other ones are counted.
LABELS_IN_REPORT, LABELS_ON_CARD = 8, 20
LABEL_WIDTH = 40  # characters of a label in a line of text


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a data set is like.

    Attributes:
        what: what is trained, as a sentence begins: "A classifier of text".
        training_rows, validation_rows, test_rows: how many there are.
        figures: the task's own, by their names in ``--json``.
        own_lines: the lines after the one on rows, as ``(what, value)``.
        summary: ``(what, value)`` for the model's card, beside the rows.
        label_rows: label → how often it occurs, by falling count; empty where there are no labels.
        warnings: sentences.
        row: what a row is called.
        groups: the column of groups, and how many of them are for training and for validation.
    """

    what: str
    training_rows: int
    validation_rows: int
    figures: Mapping[str, Any]
    own_lines: Sequence[tuple[str, str]]
    summary: tuple[str, str]
    label_rows: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    row: str = "row"
    test_rows: int = 0
    groups: tuple[str, int, int] | None = None

    @property
    def rows(self) -> int:
        return self.training_rows + self.validation_rows + self.test_rows

    @property
    def validated_on(self) -> str:
        """``78 validation rows``."""
        return counted(self.validation_rows, f"validation {self.row}")

    @property
    def tested_on(self) -> str:
        """``78 test rows``."""
        return counted(self.test_rows, f"test {self.row}")

    def lines(self) -> list[tuple[str, str]]:
        """The report as ``(what, value)``."""
        split = f"{self.rows:,}: {self.training_rows:,} to train, {self.validation_rows:,} to validate"
        split += f", {self.test_rows:,} to test" if self.test_rows else ""
        lines = [(f"{self.row}s", split), *self.own_lines]
        if self.groups is not None:
            column, training, validation = self.groups
            lines.insert(
                1, ("groups", f"by {clean(column, LABEL_WIDTH)}: {training:,} to train, {validation:,} to validate")
            )
        return lines

    def document(self) -> dict[str, Any]:
        """For ``--json``."""
        parts = ("rows", "training_rows", "validation_rows", *(["test_rows"] if self.test_rows else []))
        rows: dict[str, Any] = {name: getattr(self, name) for name in parts}
        if self.groups is not None:
            rows["groups"] = dict(zip(("column", "training", "validation"), self.groups, strict=True))
        return {**rows, **self.figures, "warnings": self.warnings}


def label_report(
    counts: Mapping[str, int],
    figures: Mapping[str, Any],
    own_lines: Sequence[tuple[str, str]],
    labels_are: str = "labels",
    whole: int | None = None,
    **more: Any,
) -> Report:
    """The report on a data set with labels.

    Args:
        counts: label → how often it occurs.
        labels_are: what labels are called.
        whole: of how many rows the shares are, where a row has any number of labels.
        more: the other fields of :class:`Report`.
    """
    labels = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    return Report(
        figures={"labels": labels, **figures},
        own_lines=[(labels_are, label_shares(labels, whole)), *own_lines],
        summary=(labels_are.capitalize(), label_counts(labels)),
        label_rows=labels,
        **more,
    )


def spread(lengths: Array) -> Spread:
    """Of (rows,) lengths."""
    return int(lengths.min()), int(np.median(lengths)), int(lengths.max())


def spread_words(lengths: Spread, unit: str) -> str:
    """``1 to 20 words, median 5``."""
    low, middle, high = lengths
    return f"{low:,} to {counted(high, unit)}, median {middle:,}"


def interval_words(test: FinalScore) -> str:
    """``95% interval 0.7812 to 0.9376 (Wilson)``."""
    low, high = map(format_number, test.interval)
    return f"95% interval {low} to {high} ({test.method})"


def beside_words(scores: Mapping[str, float]) -> str:
    """``bag of words 0.9012, commonest label 0.5000``, of baselines."""
    return ", ".join(f"{name.replace('_', ' ')} {format_number(score)}" for name, score in scores.items())


def known_in_words(known: int, distinct: int, unit: str, continued: bool) -> str:
    """``43 of 57 distinct words are known``; in a training that goes on from a model, some that it lacks are too."""
    return f"{counted(known, unit)} known" if continued else f"{known:,} of {distinct:,} distinct {unit}s are known"


def numbers_words(count: int, constant: int, where: str) -> str:
    """``3 a timestep, 1 of them always the same; standardised``."""
    same = f", {constant:,} of them always the same" if constant else ""
    return f"{count:,} a {where}{same}; standardised"


def label_shares(labels: Mapping[str, int], whole: int | None = None) -> str:
    """``pos 60 (50%), neg 60 (50%)``, or ``5: 60 (50%), 4: 60 (50%)``, the commonest labels first."""
    whole, more = whole or sum(labels.values()), len(labels) - LABELS_IN_REPORT
    first = list(islice(labels.items(), LABELS_IN_REPORT))
    mark = ":" if any(is_plain_number(label) for label, _ in first) else ""  # a number would run into its count
    shown = [f"{clean(label, LABEL_WIDTH)}{mark} {n:,} ({n / whole:.0%})" for label, n in first]
    return ", ".join([*shown, f"and {more} more"] if more > 0 else shown)


def label_counts(labels: Mapping[str, int]) -> str:
    """``pos (60), neg (60)``."""
    first = islice(labels.items(), LABELS_ON_CARD)
    return ", ".join(f"{clean(label, LABEL_WIDTH)} ({rows:,})" for label, rows in first)


def skipped_warning(dataset: Dataset) -> tuple[str, ...]:
    """A sentence on the bad records that were left out, if any were."""
    from rnncli.data.dataset import left_out

    return (left_out(dataset.skipped, dataset.skipped_because),) if dataset.skipped else ()
