"""What a value looks like: a number, a date, an amount, a list, a tag."""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
from collections.abc import Iterable, Sequence
from functools import cache

from rnncli.data.formats.missing import is_missing as is_missing
from rnncli.data.formats.numbers import is_number
from rnncli.data.formats.values import bare, words

MOSTLY = 0.9  # of a column's values, to say that it holds what they are
_LONGEST_NUMBER = 64  # characters; what is longer is written for no reader
_LONGEST_LIST = 100_000  # characters of a value that may be a list
_LONGEST_LITERAL = 20_000  # of one that is to be read as Python
_ENOUGH = 10  # values, before they are labels or tags for certain,
_OF_EACH = 5  # and as many of each on average
_LOOKED_AT = 1_000  # characters of a value, to see whether it is a row of numbers

_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?\s?(?:[AaPp][Mm]|Z|[+-]\d{2}:?\d{2})?"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DAY = (
    r"\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?",  # 2026-05-01, 2026-05
    r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}",  # 1.5.2026, 05/01/26
    rf"\d{{1,2}}[ -]{_MONTH}[ -]\d{{2,4}}",  # 1 May 2026
    rf"{_MONTH} \d{{1,2}},? \d{{2,4}}",  # May 1, 2026
    rf"{_MONTH}[ -]\d{{4}}|{_MONTH}-\d{{2}}",  # May 2026, May-26
    r"(?:0?[1-9]|1[0-2])/[12]\d{3}",  # 05/2026
    r"\d{4}[ -]?q[1-4]|q[1-4][ /-]?\d{4}",  # 2026 Q1
)
_SEPARATORS = re.compile(r"[\s,;|]+")
_BIO = re.compile(r"O|[BIESLU]-\S+")
_CURRENCY = r"(?:[$€£¥₹]|usd|eur|gbp|chf)"
_AMOUNT = re.compile(
    rf"[+-]?{_CURRENCY} ?[+-]?\d[\d.,' ]*[kmb]?|[+-]?\d[\d.,' ]*(?:{_CURRENCY}|[%‰])|[+-]?\d+[.,]\d+ ?[a-zµ°]{{1,5}}",
    re.IGNORECASE,
)  # $3.50, 4,50 €, 12%, 1.5 kg
# A text as Python quotes it, also one that is never closed, so that no quote is looked at twice.
_QUOTED = re.compile(r"""'[^'\\]*(?:\\.[^'\\]*)*(?:'|\\?\Z)|"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)""", re.DOTALL)
_WITH_COMMA = re.compile(r"[+-]?\d{1,20}(?:\.\d{3})*,\d{1,20}|[+-]?\d{1,3}(?:,\d{3})+(?:\.\d{1,20})?")  # 0,75 or 1,250


@cache
def _date() -> re.Pattern[str]:
    """Compiling it takes longer than the test of an engine, and a text is predicted without it."""
    return re.compile(rf"(?:[a-z]{{2,9}},? )?(?:{'|'.join(_DAY)})(?:[T ,]{{1,2}}{_TIME})?|{_TIME}", re.IGNORECASE)


def is_date(value: str) -> bool:
    """Whether a value is a date, a time of day, or both."""
    value = value.strip()
    return len(value) <= 50 and _date().fullmatch(value) is not None


def is_plain_number(value: str) -> bool:
    """Whether a value is a number of a length that somebody reads."""
    return len(value) <= _LONGEST_NUMBER and is_number(value)


def is_fraction(value: str) -> bool:
    """Whether a value is a number with something behind its point: 0.7, but not 1.0."""
    if not is_plain_number(value):
        return False
    number = float(value)
    return math.isfinite(number) and number % 1 != 0


def is_amount(value: str) -> bool:
    """Whether a value is a number with a currency, a percent sign or, with decimals, a unit: ``$3``, ``1.5 kg``."""
    return len(value) <= _LONGEST_NUMBER and _AMOUNT.fullmatch(value.strip()) is not None


def has_comma(value: str) -> bool:
    """Whether a value is a number with a comma before its decimals, or between its thousands: ``0,75``, ``1,250``."""
    return len(value) <= _LONGEST_NUMBER and _WITH_COMMA.fullmatch(value.strip()) is not None


def is_bio(value: str) -> bool:
    """Whether a value is a tag that says where a name begins and goes on: ``B-PER``, ``I-PER``, ``O``."""
    return _BIO.fullmatch(value.strip()) is not None


def is_nested(value: str) -> bool:
    """Whether a value is a list or an object, as JSON or Python writes it: ``["a"]``, ``['a', 'b']``, ``{"a": 1}``."""
    return nested(value) is not None


def nested(value: str) -> object:
    """The list, tuple, set or object that a value is, as JSON or Python writes it; None if it is something else."""
    value = value.strip()
    if value[:2] in ("['", '["') and (texts := words(value)) is not None:
        return list(texts)  # Python would join what NumPy writes one beside the other
    if value[:1] not in ("[", "{", "(") or value[-1:] not in ("]", "}", ")") or len(value) > _LONGEST_LIST:
        return None
    try:
        found: object = json.loads(value)
        return found
    except (ValueError, RecursionError):
        # No name of Python is a value; in one that is not ASCII it sorts the marks, in the square of their number.
        if len(value) > _LONGEST_LITERAL or not _QUOTED.sub("", value).isascii():
            return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a text like "[1if x]" is none of ours to warn of
            found = ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return found if isinstance(found, list | tuple | set | dict) else None


def numbers_in(value: str) -> list[str]:
    """The numbers that a value is made of, ``0.1 0.2 -0.45`` or ``[1, 2, 3]``; none where it is something else."""
    cut = len(value) > _LOOKED_AT
    parts = _SEPARATORS.split(bare(value[:_LOOKED_AT]).strip("[]()").strip())
    if cut:
        parts.pop()  # it may have been cut in two
    if not all(is_plain_number(part) or part.lower() in ("nan", "null") for part in parts):
        return []
    return parts if len(parts) > 2 or (len(parts) == 2 and any("." in part for part in parts)) else []


def mostly(found: Iterable[bool]) -> bool:
    """Whether nearly all are true, of at least one."""
    found = list(found)
    return bool(found) and sum(found) >= MOSTLY * len(found)


def are_labels(values: Sequence[str]) -> bool:
    """Whether values are labels: few different ones, of a word or two."""
    distinct = set(values)
    short = max((len(value.split()) for value in distinct), default=0) <= 2
    return len(values) >= _ENOUGH and short and 1 < len(distinct) <= len(values) / _OF_EACH


def are_tags(texts: Sequence[str], values: Sequence[str]) -> bool:
    """Whether values hold a tag for each word of texts: as many in each, of fewer different ones."""
    words, tags = ([value.split() for value in column] for column in (texts, values))
    if list(map(len, words)) != list(map(len, tags)) or len(tags) < _ENOUGH:
        return False
    distinct, flat = ({word for row in rows for word in row} for rows in (words, tags))
    count = sum(map(len, tags))
    return count > len(tags) and len(flat) < len(distinct) and _OF_EACH * len(flat) <= count
