"""Times as numbers: the spellings that are read, what they come to, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from rnncli.data.formats.missing import first_gap, interpolated, number_or_nan, without_end
from rnncli.data.formats.values import sequence
from rnncli.data.tables.times import ORDERS, Times, irregular, moment_words, step_words


def nanoseconds(*parts: int) -> int:
    """Since the day before the year 1, as the standard library counts."""
    moment = datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]
    seconds = (moment - datetime(1, 1, 1, tzinfo=UTC)).total_seconds()
    return (round(seconds) + 86_400) * 10**9


SPELLINGS = {
    "2024-03-01": (2024, 3, 1),
    "2024-3-1": (2024, 3, 1),
    "2024/03/01": (2024, 3, 1),
    "2024.03.01": (2024, 3, 1),
    "2024-03-01 10:05": (2024, 3, 1, 10, 5),
    "2024-03-01T10:05:07": (2024, 3, 1, 10, 5, 7),
    "2024-03-01T10:05:07Z": (2024, 3, 1, 10, 5, 7),
    "2024-03-01 10:05:07+02:00": (2024, 3, 1, 8, 5, 7),
    "2024-03-01T10:05:07-0530": (2024, 3, 1, 15, 35, 7),
    "2024-03-01 10:05:07 UTC": (2024, 3, 1, 10, 5, 7),
    "2024-03-01 12:05 AM": (2024, 3, 1, 0, 5),
    "1.3.2024 01:05 pm": (2024, 3, 1, 13, 5),
    "01.03.2024": (2024, 3, 1),
    "01.03.24": (2024, 3, 1),
    "31.12.69": (1969, 12, 31),
    "1949-01": (1949, 1, 1),
    "1949M01": (1949, 1, 1),
    "1970 Q1": (1970, 1, 1),
    "1970Q4": (1970, 10, 1),
    "1970-Q2": (1970, 4, 1),
    "Q3 1970": (1970, 7, 1),
    "1 March 2024": (2024, 3, 1),
    "01-Mar-24": (2024, 3, 1),
    "March 1, 2024": (2024, 3, 1),
    "Mar 2024": (2024, 3, 1),
    "Fri, 1 Mar 2024 10:05:07": (2024, 3, 1, 10, 5, 7),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_dates_come_to_what_the_standard_library_says(spelling: str) -> None:
    times = Times()
    assert times.read(f" {spelling} ") == nanoseconds(*SPELLINGS[spelling])
    assert times.dated


@pytest.mark.parametrize(
    ("spelling", "moment"),
    [
        ("10:05", 36_300 * 10**9),
        ("10:05:07.25", 36_307_250_000_000),
        ("1709290800", 1709290800),
        ("-0.5", -0.5),
        ("1700000000000000001", 1700000000000000001),
    ],
)
def test_numbers_and_times_of_day(spelling: str, moment: float) -> None:
    times = Times()
    assert times.read(spelling) == moment
    assert not times.dated


@pytest.mark.parametrize(
    "value",
    ["red", "2024-13-01", "2024-02-30", "1.5.", "3/4", "12:5", "25:00", "10:61", "13:00 pm", "", "2024-03-01 noon"],
)
def test_what_is_no_time(value: str) -> None:
    with pytest.raises(ValueError, match=r"is (neither a number nor a date|no date)"):
        Times().read(value)


@pytest.mark.parametrize(
    ("values", "expected", "order"),
    [
        (("03/04/2024", "25/04/2024"), [(2024, 4, 3), (2024, 4, 25)], "dmy"),
        (("03/04/2024 10:00", "04/25/2024 11:00"), [(2024, 3, 4, 10), (2024, 4, 25, 11)], "mdy"),
        (("24-03-01", "99-03-31"), [(2024, 3, 1), (1999, 3, 31)], "ymd"),
    ],
)
def test_all_values_together_tell_the_order_of_a_date(
    values: tuple[str, ...], expected: list[tuple[int, ...]], order: str
) -> None:
    times = Times()
    read = [times.read(value) for value in values]
    moment = times.settle()
    assert [moment(value) for value in read] == [nanoseconds(*parts) for parts in expected]
    assert times.order == order
    again = Times(order)  # as a model keeps it: one value tells nothing
    kept = again.read(values[0])
    assert again.settle()(kept) == nanoseconds(*expected[0])


def test_dates_that_may_be_in_two_orders_are_refused() -> None:
    times = Times()
    times.read("03/04/2024")
    with pytest.raises(ValueError, match="'03/04/2024' may be day/month/year or month/day/year"):
        times.settle()
    times.read("13/04/2024")
    with pytest.raises(ValueError, match="'04/13/2024' is no date of the form day/month/year, as those before it are"):
        times.read("04/13/2024")
    assert set(ORDERS) == {"dmy", "mdy", "ymd"}


@pytest.mark.parametrize(
    ("first", "second", "kinds"),
    [
        ("5", "2024-03-01", "'2024-03-01' is a date, and the first of these times is a number"),
        ("2024-03-01", "5", "'5' is a number, and the first of these times is a date"),
        ("2024-03-01T10:00Z", "2024-03-01T10:00", "is a date, and the first of these times is a date with a zone"),
    ],
)
def test_times_of_two_kinds_are_refused(first: str, second: str, kinds: str) -> None:
    times = Times()
    times.read(first)
    with pytest.raises(ValueError, match=kinds):
        times.read(second)


def moments(*values: str) -> list[float]:
    times = Times()
    return [float(times.read(value)) for value in values]


def test_steps_that_are_not_equally_long_are_found() -> None:
    assert irregular([0, 1, 2, 3], False) is None
    assert irregular([0.1, 0.2, 0.3, 0.4], False) is None  # but for rounding
    assert irregular([0, 1, 3, 4], False) == (2, "2", "1")
    assert irregular([0, 5], False) is None
    months = [int(Times().read(f"2023-{month:02}-01")) for month in range(1, 13)]
    assert irregular(months, True) is None
    quarters = [int(Times().read(f"{year} Q{quarter}")) for year in (1970, 1971) for quarter in (1, 2, 3, 4)]
    assert irregular(quarters, True) is None
    ends = [int(Times().read(f"2023-{month}")) for month in ("01-31", "02-28", "03-31", "04-30")]
    assert irregular(ends, True) is None
    assert irregular([*months[:3], *months[4:]], True) == (3, "2 months", "1 month")
    assert irregular([months[0], months[0] + 5, months[1]], True) is not None


def test_steps_and_moments_in_words() -> None:
    assert [step_words(5, False), step_words(0.5, False)] == ["5", "0.5"]
    minute = 60 * 10**9
    assert [step_words(minute, True), step_words(90 * minute, True), step_words(2 * 1440 * minute, True)] == [
        *("1 minute", "1.5 hours", "2 days")
    ]
    assert moment_words(nanoseconds(2024, 3, 1, 10, 5, 7), True) == "2024-03-01 10:05:07"
    assert moment_words(nanoseconds(2024, 3, 1), True) == "2024-03-01"
    assert moment_words(3.0, False) == "3"


NAN = np.nan


def test_the_end_and_the_gaps_of_a_series() -> None:
    series = np.array([[NAN, 1.0], [2.0, NAN], [4.0, 3.0], [NAN, NAN]])
    ended = without_end(series)
    assert ended.shape == (3, 2)
    assert first_gap(ended) == (0, 0)
    assert interpolated(ended).tolist() == [[2.0, 1.0], [2.0, 2.0], [4.0, 3.0]]
    assert interpolated(ended, np.array([0.0, 1.0, 4.0])).tolist() == [[2.0, 1.0], [2.0, 1.5], [4.0, 3.0]]
    assert without_end(np.full((3, 1), NAN)).shape == (0, 1)
    assert first_gap(np.ones((2, 1))) is None
    with pytest.raises(ValueError, match="has no values at place 2"):
        interpolated(np.array([[1.0, NAN], [2.0, NAN]]))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.08 0.71 -0.45", [0.08, 0.71, -0.45]),
        ("0.08, 0.71,-0.45", [0.08, 0.71, -0.45]),
        ("0.08;0.71;1", [0.08, 0.71, 1]),
        ("[0.08 0.71\n 1.]", [0.08, 0.71, 1]),
        ("(1|2|3)", [1, 2, 3]),
        ("1 2 NaN nan", [1, 2]),
        ("[1, null, NaN]", [1]),
        ([1, 2, None], [1, 2]),
        ([[1, 2], [3, 4], [None, None]], [[1, 2], [3, 4]]),
        (np.array([[1.0], [NAN]]), [[1.0]]),
    ],
)
def test_a_series_in_one_value_ends_with_its_last_number(value: object, expected: list[float]) -> None:
    assert sequence(value).tolist() == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "problem", "filled"),
    [
        ([1, None, 2], "has a missing value at timestep 2", [1, 1.5, 2]),
        ([None, 1], "has a missing value at timestep 1", [1, 1]),
        ([[1, 2], [None, 4], [3, None]], "has a missing value at timestep 2, place 1", [[1, 2], [2, 4], [3, 4]]),
        ("1 ? 3", "has a missing value at timestep 2", [1, 2, 3]),
        ([None, None], "has no numbers", None),
        ("0,08 0,71", "is not a list of numbers", None),
        ("1 two 3", "is not a list of numbers", None),
    ],
)
def test_a_gap_is_refused_or_filled(value: object, problem: str, filled: object) -> None:
    with pytest.raises(ValueError, match=problem):
        sequence(value)  # type: ignore[arg-type]
    if filled is None:
        with pytest.raises(ValueError, match=problem):
            sequence(value, "interpolate")  # type: ignore[arg-type]
    else:
        assert sequence(value, "interpolate").tolist() == filled  # type: ignore[arg-type]


def test_a_number_or_none() -> None:
    found = [number_or_nan(value) for value in ("1e3", "NA", "?", "", "x", "1e999")]
    assert found[0] == 1000.0
    assert all(one is not None and np.isnan(one) for one in found[1:4])
    assert found[4:] == [None, None]
