"""The baselines of a network that predicts tokens: counts of tokens, and of pairs of them, in the training data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnncli.core.packed import Array
from rnncli.tasks.comparison import Baseline, RowScores


def baselines(
    train: Array, validation: Array, size: int, unit: str, lengths: Array, sums: Callable[[Array], Array]
) -> tuple[Baseline, ...]:
    """Losses by counts of pairs, and by those of single tokens.

    Args:
        train, validation: ids of the tokens of either side, one after the other.
        size: V.
        unit: what a token is.
        lengths: (rows,) tokens of each validation row that have a loss.
        sums: from (tokens − 1,) losses to the (rows,) sums of each row.
    """
    pairs, single = (RowScores(sums(losses), lengths * 1.0) for losses in counting_losses(train, validation, size))
    return Baseline(f"pairs_of_{unit}s", pairs), Baseline(f"single_{unit}s", single)


def counting_losses(train: Array, validation: Array, size: int) -> tuple[Array, Array]:
    """(tokens − 1,) losses of the validation tokens after the first, by counts in training of each pair of tokens, and
    of each token alone.

    One is added to every count of a token; a pair's counts are smoothed by 10 more with the token's own probability
    (Dirichlet smoothing, MacKay & Peto 1995).
    """
    single = (np.bincount(train, minlength=size) + 1) / (len(train) + size)
    before, after = validation[:-1].astype(np.int64), validation[1:].astype(np.int64)
    pairs, counts = np.unique(train[:-1].astype(np.int64) * size + train[1:], return_counts=True)
    wanted = before * size + after
    place = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
    followed = np.where(pairs[place] == wanted, counts[place], 0)
    total = np.bincount(train[:-1], minlength=size)[before]
    of_pairs = (followed + 10 * single[after]) / (total + 10)
    return -np.log(of_pairs), -np.log(single[after])
