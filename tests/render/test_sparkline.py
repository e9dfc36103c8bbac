from __future__ import annotations

import math

from rnncli.render.sparkline import sparkline


def test_from_the_lowest_to_the_highest() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([0.9, 0.5, 0.1]) == "█▅▁"
    assert sparkline([2.0, 2.0]) == "▄▄"


def test_what_is_no_number_is_a_gap() -> None:
    assert sparkline([1.0, None, math.nan, 0.0]) == "█  ▁"
    assert sparkline([None, math.inf]) == ""
    assert sparkline([]) == ""


def test_many_numbers_are_put_together() -> None:
    assert sparkline(list(range(100)), width=8) == "▁▂▃▄▅▆▇█"
    assert len(sparkline(list(range(25)), width=24)) == 24
