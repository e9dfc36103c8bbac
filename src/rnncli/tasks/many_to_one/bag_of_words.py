"""The baselines of what answers for a whole text: always the same answer, and a bag of words, which ignores order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.records.ragged import joined, lengths_of
from rnncli.tasks.comparison import Baseline, RowScores
from rnncli.tasks.many_to_one.network import Examples, ManyToOne


def baselines(
    train: Examples, validation: Examples, vocabulary_size: int, network: ManyToOne, constant: Baseline
) -> tuple[Baseline, ...]:
    """The bag of words, if there is one, learned from the training rows; and the same answer for all rows."""
    if problem(int(lengths_of(train.inputs).sum()), vocabulary_size, network, constant.name) is not None:
        return (constant,)
    bag = BagOfWords.fit(train, vocabulary_size, network)
    return Baseline("bag_of_words", bag.scored(validation, network)), constant


# A bag of words has a weight for each word and label, of some 50 bytes while it is fitted: FEW_WEIGHTS are always
# possible, more where there are so many words to learn them from, but never more than MOST_WEIGHTS.
FEW_WEIGHTS, WEIGHTS_A_WORD, MOST_WEIGHTS = 2**21, 4, 2**24
# Words of all texts times labels: with more, even the fewest iterations take minutes.
MOST_WORK = 2**28


def problem(words: int, vocabulary_size: int, network: ManyToOne, instead: str) -> str | None:
    """Why no bag of words is learned from so many words; None if one is.

    Args:
        instead: the name of the other baseline.
    """
    columns = network.logit_count
    allowed = min(MOST_WEIGHTS, max(FEW_WEIGHTS, WEIGHTS_A_WORD * words))
    if vocabulary_size * columns <= allowed and words * columns <= MOST_WORK:
        return None
    return (
        f"{network.label_count:,} labels times {vocabulary_size:,} words are too many for a bag of words: "
        f"the network is compared with the {instead.replace('_', ' ')} alone"
    )


def memory(words: int, vocabulary_size: int, columns: int) -> int:
    """Bytes that a bag of words with so many logits takes while it is fitted."""
    # Weights, those ahead, their gradient and its parts; each word of each text; the scores of some texts.
    return 48 * vocabulary_size * columns + 40 * words + 48 * min(words * columns, _MOST_SCORES)


@dataclass(frozen=True)
class _Bags:
    """Texts as sparse rows of counts or TF-IDF values."""

    words: Array  # (entries,) ids
    values: Array  # (entries,)
    starts: Array  # (rows,) first entry of each text

    @property
    def counts(self) -> Array:
        """(rows,) entries of each text."""
        return np.diff(np.append(self.starts, len(self.words)))

    def part(self, first: int, last: int) -> _Bags:
        """The texts from ``first`` to before ``last``."""
        begin = self.starts[first]
        end = self.starts[last] if last < len(self.starts) else len(self.words)
        return _Bags(self.words[begin:end], self.values[begin:end], self.starts[first:last] - begin)

    def times(self, weights: Array) -> Array:
        """(rows, K): the bags (rows, V) times weights (V, K)."""
        made = np.empty((len(self.starts), weights.shape[1]))
        for k, column in enumerate(weights.T):
            made[:, k] = np.add.reduceat(self.values * column[self.words], self.starts)
        return made

    def transposed_times(self, errors: Array, size: int) -> Array:
        """(V, K): the transposed bags times errors (rows, K)."""
        made = np.empty((size, errors.shape[1]))
        counts = self.counts
        for k, column in enumerate(errors.T):
            made[:, k] = np.bincount(self.words, self.values * np.repeat(column, counts), size)
        return made

    def weighted(self, idf: Array) -> _Bags:
        """Counts as TF-IDF values, each text of length 1."""
        values = self.values * idf[self.words]
        values /= np.repeat(np.sqrt(np.add.reduceat(values**2, self.starts)), self.counts)
        return _Bags(self.words, values, self.starts)

    def largest_square(self, size: int) -> float:
        """The largest eigenvalue of bagsᵀ·bags / rows, by power iteration; the margin covers what 30 rounds leave."""
        direction = np.ones((size, 1))
        for _ in range(30):
            direction /= np.linalg.norm(direction)
            direction = self.transposed_times(self.times(direction), size) / len(self.starts)
        return 1.05 * float(np.linalg.norm(direction))


@dataclass(frozen=True)
class BagOfWords:
    """Logistic regression on the TF-IDF of single words, with the logits and the loss of a network.

    Fitted to the L2-regularised loss over all rows at once by accelerated gradient descent (Nesterov 1983). The step is
    1 over the largest possible curvature, which the bags' largest singular value gives: nothing to tune, nothing
    random.
    """

    weights: Array  # (V, logits)
    bias: Array  # (logits,)
    idf: Array  # (V,)

    @classmethod
    def fit(cls, train: Examples, vocabulary_size: int, network: ManyToOne) -> BagOfWords:
        """Fits to the training rows; the penalty is that of scikit-learn's C = 1: ‖W‖² / (2 · rows).

        Where each label has a loss of its own (one-vs-rest), and that of a row is their mean, so has the penalty.
        """
        bags, documents = _count_words(train.inputs, vocabulary_size)
        idf = np.log((1 + len(train.inputs)) / (1 + documents)) + 1
        bags = bags.weighted(idf)
        columns, bend = network.logit_count, network.curvature
        penalty = 1 / (network.terms * len(train.inputs))
        # Twice each block's own curvature bounds that of weights and biases together.
        step, bias_step = 1 / (2 * bend * bags.largest_square(vocabulary_size) + penalty), 1 / (2 * bend)
        weights, bias = np.zeros((vocabulary_size, columns)), np.zeros(columns)
        ahead, ahead_bias, momentum = weights, bias, 1.0
        for _ in range(_iterations(len(bags.words) * columns)):
            gradient, bias_gradient = _gradient(bags, train.targets, ahead, ahead_bias, network)
            # In place, since a weight for each word and label is much where there are many of both.
            gradient += penalty * ahead
            gradient *= step
            new = np.subtract(ahead, gradient, out=gradient)
            new_bias = ahead_bias - bias_step * bias_gradient
            following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            share = (momentum - 1) / following
            ahead = new - weights
            ahead *= share
            ahead += new
            ahead_bias = new_bias + share * (new_bias - bias)
            weights, bias, momentum = new, new_bias, following
        return cls(weights, bias, idf)

    def logits(self, inputs: Sequence[Array]) -> Iterator[tuple[slice, Array]]:
        """(rows, logits), some rows at a time."""
        bags = _count_words(inputs, len(self.idf))[0].weighted(self.idf)
        for first, last in _blocks(len(inputs), self.weights.shape[1]):
            yield slice(first, last), bags.part(first, last).times(self.weights) + self.bias

    def scored(self, examples: Examples, network: ManyToOne) -> RowScores:
        """The score of each row, as the network's are."""
        found = [network.judged(logits, examples.targets[rows]) for rows, logits in self.logits(examples.inputs)]
        sums, weights = (
            np.concatenate(parts) for parts in zip(*((one.sums, one.weights) for one in found), strict=True)
        )
        return RowScores(sums, weights)


_MOST_SCORES = 2**21  # rows times labels, at a time


def _blocks(rows: int, columns: int) -> list[tuple[int, int]]:
    """Rows in blocks, each as its first and the one after its last, small enough for :data:`_MOST_SCORES`."""
    size = max(1, _MOST_SCORES // columns)
    return [(first, min(first + size, rows)) for first in range(0, rows, size)]


def _gradient(bags: _Bags, targets: Array, weights: Array, bias: Array, network: ManyToOne) -> tuple[Array, Array]:
    """(V, K) and (K,) the gradient of the mean loss, block by block of the rows."""
    rows, gradient, bias_gradient = len(targets), np.zeros_like(weights), np.zeros_like(bias)
    for first, last in _blocks(rows, weights.shape[1]):
        part = bags.part(first, last)
        _, errors = network.loss(part.times(weights) + bias, targets[first:last])
        if last - first < rows:
            errors *= (last - first) / rows  # of the block's mean, its share of the mean of all
        gradient += part.transposed_times(errors, len(weights))
        bias_gradient += errors.sum(axis=0)
    return gradient, bias_gradient


def _iterations(work: int) -> int:
    """150, which suffice; fewer for many words times many labels, so that a baseline takes seconds."""
    return min(150, max(30, 750_000_000 // work))


_TEXTS_AT_A_TIME = 1 << 14


def _count_words(inputs: Sequence[Array], vocabulary_size: int) -> tuple[_Bags, Array]:
    """The distinct words of each text with their counts, and (V,) in how many texts each word occurs."""
    words, values, counts = [], [], []
    for first in range(0, len(inputs), _TEXTS_AT_A_TIME):
        part = inputs[first : first + _TEXTS_AT_A_TIME]
        row_of_token = np.repeat(np.arange(len(part)), lengths_of(part))
        # One number for each (row, word) pair: sorting them and counting equal ones is then one NumPy call.
        pairs, times = np.unique(row_of_token * vocabulary_size + joined(part), return_counts=True)
        rows, of_pairs = np.divmod(pairs, vocabulary_size)
        words.append(of_pairs.astype(np.int32))
        values.append(times.astype(np.float64))
        counts.append(np.bincount(rows, minlength=len(part)))
    entries = np.concatenate(counts)
    bags = _Bags(np.concatenate(words), np.concatenate(values), np.cumsum(entries) - entries)
    return bags, np.bincount(bags.words, minlength=vocabulary_size)
