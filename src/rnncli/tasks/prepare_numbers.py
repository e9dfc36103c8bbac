"""Classifying sequences of numbers: from labelled sequences to encoded examples, and the report on them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.core.recurrence import Params
from rnncli.data.dataset import Dataset, label_warnings, left_out
from rnncli.data.long_form import LongForm
from rnncli.record import Record
from rnncli.tasks.classifier import Classifier, Examples
from rnncli.tasks.classify import ClassifierModel
from rnncli.tasks.inputs import NumberInput, parse_numbers, shorten
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


@dataclass(frozen=True)
class PreparedNumbers:
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
        share = float((self.validation.targets == commonest).mean())
        return (Baseline("commonest_label", "always giving the commonest label", share),)

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
    input = NumberInput.of([sequences[row] for row in train_rows.tolist()])
    lengths = np.array([len(sequence) for sequence in sequences])
    require_memory(Classifier(settings, input.size, len(labels), numbers=True), settings, int(lengths.max()))
    encoded = [shorten(input.standardised(sequence), settings.max_length) for sequence in sequences]
    weights = row_weights(targets[train_rows], targets, len(labels), settings)
    whole = Examples([steps.astype(settings.dtype) for steps in encoded], targets, weights)
    by_count = dict(sorted(Counter(dataset.labels).items(), key=lambda item: (-item[1], item[0])))
    warnings = [*label_warnings(dataset.labels), *uneven_warning(by_count, settings)]
    if dataset.skipped:
        warnings.append(left_out(dataset.skipped, dataset.skipped_because))
    report = NumbersReport(
        *(len(targets), len(train_rows), len(validation_rows), by_count),
        (int(lengths.min()), int(np.median(lengths)), int(lengths.max())),
        int((lengths > settings.max_length).sum()),
        input.size,
        int((np.concatenate([sequences[row] for row in train_rows.tolist()]).std(axis=0) == 0).sum()),
        tuple(warnings),
    )
    shown = int((validation_rows if len(validation_rows) else train_rows)[0])
    example = dataset.texts[shown]
    if lengths[shown] > settings.max_length:  # as it is read: a model's file has no room for a recording of hours
        example = json.dumps(shorten(sequences[shown], settings.max_length).tolist())
    parts = whole.take(train_rows), whole.take(validation_rows)
    form = dataset.reads if isinstance(dataset.reads, LongForm) else None
    return PreparedNumbers(settings, input, labels, *parts, example, report, form)


def _read(dataset: Dataset) -> tuple[list[Array], Dataset]:
    """(T, D) of each record, D that of the first; and the records that could be read."""
    sequences: list[Array] = []
    problems: list[str | None] = []
    for text in dataset.texts:
        try:
            sequence = parse_numbers(text)
            if sequences and sequence.shape[1] != sequences[0].shape[1]:
                width = sequences[0].shape[1]
                raise ValueError(f"has {sequence.shape[1]} numbers a timestep, and the first record has {width}")
            sequences.append(sequence)
            problems.append(None)
        except ValueError as error:
            problems.append(f"the sequence {error}")
    return sequences, dataset.without(problems, "sequence that cannot be read")
