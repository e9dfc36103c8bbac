"""The network of several labels at once: a sigmoid for each of K labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.core.activations import sigmoid
from rnncli.core.losses import sigmoid_cross_entropy
from rnncli.core.packed import Array
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.many_to_one.network import ManyToOne

THRESHOLD = 0.5  # a label is predicted whose probability is above it, where no other threshold was chosen


def f1_of_rows(predicted: Array, right: Array) -> RowScores:
    """2·TP of each row over its predicted and its right labels; all rows together give the micro F1.

    The micro F1 is a ratio of two sums over rows, so that two models can be compared by the rows: one without labels,
    for which none is predicted, changes neither sum.

    Args:
        predicted, right: (rows, K) booleans.
    """
    sizes = predicted.sum(axis=1) + right.sum(axis=1)
    return RowScores(2.0 * (predicted & right).sum(axis=1), sizes.astype(np.float64))


@dataclass(frozen=True)
class MultilabelClassifier(ManyToOne):
    """The last layer's K logits → a sigmoid each; the loss is the mean over labels of the binary cross-entropy.

    The targets are (rows, K) booleans.
    """

    @property
    def curvature(self) -> float:
        return 0.25 / self.label_count

    @property
    def terms(self) -> int:
        return self.label_count

    def loss(self, logits: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        return sigmoid_cross_entropy(logits, targets, weights)

    def outputs(self, logits: Array) -> Array:
        return sigmoid(logits)

    def judged(self, logits: Array, targets: Array) -> RowScores:
        """By the labels with probabilities above :data:`THRESHOLD`: of an epoch, before thresholds are chosen."""
        return f1_of_rows(self.outputs(logits) > THRESHOLD, targets)

    def answer_score(self, logits: Array, answer: Array) -> Array:
        """(rows,) the sum of the log odds of labels, each times its entry in ``answer`` (K,): a label's logit."""
        return np.asarray(logits @ answer)

    def answer_score_gradient(self, logits: Array, answer: Array) -> Array:
        return np.repeat(answer[None].astype(logits.dtype), len(logits), axis=0)
