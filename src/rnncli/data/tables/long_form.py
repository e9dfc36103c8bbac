"""Sequences of numbers as a table in long form: a row is a timestep, and a column says which sequence it belongs to.

    id,time,ax,ay,label
    1,0,0.12,0.98,walking
    1,1,0.31,1.04,walking
    2,0,0.01,1.00,standing

The rows of a sequence need not stand together; times are numbers, dates or times of day. A column of words is one-hot:
a number for each word that the training saw, 1 where it stands. Each sequence becomes the array that it would be in
JSON lines, so that nothing after this needs to know which of the two a file was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rnncli.data.tables.columns import find_column
from rnncli.errors import DataError, UsageError, quoted

MOST_CATEGORIES = 50  # different words of a column; a column of more holds something else
LISTED = 6  # columns named one by one


@dataclass(frozen=True)
class Category:
    """A column of words, and the words that it may hold, in the order of their numbers."""

    column: str
    words: tuple[str, ...]

    @property
    def listed(self) -> str:
        """``colour (blue, green or red)``."""
        shown = self.words[:LISTED]
        more = f" and {len(self.words) - len(shown)} more" if len(self.words) > len(shown) else ""
        return f"{self.column} ({', '.join(shown)}{more})"


@dataclass(frozen=True)
class LongForm:
    """Which columns make a sequence.

    Attributes:
        id: says which sequence a row belongs to; None for a file of one sequence.
        time: orders the rows of a sequence; None for the order of the file.
        features: the columns of a timestep.
        label: of the sequence, the same in all its rows; None where it is not read.
        categories: those of the features that hold words.
        dates: the order of day and month in dates such as 01/02/2024, where the times are such.
    """

    id: str | None
    time: str | None
    features: tuple[str, ...]
    label: str | None
    categories: tuple[Category, ...] = ()
    dates: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that is read."""
        return tuple(name for name in (self.id, self.time, *self.features, self.label) if name is not None)

    @property
    def size(self) -> int:
        """D, the numbers of a timestep."""
        return len(self.features) - len(self.categories) + sum(len(one.words) for one in self.categories)

    @property
    def numeric(self) -> tuple[str, ...]:
        """The features that are numbers."""
        words = {one.column for one in self.categories}
        return tuple(name for name in self.features if name not in words)

    @property
    def listed(self) -> str:
        """``ax, ay, az``, or ``p0 to p63 (64)``."""
        return names_listed(self.numeric)

    @property
    def inputs(self) -> str:
        """The columns of a timestep, words with what they may be: ``numbers: ax, ay; words: colour (blue, red)``."""
        parts = [f"numbers: {self.listed}"] if self.numeric else []
        return "; ".join(parts + [f"words: {', '.join(one.listed for one in self.categories)}"] * bool(self.categories))

    @property
    def order(self) -> str:
        return "the file" if self.time is None else self.time

    @property
    def sentence(self) -> str:
        listed = [self.listed] * bool(self.numeric) + [one.listed for one in self.categories]
        return f"{', '.join(listed)} of each {self.id or 'file'}, in order of {self.order}"

    def to_json(self) -> dict[str, Any]:
        """As a model's file has it; what an older one has not, is left out where it says nothing."""
        made: dict[str, Any] = {"id": self.id, "time": self.time, "features": list(self.features), "label": self.label}
        if self.categories:
            made["categories"] = [{"column": one.column, "words": list(one.words)} for one in self.categories]
        return made if self.dates is None else made | {"dates": self.dates}

    def labelled(self, columns: Sequence[str], named: str | None, file: str) -> LongForm:
        """The same columns of another table whose labels are to be read too.

        Args:
            named: the label's column, if the user said it.
            file: its name, for messages.

        Raises:
            UsageError: ``named`` is one of the other columns.
            DataError: the column is not there.
        """
        if named is not None:
            find_column(columns, named, "--label")
            if named in replace(self, label=None).names:
                raise UsageError(
                    f"--label: {quoted(named)} tells the model how to read the numbers, so it cannot hold the labels"
                )
        elif self.label not in columns:
            where = "with labels" if self.label is None else f"{quoted(self.label)}, which held the labels in training"
            raise DataError(
                f"{file}: there is no column {where}", "Name the column that holds the labels with --label COLUMN."
            )
        return replace(self, label=named or self.label)


def names_listed(names: Sequence[str]) -> str:
    """``ax, ay, az``, or ``p0 to p63 (64)``."""
    return ", ".join(names) if len(names) <= LISTED else f"{names[0]} to {names[-1]} ({len(names):,})"
