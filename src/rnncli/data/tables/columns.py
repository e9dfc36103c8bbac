"""Which column is the text and which the label: names as given, else a guess that says what it took.

The guess goes by name first, then by a sample of rows: a label is short and repeats, a text is long and does not. Where
two columns are equally likely it asks. Everything runs in file order, so the same file gives the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rnncli.data.formats.numbers import is_number, is_whole_number
from rnncli.errors import DataError, UsageError, closest, quoted

MAX_COLUMNS = 10_000

# Best first: a name in an earlier group beats one in a later group; within a group they are equal.
_TEXT_NAMES = (
    ("text",),
    (
        *("review", "sentence", "comment", "message", "content", "body", "document", "tweet", "question", "utterance"),
        *("sequence", "tokens", "words", "source", "input", "prompt", "description", "abstract", "article"),
    ),
    ("title", "headline", "subject", "name", "word", "phrase"),
)
_LABEL_NAMES = (
    ("label", "labels"),
    ("target", "class", "y", "output"),
    (
        *("sentiment", "category", "rating", "stars", "tag", "tags", "intent", "topic", "language", "lang"),
        *("emotion", "genre", "polarity", "score"),
    ),
)
# Those that also count as the last word of a longer name: tweet_text, airline_sentiment, but not class_name.
_TEXT_ENDINGS = frozenset(("text", "review", "sentence", "comment", "message", "content", "body", "tweet", "question"))
_LABEL_ENDINGS = frozenset(("label", "class", "target", "sentiment", "category", "rating", "stars", "intent", "topic"))
_ID_NAMES = frozenset(("id", "index", "idx", "uuid", "guid"))

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")

_LABEL_LENGTH = 64  # characters; a longer value is no label that anyone would want to see in a table
_CLEARLY_LONGER = 1.5  # times the average length of the next candidate, before length alone decides
_LISTED = 20  # column names in a message


class Columns(NamedTuple):
    """Where text and label stand in ``table.columns``, and one short sentence to show to the user."""

    text: int
    label: int | None
    why: str


def header_names(values: Sequence[str], where: str) -> tuple[str, ...]:
    """Column names from a header; an empty one is named by its place, ``column 3``.

    Args:
        where: file and line, for the message.

    Raises:
        DataError: a name stands twice, or there are more than MAX_COLUMNS.
    """
    if len(values) > MAX_COLUMNS:
        raise DataError(f"{where}: {len(values):,} columns; rnncli reads at most {MAX_COLUMNS:,}")
    places: dict[str, int] = {}
    for place, value in enumerate(values, 1):
        name = value if value.strip() else f"column {place}"
        if name in places:
            raise DataError(
                f"{where}: the column name {quoted(name)} stands twice, at columns {places[name]} and {place}",
                "Rename one of them.",
            )
        places[name] = place
    return tuple(places)


def choose_columns(
    columns: Sequence[str],
    sample: Sequence[Sequence[str]],
    *,
    text: str | None = None,
    label: str | None = None,
    need_label: bool = True,
) -> Columns:
    """The text column and the label column: those named, the rest guessed.

    Args:
        sample: some rows, each with one value a column; may be empty, then only names count.
        text: the text column's exact name, if the user gave it.
        label: the label column's.
        need_label: False leaves the label out unless it is named.

    Raises:
        UsageError: ``text`` and ``label`` name the same column.
        DataError: a named column does not exist, or what was not named stays ambiguous.
    """
    if text is not None and text == label:
        raise UsageError(f"{quoted(text)} cannot be both --text and --label")
    text_at = None if text is None else find_column(columns, text, "--text")
    label_at = None if label is None else find_column(columns, label, "--label")
    guessed = text_at is None or (need_label and label_at is None)
    guess = _Guess(columns, sample)
    if label_at is None and need_label:
        label_at = guess.label_by_name(text_at)
    if text_at is None:
        text_at = guess.text(label_at, wants_label=need_label)
    if label_at is None and need_label:
        label_at = guess.label_by_sample(text_at)
    return Columns(text_at, label_at, _why(columns, text_at, label_at, guessed))


def find_column(columns: Sequence[str], name: str, option: str) -> int:
    """Where the column stands that the user named with an option.

    Raises:
        DataError: nowhere; with the names there are.
    """
    for at, column in enumerate(columns):
        if column == name:
            return at
    raise DataError(
        f"{option}: there is no column {quoted(name)}{closest(name, columns)}", f"The columns are {_listing(columns)}."
    )


def _listing(columns: Sequence[str]) -> str:
    names = ", ".join(quoted(name) for name in columns[:_LISTED])
    return names if len(columns) <= _LISTED else f"{names} and {len(columns) - _LISTED:,} more"


def _why(columns: Sequence[str], text: int, label: int | None, guessed: bool) -> str:
    said = f"text: {columns[text]}"
    if label is not None:
        said += f", label: {columns[label]}"
    if not guessed:
        return said
    return f"{said}; change with --text" + ("" if label is None else "/--label")


def text_rank(name: str) -> int | None:
    """How much a column's name says that it is a text: 0 says most, None nothing."""
    return _rank(name, _TEXT_NAMES, _TEXT_ENDINGS)


def label_rank(name: str) -> int | None:
    """How much a column's name says that it is a label: 0 says most, None nothing."""
    return _rank(name, _LABEL_NAMES, _LABEL_ENDINGS)


def names_rows(name: str) -> bool:
    """Whether a column of this name tells rows apart and says nothing of them."""
    return name.strip().lower() in _ID_NAMES


def words_of(name: str) -> list[str]:
    """``seriesID`` and ``series_id`` are series, id."""
    return [word.lower() for word in _WORD.findall(name)]


def _rank(name: str, groups: Sequence[Sequence[str]], endings: frozenset[str]) -> int | None:
    """0 for the most telling names; None for one that says nothing."""
    words = words_of(name)
    for rank, group in enumerate(groups):
        if name.strip().lower() in group:
            return rank
    return len(groups) if words and words[-1] in endings else None


class _Guess:
    """What names and sample say about each column."""

    def __init__(self, columns: Sequence[str], sample: Sequence[Sequence[str]]) -> None:
        self.columns = columns
        self.places = range(len(columns))
        self.values = [[row[at] for row in sample] for at in self.places]
        self.text_ranks = [text_rank(name) for name in columns]
        self.label_ranks = [label_rank(name) for name in columns]

    def label_by_name(self, text: int | None) -> int | None:
        """The column with the most telling name for a label, or None.

        Raises:
            DataError: two are equally telling, and the sample makes both or neither a label.
        """
        best = self._best(self.label_ranks, [at for at in self.places if at != text])
        if len(best) > 1:
            repeating = [at for at in best if self._repeats(at)]
            if len(repeating) != 1:
                raise self._ambiguous("label", best)
            return repeating[0]
        return best[0] if best else None

    def label_by_sample(self, text: int) -> int:
        """The one other column, or the one whose values are short and repeat.

        Raises:
            DataError: there is none, or more than one.
        """
        others = [at for at in self.places if at != text and not self._is_id(at)]
        if len(others) > 1:
            others = [at for at in others if self._repeats(at)] or others
            others = [at for at in others if len(set(self.values[at])) > 1] or others  # a constant says nothing
        if len(others) != 1:
            raise self._ambiguous("label", others)
        return others[0]

    def text(self, label: int | None, *, wants_label: bool) -> int:
        """The column with the most telling name for a text, else the one that reads like one.

        Raises:
            DataError: none is clearly the longest.
        """
        places = [at for at in self.places if at != label]
        named = self._best(self.text_ranks, places)
        if not named:
            places = [at for at in places if self.label_ranks[at] is None] or places
            places = [at for at in places if not self._is_id(at)] or places
            places = [at for at in places if not self._is_numeric(at)] or places
            if wants_label and label is None:  # one of these is the label: not the text, if it looks like one
                places = [at for at in places if not self._repeats(at)] or places
        return self._longest(named or places)

    def _longest(self, places: Sequence[int]) -> int:
        """The column of clearly the longest values."""
        if len(places) == 1:
            return places[0]
        by_length = sorted(places, key=self._length, reverse=True)
        if not places or self._length(by_length[0]) < _CLEARLY_LONGER * max(self._length(by_length[1]), 1e-9):
            raise self._ambiguous("text", places)
        return by_length[0]

    def _best(self, ranks: Sequence[int | None], places: Sequence[int]) -> list[int]:
        """Those of ``places`` that share the best rank."""
        found = [(rank, at) for at in places if (rank := ranks[at]) is not None]
        best = min(found, default=(0, 0))[0]
        return [at for rank, at in found if rank == best]

    def _length(self, at: int) -> float:
        values = self.values[at]
        return sum(map(len, values)) / len(values) if values else 0.0

    def _repeats(self, at: int) -> bool:
        """Few distinct values, all short: at most half as many as rows."""
        values = self.values[at]
        return 0 < 2 * len(set(values)) <= len(values) and max(map(len, values)) <= _LABEL_LENGTH

    def _is_id(self, at: int) -> bool:
        words = words_of(self.columns[at])
        if words and words[-1] in _ID_NAMES:
            return True
        values = self.values[at]
        return len(values) > 1 and len(set(values)) == len(values) and all(map(is_whole_number, values))

    def _is_numeric(self, at: int) -> bool:
        return bool(self.values[at]) and all(map(is_number, self.values[at]))

    def _ambiguous(self, what: str, places: Sequence[int]) -> DataError:
        if len(self.columns) == 1:
            return DataError(
                f"the only column is {quoted(self.columns[0])}, but a text and a label are needed",
                "Add a column with the label of each text; or learn how such texts go on: --task lm",
            )
        likely = f"; as likely as each other: {_listing([self.columns[at] for at in places])}" if places else ""
        return DataError(
            f"cannot tell which column is the {what}: the columns are {_listing(self.columns)}",
            f"Say --{what} NAME{likely}.",
        )
