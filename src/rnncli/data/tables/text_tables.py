"""Tables in files that are called texts: a series a line, as older files of the UCR archive have them."""

from __future__ import annotations

from collections.abc import Sequence

from rnncli.data.formats.missing import number_or_nan
from rnncli.data.tables.wide_form import FEWEST

_MARKS = ("\t", ",", ";", " ")


def mark_between_numbers(lines: Sequence[str], steps: bool = False) -> str | None:
    """What stands between the numbers of each line; None where a line holds something else, or few of them.

    Args:
        steps: whether each line may be a timestep, of two numbers or more, and not a whole series.
    """
    lines = [line for line in lines if line.strip()]
    for mark in _MARKS:
        rows = [line.split(mark if mark != " " else None) for line in lines]
        if len({len(row) for row in rows}) != 1 or len(rows[0]) <= (1 if steps else FEWEST):
            continue
        if all(number_or_nan(value) is not None for row in rows for value in row):
            return mark if steps or any("." in value for row in rows for value in row) else None
    return None
