"""What a network has to beat: the commonest label, and a bag of words that ignores order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rnncli.core.losses import sigmoid_cross_entropy, softmax_cross_entropy
from rnncli.core.packed import Array
from rnncli.tasks.classifier import Examples


@dataclass(frozen=True)
class Baselines:
    """Accuracy on the validation rows: always the commonest training label, and the bag of words."""

    majority: float
    bag_of_words: float


def baselines(train: Examples, validation: Examples, vocabulary_size: int, label_count: int) -> Baselines:
    """Both baselines, learned from the training rows and scored on the validation rows."""
    commonest = np.bincount(train.targets, minlength=label_count).argmax()
    predicted = BagOfWords.fit(train, vocabulary_size, label_count).predict(validation.inputs)
    return Baselines(float((validation.targets == commonest).mean()), float((validation.targets == predicted).mean()))


@dataclass(frozen=True)
class _Bags:
    """Texts as sparse rows of TF-IDF values, each of length 1."""

    words: Array  # (entries,) word ids
    values: Array  # (entries,)
    starts: Array  # (rows,) first entry of each text

    def times(self, weights: Array) -> Array:
        """(rows, K): the bags (rows, V) times weights (V, K)."""
        columns = [np.add.reduceat(self.values * column[self.words], self.starts) for column in weights.T]
        return np.stack(columns, axis=1)

    def transposed_times(self, errors: Array, size: int) -> Array:
        """(V, K): the transposed bags times errors (rows, K)."""
        counts = np.diff(np.append(self.starts, len(self.words)))
        columns = [np.bincount(self.words, self.values * np.repeat(column, counts), size) for column in errors.T]
        return np.stack(columns, axis=1)

    def largest_square(self, size: int) -> float:
        """The largest eigenvalue of bagsᵀ·bags / rows, by power iteration; the margin covers what 30 rounds leave."""
        direction = np.ones((size, 1))
        for _ in range(30):
            direction /= np.linalg.norm(direction)
            direction = self.transposed_times(self.times(direction), size) / len(self.starts)
        return 1.05 * float(np.linalg.norm(direction))


@dataclass(frozen=True)
class BagOfWords:
    """Logistic regression on the TF-IDF of single words.

    Two labels have one column of weights and a sigmoid, more have one each and a softmax. Fitted to the
    L2-regularised loss over all rows at once by accelerated gradient descent (Nesterov 1983). The step is 1 over the
    largest curvature there can be, which comes from the bags' largest singular value: nothing is left to tune, and
    nothing is random.
    """

    weights: Array  # (V, 1 or K)
    bias: Array  # (1 or K,)
    idf: Array  # (V,)

    @classmethod
    def fit(cls, train: Examples, vocabulary_size: int, label_count: int) -> BagOfWords:
        """Fits to the training rows; the penalty is that of scikit-learn's C = 1: ‖W‖² / (2 · rows)."""
        counted = _count_words(train.inputs, vocabulary_size)
        documents = np.bincount(counted.words, minlength=vocabulary_size)
        idf = np.log((1 + len(train.inputs)) / (1 + documents)) + 1
        bags = _bags(counted, idf)
        columns = 1 if label_count == 2 else label_count
        loss_of = sigmoid_cross_entropy if columns == 1 else softmax_cross_entropy
        bend = 0.25 if columns == 1 else 0.5  # the loss's largest second derivative
        penalty = 1 / len(train.inputs)
        # Twice each block's own curvature bounds that of weights and biases together.
        step, bias_step = 1 / (2 * bend * bags.largest_square(vocabulary_size) + penalty), 1 / (2 * bend)
        weights, bias = np.zeros((vocabulary_size, columns)), np.zeros(columns)
        ahead, ahead_bias, momentum = weights, bias, 1.0
        for _ in range(_iterations(len(bags.words) * columns)):
            _, errors = loss_of(bags.times(ahead) + ahead_bias, train.targets)
            new = ahead - step * (bags.transposed_times(errors, vocabulary_size) + penalty * ahead)
            new_bias = ahead_bias - bias_step * errors.sum(axis=0)
            following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            share = (momentum - 1) / following
            ahead, ahead_bias = new + share * (new - weights), new_bias + share * (new_bias - bias)
            weights, bias, momentum = new, new_bias, following
        return cls(weights, bias, idf)

    def predict(self, inputs: list[Array]) -> Array:
        """(rows,) label numbers."""
        bags = _bags(_count_words(inputs, len(self.idf)), self.idf)
        scores = bags.times(self.weights) + self.bias
        return np.asarray(scores[:, 0] > 0, np.int64) if scores.shape[1] == 1 else np.asarray(scores.argmax(axis=1))


def _iterations(work: int) -> int:
    """150, as many as it takes; fewer for many words times many labels, so that a baseline takes seconds."""
    return min(150, max(30, 750_000_000 // work))


class _Counted(NamedTuple):
    """Each distinct word of each text, and how often it stands there; ordered by text."""

    rows: Array  # (entries,)
    words: Array  # (entries,)
    counts: Array  # (entries,)
    starts: Array  # (rows,) first entry of each text


def _count_words(inputs: list[Array], vocabulary_size: int) -> _Counted:
    lengths = np.array([len(ids) for ids in inputs])
    row_of_token = np.repeat(np.arange(len(inputs)), lengths)
    # One number for each (row, word) pair, so that sorting the pairs and counting equal ones is one NumPy call.
    pairs, counts = np.unique(row_of_token * vocabulary_size + np.concatenate(inputs), return_counts=True)
    rows, words = np.divmod(pairs, vocabulary_size)
    return _Counted(rows, words, counts, np.searchsorted(rows, np.arange(len(inputs))))


def _bags(counted: _Counted, idf: Array) -> _Bags:
    values = counted.counts * idf[counted.words]
    lengths = np.sqrt(np.add.reduceat(values**2, counted.starts))
    return _Bags(counted.words, values / lengths[counted.rows], counted.starts)
