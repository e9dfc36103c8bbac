"""Learning-rate schedules: their ends, their middle, and what lies past the plan."""

from __future__ import annotations

import itertools
import math

import pytest

from rnncli.core.optim.schedules import SCHEDULES, with_warmup

pytestmark = pytest.mark.engines("numpy")


@pytest.mark.parametrize(
    ("name", "by_step"),
    [
        ("constant", {0: 1.0, 25: 1.0, 50: 1.0, 100: 1.0, 150: 1.0}),
        ("linear", {0: 1.0, 25: 0.75, 50: 0.5, 100: 0.0, 150: 0.0}),
        ("cosine", {0: 1.0, 25: (1 + math.sqrt(0.5)) / 2, 50: 0.5, 100: 0.0, 150: 0.0}),
    ],
)
def test_values(name: str, by_step: dict[int, float]) -> None:
    for step, expected in by_step.items():
        assert SCHEDULES[name](step, 100) == pytest.approx(expected, rel=1e-15, abs=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_never_rises_and_stays_within_0_and_1(name: str) -> None:
    values = [SCHEDULES[name](step, 37) for step in range(80)]
    assert all(0 <= after <= before <= 1 for before, after in itertools.pairwise(values))


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("total", [0, 1])
def test_no_plan_divides_by_nothing(name: str, total: int) -> None:
    assert SCHEDULES[name](0, total) == 1


def test_warmup() -> None:
    assert [with_warmup(1.0, step, 4) for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert [with_warmup(0.5, step, 2) for step in range(3)] == [0.25, 0.5, 0.5]
    assert [with_warmup(0.7, step, 0) for step in range(2)] == [0.7, 0.7]
