"""The network of a classifier: one of K labels, by a softmax, or of two by a sigmoid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.core.activations import sigmoid
from rnncli.core.losses import sigmoid_cross_entropy, softmax, softmax_cross_entropy
from rnncli.core.packed import Array
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.many_to_one.network import ManyToOne


@dataclass(frozen=True)
class Classifier(ManyToOne):
    """The last layer's logits → sigmoid or softmax; K is at least 2.

    Two labels have one logit, the log odds of the second; K > 2 labels have K.
    """

    @property
    def logit_count(self) -> int:
        return 1 if self.label_count == 2 else self.label_count

    @property
    def curvature(self) -> float:
        return 0.25 if self.logit_count == 1 else 0.5

    def loss(self, logits: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        if self.logit_count == 1:
            return sigmoid_cross_entropy(logits, targets, weights)
        return softmax_cross_entropy(logits, targets, weights)

    def outputs(self, logits: Array) -> Array:
        return self.probabilities(logits)

    def judged(self, logits: Array, targets: Array) -> RowScores:
        """Whether each predicted label is right."""
        return RowScores.of_answers(self.probabilities(logits).argmax(axis=1) == targets)

    def answer_score(self, logits: Array, label: int) -> Array:
        """(rows,) log p/(1 − p) of a label, from (rows, K or 1) logits: its logit, less log Σ exp of the others."""
        if self.logit_count == 1:
            return np.asarray(logits[:, 0] if label else -logits[:, 0])
        others = np.delete(logits, label, axis=1)
        top = others.max(axis=1)
        return np.asarray(logits[:, label] - top - np.log(np.exp(others - top[:, None]).sum(axis=1)))

    def answer_score_gradient(self, logits: Array, label: int) -> Array:
        """(rows, K or 1) ∂ log odds / ∂ logits."""
        if self.logit_count == 1:
            return np.full_like(logits, 1 if label else -1)
        others = logits.copy()
        others[:, label] = -np.inf
        gradient = -softmax(others)
        gradient[:, label] = 1
        return np.asarray(gradient)

    def probabilities(self, logits: Array) -> Array:
        """(rows, K) from (rows, K or 1) logits."""
        if self.logit_count == 1:
            second = sigmoid(logits)
            return np.concatenate((1 - second, second), axis=1)
        return softmax(logits)
