"""Numbers that stand for a missing value: -999, 9999, 1e20."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rnncli.data.formats.advice import DataFile
from rnncli.data.formats.missing import HOW_TO_FILL
from rnncli.data.formats.numbers import finite_number
from rnncli.data.tables.column import Column
from rnncli.errors import counted, quoted

_NINES = tuple(sign * (10.0**digits - 1) for digits in range(2, 7) for sign in (1, -1))  # 99 to 999999
_LARGEST = (1e20, 1e30, 1e36, 9.969209968386869e36, 3.4028235e38, 2.0**15 - 1, 2.0**31 - 1, 2.0**15, 2.0**31)
_KNOWN = frozenset((*_NINES, -999.9, -99.9, *_LARGEST, *(-value for value in _LARGEST)))
_TWICE = 2  # a value that stands once is an odd one


def sentinel_warnings(columns: Iterable[Column], all_columns: Iterable[Column], file: DataFile) -> list[str]:
    """A warning for each number that is repeated and far from all others, as one that stands for a missing value.

    Args:
        columns: those that are read, of ``all_columns`` of ``file``.
    """
    found: dict[float, list[tuple[Column, list[str]]]] = {}
    for column in columns:
        if column.numeric:
            for number, values in _sentinels(column.filled).items():
                found.setdefault(number, []).append((column, values))
    repeated = (places for places in found.values() if sum(len(values) for _, values in places) >= _TWICE)
    return [_warning(places, [one.name for one in all_columns], file) for places in repeated]


def _sentinels(values: Sequence[str]) -> dict[float, list[str]]:
    """The known values that are further from all others than these are from each other."""
    numbers = [(number, value) for value in values if (number := finite_number(value)) is not None]
    others = [number for number, _ in numbers if number not in _KNOWN]
    if not others:
        return {}
    low, high = min(others), max(others)
    found: dict[float, list[str]] = {}
    for number, value in numbers:
        if number in _KNOWN and max(low - number, number - high) > high - low:
            found.setdefault(number, []).append(value)
    return found


def _warning(places: Sequence[tuple[Column, Sequence[str]]], names: Sequence[str], file: DataFile) -> str:
    values = [value for _, found in places for value in found]
    holding = [column.name for column, _ in places]
    named = quoted(holding[0])
    if len(places) > 1:
        named += f" and {counted(len(places) - 1, 'other column')}"
    others = [name for name in names if name not in holding]
    made = file.with_missing(
        sorted(set(values)), *((holding, True) if len(holding) <= len(others) else (others, False))
    )
    return (
        f"{named} {'hold' if len(places) > 1 else 'holds'} {values[0]} in {counted(len(values), 'value')} of the first "
        f"rows, far from all others, and it is read as a number. If it stands for a missing value, leave it empty: "
        f"{made}; then {HOW_TO_FILL}, or leave such rows out with --skip-bad"
    )
