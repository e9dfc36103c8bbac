"""Sequences of numbers as a table in wide form: a row is a sequence, and each timestep has a column.

    machine,t0,t1,t2,state
    M1,17.8,17.9,15.4,worn
    M2,16.5,17.1,17.9,normal

The columns of timesteps are recognized by their names, which count: ``t0``, ``t1``, …; ``0``, ``1``, …; ``V1``, ``V2``,
…; ``2024-01``, ``2024-02``, …. A file without a header, as those of the UCR archive are, has its label in the first
column, or in the last one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np

from rnncli.data.formats.missing import number_or_nan
from rnncli.data.tables.column import Column, best_named
from rnncli.data.tables.names import label_rank, mentions, text_rank, words_of
from rnncli.data.tables.times import Times

FEWEST_NAMED, FEWEST = 3, 8  # timesteps, where names count them, and where nothing has a name
_UNLIKE = 100  # times the spread of one column is that of another: they measure different things
_ENOUGH_ROWS = 5  # to say something about spreads
_INDEXED = re.compile(r"(.*?)[\s_.\-\[(]*(\d{1,9})[\])]?")
_LONGEST_NAME = 100  # characters of a name that may count; the pattern takes time with the square of them
# Stems of numbered columns that are as likely separate features as timesteps.
_FEATURES = frozenset(
    ("feature", "features", "feat", "f", "var", "attr", "pc", "pca", "emb", "embedding", "dim", "component", "topic")
)
_QUESTIONS = frozenset(("q", "question", "item"))

Place = Literal["first", "last"]


@dataclass(frozen=True)
class WideForm:
    """Which columns make a sequence.

    Attributes:
        label: of the sequence; None where it is not read.
        others: columns that are no timesteps.
        features: the timesteps, where the user named them; None for those that the names of the columns count.
        place: of the label in a file without a header; None where columns have names, or there is no label.
        width: columns of the table.
    """

    label: str | None
    others: tuple[str, ...] = ()
    features: tuple[str, ...] | None = None
    place: Place | None = None
    width: int = 0

    @property
    def sentence(self) -> str:
        """How the columns are read, in a description of a model."""
        if self.features is not None:
            return f"{self.features[0]} to {self.features[-1]} of each row"
        beside = [name for name in (self.label, *self.others) if name is not None]
        return "all columns of each row" + (f" but {', '.join(beside)}" if beside else "")

    def to_json(self) -> dict[str, Any]:
        """As a model's file has it."""
        made: dict[str, Any] = {"label": self.label, "others": list(self.others), "width": self.width}
        if self.features is not None:
            made["features"] = list(self.features)
        return made if self.place is None else made | {"place": self.place}


class Steps(NamedTuple):
    """The columns of timesteps: D for each of T, in the order of their names."""

    columns: tuple[tuple[Column, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for step in self.columns for column in step)

    @property
    def listed(self) -> str:
        """``t0 to t23``, or ``x0 to x9, y0 to y9``."""
        first, last = self.columns[0], self.columns[-1]
        return ", ".join(f"{one.name} to {other.name}" for one, other in zip(first, last, strict=True))


def counted_steps(columns: Sequence[Column]) -> Steps | None:
    """The columns whose names count timesteps; None if too few do, or several kinds that do not go together."""
    columns = [column for column in columns if column.holds_numbers]
    dated = _dated(columns)
    if dated is not None:
        return Steps(tuple((column,) for column in dated))
    stems: dict[str, dict[int, Column]] = {}
    for column in columns:
        found = _indexed(column.name)
        if found is not None:
            stems.setdefault(found[1].lower(), {})[int(found[2])] = column
    series = {stem: by for stem, by in stems.items() if len(by) >= FEWEST_NAMED and _count(sorted(by))}
    places = {tuple(sorted(by)) for by in series.values()}
    if not series or len(places) > 1:
        return None
    if len(series) > 1 and len(next(iter(places))) < FEWEST:
        return None
    return Steps(tuple(tuple(by[at] for by in series.values()) for at in next(iter(places))))


def looks_like_features(steps: Steps) -> bool:
    """Whether the names are those of separate features, ``f1``, ``f2``, more likely than those of timesteps."""
    stems = {"".join(words_of(_stem(column.name))) for column in steps.columns[0]}
    return not stems.isdisjoint(_FEATURES | _QUESTIONS)


def _indexed(name: str) -> re.Match[str] | None:
    """A name that ends in a number, in its stem and the number."""
    name = name.strip()
    return _INDEXED.fullmatch(name) if len(name) <= _LONGEST_NAME else None


def _stem(name: str) -> str:
    found = _indexed(name)
    return found[1] if found is not None else name


def _count(places: Sequence[int]) -> bool:
    """Whether numbers go up by equal steps."""
    return len({after - before for before, after in pairwise(places)}) == 1


def _dated(columns: Sequence[Column]) -> list[Column] | None:
    """The columns that are named by dates or times of day, in their order."""
    times = Times()
    found: list[tuple[float, Column]] = []
    for column in columns:
        try:
            moment = None if column.name.strip().isdigit() else times.read(column.name)
        except ValueError:
            continue
        if moment is not None and not isinstance(moment, str) and not _is_plain(column.name):
            found.append((float(moment), column))
    if len(found) < FEWEST_NAMED or len({moment for moment, _ in found}) < len(found):
        return None
    return [column for _, column in sorted(found, key=lambda pair: pair[0])]


def _is_plain(name: str) -> bool:
    return number_or_nan(name) is not None


class Beside(NamedTuple):
    """The columns beside the timesteps.

    Attributes:
        label: that of the labels; None if there is none.
        labels: those that may hold the labels, where several do.
        ids: of the rows.
        unclear: numbers or texts that are neither.
    """

    label: Column | None
    labels: tuple[Column, ...]
    ids: tuple[Column, ...]
    unclear: tuple[Column, ...]


def beside_steps(others: Sequence[Column], named: str | None) -> Beside:
    """What the columns hold that are no timesteps.

    Args:
        named: the label's column, if the user said it.
    """
    label = next((column for column in others if column.name == named), None)
    if label is None and named is None:
        best = best_named(others, label_rank)
        words = [column for column in others if column.repeats and not column.numeric and not column.dates]
        words = [column for column in words if len(column.distinct) > 1 and not column.is_id]
        candidates = best or words
        if len(candidates) > 1:
            rest = [column for column in others if column not in candidates and not _says_nothing(column)]
            return Beside(None, tuple(candidates), (), tuple(rest))
        label = candidates[0] if candidates else None
    rest = [column for column in others if column is not label]
    ids = [column for column in rest if _says_nothing(column)]
    return Beside(label, (), tuple(ids), tuple(column for column in rest if column not in ids))


def _says_nothing(column: Column) -> bool:
    """Whether a column names its row, or is the same in all of them."""
    different = len(column.distinct) == len(column.filled) > 1
    words = not (column.numeric or column.is_prose) and text_rank(column.name) is None
    constant = len(column.raw) > 1 and len(set(column.values)) == 1
    return (
        not column.filled
        or constant
        or column.is_id
        or mentions(column.name, frozenset(("name",)))
        or (different and words)
    )


def nameless_label(columns: Sequence[Column]) -> list[Place]:
    """Where the label of a table without a header may be."""
    places: tuple[tuple[Place, Column], ...] = (("first", columns[0]), ("last", columns[-1]))
    return [place for place, column in places if _is_label(column)]


def _is_label(column: Column) -> bool:
    """Whether its values are whole numbers or words, each again and again."""
    if len(column.filled) < len(column.raw) or len(column.filled) < 2 or column.dates or column.fractions:
        return False
    return 2 * len(column.distinct) <= len(column.filled) and (column.numeric or column.words < 3)


def measure_different_things(columns: Sequence[Column]) -> bool:
    """Whether columns of numbers are of so different spread that they are hardly one series."""
    rows = [[number_or_nan(value) for value in column.raw] for column in columns]
    table = np.array([[np.nan if x is None else x for x in row] for row in rows]).T
    if len(table) < _ENOUGH_ROWS:
        return False
    filled = table[:, ~np.isnan(table).any(axis=0)]
    spreads = filled.std(axis=0)
    spreads = spreads[spreads > 0]
    return len(spreads) > 1 and bool(spreads.max() > _UNLIKE * spreads.min())


def plain_label(value: str) -> str:
    """A label; ``1.0000000e+00`` is ``1``, as older files of the UCR archive write theirs."""
    value = value.strip()
    number = number_or_nan(value)
    if number is None or np.isnan(number) or number % 1 or abs(number) >= 2**53:
        return value
    return value if value.lstrip("+-").isdigit() else str(int(number))
