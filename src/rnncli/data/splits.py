"""Rows set aside for validation, and rows in batches: both decided by the seed alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]

# Streams of random numbers drawn from one seed; a number here never changes its meaning.
SPLIT, ORDER, WEIGHTS, DROPOUT, BOOTSTRAP = range(5)


def stream(seed: int, purpose: int, *more: int) -> np.random.Generator:
    """The generator for one purpose of a seed: independent of the others, equal on every machine."""
    return np.random.default_rng([seed, purpose, *more])


def stratified_split(targets: npt.NDArray[np.int64], share: float, seed: int) -> tuple[Rows, Rows]:
    """Row numbers for training and validation, each ascending.

    Every label gives the rounded ``share`` of its rows to validation (half a row counts as one), but never its last
    row. Labels with too few rows give none, so a few may be absent from validation.
    """
    rng = stream(seed, SPLIT)
    aside: list[Rows] = []
    for label in np.unique(targets):
        rows = np.flatnonzero(targets == label)
        count = min(int(share * len(rows) + 0.5), len(rows) - 1)
        aside.append(rng.permutation(rows)[:count])
    validation = np.sort(np.concatenate(aside)).astype(np.int64)
    return np.setdiff1d(np.arange(len(targets)), validation, assume_unique=True), validation


def batches(lengths: npt.NDArray[np.int64], size: int, seed: int, epoch: int) -> list[Rows]:
    """The order of an epoch: a function of ``(seed, epoch)`` alone.

    The shuffled rows are cut into chunks of a hundred batches, each chunk is sorted by length and cut into batches
    of similar lengths, and the batches are shuffled. A long text then does not slow down a step of short ones, and
    the batches differ from epoch to epoch.
    """
    rng = stream(seed, ORDER, epoch)
    shuffled = rng.permutation(len(lengths))
    cut: list[Rows] = []
    for start in range(0, len(shuffled), 100 * size):
        chunk = shuffled[start : start + 100 * size]
        chunk = chunk[np.argsort(lengths[chunk], kind="stable")]
        cut += [chunk[i : i + size] for i in range(0, len(chunk), size)]
    return [cut[k] for k in rng.permutation(len(cut))]


def in_length_order(lengths: npt.NDArray[np.int64], size: int) -> list[Rows]:
    """Batches for evaluation: all rows once, similar lengths together, longest first."""
    order = np.argsort(-lengths, kind="stable")
    return [order[i : i + size] for i in range(0, len(order), size)]
