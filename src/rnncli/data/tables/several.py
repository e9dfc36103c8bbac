"""Several labels in one value: a list, or names with a mark between them, as in ``action|comedy``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

from rnncli.data.formats.values import Value
from rnncli.data.tables.column import Column
from rnncli.data.tables.facts import nested

MARKS = "|;,"
_RARE_MARKS = "/+& "
YES, NO = frozenset(("1", "1.0", "true", "yes")), frozenset(("0", "0.0", "false", "no"))
_TAGS = re.compile(r"(?:<[^<>/][^<>]*>){2,}")  # <java><android>, as Stack Overflow joins them
_WHOLE = re.compile(r"0|[1-9]\d{0,5}")
_LISTS = 3  # values with a comma, before they show what it is
_ANGLES = "><"  # the mark between those


def split_at(value: str, mark: str) -> list[str]:
    """The names between the marks of a value."""
    whole = value.strip()
    if mark == _ANGLES:
        whole = whole.removeprefix("<").removesuffix(">")
    return [part.strip() for part in (whole.split() if not mark.strip() else whole.split(mark.strip()))]


def joined_by(labels: Collection[str]) -> tuple[str, str] | None:
    """The mark between several labels in one value, and such a value; None where it is not clear that there is one.

    It is where nearly all of the parts stand alone as well, or in other combinations.

    Args:
        labels: the different values.
    """
    tags = next(filter(_TAGS.fullmatch, labels), None)
    if tags is not None:
        return _ANGLES, tags
    for mark in MARKS:
        joined = [label for label in labels if mark in label]
        split = [split_at(label, mark) for label in joined]
        parts = Counter(part for label in split for part in label)
        if "" in parts or len(parts) < 2:
            continue
        alone = sum(part in labels for part in parts)
        # "Rome, Italy" and "Pisa, Italy" are places, and "Smith, John" a name: their parts have places of their own.
        places = {(part, at) for label in split for at, part in enumerate(label)}
        several = mark != "," or len(places) > len(parts)
        known = sum(part in labels or (several and count > 1) for part, count in parts.items())
        if alone == len(parts) or (len(joined) > 1 and known >= 0.75 * len(parts)):
            return mark, joined[0]
    return None


def joined_by_rare_marks(labels: Collection[str]) -> tuple[str, str] | None:
    """As :func:`joined_by`, of marks that names have too: each part stands alone as well, and several are joined."""
    known = {label.strip() for label in labels}
    for mark in _RARE_MARKS:
        joined = [label for label in known if len(split_at(label, mark)) > 1]
        if len(joined) > 1 and all(part in known for label in joined for part in split_at(label, mark)):
            return mark, min(joined)
    return None


def perhaps_joined(labels: Collection[str]) -> str | None:
    """One of the values where most have a mark that hardly any name has, but their parts do not show what it is."""
    for mark in MARKS.replace(",", ""):
        joined = [label for label in labels if len(parts := split_at(label, mark)) > 1 and all(parts)]
        if len(joined) > 1 and 2 * len(joined) >= len(labels):
            return joined[0]
    return None


def likely_mark(values: Iterable[str], known: Collection[str] = ()) -> str | None:
    """The mark between labels where values are known to hold several; None where none of them has one.

    Args:
        known: labels of a model, of which the parts should be.
    """
    distinct = set(values)
    found = joined_by(distinct)
    marks: list[str] = [mark for mark in (*MARKS, _ANGLES) if any(mark in value for value in distinct - set(known))]
    if known and marks:

        def known_parts(mark: str) -> int:
            return sum(part in known for value in distinct for part in split_at(value, mark))

        return max(marks, key=known_parts)
    if found is not None:
        return found[0]
    return next(iter(marks), None)


def numbered_lists(values: Iterable[str]) -> str | None:
    """One of several values that are whole numbers in ascending order with commas between them, as no decimals are.

    All the others are whole numbers. Numbers that all have as many decimals, as 0,50 and 12,75, are no lists.
    """
    split = [value.split(",") for value in values]
    joined = [parts for parts in split if len(parts) > 1]
    if len(joined) < _LISTS or not all(_WHOLE.fullmatch(part.strip()) for parts in split for part in parts):
        return None
    ascending = all(int(one) < int(next) for parts in joined for one, next in pairwise(parts))
    thousands = all(len(part.strip()) == 3 for parts in joined for part in parts[1:])
    digits = {len(parts[1].strip()) if len(parts) == 2 else 0 for parts in split}  # after the comma
    decimals = len(digits) == 1 and max(digits) > 1
    return ",".join(joined[0]) if ascending and not thousands and not decimals else None


def listed_names(value: Value) -> list[Value] | None:
    """The items of a list of names or whole numbers, also of one that is written as JSON or Python writes it.

    Of an object with 0 or 1 for each name, those with 1.
    """
    found: object = nested(value) if isinstance(value, str) else value
    if isinstance(found, dict) and len(found) > 1 and all(map(_is_flag, found.values())):
        return [name for name, one in found.items() if one]
    if not isinstance(found, list | tuple | set | frozenset):
        return None
    items = sorted(found, key=str) if isinstance(found, set | frozenset) else list(found)
    return items if set(map(type, items)) in (set(), {str}, {int}) else None


def _is_flag(value: object) -> bool:
    return isinstance(value, int | float) and value in (0, 1)


def indicator_columns(columns: Sequence[Column]) -> list[Column]:
    """The columns that say of each row whether it has a label, with 0 and 1 or in words: both occur in two of them."""
    hot = [column for column in columns if column.filled and {value.lower() for value in column.distinct} <= YES | NO]
    return hot if sum(len(column.distinct) == 2 for column in hot) > 1 else []


def are_indicators(lists: Iterable[list[Value]]) -> bool:
    """Whether lists are all rows of 0 and 1 of one length: which label each stands for, they do not say."""
    lists = list(lists)
    return len(set(map(len, lists))) == 1 and len(lists[0]) > 1 and all(set(one) <= {0, 1} for one in lists)
