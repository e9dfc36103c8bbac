"""How good predicted label sets are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.core.packed import Array
from rnncli.memory import require_room
from rnncli.tasks.comparison import RowScores, mean_interval
from rnncli.tasks.metrics import label_scores
from rnncli.tasks.multilabel.labels import LabelSet, counts_of, indicators
from rnncli.tasks.multilabel.network import f1_of_rows
from rnncli.tasks.multilabel.results import LabelSetScores


@dataclass(frozen=True, eq=False, kw_only=True)
class Judged:
    """Predicted label sets beside the right ones.

    Attributes:
        names: the model's labels, then those that only the truth has.
        worst: row and label of the surest mistakes, the surest one first, at most one a row.
        unseen: label that the model does not have → the rows that have it.
    """

    names: tuple[str, ...]
    scores: LabelSetScores
    worst: list[tuple[int, int]]
    unseen: dict[str, int]


def score(right: Array, predicted: Array, names: Sequence[str]) -> LabelSetScores:
    """Scores of (rows, K) booleans: which labels each row has, and which are predicted for it."""
    hits, truths, answers = (of.sum(axis=0) for of in (right & predicted, right, predicted))
    labels, macro_f1 = label_scores(names, hits, truths, answers)
    micro = f1_of_rows(predicted, right)
    low, high = mean_interval(micro, RowScores(np.zeros(len(right)), np.ones(len(right))))
    return LabelSetScores(
        rows=len(right),
        micro_f1=micro.score,
        interval=(max(0.0, low), min(1.0, high)),
        micro_precision=float(hits.sum() / max(1, answers.sum())),
        micro_recall=float(hits.sum() / max(1, truths.sum())),
        macro_f1=macro_f1,
        exact_match=float((right == predicted).all(axis=1).mean()),
        hamming_loss=float((right != predicted).mean()),
        labels=labels,
    )


def judge(
    sets: Sequence[LabelSet], probabilities: Array, predicted: Array, known: tuple[str, ...], worst: int
) -> Judged:
    """Scores predictions.

    Args:
        sets: the right labels of each row.
        probabilities, predicted: (rows, K) of the labels in ``known``, which are the model's.
        worst: how many mistakes to name.

    Raises:
        StorageError: there is no room for the decisions on so many labels of so many rows.
    """
    counts = counts_of(sets)
    require_room(
        40 * len(sets) * len(counts.keys() | set(known)),
        f"scoring {len(known):,} labels of {len(sets):,} rows",
        "evaluate on fewer of them",
    )
    new = sorted(counts.keys() - set(known))
    names = (*known, *new)
    right = indicators(sets, names)
    missing = np.zeros((len(sets), len(new)))
    probabilities = np.concatenate((probabilities, missing), axis=1)
    predicted = np.concatenate((predicted, missing > 0), axis=1)
    # How sure each wrong decision was; of a label that the model does not have it was not sure.
    sure = np.where(predicted, probabilities, 1 - probabilities) * (predicted != right)
    sure[:, len(known) :] *= 0.5
    surest = sure.max(axis=1, initial=0)
    rows = np.argsort(-surest, kind="stable")[:worst]
    return Judged(
        names=names,
        scores=score(right, predicted, names),
        worst=[(row, int(sure[row].argmax())) for row in rows.tolist() if surest[row] > 0],
        unseen={label: counts[label] for label in new},
    )
