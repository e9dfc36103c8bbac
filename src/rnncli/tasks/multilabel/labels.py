"""The label sets of records: whether they can be learned, and what is said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.data.records.label_sets import shown_labels
from rnncli.errors import DataError, counted, quoted
from rnncli.tasks.prepare import require_few_labels
from rnncli.tasks.report import skipped_warning

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset

LabelSet = tuple[str, ...]


def counts_of(sets: Sequence[LabelSet]) -> Counter[str]:
    """How many rows have each label."""
    return Counter(chain.from_iterable(sets))


def require_labels(dataset: Dataset) -> None:
    """Raises DataError: there are no labels, too many, or all records have the same."""
    name, sets = dataset.name, dataset.labels
    if len(sets) < 2:
        raise DataError(f"{name}: at least 2 records are needed, and this file has 1")
    if len(set(sets)) < 2:
        have = f"the labels {quoted(shown_labels(sets[0]))}" if sets[0] else "no label"
        raise DataError(f"{name}: every record here has {have}: there is nothing to tell apart")
    require_few_labels(dataset, len(counts_of(sets)), "name the column of the labels with --label")


def numbered(sets: Sequence[LabelSet]) -> tuple[tuple[str, ...], Array]:
    """The distinct labels, sorted, and (rows, K) which of them each row has."""
    names = tuple(sorted(counts_of(sets)))
    return names, indicators(sets, names)


def indicators(sets: Sequence[LabelSet], names: Sequence[str]) -> Array:
    """(rows, K) whether each row has each of the labels, among which all of its own are."""
    number = {name: k for k, name in enumerate(names)}
    made = np.zeros((len(sets), len(names)), np.bool_)
    for row, labels in enumerate(sets):
        made[row, [number[label] for label in labels]] = True
    return made


def rarest(targets: Array) -> Array:
    """(rows,) the number of the rarest label of each row, K of a row without labels.

    Rows of the same one give the same share to validation, so that rare labels are on both sides: the first step of
    iterative stratification (Sechidis et al. 2011), which deals out the rows of the rarest label first.
    """
    counts = targets.sum(axis=0)
    order = np.argsort(counts, kind="stable")
    first = targets[:, order].argmax(axis=1)
    return np.asarray(np.where(targets.any(axis=1), order[first], targets.shape[1]))


def warnings_of(dataset: Dataset, settings: Settings) -> tuple[str, ...]:
    """Sentences on the labels, and on the records that were left out."""
    without = sum(not labels for labels in dataset.labels)
    none = [f"{counted(without, 'row has', 'rows have')} no label"] if without else []
    from rnncli.data.dataset import label_warnings

    return (*none, *label_warnings(counts_of(dataset.labels)), *skipped_warning(dataset))
