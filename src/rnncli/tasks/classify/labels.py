"""The labels of records: whether a classifier can learn them, and how much each row counts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.errors import DataError, quoted
from rnncli.tasks.prepare import require_few_labels
from rnncli.tasks.report import UNEVEN, skipped_warning

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


def require_labels(dataset: Dataset) -> None:
    """Raises DataError: the records have too few labels, or too many."""
    name, labels = dataset.name, set(dataset.labels)
    if len(dataset.texts) < 2:
        raise DataError(f"{name}: a classifier needs at least 2 records, and this file has 1")
    if len(labels) < 2:
        raise DataError(
            f"{name}: a classifier needs at least 2 labels, and every record here is {quoted(dataset.labels[0])}"
        )
    hint = "name the label's column with --label; if it holds texts to be generated, say --task seq2seq"
    require_few_labels(dataset, len(labels), hint)


def row_weights(train_targets: Array, targets: Array, settings: Settings) -> Array | None:
    """(rows,) weight of each row by its label: none, 1/count, or 1/√count, with mean 1 over the training rows."""
    if settings.class_weights == "none":
        return None
    counts = np.maximum(np.bincount(train_targets, minlength=int(targets.max()) + 1), 1).astype(np.float64)
    by_label = 1 / counts if settings.class_weights == "balanced" else 1 / np.sqrt(counts)
    return np.asarray((by_label / by_label[train_targets].mean())[targets])


def warnings_of(dataset: Dataset, settings: Settings) -> tuple[str, ...]:
    """Sentences on the labels, and on the records that were left out."""
    counts = Counter(dataset.labels).values()
    times, uneven = max(counts) / min(counts), []
    if times >= UNEVEN and settings.class_weights == "none":
        uneven = [
            f"labels are uneven (the commonest has {times:,.0f} times the rows of the rarest); "
            "--class-weights balanced makes rare ones count more"
        ]
    from rnncli.data.dataset import label_warnings

    return (*label_warnings(dataset.labels), *uneven, *skipped_warning(dataset))
