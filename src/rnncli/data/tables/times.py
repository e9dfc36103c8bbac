"""The times of a table: numbers, dates, times of day, as numbers that order the rows and say how far apart they are.

A date is read in the spellings that programs and spreadsheets write. ``01.02.2024`` begins with its day;
``01/02/2024`` begins with its day or its month, and all values of a column together say which, or nothing does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache, partial
from itertools import pairwise

from rnncli.data.formats.numbers import as_json, exact_number, finite_number
from rnncli.errors import counted, quoted

Moment = int | float  # a number as it is written; of dates and times of day nanoseconds

DAY, SECOND = 86_400 * 10**9, 10**9
ORDERS = {"dmy": "day/month/year", "mdy": "month/day/year", "ymd": "year/month/day"}
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: at for at, name in enumerate(_NAMES, 1)}
_MONTH = "(?P<name>" + "|".join(_MONTHS) + r")[a-z]{0,6}\.?"
_LONGEST = 64  # characters
_NUMBER, _EXACT = "a number", 2**53  # up to here a float64 holds every whole number

_DAY = (
    r"(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})",  # 2024-03-01, 2024/3/1
    r"(?P<y>\d{4})(?:[-/.]|m)(?P<m>\d{1,2})",  # 1949-01
    r"(?P<y>\d{4})[- ]?q(?P<q>[1-4])",  # 1970 Q1
    r"q(?P<q>[1-4])[-/ ]?(?P<y>\d{4})",  # Q1 1970
    r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4}|\d{2})",  # 1.3.2024
    rf"(?P<d>\d{{1,2}})\.?[- ]{_MONTH}[- ](?P<y>\d{{4}}|\d{{2}})",  # 1 March 2024, 01-Mar-24
    rf"{_MONTH} (?P<d>\d{{1,2}}),? (?P<y>\d{{4}})",  # March 1, 2024
    rf"{_MONTH}[- ](?P<y>\d{{4}})",  # March 2024
    rf"{_MONTH}-(?P<y>\d{{2}})",  # Mar-24
    r"(?P<m>\d{1,2})/(?P<y>\d{4})",  # 03/2024
)
_EITHER = re.compile(r"(\d{1,2})([-/])(\d{1,2})\2(\d{4}|\d{2})", re.ASCII)  # 01/02/2024, in an order to be found
_CLOCK = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?: ?([ap])\.?m\.?)?(?: ?(z|utc|gmt|[+-]\d{2}(?::?\d{2})?))?",
    re.IGNORECASE | re.ASCII,
)
# The commonest spelling, which is tried first: a table has a million of them.
_USUAL = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?", re.ASCII)
_WEEKDAY = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? ", re.IGNORECASE)
_BETWEEN = re.compile(r"(?<=\d)t(?=\d)|(?:,|(?<![ ,])) ++(?=\d{1,2}:)", re.IGNORECASE)  # a date and its time of day


class Times:
    """The times of one column, as they are read.

    Attributes:
        order: which of :data:`ORDERS` dates such as ``01/02/2024`` are in, once it is known.
        by_steps: whether only the steps between them say so.
    """

    def __init__(self, order: str | None = None) -> None:
        self.order, self.by_steps = order, False
        self._left = [order] if order else list(ORDERS)  # orders that fit all values so far
        self._kind: str | None = None
        self._unsure: str | None = None  # a date whose order is not known by its spelling

    def read(self, value: str) -> Moment | str:
        """The moment of a value, or the value itself where only all of the column can say which one that is.

        Raises:
            ValueError: it is no time, of another kind than those before, or in another order.
        """
        if self._kind == _NUMBER:  # a table has a million of them
            number = finite_number(value)
            if number is not None and -_EXACT < number < _EXACT:
                return number
        value = value.strip()
        usual = _USUAL.fullmatch(value) if self._kind == "a date" else None
        if usual is not None:
            days, (hour, minute, second) = (
                _nanoseconds(usual[1], "ymd"),
                (int(part or 0) for part in usual.groups()[1:]),
            )
            if days is not None and hour < 24 and minute < 60 and second < 60:
                return days + ((hour * 60 + minute) * 60 + second) * SECOND
        number = finite_number(value)
        if number is not None:
            self._of_kind(_NUMBER, value)
            return number if abs(number) < _EXACT else exact_number(value)
        day, clock = _parts(value)
        if day is None:
            self._of_kind("a time of day" + (" with a zone" if clock[1] else ""), value)
            return clock[0]
        self._of_kind("a date" + (" with a zone" if clock[1] else ""), value)
        orders = [order for order in self._left if _nanoseconds(day, order) is not None]
        if not orders:
            raise ValueError(f"{quoted(value)} is no date" + self._as_before())
        either = _EITHER.fullmatch(day) is not None
        if not either:
            found = _nanoseconds(day, "dmy")
            assert found is not None
            return found + clock[0]
        self._left, self._unsure = orders, self._unsure or value
        return value

    def _of_kind(self, kind: str, value: str) -> None:
        self._kind = self._kind or kind
        if kind != self._kind:
            raise ValueError(f"{quoted(value)} is {kind}, and the first of these times is {self._kind}")

    def _as_before(self) -> str:
        return f" of the form {ORDERS[self._left[0]]}, as those before it are" if self._unsure else ""

    def settle(
        self, sequences: Iterable[Sequence[Moment | str]] = (), *, all_read: bool = True
    ) -> Callable[[Moment | str], Moment]:
        """What makes a moment of each value that :meth:`read` left as it is, after the last one was read.

        Args:
            sequences: the values of each sequence; where several orders fit all of them, the one counts by which their
                times are equally far apart.
            all_read: whether no other values follow; else any order will do.

        Raises:
            ValueError: several orders fit.
        """
        if self._unsure is None:
            return _certain
        orders, each = self._left, list(sequences)
        if len(orders) > 1:
            orders = [order for order in orders if any(map(len, each)) and _are_regular(each, order)]
        if len(orders) != 1 and all_read and len(self._left) > 1:
            several = " or ".join(ORDERS[order] for order in self._left)
            raise ValueError(f"{quoted(self._unsure)} may be {several}, and no other value tells which")
        self.by_steps = len(orders) < len(self._left)
        self.order = (orders or self._left)[0]
        return partial(_of_order, order=self.order)

    def shown(self, moment: Moment) -> str:
        """A moment of the column as it is shown."""
        if self._kind is None or not self._kind.startswith("a time of day"):
            return moment_words(moment, self.dated)
        return moment_words(moment + DAY, dated=True).partition(" ")[2] or "00:00:00"

    @property
    def dated(self) -> bool:
        """Whether the values are dates, not numbers."""
        return self._kind is not None and self._kind.startswith("a date")


def _certain(value: Moment | str) -> Moment:
    assert not isinstance(value, str)
    return value


def _of_order(value: Moment | str, order: str) -> Moment:
    """The moment of a value whose date is in this order."""
    if not isinstance(value, str):
        return value
    day, clock = _parts(value)
    found = None if day is None else _nanoseconds(day, order)
    assert found is not None
    return found + clock[0]


def _are_regular(sequences: Iterable[Sequence[Moment | str]], order: str) -> bool:
    """Whether the times of each sequence are equally far apart, and no two the same."""
    for values in sequences:
        moments = sorted(_of_order(value, order) for value in values)
        if len(set(moments)) < len(moments) or not (_are_monthly(moments) or irregular(moments, dated=True) is None):
            return False
    return True


def _are_monthly(moments: Iterable[Moment]) -> bool:
    """Whether dates have the same day and time of day, so that somebody may have measured once a month."""
    parts = [divmod(int(moment), DAY) for moment in moments]
    return len({(date.fromordinal(days).day, rest) for days, rest in parts}) <= 1


def month_number(name: str) -> str:
    """``3`` of Mar and March; what is no name of a month as it is."""
    return str(_MONTHS.get(name[:3].lower(), name)) if name.isalpha() else name


def is_time(value: str) -> bool:
    """Whether a value is a date or a time of day."""
    try:
        return not isinstance(value, float) and _parts(value.strip()) is not None
    except ValueError:
        return False


def _parts(value: str) -> tuple[str | None, tuple[int, bool]]:
    """The date, None where there is none, and the time of day in nanoseconds, with whether it names a zone.

    Raises:
        ValueError: it is neither.
    """
    problem = ValueError(f"{quoted(value)} is neither a number nor a date")
    if len(value) > _LONGEST:
        raise problem
    alone = _CLOCK.fullmatch(value)
    if alone:
        return None, _time_of_day(alone, problem)
    value = _WEEKDAY.sub("", value, count=1)
    day, *rest = _BETWEEN.split(value, maxsplit=1)
    clock = _CLOCK.fullmatch(rest[0].strip()) if rest else None
    if (rest and clock is None) or all(_nanoseconds(day, order) is None for order in ORDERS):
        raise problem
    return day, (0, False) if clock is None else _time_of_day(clock, problem)


def _time_of_day(clock: re.Match[str], problem: ValueError) -> tuple[int, bool]:
    hour, minute, second = (int(part or 0) for part in clock.groups()[:3])
    fraction, half, zone = clock[4] or "", (clock[5] or "").lower(), (clock[6] or "").lower()
    if minute > 59 or second > 60 or hour > 24 or (half and not 1 <= hour <= 12):
        raise problem
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    east = 0
    if zone[:1] in ("+", "-") and zone:
        digits = zone[1:].replace(":", "").ljust(4, "0")
        east = (int(digits[:2]) * 60 + int(digits[2:])) * (1 if zone[0] == "+" else -1)
    seconds = ((hour * 60 + minute - east) * 60) + second
    return seconds * SECOND + int(fraction.ljust(9, "0") or 0), bool(zone)


@lru_cache(maxsize=4096)  # the rows of a day are many
def _nanoseconds(day: str, order: str) -> int | None:
    """A date; None if it is none in this order."""
    either = _EITHER.fullmatch(day)
    if either:
        parts = dict(zip(order, (either[1], either[3], either[4]), strict=True))
        if any(len(parts[one]) > 2 for one in "dm"):
            return None
        return _of(parts["y"], int(parts["m"]), int(parts["d"]))
    found = next(filter(None, (re.fullmatch(pattern, day, re.IGNORECASE | re.ASCII) for pattern in _DAY)), None)
    if found is None:
        return None
    parts = found.groupdict()
    month = (
        3 * int(parts["q"]) - 2
        if parts.get("q")
        else int(parts.get("m") or _MONTHS.get((parts.get("name") or "")[:3].lower(), 0))
    )
    return _of(parts["y"], month, int(parts.get("d") or 1))


def _of(year: str, month: int, day: int) -> int | None:
    # Of two digits up to 68 is 2068, as POSIX has it.
    full = int(year) if len(year) == 4 else int(year) + (2000 if int(year) <= 68 else 1900)
    if not 1000 <= full < 9999:  # its zone, or the day after it, may be in another year
        return None
    try:
        return date(full, month, day).toordinal() * DAY
    except ValueError:
        return None


def irregular(times: Sequence[Moment], dated: bool) -> tuple[int, str, str] | None:
    """Where ascending times are not equally far apart: at which of them, the step to it, and the commonest step.

    Months and quarters are equally long; steps that differ by rounding alone are equal.

    Args:
        dated: whether they are dates in nanoseconds.
    """
    odd = _first_odd(times) if len(times) > 2 else None
    if odd is None or not dated:
        return None if odd is None else (odd[0], step_words(odd[1], dated), step_words(odd[2], dated))
    months = [month for month in map(_months, times) if month is not None]
    if len(months) < len(times):
        return odd[0], step_words(odd[1], dated), step_words(odd[2], dated)
    odd = _first_odd(months)
    return None if odd is None else (odd[0], counted(int(odd[1]), "month"), counted(int(odd[2]), "month"))


def _months(time: Moment) -> int | None:
    """Months since the year 1, of a date that is the first or the last day of one."""
    days, rest = divmod(int(time), DAY)
    if rest:
        return None
    day = date.fromordinal(days)
    ends = day.day == 1 or date.fromordinal(days + 1).day == 1
    return day.year * 12 + day.month if ends else None


def _first_odd(times: Sequence[Moment]) -> tuple[int, Moment, Moment] | None:
    steps = [after - before for before, after in pairwise(times)]
    common = sorted(steps)[(len(steps) - 1) // 2]
    tolerance = abs(common) * 1e-6
    at = next((at for at, step in enumerate(steps, 1) if abs(step - common) > tolerance), None)
    return None if at is None else (at, steps[at - 1], common)


def step_words(step: Moment, dated: bool) -> str:
    """``5 minutes``, ``1 day``; a number as it is."""
    if not dated:
        return f"{step:g}" if isinstance(step, float) else str(step)
    for unit, size in (("day", DAY), ("hour", 3600 * SECOND), ("minute", 60 * SECOND), ("second", SECOND)):
        if step >= size:
            count = step / size
            return f"{count:g} {unit}" + ("" if count == 1 else "s")
    return f"{step / SECOND:g} seconds"


def moment_words(moment: Moment, dated: bool) -> str:
    """A moment as it is shown: ``2024-03-01 10:00:00``, or a number."""
    if not dated:
        return f"{as_json(moment)}"
    days, rest = divmod(int(moment), DAY)
    day, seconds = date.fromordinal(days).isoformat(), rest // SECOND
    clock = f" {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" if rest else ""
    return day + clock + (f".{rest % SECOND:09}".rstrip("0") if rest % SECOND else "")
