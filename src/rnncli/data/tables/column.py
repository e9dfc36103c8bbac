"""A column of a table: its name, and what a sample of its values has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Literal

from rnncli.data.formats.numbers import is_number
from rnncli.data.tables.facts import (
    is_amount,
    is_date,
    is_fraction,
    is_missing,
    is_nested,
    is_plain_number,
    mostly,
    numbers_in,
)
from rnncli.data.tables.names import IDS, Rank, ends_in

# What the values of a column are.
Kind = Literal["text", "category", "number", "date", "list", "constant", "nearly empty"]
LABEL_LENGTH = 64  # characters; a longer value is not a label that anyone would want to see in a table


def _mostly(fits: Callable[[str], object]) -> cached_property[bool]:
    """Whether nearly all values that are not missing are of a kind."""

    def holds(column: Any) -> bool:
        return mostly(bool(fits(value)) for value in column.filled)

    return cached_property(holds)


class Column:
    """One column.

    Attributes:
        name: its name.
        at: its place in the table, from 0.
        raw: its values in a sample of the rows, as they are shown.
    """

    def __init__(self, name: str, at: int, raw: Sequence[str]) -> None:
        self.name, self.at, self.raw = name, at, raw

    numeric = _mostly(is_plain_number)
    dates = _mostly(is_date)
    amounts = _mostly(is_amount)  # numbers with a currency, a percent sign or a unit
    lists_of_numbers = _mostly(numbers_in)
    nested = _mostly(lambda value: value[:1] in "[{" and is_nested(value))  # lists or objects

    @cached_property
    def holds_numbers(self) -> bool:
        """Whether more than half of the values are numbers, missing ones left aside; also where all are missing."""
        return not self.filled or 2 * sum(map(is_number, self.filled)) > len(self.filled)

    @cached_property
    def values(self) -> list[str]:
        """The values without white space around them."""
        return [value.strip() for value in self.raw]

    @cached_property
    def filled(self) -> list[str]:
        """The values that are not missing."""
        return [value for value in self.values if not is_missing(value)]

    @cached_property
    def distinct(self) -> frozenset[str]:
        return frozenset(self.filled)

    @cached_property
    def kind(self) -> Kind:
        """What its values are, as far as the sample shows it."""
        if 10 * len(self.filled) <= len(self.values):
            return "nearly empty"
        if self.nested or self.lists_of_numbers:
            return "list"  # of the same values too: a sentence may have the tags of another one
        if len(set(self.values) - {""}) == 1 and len(self.filled) > 1:  # "-" is missing, or a label beside "+"
            return "constant"
        if self.numeric:
            return "number"
        if self.dates:
            return "date"
        short = max(map(len, self.distinct)) <= LABEL_LENGTH and self.words < 3
        return "category" if short and self.repeats else "text"

    @property
    def example(self) -> str:
        return self.filled[0] if self.filled else ""

    @cached_property
    def fractions(self) -> bool:
        """Whether some values have something behind their points."""
        return any(map(is_fraction, self.filled))

    @cached_property
    def words(self) -> float:
        """How many words a value has on average."""
        return sum(len(value.split()) for value in self.filled) / max(len(self.filled), 1)

    @property
    def is_prose(self) -> bool:
        return self.words >= 3 and not (self.dates or self.numeric or self.lists_of_numbers or self.nested)

    @cached_property
    def repeats(self) -> bool:
        """Whether few different values occur again and again."""
        return 0 < 3 * len(self.distinct) <= len(self.filled)

    @cached_property
    def counts_rows(self) -> bool:
        """Whether values are whole numbers, each one more than the one before."""
        if len(self.filled) < 2 or not all(len(v) < 16 and v.isascii() and v.isdigit() for v in self.filled):
            return False
        return all(int(value) == number for number, value in enumerate(self.filled, int(self.filled[0])))

    @property
    def nameless(self) -> bool:
        """Whether the table gives it no name, so that it is called by its place."""
        return self.name == f"column {self.at + 1}"

    @property
    def is_id(self) -> bool:
        """Whether it identifies rows and says nothing about them."""
        return ends_in(self.name, IDS) or self.counts_rows or self.nameless


def columns_of(names: Sequence[str], rows: Iterable[Sequence[str]]) -> list[Column]:
    """The columns of a table, with the values of some of its rows."""
    rows = list(rows)
    return [Column(name, at, [row[at] for row in rows]) for at, name in enumerate(names)]


def unnamed(rows: Sequence[Sequence[str]]) -> list[Column]:
    """The columns of a table without a header; it has at least one row."""
    return columns_of([""] * len(rows[0]), rows)


def best_named(columns: Iterable[Column], rank: Rank) -> list[Column]:
    """The columns whose names say most clearly what they hold; none if no name says anything."""
    ranked = [(found, column) for column in columns if (found := rank(column.name)) is not None]
    best = min((found for found, _ in ranked), default=None)
    return [column for found, column in ranked if found == best]
