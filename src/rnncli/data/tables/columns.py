"""Which column is the text and which the label: as named, or by a guess that says what it took.

The guess goes by name first, then by a sample of rows: a label is short and repeats, a text is long and does not. Where
two columns are equally likely it asks. Everything runs in file order, so the same file gives the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rnncli.data.formats.numbers import is_number, is_whole_number
from rnncli.data.tables.column import LABEL_LENGTH, Column, best_named, columns_of
from rnncli.data.tables.names import FILE, IDS, ends_in, label_rank, text_rank
from rnncli.errors import DataError, UsageError, closest, quoted

MAX_COLUMNS = 10_000

_CLEARLY_LONGER = 1.5  # times the average length of the next candidate, before length alone decides
_LISTED = 20  # column names in a message


class Columns(NamedTuple):
    """Where text and label stand in ``table.columns``, and one short sentence to show to the user."""

    text: int
    label: int | None
    why: str


class Unclear(DataError):
    """It cannot be told which column is meant.

    Attributes:
        role: "text" or "label"; empty where there is only one column.
        likely: the names of those that it may be.
    """

    def __init__(self, what: str, hint: str, role: str = "", likely: Sequence[str] = ()) -> None:
        super().__init__(what, hint)
        self.role, self.likely = role, tuple(likely)


def header_names(values: Sequence[str], where: str) -> tuple[str, ...]:
    """Column names from a header; an empty one is named by its place, ``column 3``.

    Args:
        where: file and line, for the message.

    Raises:
        DataError: two columns have the same name, or there are more than MAX_COLUMNS.
    """
    if len(values) > MAX_COLUMNS:
        raise DataError(f"{where}: {len(values):,} columns; rnncli reads at most {MAX_COLUMNS:,}")
    places: dict[str, int] = {}
    for place, value in enumerate(values, 1):
        name = value if value.strip() else f"column {place}"
        if name in places:
            raise DataError(
                f"{where}: columns {places[name]} and {place} have the same name, {quoted(name)}",
                "Rename one of them.",
            )
        places[name] = place
    return tuple(places)


def find_column(columns: Sequence[str], name: str, option: str) -> int:
    """The place of the column that the user named with an option, or gave its number from 1.

    Raises:
        DataError: there is none; the message lists those that there are.
    """
    if name in columns:
        return columns.index(name)
    stripped = [column.strip() for column in columns]
    if stripped.count(name.strip()) == 1:
        return stripped.index(name.strip())
    if name.isascii() and name.isdigit() and 0 < int(name[:9]) <= len(columns):
        return int(name) - 1
    raise DataError(
        f"{option}: there is no column {quoted(name)}{closest(name, columns)}", f"The columns are {_listing(columns)}."
    )


def _listing(columns: Sequence[str]) -> str:
    names = ", ".join(quoted(name) for name in columns[:_LISTED])
    return names if len(columns) <= _LISTED else f"{names} and {len(columns) - _LISTED:,} more"


def choose_columns(
    names: Sequence[str],
    sample: Sequence[Sequence[str]],
    *,
    text: str | None = None,
    label: str | None = None,
    need_label: bool = True,
) -> Columns:
    """The text column and the label column: those named, the rest guessed.

    Args:
        names: of all columns.
        sample: some rows, each with one value a column; may be empty, then only names count.
        text: the text column's exact name, if the user gave it.
        label: the label column's.
        need_label: False leaves the label out unless it is named.

    Raises:
        UsageError: ``text`` and ``label`` name the same column.
        DataError: a named column does not exist, or what was not named stays ambiguous.
    """
    if text is not None and text == label:
        raise UsageError(f"--text and --label both name the column {quoted(text)}")
    columns = columns_of(names, sample)
    chosen_text = None if text is None else columns[find_column(names, text, "--text")]
    chosen_label = None if label is None else columns[find_column(names, label, "--label")]
    if chosen_label is None and need_label:
        chosen_label = _label_by_name(columns, chosen_text)
    if chosen_text is None:
        chosen_text = _guess_text(columns, chosen_label, need_label)
    if chosen_label is None and need_label:
        chosen_label = _label_by_sample(columns, chosen_text)
    named_all = text is not None and (label is not None or not need_label)
    if chosen_label is None:
        why = f"text: {chosen_text.name}" + ("" if named_all else change_with(None))
        return Columns(chosen_text.at, None, why)
    why = f"text: {chosen_text.name}, label: {chosen_label.name}"
    return Columns(chosen_text.at, chosen_label.at, why + ("" if named_all else change_with(chosen_label.at)))


def change_with(label: int | None) -> str:
    """The end of a sentence on columns that the user did not name."""
    return "; change with --text" if label is None else "; change with --text/--label"


def _label_by_name(columns: Sequence[Column], text: Column | None) -> Column | None:
    """The column whose name says most clearly that it holds labels, if one does.

    Raises:
        DataError: two say so equally clearly, and the values of both or of neither look like labels.
    """
    best = best_named([column for column in columns if column is not text], label_rank)
    if len(best) > 1:
        repeating = [column for column in best if _repeats(column)]
        if len(repeating) != 1:
            raise _ambiguous("label", columns, best)
        return repeating[0]
    return best[0] if best else None


def _label_by_sample(columns: Sequence[Column], text: Column) -> Column:
    """The one other column, or the one whose values are short and repeat.

    Raises:
        DataError: there is none, or more than one.
    """
    others = [column for column in columns if column is not text and not _is_id(column)]
    if len(others) > 1:
        others = _prefer(others, lambda column: not column.dates)
        others = _prefer(others, _repeats)
        others = _prefer(others, lambda column: len(set(column.raw)) > 1)  # a constant says nothing
    if len(others) != 1:
        raise _ambiguous("label", columns, others)
    return others[0]


def _guess_text(columns: Sequence[Column], label: Column | None, need_label: bool) -> Column:
    """The column whose name says most clearly that it holds texts, else the one whose values look like texts.

    Raises:
        DataError: no column has clearly the longest values.
    """
    others = [column for column in columns if column is not label and column.name != FILE]  # a file's name is no text
    others = _prefer(others, lambda column: any(column.values))
    likely = best_named(others, text_rank)
    if not likely:
        likely = _prefer(others, lambda column: label_rank(column.name) is None)
        likely = _prefer(likely, lambda column: not _is_id(column))
        if any(column.is_prose for column in likely):
            likely = _prefer(likely, lambda column: not column.nested)
        likely = _prefer(likely, lambda column: not (column.raw and all(map(is_number, column.raw))))
        if need_label and label is None:  # one of these is the label: not the text, if it looks like one
            likely = _prefer(likely, lambda column: not _repeats(column))
    if len(likely) == 1:
        return likely[0]
    by_length = sorted(likely, key=_length, reverse=True)
    if not likely or _length(by_length[0]) < _CLEARLY_LONGER * max(_length(by_length[1]), 1e-9):
        raise _ambiguous("text", columns, likely)
    return by_length[0]


def _prefer(columns: list[Column], condition: Callable[[Column], bool]) -> list[Column]:
    """Those for which the condition holds, or all if it holds for none."""
    return list(filter(condition, columns)) or columns


def _length(column: Column) -> float:
    return sum(map(len, column.raw)) / len(column.raw) if column.raw else 0.0


def _repeats(column: Column) -> bool:
    """Few distinct values, all short: at most half as many as rows."""
    values = column.raw
    return 0 < 2 * len(set(values)) <= len(values) and max(map(len, values)) <= LABEL_LENGTH


def _is_id(column: Column) -> bool:
    values = column.raw
    distinct = len(values) > 1 and len(set(values)) == len(values)
    return ends_in(column.name, IDS) or (distinct and all(map(is_whole_number, values)))


def _ambiguous(what: str, columns: Sequence[Column], likely: Sequence[Column]) -> Unclear:
    if len(columns) == 1:
        return Unclear(
            f"the only column is {quoted(columns[0].name)}, but a text and a label are needed",
            "Add a column with the label of each text, or train a language model on the texts: --task lm",
        )
    found = f"; equally likely: {_listing([column.name for column in likely])}" if likely else ""
    return Unclear(
        f"cannot tell which column is the {what}: the columns are {_listing([column.name for column in columns])}",
        f"Name it with --{what} COLUMN{found}.",
        what,
        [column.name for column in likely],
    )
