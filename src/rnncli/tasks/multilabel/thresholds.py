"""Above which probability a label is predicted: chosen for each label, so that its F1 is the largest."""

from __future__ import annotations

import numpy as np

from rnncli.core.packed import Array
from rnncli.tasks.multilabel.network import THRESHOLD


def best_threshold(probabilities: Array, right: Array) -> float:
    """The threshold with the largest F1 of one label; of equally good ones that closest to :data:`THRESHOLD`.

    The F1 changes only where a row's probability is passed, so that thresholds halfway between neighbouring
    probabilities are all that there are to try.

    Args:
        probabilities: (rows,) float64.
        right: (rows,) booleans; without a single True nothing can be chosen.
    """
    if not (right & (probabilities > 0)).any():
        return THRESHOLD
    order = np.argsort(-probabilities, kind="stable")
    falling, hits = probabilities[order], np.cumsum(right[order])
    # The last of rows with equal probabilities; no threshold is below a probability of 0.
    last = np.flatnonzero(np.append(falling[:-1] > falling[1:], True) & (falling > 0))
    f1 = 2 * hits[last] / (last + 1 + hits[-1])
    below = np.append(falling[last[1:]], 0.0)  # the next lower probability
    middle = (falling[last] + below) / 2
    middle = np.where(middle < falling[last], middle, below)  # between neighbouring numbers there is none
    # THRESHOLD itself, where it parts the same rows as one of these.
    middle = np.where((below <= THRESHOLD) & (falling[last] > THRESHOLD), THRESHOLD, middle)
    best = np.flatnonzero(f1 == f1.max())
    return float(middle[best[np.argmin(np.abs(middle[best] - THRESHOLD))]])


def best_thresholds(probabilities: Array, right: Array) -> tuple[float, ...]:
    """One for each label.

    Args:
        probabilities, right: (rows, K).
    """
    return tuple(best_threshold(*of_label) for of_label in zip(probabilities.T, right.T, strict=True))
