"""Rows set aside for validation, and rows in batches: both decided by the seed alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]

# Streams of random numbers drawn from one seed; a number here never changes its meaning.
SPLIT, ORDER, WEIGHTS, DROPOUT, BOOTSTRAP, FOLDS = range(6)


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


# Groups times labels that are counted; of more, groups are dealt out by their sizes alone.
_MOST_COUNTS = 1 << 25


def dealt_out(
    targets: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    shares: npt.NDArray[np.float64],
    seed: int,
    first_has_all: bool = False,
) -> npt.NDArray[np.int64]:
    """(rows,) which part each row belongs to, where all rows of a group belong to one.

    The largest group comes first, and goes where the labels of its rows are missing most: each part is to have its
    share of every label.

    Args:
        shares: of the parts; their sum is 1.
        first_has_all: whether the first part is to have a row of every label.
    """
    rng = stream(seed, SPLIT)
    group = np.unique(groups, return_inverse=True)[1]
    label = np.unique(targets, return_inverse=True)[1]
    sizes = np.bincount(group)
    if len(sizes) * (int(label.max()) + 1) > _MOST_COUNTS:
        label = np.zeros_like(label)
    # The last column counts all rows: parts are to have their share of these too.
    counts = np.zeros((len(sizes), int(label.max()) + 2))
    np.add.at(counts, (group, label), 1)
    counts[:, -1] = sizes
    total = counts.sum(axis=0)
    shuffled = rng.permutation(len(sizes))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    part_of_group = np.zeros(len(sizes), np.int64)
    filled = np.zeros((len(shares), len(total)))  # share of each column that each part has
    elsewhere = np.zeros(len(total))  # rows outside of the first part
    for left, number in zip(range(len(sizes), 0, -1), order.tolist(), strict=True):
        added = counts[number] / total
        # By how much a group moves each part away from its share: the change of Σ (filled − share)² / share.
        change = ((2 * (filled - shares[:, None]) + added) * added / shares[:, None]).sum(axis=1)
        empty = filled[:, -1] == 0
        if left <= empty.sum():
            change[~empty] = np.inf
        part = int(change.argmin())
        if first_has_all and ((elsewhere + counts[number] >= total) & (counts[number] > 0)).any():
            part = 0
        filled[part] += added
        elsewhere += counts[number] if part else 0
        part_of_group[number] = part
    return part_of_group[group]


def grouped_split(
    targets: npt.NDArray[np.int64], groups: npt.NDArray[np.int64], share: float, seed: int
) -> tuple[Rows, Rows]:
    """As :func:`stratified_split`, where all rows of a group stay on one side; a share is met as well as can be.

    No label gives its last group; where no other group is left for validation, there is none.
    """
    part = dealt_out(targets, groups, np.array([1 - share, share]), seed, first_has_all=True)
    if not part.any():  # each group is larger than the share: the smallest one that training can do without
        by_size = np.unique(groups, return_counts=True)
        for group in by_size[0][np.argsort(by_size[1], kind="stable")].tolist():
            of_group = groups == group
            if set(targets[of_group].tolist()) <= set(targets[~of_group].tolist()):
                part = of_group.astype(np.int64)
                break
    return np.flatnonzero(part == 0), np.flatnonzero(part)


def fold_numbers(
    targets: npt.NDArray[np.int64], groups: npt.NDArray[np.int64] | None, folds: int, seed: int
) -> npt.NDArray[np.int64]:
    """(rows,) the fold of each row, from 0: each fold has its share of every label, and groups stay whole."""
    if groups is not None:
        return dealt_out(targets, groups, np.full(folds, 1 / folds), seed)
    rng = stream(seed, FOLDS)
    found = np.empty(len(targets), np.int64)
    dealt = 0
    for label in np.unique(targets):
        rows = rng.permutation(np.flatnonzero(targets == label))
        found[rows] = (dealt + np.arange(len(rows))) % folds
        dealt += len(rows)
    return found


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
