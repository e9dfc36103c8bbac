"""Several columns that are one: texts that are read together, an id of several parts, a date and its time of day.

The column that they become has their names with commas between them, as an option names it: ``Date,Time``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations, pairwise

from rnncli.data.formats.missing import is_missing
from rnncli.data.formats.numbers import finite_number
from rnncli.data.formats.table import Table
from rnncli.data.formats.values import NULL, Value, as_text
from rnncli.data.tables.column import Column
from rnncli.data.tables.facts import is_date, mostly
from rnncli.data.tables.named import keep
from rnncli.data.tables.names import GROUPS, SEQUENCES, TIME_WORDS, label_rank, mentions, snake_case, words_of
from rnncli.data.tables.source import joined_names, names_in
from rnncli.data.tables.times import month_number

Texts = Sequence[str]

_UNITS = ("year", "month", "day", "hour", "minute", "second")  # the largest first
_UNIT = {
    **{name: name for name in _UNITS},
    **{f"{name}s": name for name in _UNITS},
    **{"yr": "year", "yyyy": "year", "mo": "month", "mon": "month", "mnth": "month", "mm": "month", "dd": "day"},
    **{"dy": "day", "hr": "hour", "hh": "hour", "min": "minute", "mi": "minute", "sec": "second", "ss": "second"},
}
_MOST = {"month": 12, "day": 31, "hour": 24, "minute": 59, "second": 60}  # of a unit; its year is of four digits
_NO_UNIT = frozenset({"week", "year", "weekday"})  # as the last word: day_of_week, day_of_year
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?\s?(?:[ap]\.?m\.?|z)?", re.IGNORECASE | re.ASCII)
_MIDNIGHT = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?\Z", re.ASCII)  # of a date that a program keeps with its time
_DOTTED = re.compile(r"([01]?\d|2[0-4])\.([0-5]\d)(?:\.([0-5]\d))?", re.ASCII)  # 18.00.00, as in Italy
MOST_COLUMNS = 200  # of a table with a row for each timestep; others have one for each timestep
_MOST_PARTS, _MOST_KEYS = 3, 5  # of an id, and columns of which they are looked for
# Words in the names of columns of which several say together what was measured: ``store`` and ``item``.
_KEYS = GROUPS | {
    *("store", "shop", "item", "product", "sku", "country", "state", "city", "region", "province", "site", "location"),
    *("customer", "ticker", "symbol", "stock", "building", "meter", "department", "dept", "family", "line", "plant"),
}
_DIGITS = re.compile(r"([01]?\d|2[0-4])?[0-5]\d", re.ASCII)
_CLOCK_WORDS = TIME_WORDS | {"clock", "ora", "hhmm", "hrmn"}


def join_columns(table: Table, names: Sequence[str], join: Callable[[Texts], str]) -> None:
    """Puts one column in the place of several, of what ``join`` makes of their values in a row."""
    places = [table.columns.index(name) for name in names]

    def joined(values: Sequence[Value]) -> str:
        return join(["" if values[at] is NULL else as_text(values[at]) for at in places])

    keep(table, [at for at in range(len(table.columns)) if at not in places], joined, joined_names(names))


def one_text(parts: Texts) -> str:
    """Those that are not empty, with a space between them."""
    return " ".join(part for part in parts if part.strip())


def one_id(parts: Texts) -> str:
    """Of several parts, all of which are there; different parts give a different one."""
    parts = [part.strip() for part in parts]
    return joined_names(parts) if all(parts) else ""


def join_roles(table: Table, time: str | None, id: str | None) -> None:
    """Joins the columns of a time and of an id that several are named for; others are left to the layout."""
    for named, of_names in ((time, one_time), (id, lambda _: one_id)):
        if named is None or named in table.columns:
            continue
        names = names_in(named)
        if len(names) > 1 and set(names) <= set(table.columns):
            join_columns(table, names, of_names(names))


def is_key(column: Column) -> bool:
    """Whether its name says that it is a part of what tells sequences apart, and its values repeat."""
    return _repeats(column) and (mentions(column.name, _KEYS) or snake_case(column.name) in SEQUENCES)


def may_be_key(column: Column) -> bool:
    """Whether it may be such a part by its values: words, or whole numbers that many rows in turn have."""
    if is_key(column) or not _repeats(column):
        return is_key(column)
    return not column.numeric or 3 * sum(one != other for one, other in pairwise(column.values)) <= len(column.raw)


def _repeats(column: Column) -> bool:
    if len(column.filled) < len(column.values) or column.fractions or column.dates or column.is_prose:
        return False
    if column.nested or column.lists_of_numbers or label_rank(column.name) is not None:
        return False
    return len(column.distinct) == 1 or 2 * len(column.distinct) <= len(column.raw)


def ids_together(columns: Sequence[Column]) -> Iterator[tuple[Column, list[Column]]]:
    """The ids that some columns may be together, each with the other columns: of few parts and of the first ones."""
    few = columns if len(columns) <= MOST_COLUMNS else ()
    possible = [one for one in few if is_key(one) or (len(one.distinct) > 1 and may_be_key(one))]
    keys = sorted(possible, key=lambda column: not is_key(column))[:_MOST_KEYS]
    keys.sort(key=lambda column: column.at)
    for count in range(2, _MOST_PARTS + 1):
        for parts in combinations(keys, count):
            name = joined_names(part.name for part in parts)
            values = [one_id(row) for row in zip(*(part.raw for part in parts), strict=True)]
            yield Column(name, parts[0].at, values), [column for column in columns if column not in parts]


def one_time(names: Sequence[str]) -> Callable[[Texts], str]:
    """What makes a time of the values of several columns, each of which is a date, a time of day or a unit of one."""
    return partial(_time, [_unit(name) for name in names])


def _time(units: Sequence[str | None], parts: Texts) -> str:
    """A date with its time of day, as one of :mod:`rnncli.data.tables.times`; empty where a part is missing."""
    if any(map(is_missing, parts)):
        return ""
    whole = [part.strip() for unit, part in zip(units, parts, strict=True) if unit is None]
    of_unit = {unit: _whole(part) for unit, part in zip(units, parts, strict=True) if unit is not None}
    if "year" in of_unit:
        of_unit["month"] = month_number(of_unit.get("month", "1"))
        day = ["-".join(of_unit[unit].rjust(2, "0") for unit in _UNITS[:3] if unit in of_unit)]
    else:
        whole.sort(key=lambda part: _CLOCK.fullmatch(part) is not None)
        day = [_MIDNIGHT.sub("", part) for part in whole[:1]]
        del whole[:1]
    clock = [_clock(part) for part in whole]
    if "hour" in of_unit:
        of_clock = [of_unit.get(unit, "00").rjust(2, "0") for unit in _UNITS[3:5]]
        clock.append(":".join(of_clock + [of_unit[unit].rjust(2, "0") for unit in _UNITS[5:] if unit in of_unit]))
    return " ".join(day + clock)


def _clock(text: str) -> str:
    """A time of day with colons: ``18.00.00``, ``1800`` and ``18`` have none."""
    dotted = _DOTTED.fullmatch(text)
    if dotted is not None:
        return ":".join(part for part in dotted.groups() if part is not None)
    if text[1:2] == ":":
        return f"0{text}"
    digits = _whole(text)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 4):
        return text
    digits = digits.rjust(2, "0") + "00" if len(digits) <= 2 and len(text) <= 2 else digits.rjust(4, "0")
    return f"{digits[:2]}:{digits[2:]}"


def _whole(text: str) -> str:
    """A whole number without a point, as a table of floats has it: ``2004.0``; another text as it is."""
    found = finite_number(text.strip())
    return text.strip() if found is None or found % 1 or abs(found) > 9999 else str(int(found))


def _unit(name: str) -> str | None:
    """The unit of a time that a name says: ``year``, ``Hour (UTC)``; but not ``day_of_week``."""
    words = words_of(name)
    return _UNIT.get(words[0]) if words and (len(words) == 1 or words[-1] not in _NO_UNIT) else None


def time_parts(columns: Sequence[Column]) -> tuple[str, ...]:
    """The columns that together say when a row was measured; none where one column does, or nothing says so.

    They are a date that several rows have and the time of day, or a year with its month, day, hour and so on.
    """
    if not any(mentions(one.name, _CLOCK_WORDS) or _unit(one.name) for one in columns):  # there may be thousands
        return ()
    clocks = [column for column in columns if _is_clock(column)]
    dates = [column for column in columns if column.dates and not column.numeric and column not in clocks]
    units = {unit: column for column in columns if (unit := _unit(column.name)) and _counts(unit, column)}
    of_day = [units[unit].name for unit in _UNITS[3:] if unit in units]
    if len(dates) == 1 and not any(":" in _MIDNIGHT.sub("", value) for value in dates[0].filled):
        day = dates[0]
        if len(day.distinct) == len(day.filled):
            return ()
        if len(clocks) == 1:
            return (day.name, clocks[0].name) if mentions(clocks[0].name, _CLOCK_WORDS) else ()
        return (day.name, *of_day) if not clocks and "hour" in units else ()
    if dates or "year" not in units or "month" not in units:
        return ()
    of_date = [units[unit].name for unit in _UNITS[:3] if unit in units]
    if "day" not in units:
        return () if of_day or clocks else tuple(of_date)
    if len(clocks) == 1 and mentions(clocks[0].name, _CLOCK_WORDS) and not of_day:
        return (*of_date, clocks[0].name)
    return (*of_date, *(of_day if "hour" in units else ()))


def _is_clock(column: Column) -> bool:
    """Whether its values are times of day."""
    if not column.filled:
        return False
    if column.numeric:  # 930, 1800
        named = (
            mentions(column.name, _CLOCK_WORDS)
            and _unit(column.name) is None
            and any(len(value) > 2 for value in column.filled)
        )
        return named and not column.counts_rows and all(_DIGITS.fullmatch(value) for value in column.filled)
    if mostly(_CLOCK.fullmatch(value) is not None for value in column.filled):
        return True
    # 10.11.12 is a date as well.
    dotted = all(_DOTTED.fullmatch(value) is not None for value in column.filled)
    return dotted and mentions(column.name, _CLOCK_WORDS)


def _counts(unit: str, column: Column) -> bool:
    """Whether its values are those of a unit: whole numbers up to that of the last month, hour or the like."""
    if unit == "month" and not column.numeric:
        return bool(column.filled) and all(value.isalpha() and is_date(f"{value} 2000") for value in column.filled)
    found = [finite_number(value) for value in column.filled]
    least, most = (1000, 9998) if unit == "year" else (0, _MOST[unit])
    return bool(found) and all(one is not None and least <= one <= most and one % 1 == 0 for one in found)
