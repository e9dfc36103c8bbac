"""Packing: every number of it against plain loops over the sequences."""

from __future__ import annotations

import numpy as np
import pytest
from core import checks
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnncli.core.cells.recurrence import previous
from rnncli.core.packed import PackedSequence

any_lengths = st.lists(st.integers(1, 12), min_size=1, max_size=9)
for_any_lengths = settings(max_examples=60)


def labelled(lengths: list[int]) -> list[np.ndarray]:
    """Step t of sequence n is [n, t]: every row says where it belongs."""
    return [np.array([(n, t) for t in range(length)]) for n, length in enumerate(lengths)]


@for_any_lengths
@given(any_lengths)
def test_unpack_gives_back_what_was_packed(lengths: list[int]) -> None:
    for sequences in (labelled(lengths), [sequence[:, 1] for sequence in labelled(lengths)]):
        for sequence, back in zip(sequences, PackedSequence.pack(sequences).unpack(), strict=True):
            np.testing.assert_array_equal(back, sequence)


@for_any_lengths
@given(any_lengths)
@example([4, 4, 4])
def test_layout(lengths: list[int]) -> None:
    """Longest first (in the caller's order where equal), time-major, real steps only."""
    x = PackedSequence.pack(labelled(lengths))
    order = sorted(range(len(lengths)), key=lambda n: -lengths[n])
    np.testing.assert_array_equal(x.order, order)
    np.testing.assert_array_equal(x.lengths, sorted(lengths, reverse=True))
    running = [sum(length > t for length in lengths) for t in range(max(lengths))]
    np.testing.assert_array_equal(x.batch_sizes, running)
    np.testing.assert_array_equal(x.offsets, [sum(running[:t]) for t in range(len(running) + 1)])
    assert x.steps == [(sum(running[:t]), count) for t, count in enumerate(running)]
    assert all(type(number) is int for step in x.steps for number in step)
    stretches = x.stretches
    assert [(start + k * n, n) for start, n, steps in stretches for k in range(steps)] == x.steps
    assert len(stretches) == len(set(running))
    expected = [(n, t) for t in range(max(lengths)) for n in order if lengths[n] > t]
    np.testing.assert_array_equal(x.data, expected)
    np.testing.assert_array_equal(x.sequence_of_row, [order.index(n) for n, _ in expected])


@for_any_lengths
@given(any_lengths)
def test_previous(lengths: list[int]) -> None:
    x = PackedSequence.pack(labelled(lengths))
    initial = np.array([(n, -1) for n in x.order])
    np.testing.assert_array_equal(previous(x, initial, x.data), x.data - [0, 1])


@for_any_lengths
@given(any_lengths)
def test_reversal(lengths: list[int]) -> None:
    checks.check_reversal(checks.CORE, lengths)


@for_any_lengths
@given(any_lengths)
def test_order_is_restored(lengths: list[int]) -> None:
    x = PackedSequence.pack(labelled(lengths))
    np.testing.assert_array_equal(x.to_caller_order(x.lengths), lengths)
    matrix = np.stack([x.lengths, x.order], axis=1)
    np.testing.assert_array_equal(x.to_caller_order(matrix), list(zip(lengths, range(len(lengths)), strict=True)))


def test_an_example_by_hand() -> None:
    x = PackedSequence.pack([np.array([10, 11]), np.array([20, 21, 22]), np.array([30])])
    assert x.data.tolist() == [20, 10, 30, 21, 11, 22]
    assert x.batch_sizes.tolist() == [3, 2, 1]
    assert x.order.tolist() == [1, 0, 2]
    assert x.offsets.tolist() == [0, 3, 5, 6]
    assert x.lengths.tolist() == [3, 2, 1]
    assert x.reversal.tolist() == [5, 4, 2, 3, 1, 0]
    assert x.sequence_of_row.tolist() == [0, 1, 2, 0, 1, 0]


def test_with_data_keeps_the_sequences() -> None:
    """Both when the numbers that depend on the lengths were worked out before, and when they were not."""
    names = ("offsets", "lengths", "sequence_of_row", "reversal")
    fresh, used = (PackedSequence.pack(labelled([2, 4, 1])) for _ in range(2))
    for name in names:
        getattr(used, name)
    for x in (fresh, used):
        other = x.with_data(np.arange(7.0))
        np.testing.assert_array_equal(other.data, np.arange(7.0))
        for name in names:
            np.testing.assert_array_equal(getattr(other, name), getattr(used, name))


@pytest.mark.parametrize("sequences", [[], [np.zeros(0)], [np.ones(2), np.zeros(0)], [np.zeros((0, 3))]])
def test_nothing_cannot_be_packed(sequences: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match="empty"):
        PackedSequence.pack(sequences)


def test_packing_copies() -> None:
    sequence = np.ones(3)
    x = PackedSequence.pack([sequence])
    sequence[:] = 5
    np.testing.assert_array_equal(x.data, [1, 1, 1])
