"""Scores against numbers worked out by hand, and the interval against what it claims."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.tasks.metrics import Scores, bootstrap_interval, confusion_matrix, score

TRUTH = np.array([0, 0, 0, 1, 1, 2])
ANSWERS = np.array([0, 0, 1, 1, 2, 1])


def by_label(scores: Scores, name: str) -> list[float]:
    return [getattr(label, name) for label in scores.labels]


def test_three_labels_by_hand() -> None:
    scores = score(TRUTH, ANSWERS, ("a", "b", "c"))
    assert scores.rows == 6
    assert scores.accuracy == 0.5
    assert scores.confusion == ((2, 1, 0), (0, 1, 1), (0, 1, 0))
    assert by_label(scores, "label") == ["a", "b", "c"]
    assert by_label(scores, "precision") == pytest.approx([1, 1 / 3, 0])
    assert by_label(scores, "recall") == pytest.approx([2 / 3, 1 / 2, 0])
    assert by_label(scores, "f1") == pytest.approx([4 / 5, 2 / 5, 0])
    assert by_label(scores, "support") == [3, 2, 1]
    assert scores.macro_f1 == pytest.approx(2 / 5)


def test_a_label_that_does_not_occur_is_no_part_of_the_mean() -> None:
    scores = score(TRUTH, ANSWERS, ("a", "b", "c", "never"))
    assert scores.macro_f1 == pytest.approx(2 / 5)
    assert by_label(scores, "f1")[3] == 0
    assert scores.confusion[3] == (0, 0, 0, 0)
    only_answered = score(np.array([0, 0]), np.array([0, 1]), ("a", "b"))
    assert only_answered.macro_f1 == pytest.approx((2 / 3 + 0) / 2)
    assert by_label(only_answered, "recall") == [0.5, 0]


@pytest.mark.parametrize(("answers", "expected"), [([0, 1, 1], 1.0), ([1, 0, 0], 0.0)])
def test_all_right_and_all_wrong(answers: list[int], expected: float) -> None:
    scores = score(np.array([0, 1, 1]), np.array(answers), ("a", "b"))
    assert scores.accuracy == scores.macro_f1 == expected
    assert scores.interval == (expected, expected)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_against_counting_one_by_one(pairs: list[tuple[int, int]]) -> None:
    truth, answers = np.array(pairs).T
    assert confusion_matrix(truth, answers, 4).tolist() == [[pairs.count((t, a)) for a in range(4)] for t in range(4)]
    scores = score(truth, answers, ("a", "b", "c", "d"))
    assert scores.accuracy == pytest.approx(sum(t == a for t, a in pairs) / len(pairs))
    for k, label in enumerate(scores.labels):
        hits = pairs.count((k, k))
        said, true = sum(a == k for _, a in pairs), sum(t == k for t, _ in pairs)
        assert label.precision == pytest.approx(hits / said if said else 0)
        assert label.recall == pytest.approx(hits / true if true else 0)
        harmonic = 2 * label.precision * label.recall / (label.precision + label.recall) if hits else 0
        assert label.f1 == pytest.approx(harmonic)
        assert label.support == true
    low, high = scores.interval
    assert low <= scores.accuracy <= high


def test_the_interval_is_a_function_of_rows_and_seed() -> None:
    right = np.arange(200) < 160
    assert bootstrap_interval(right, 3) == bootstrap_interval(right[::-1], 3) == bootstrap_interval(right, 3)
    assert len({bootstrap_interval(right, seed) for seed in range(20)}) > 1


@pytest.mark.parametrize(("rows", "share"), [(100, 0.8), (400, 0.5), (2000, 0.95)])
def test_the_interval_is_as_wide_as_theory_says(rows: int, share: float) -> None:
    low, high = bootstrap_interval(np.arange(rows) < share * rows)
    width = 2 * 1.96 * np.sqrt(share * (1 - share) / rows)
    assert high - low == pytest.approx(width, rel=0.12)
    assert low < share < high


def test_the_interval_holds_the_truth_19_times_in_20() -> None:
    rng = np.random.default_rng(0)
    inside = 0
    for sample in range(400):
        low, high = bootstrap_interval(rng.random(150) < 0.7, seed=sample, samples=500)
        inside += low <= 0.7 <= high
    assert 0.91 <= inside / 400 <= 0.98
