"""Classifying sequences of numbers: from labelled sequences to encoded examples, and the report on them."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params
from rnncli.data.dataset import Dataset, label_warnings, left_out
from rnncli.data.ragged import Ragged
from rnncli.data.short_repr import ShortRepr
from rnncli.data.tables.long_form import LongForm
from rnncli.record import Record
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.classify.network import Classifier, Examples
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.inputs import NumberInput, constant_columns, parse_numbers, shorten, shortened
from rnncli.tasks.prepare import (
    label_counts,
    label_shares,
    numbered,
    require_labels,
    require_memory,
    row_weights,
    split,
    uneven_warning,
)
from rnncli.tasks.task import Baseline


@dataclass(frozen=True)
class NumbersReport:
    """What a data set of labelled sequences of numbers is like.

    Attributes:
        labels: label → rows, by falling count.
        lengths: timesteps of a sequence: smallest, median, largest.
        cut: sequences longer than the ``max_length`` that is read of them.
        features: numbers a timestep; ``constant`` of them never change in the training rows.
        warnings: sentences.
    """

    rows: int
    training_rows: int
    validation_rows: int
    labels: dict[str, int]
    lengths: tuple[int, int, int]
    cut: int
    features: int
    constant: int
    warnings: tuple[str, ...]

    what = "A classifier of sequences of numbers"

    def lines(self) -> list[tuple[str, str]]:
        low, middle, high = self.lengths
        lengths = f"{low:,} to {high:,} timesteps, median {middle:,}"
        if self.cut:
            lengths += f"; of {self.cut:,} the middle is not read (--max-length)"
        constant = f", {self.constant:,} of them always the same" if self.constant else ""
        return [
            ("rows", f"{self.rows:,}: {self.training_rows:,} to train, {self.validation_rows:,} to validate"),
            ("labels", label_shares(self.labels)),
            ("lengths", lengths),
            ("numbers", f"{self.features:,} a timestep{constant}; standardised"),
        ]

    def summary(self) -> list[str]:
        return [label_counts(self.labels)]


@dataclass(frozen=True, repr=False)
class PreparedNumbers(ShortRepr):
    """Everything a training of a classifier of numbers starts from."""

    settings: Settings
    input: NumberInput
    labels: tuple[str, ...]
    train: Examples
    validation: Examples
    example: str
    report: NumbersReport
    form: LongForm | None = None

    @property
    def network(self) -> Classifier:
        return Classifier(self.settings, self.input.size, len(self.labels), numbers=True)

    def with_settings(self, settings: Settings) -> PreparedNumbers:
        return replace(self, settings=settings)

    def baselines(self) -> tuple[Baseline, ...]:
        commonest = np.bincount(self.train.targets, minlength=len(self.labels)).argmax()
        return (Baseline("commonest_label", RowScores.of_answers(self.validation.targets == commonest)),)

    def model(self, params: Params, record: Record) -> ClassifierModel:
        return ClassifierModel(self.settings, self.input, self.labels, params, self.example, record, self.form)

    def word_tables(self) -> Mapping[str, Sequence[str]]:
        return {}


def prepare_numbers(dataset: Dataset, settings: Settings) -> PreparedNumbers:
    """Reads, splits, standardises by the training rows, and encodes.

    Raises:
        DataError: a sequence cannot be read, with its line; or the rows cannot train a classifier.
        UsageError: the network that the settings describe does not fit into memory.
    """
    require_labels(dataset)
    sequences, dataset = _read(dataset)
    require_labels(dataset)
    labels, targets = numbered(dataset.labels)
    train_rows, validation_rows = split(dataset, targets, settings)
    learned_from = sequences.take(train_rows).joined()
    input = NumberInput.of(learned_from)
    constant = constant_columns(learned_from)
    del learned_from
    standardised, kept = _standardised(input, sequences, dataset, settings.dtype)
    if kept is not dataset:  # numbers that are out of all bounds, among the validation rows
        return prepare_numbers(kept, settings)
    lengths = sequences.lengths
    require_memory(Classifier(settings, input.size, len(labels), numbers=True), settings, int(lengths.max()))
    weights = row_weights(targets[train_rows], targets, len(labels), settings)
    whole = Examples(shortened(standardised, settings.max_length), targets, weights)
    by_count = dict(sorted(Counter(dataset.labels).items(), key=lambda item: (-item[1], item[0])))
    warnings = [*label_warnings(dataset.labels), *uneven_warning(by_count, settings)]
    if dataset.skipped:
        warnings.append(left_out(dataset.skipped, dataset.skipped_because))
    report = NumbersReport(
        *(len(targets), len(train_rows), len(validation_rows), by_count),
        (int(lengths.min()), int(np.median(lengths)), int(lengths.max())),
        int((lengths > settings.max_length).sum()),
        input.size,
        constant,
        tuple(warnings),
    )
    shown = int((validation_rows if len(validation_rows) else train_rows)[0])
    example = dataset.texts[shown]
    if lengths[shown] > settings.max_length:  # as it is read: a model's file has no room for a recording of hours
        example = json.dumps(shorten(sequences[shown], settings.max_length).tolist())
    parts = whole.take(train_rows), whole.take(validation_rows)
    form = dataset.reads if isinstance(dataset.reads, LongForm) else None
    return PreparedNumbers(settings, input, labels, *parts, example, report, form)


# Sequences that are standardised at a time.
_AT_A_TIME = 1024


def _standardised(input: NumberInput, sequences: Ragged, dataset: Dataset, dtype: str) -> tuple[Ragged, Dataset]:
    """Each sequence standardised; and the records of which that is possible, ``dataset`` itself if it is of all."""
    made = np.zeros(sequences.flat.shape, dtype)
    problems: list[str | None] = [None] * len(sequences)

    def standardise(first: int, count: int) -> None:
        part = sequences[first : first + count]
        steps = slice(int(part.starts[0]), int(part.starts[-1] + part.lengths[-1]))
        made[steps] = input.standardised(sequences.flat[steps])

    for first in range(0, len(sequences), _AT_A_TIME):
        try:
            standardise(first, _AT_A_TIME)
        except ValueError:
            for row in range(first, min(first + _AT_A_TIME, len(sequences))):  # which of them, and why
                try:
                    standardise(row, 1)
                except ValueError as error:
                    problems[row] = f"the sequence {error}"
    return sequences.with_flat(made), dataset.without(problems, "sequence that cannot be read")


def _read(dataset: Dataset) -> tuple[Ragged, Dataset]:
    """(T, D) float64 of each record, D that of the first, one behind the other; and the records that could be read."""
    numbers, lengths, width = array("d"), array("q"), 0
    problems: list[str | None] = []
    for text in dataset.texts:
        try:
            sequence = parse_numbers(text)
            width = width or sequence.shape[1]
            if sequence.shape[1] != width:
                raise ValueError(f"has {sequence.shape[1]} numbers a timestep, and the first record has {width}")
            numbers.frombytes(sequence.tobytes())
            lengths.append(len(sequence))
            problems.append(None)
        except ValueError as error:
            problems.append(f"the sequence {error}")
    kept = dataset.without(problems, "sequence that cannot be read")
    return Ragged.of(np.frombuffer(numbers).reshape(-1, width), np.array(lengths)), kept
