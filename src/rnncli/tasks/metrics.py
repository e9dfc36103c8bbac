"""How good predicted labels are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.splits import BOOTSTRAP, stream
from rnncli.errors import StorageError
from rnncli.memory import require_room
from rnncli.results import Column, HeatMap, TableCell, TableView

# Of a matrix with a row and a column each: those of a model, at most, and some that it does not have. More take
# gigabytes, however few the rows of the data are.
_MOST_LABELS = 11_000


@dataclass(frozen=True, kw_only=True)
class LabelScore:
    """Precision, recall and F1 of one label; each is 0 where it has no denominator."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Scores of predictions against the truth.

    Attributes:
        accuracy: share of right answers.
        interval: (low, high), the central 95% of the accuracy over bootstrap samples of the rows.
        macro_f1: mean F1 over the labels that occur in the truth or in the predictions.
        confusion: ``confusion[truth][predicted]`` counts, in the order of ``labels``.
    """

    rows: int
    accuracy: float
    interval: tuple[float, float]
    macro_f1: float
    labels: tuple[LabelScore, ...]
    confusion: tuple[tuple[int, ...], ...]


def confusion_matrix(truth: Array, predicted: Array, count: int) -> Array:
    """(K, K) how often each true label (row) was answered with each label (column).

    Raises:
        StorageError: there is no room for so many labels; a column of them holds something else, most likely.
    """
    hint = "name the column of the labels with --label, or evaluate on fewer of them"
    if count > _MOST_LABELS:
        raise StorageError(
            f"a confusion matrix of {count:,} labels is too large: it has at most {_MOST_LABELS:,}", hint
        )
    require_room(3 * 8 * count * count, f"a confusion matrix of {count:,} labels", hint)
    return np.bincount(truth * count + predicted, minlength=count * count).reshape(count, count)


def score(truth: Array, predicted: Array, names: tuple[str, ...], seed: int = 0) -> Scores:
    """Scores of (rows,) predicted against (rows,) true label numbers."""
    matrix = confusion_matrix(truth, predicted, len(names))
    labels, macro_f1 = label_scores(names, np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0))
    right = truth == predicted
    return Scores(
        rows=len(truth),
        accuracy=float(right.mean()),
        interval=bootstrap_interval(right, seed),
        macro_f1=macro_f1,
        labels=labels,
        confusion=tuple(map(tuple, matrix.tolist())),
    )


def label_score(label: str, right: int, answers: int, truths: int) -> LabelScore:
    """The scores of what was found ``answers`` times, ``right`` of them rightly, and is there ``truths`` times."""
    precision, recall = (right / count if count else 0.0 for count in (answers, truths))
    f1 = 2 * right / (truths + answers) if truths + answers else 0.0
    return LabelScore(label=label, precision=precision, recall=recall, f1=f1, support=truths)


def label_scores(
    names: Sequence[str], hits: Array, truths: Array, answers: Array
) -> tuple[tuple[LabelScore, ...], float]:
    """The scores of each label, and the mean F1 of those that occur.

    Args:
        hits, truths, answers: (K,) how often each label is predicted and right, is right, and is predicted.
    """
    each = zip(names, hits.tolist(), answers.tolist(), truths.tolist(), strict=True)
    labels, occurs = tuple(label_score(*one) for one in each), (truths + answers) > 0
    f1 = np.array([one.f1 for one in labels])
    return labels, float(f1[occurs].mean()) if occurs.any() else 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Judged:
    """Predictions beside what is right.

    Attributes:
        names: the model's labels, then those that only the truth has.
        right: (rows,) whether each prediction is right.
        worst: rows of the most confident mistakes, the most confident one first.
        unseen: label that the model does not have → how often it is right.
    """

    names: tuple[str, ...]
    scores: Scores
    right: Array
    worst: list[int]
    unseen: dict[str, int]


def judge(truth: Sequence[str], predicted: Array, confidence: Array, known: tuple[str, ...], worst: int) -> Judged:
    """Scores predictions.

    Args:
        truth: the right label of each row.
        predicted: (rows,) numbers of labels in ``known``, which are the model's.
        confidence: (rows,) their probabilities.
        worst: how many mistakes to name.
    """
    names = (*known, *sorted(set(truth) - set(known)))
    number = {name: k for k, name in enumerate(names)}
    numbers = np.array([number[label] for label in truth], np.int64)
    right = numbers == predicted
    wrong = np.flatnonzero(~right)
    counts = np.bincount(numbers, minlength=len(names)).tolist()
    return Judged(
        names=names,
        scores=score(numbers, predicted, names),
        right=right,
        worst=wrong[np.argsort(-confidence[wrong], kind="stable")][:worst].tolist(),
        unseen=dict(zip(names[len(known) :], counts[len(known) :], strict=True)),
    )


def bootstrap_interval(right: Array, seed: int = 0, samples: int = 2000) -> tuple[float, float]:
    """The central 95% of the mean of ``right`` over samples of the rows with replacement (Efron 1979).

    A sample of 0-or-1 rows is decided by how many ones it has, so each sample is one binomial draw.
    """
    draws = stream(seed, BOOTSTRAP).binomial(len(right), right.mean(), samples) / len(right)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


# A confusion matrix is a picture for a few labels; for many it is a wall, and the table of labels says more.
MOST_LABELS_IN_MATRIX = 12
CONFUSED_MOST = 15


def accuracy_pairs(scores: Scores) -> list[tuple[str, TableCell]]:
    """The scores of the whole."""
    low, high = scores.interval
    return [
        ("accuracy", f"{scores.accuracy:.4f} (95% interval {low:.4f} to {high:.4f}, bootstrap)"),
        ("macro F1", f"{scores.macro_f1:.4f}"),
    ]


def never_trained(unseen: Iterable[str]) -> list[tuple[str, TableCell]]:
    """A line on each label that the model does not have; ``unseen`` names it, and how often it occurs."""
    return [("never trained", f"{label}: always counted wrong") for label in unseen]


def label_table(scores: Scores, counted: str) -> TableView:
    """Precision, recall and F1 by label; ``counted`` is what there are so many of."""
    return score_table(scores.labels, "label", counted)


def score_table(scores: Iterable[LabelScore], what: str, counted: str) -> TableView:
    """Precision, recall and F1 of each; ``what`` a label is called, ``counted`` is what there are so many of."""
    rows = tuple((s.label, s.precision, s.recall, s.f1, s.support) for s in scores)
    figures = (Column(name, True) for name in ("precision", "recall", "F1", counted))
    return TableView(f"By {what}", (Column(what), *figures), rows)


def confusion_map(scores: Scores) -> HeatMap:
    """How often each true label, a row, was answered with each label, a column."""
    names = tuple(one.label for one in scores.labels)
    return HeatMap(
        "Confusion: truth down, prediction across",
        names,
        names,
        tuple(tuple(map(float, row)) for row in scores.confusion),
    )


def confusion_table(scores: Scores) -> TableView:
    """True labels down, predicted ones across; for many labels only the pairs confused most."""
    names = [s.label for s in scores.labels]
    if len(names) <= MOST_LABELS_IN_MATRIX:
        columns = (Column("truth \\ prediction"), *(Column(name, True) for name in names))
        rows: tuple[tuple[TableCell, ...], ...] = tuple(
            (name, *counts) for name, counts in zip(names, scores.confusion, strict=True)
        )
        return TableView("Confusion", columns, rows)
    pairs = [
        (count, names[i], names[j])
        for i, counts in enumerate(scores.confusion)
        for j, count in enumerate(counts)
        if i != j and count
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1:]))
    rows = tuple((truth, predicted, count) for count, truth, predicted in pairs[:CONFUSED_MOST])
    return TableView("Confused most", (Column("truth"), Column("prediction"), Column("times", True)), rows)
