"""What a network has to beat, against scikit-learn's answers to the same problem."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.config import Settings
from rnncli.tasks.classify.network import Classifier
from rnncli.tasks.classify.task import TASK
from rnncli.tasks.many_to_one.bag_of_words import BagOfWords
from rnncli.tasks.many_to_one.network import Examples

V = 60

# LogisticRegression(C=1, tol=1e-10) on TfidfTransformer() of the counts, scikit-learn 1.9.1: fitted to the first 200
# rows of problem(K), these are its answers for the last 100, and their accuracy.
SCIKIT_LEARN = {
    2: (
        0.71,
        "0000010000000000000001001000010000000000000100000000000000000000000100001000000001000000000001000000",
    ),
    3: (
        0.69,
        "0020011000210001110010110001001000010110100001000010010000101100000010001101000011000101010000100000",
    ),
}


def problem(labels: int) -> Examples:
    """300 texts of 4 to 19 words; each label prefers some of them a little, and some labels are commoner."""
    rng = np.random.default_rng(labels - 1)
    shares = np.arange(labels, 0, -1)
    preferred = rng.dirichlet(np.full(V, 0.5), labels) * 0.25 + 0.75 / V
    targets = rng.choice(labels, 300, p=shares / shares.sum())
    inputs = [rng.choice(V, rng.integers(4, 20), p=preferred[target]).astype(np.int32) for target in targets]
    return Examples(inputs, targets)


def halves(labels: int) -> tuple[Examples, Examples]:
    everything = problem(labels)
    return everything.take(np.arange(200)), everything.take(np.arange(200, 300))


def scores(train: Examples, validation: Examples, size: int, labels: int) -> dict[str, float]:
    network = Classifier(Settings(), size, labels)
    return {baseline.name: baseline.score for baseline in TASK.baselines_of_texts(train, validation, size, network)}


def fitted(train: Examples, size: int, labels: int) -> BagOfWords:
    return BagOfWords.fit(train, size, Classifier(Settings(), size, labels))


def answers_of(bag: BagOfWords, inputs: Any) -> Any:
    """(rows,) label numbers."""
    logits = np.concatenate([logits for _, logits in bag.logits(inputs)])
    return logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(axis=1)


@pytest.mark.parametrize("labels", SCIKIT_LEARN)
def test_bag_of_words_answers_as_scikit_learn_does(labels: int) -> None:
    train, test = halves(labels)
    accuracy, answers = SCIKIT_LEARN[labels]
    predicted = answers_of(fitted(train, V, labels), test.inputs)
    assert (predicted == np.array(list(answers), int)).mean() >= 0.98
    found = scores(train, test, V, labels)["bag_of_words"]
    assert found == pytest.approx(accuracy, abs=0.02)
    assert found == (predicted == test.targets).mean()


@pytest.mark.parametrize("labels", SCIKIT_LEARN)
def test_the_majority_is_that_of_the_training_rows(labels: int) -> None:
    train, test = halves(labels)
    assert np.bincount(train.targets).argmax() == 0
    assert scores(train, test, V, labels)["commonest_label"] == (test.targets == 0).mean()
    others = Examples(test.inputs, np.ones(100, int))
    assert scores(train, others, V, labels)["commonest_label"] == 0


def test_the_order_of_words_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    train, test = halves(2)
    mixed = [Examples([rng.permutation(ids) for ids in part.inputs], part.targets) for part in (train, test)]
    plain, shuffled = fitted(train, V, 2), fitted(mixed[0], V, 2)
    assert np.array_equal(plain.weights, shuffled.weights)
    assert np.array_equal(plain.bias, shuffled.bias)
    assert np.array_equal(answers_of(plain, test.inputs), answers_of(shuffled, mixed[1].inputs))


def test_idf_by_hand() -> None:
    train = Examples([np.array([0, 0, 1]), np.array([0]), np.array([2])], np.array([0, 1, 1]))
    bag = fitted(train, 4, 2)
    assert bag.idf == pytest.approx(np.log(np.array([4 / 3, 4 / 2, 4 / 2, 4 / 1])) + 1)
    assert bag.weights.shape == (4, 1)  # two labels have one column, the log odds of the second
    assert np.abs(bag.weights[3]).max() == 0  # a word that no text holds


@settings(max_examples=40)
@given(st.integers(2, 6), st.integers(2, 4), st.integers(0, 100))
def test_the_fit_settles_on_very_few_rows(rows: int, labels: int, seed: int) -> None:
    """At its end the gradient is gone: a step too long would run away instead."""
    rng = np.random.default_rng(seed)
    inputs = [rng.integers(0, 3, rng.integers(1, 4)) for _ in range(rows)]
    targets = rng.integers(0, labels, rows)
    bag = fitted(Examples(inputs, targets), 3, labels)
    tfidf = np.array([np.bincount(ids, minlength=3) * bag.idf for ids in inputs])
    tfidf /= np.linalg.norm(tfidf, axis=1, keepdims=True)
    logits = tfidf @ bag.weights + bag.bias
    if labels == 2:
        errors = 1 / (1 + np.exp(-logits)) - targets[:, None]
    else:
        errors = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True) - np.eye(labels)[targets]
    gradient = (tfidf.T @ errors + bag.weights) / rows
    assert np.abs(gradient).max() < 1e-3


def test_an_unambiguous_problem_is_solved() -> None:
    inputs = [np.array([target, 2, 3]) for target in (0, 1) * 10]
    examples = Examples(inputs, np.array([0, 1] * 10))
    assert scores(examples, examples, 4, 2)["bag_of_words"] == 1
