"""The times that follow those of a series, written as the file writes them."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise

LOOKED_AT = 60  # the last times of a series, by which it is decided how it goes on

# How programs and spreadsheets write dates; those without zeros before a single digit are tried too.
_DAYS: tuple[str, ...] = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y%m%d",
)
_DAYS += ("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y")
_MONTHS = ("%Y-%m", "%Y/%m", "%Y.%m", "%m/%Y", "%m.%Y", "%b %Y", "%B %Y", "%b-%Y", "%b-%y", "%YM%m", "%Y%m")
_CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f")
_FORMATS = (*_DAYS, *_MONTHS, *(f"{day}{gap}{clock}" for day in _DAYS for gap in " T" for clock in _CLOCKS))
_ZONES = ("Z", "+00:00", " UTC")
_WEEKEND = 5  # the number of Saturday

Write = Callable[[datetime], str]


def continued(times: Sequence[str], count: int) -> tuple[str, ...]:
    """The next times after these, in the same spelling; none where they are irregular, or it is not clear how.

    Args:
        times: in their order, as the file has them.
        count: how many follow.
    """
    times = [time.strip() for time in times[-LOOKED_AT:]]
    if len(times) < 2:
        return ()
    numbers = () if all(map(_is_compact, times)) else _next_numbers(times, count)
    if numbers:
        return numbers
    found = {made for made in (_next_dates(*read, count) for read in _readings(times)) if made}
    quarters = _next_quarters(times, count)
    if quarters:
        found.add(quarters)
    return found.pop() if len(found) == 1 else ()


def _is_compact(time: str) -> bool:
    """Whether a whole number is a date, or a month: 20260131, 202601."""
    if not time.isascii() or not time.isdigit() or len(time) not in (6, 8) or not "1800" <= time[:4] <= "2200":
        return False
    return "01" <= time[4:6] <= "12" and (len(time) == 6 or "01" <= time[6:] <= "31")


def _next_numbers(times: Sequence[str], count: int) -> tuple[str, ...]:
    """Those after equally distant numbers, with as many decimals: ``7``, ``0.75``."""
    try:
        values = [Decimal(time) for time in times]
    except InvalidOperation:
        return ()
    steps = {after - before for before, after in pairwise(values)}
    if not all(value.is_finite() for value in values) or len(steps) != 1 or not min(steps):
        return ()
    (step,) = steps
    return tuple(str(values[-1] + k * step) for k in range(1, count + 1))


def _readings(times: Sequence[str]) -> Iterator[tuple[list[datetime], Write]]:
    """The dates that the times may be, each with what writes dates as these are written."""
    zone = next((zone for zone in _ZONES if all(time.endswith(zone) for time in times)), "")
    bare = [time.removesuffix(zone) for time in times]
    for form in _FORMATS:
        try:
            read = [datetime.strptime(time, form) for time in bare]
        except ValueError:
            continue
        compact = "%Y%m" in form  # where nothing stands between the digits, none is left out
        for write in (_writer(form, padded=True), *([] if compact else [_writer(form, padded=False)])):
            if list(map(write, read)) == bare:
                yield read, lambda one, write=write: write(one) + zone  # type: ignore[misc]
                break


def _writer(form: str, padded: bool) -> Write:
    """Writes dates in a form of ``strptime``; without zeros before single digits of day and month unless ``padded``."""

    def write(one: datetime) -> str:
        if padded:
            return one.strftime(form)
        bare = form.replace("%d", str(one.day)).replace("%m", str(one.month))
        return one.strftime(bare)

    return write


def _next_dates(read: list[datetime], write: Write, count: int) -> tuple[str, ...]:
    """The dates after regular ones: equally distant, or months, or working days."""
    last = read[-1]
    steps = {after - before for before, after in pairwise(read)}
    try:
        if len(steps) == 1:
            (step,) = steps
            if step <= timedelta(0):
                return ()
            months = _months(read)  # four times February in a row has 28 days each; months are months
            following = [last + k * step for k in range(1, count + 1)] if months is None else months(count)
        else:
            rule = _months(read) or _working_days(read)
            if rule is None:
                return ()
            following = rule(count)
    except (OverflowError, ValueError):  # beyond the year 9999
        return ()
    return tuple(map(write, following))


def _months(read: list[datetime]) -> Callable[[int], list[datetime]] | None:
    """What goes on with dates that are months apart, on the same day or each on the last one of its month."""
    places = [one.year * 12 + one.month - 1 for one in read]
    steps = {after - before for before, after in pairwise(places)}
    if len(steps) != 1 or min(steps) < 1:
        return None
    (step,) = steps
    days, ends = {one.day for one in read}, all(one.day == monthrange(one.year, one.month)[1] for one in read)
    if not ends and len(days) != 1:
        return None

    def following(count: int) -> list[datetime]:
        found = []
        for k in range(1, count + 1):
            year, month = divmod(places[-1] + k * step, 12)
            last = monthrange(year, month + 1)[1]
            found.append(read[-1].replace(year=year, month=month + 1, day=last if ends else min(read[-1].day, last)))
        return found

    return following


def _working_days(read: list[datetime]) -> Callable[[int], list[datetime]] | None:
    """What goes on with all days but those of the weekends."""
    if not all(_next_working_day(before) == after for before, after in pairwise(read)):
        return None

    def following(count: int) -> list[datetime]:
        found = [read[-1]]
        for _ in range(count):
            found.append(_next_working_day(found[-1]))
        return found[1:]

    return following


def _next_working_day(day: datetime) -> datetime:
    day += timedelta(days=1)
    while date.weekday(day) >= _WEEKEND:
        day += timedelta(days=1)
    return day


def _next_quarters(times: Sequence[str], count: int) -> tuple[str, ...]:
    """Those after ``2026Q1``, ``2026-Q2``."""
    upper = [time.upper() for time in times]
    marks = {time[4:-1] for time in upper}
    if len(marks) != 1 or not all(time[:4].isdigit() and time[-1] in "1234" and len(time) < 8 for time in upper):
        return ()
    (mark,) = marks
    if mark.strip("- ") != "Q":
        return ()
    places = [int(time[:4]) * 4 + int(time[-1]) - 1 for time in times]
    if any(after - before != 1 for before, after in pairwise(places)):
        return ()
    written = times[-1][4:-1]
    return tuple(f"{place // 4:04}{written}{place % 4 + 1}" for place in range(places[-1] + 1, places[-1] + 1 + count))
