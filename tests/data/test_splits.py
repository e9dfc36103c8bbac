"""Rows set aside and rows in batches: every row once, decided by the seed alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.data import splits
from rnncli.data.splits import batches, fold_numbers, grouped_split, in_length_order, stratified_split, stream

Array = np.ndarray


def targets_of(counts: list[int]) -> Array:
    """So many rows of each label, mixed."""
    return np.random.default_rng(9).permutation(np.repeat(np.arange(len(counts)), counts))


# Validation rows


@pytest.mark.parametrize(
    ("counts", "share", "aside"),
    [
        ([100, 50, 10], 0.1, [10, 5, 1]),
        ([100, 50, 10], 0.25, [25, 13, 3]),  # 12.5 and 2.5 are rounded up
        ([5, 4], 0.1, [1, 0]),
        ([1, 1, 10], 0.5, [0, 0, 5]),
        ([1, 2, 3], 0.9, [0, 1, 2]),  # never the last row of a label
        ([10], 0.3, [3]),
        ([3, 3], 0.1, [0, 0]),
    ],
)
def test_every_label_gives_its_share(counts: list[int], share: float, aside: list[int]) -> None:
    targets = targets_of(counts)
    train, validation = stratified_split(targets, share, seed=0)
    assert np.bincount(targets[validation], minlength=len(counts)).tolist() == aside
    assert np.bincount(targets[train], minlength=len(counts)).tolist() == np.subtract(counts, aside).tolist()


@given(st.lists(st.integers(1, 30), min_size=1, max_size=5), st.floats(0.01, 0.9), st.integers(0, 2**64))
def test_disjoint_complete_and_repeatable(counts: list[int], share: float, seed: int) -> None:
    targets = targets_of(counts)
    train, validation = stratified_split(targets, share, seed)
    assert sorted([*train.tolist(), *validation.tolist()]) == list(range(len(targets)))
    assert np.array_equal(train, np.sort(train))
    assert np.array_equal(validation, np.sort(validation))
    assert set(targets[train].tolist()) == set(targets.tolist())
    again = stratified_split(targets, share, seed)
    assert np.array_equal(again[0], train)
    assert np.array_equal(again[1], validation)


def test_another_seed_sets_others_aside() -> None:
    targets = targets_of([50, 50])
    chosen = [tuple(stratified_split(targets, 0.2, seed)[1].tolist()) for seed in range(5)]
    assert len(set(chosen)) == 5
    assert all(len(rows) == 20 for rows in chosen)


def test_streams_are_independent_and_fixed() -> None:
    """The numbers of the purposes are in every training that was ever saved: they must not move."""
    assert (splits.SPLIT, splits.ORDER, splits.WEIGHTS, splits.DROPOUT, splits.BOOTSTRAP) == (0, 1, 2, 3, 4)
    draws = {stream(0, purpose).integers(2**62) for purpose in range(5)} | {stream(1, 0).integers(2**62)}
    assert len(draws) == 6
    assert stream(7, splits.ORDER, 3).integers(1000, size=4).tolist() == [594, 516, 214, 208]


# Batches

LENGTHS = np.random.default_rng(4).integers(1, 200, 1000)


def of_epoch(seed: int, epoch: int) -> list[list[int]]:
    return [rows.tolist() for rows in batches(LENGTHS, 8, seed, epoch)]


def test_an_epoch_is_a_function_of_seed_and_epoch() -> None:
    first = of_epoch(0, 0)
    assert of_epoch(0, 1) != first
    assert of_epoch(1, 0) != first
    np.random.default_rng().random()  # nothing else has a say
    assert of_epoch(0, 0) == first


@pytest.mark.parametrize("order", [lambda lengths, size: batches(lengths, size, 3, 2), in_length_order])
@given(lengths=st.lists(st.integers(1, 50), min_size=1, max_size=60), size=st.integers(1, 70))
def test_every_row_exactly_once(order: Callable[[Array, int], list[Array]], lengths: list[int], size: int) -> None:
    made = order(np.array(lengths), size)
    assert sorted(row for rows in made for row in rows.tolist()) == list(range(len(lengths)))
    assert len(made) == -(-len(lengths) // size)
    assert sorted(map(len, made))[1:] == [size] * (len(made) - 1)  # all full but one


def test_every_row_once_over_several_chunks() -> None:
    lengths = np.arange(1, 1051)
    made = batches(lengths, 2, 0, 0)  # five chunks of a hundred batches, and a rest
    assert len(made) == 525
    assert sorted(np.concatenate(made).tolist()) == list(range(1050))


def test_like_lengths_together() -> None:
    spread = [np.ptp(LENGTHS[rows]) for rows in batches(LENGTHS, 8, 0, 0)]
    by_chance = np.mean([np.ptp(chunk) for chunk in np.split(LENGTHS, 125)])
    assert by_chance > 130
    assert np.mean(spread) < 6


def test_batches_do_not_come_by_length() -> None:
    means = [float(LENGTHS[rows].mean()) for rows in batches(LENGTHS, 8, 0, 0)]
    assert abs(np.corrcoef(np.arange(len(means)), means)[0, 1]) < 0.3


def test_evaluation_takes_the_longest_first() -> None:
    lengths = np.array([2, 5, 1, 5, 3])
    assert [rows.tolist() for rows in in_length_order(lengths, 2)] == [[1, 3], [4, 0], [2]]


LABELLED_GROUPS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), min_size=2, max_size=120)


@given(LABELLED_GROUPS, st.floats(0.05, 0.5), st.integers(0, 9))
def test_a_group_is_on_one_side_and_every_label_is_trained(
    rows: list[tuple[int, int]], share: float, seed: int
) -> None:
    targets, groups = (np.array(column) for column in zip(*rows, strict=True))
    train, validation = grouped_split(targets, groups, share, seed)
    assert sorted([*train, *validation]) == list(range(len(rows)))
    assert not set(groups[train]) & set(groups[validation])
    assert set(targets[train]) == set(targets)
    assert [list(rows) for rows in grouped_split(targets, groups, share, seed)] == [list(train), list(validation)]


def test_groups_meet_the_share_of_each_label() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 300, 6000)
    targets = (groups % 5 == 0).astype(np.int64)  # every label has groups of its own
    train, validation = grouped_split(targets, groups, 0.2, 0)
    for label in (0, 1):
        assert (targets[validation] == label).sum() / (targets == label).sum() == pytest.approx(0.2, abs=0.02)
    assert len(train) + len(validation) == 6000


@given(st.lists(st.integers(0, 3), min_size=10, max_size=80), st.integers(2, 8), st.integers(0, 9))
def test_folds_have_their_share_of_every_label(labels: list[int], folds: int, seed: int) -> None:
    targets = np.array(labels)
    found = fold_numbers(targets, None, folds, seed)
    counts = np.array(
        [[((found == fold) & (targets == label)).sum() for label in set(labels)] for fold in range(folds)]
    )
    assert (np.ptp(counts, axis=0) <= 1).all()
    assert np.ptp(counts.sum(axis=1)) <= 1


@given(LABELLED_GROUPS, st.integers(2, 5))
def test_folds_keep_groups_together(rows: list[tuple[int, int]], folds: int) -> None:
    targets, groups = (np.array(column) for column in zip(*rows, strict=True))
    found = fold_numbers(targets, groups, folds, 0)
    assert all(len(set(found[groups == group])) == 1 for group in set(groups))
    if len(set(groups)) >= folds:
        assert len(set(found)) == folds
