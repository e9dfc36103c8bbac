"""Tables in which a text stands beside numbers that it describes: numeric columns, or a column of .npy files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rnncli.data.formats.numbers import is_number
from rnncli.data.formats.registry import is_array
from rnncli.data.formats.values import Value, as_text, number
from rnncli.data.tables.columns import label_rank, names_rows, text_rank
from rnncli.errors import quoted


class Described(NamedTuple):
    """Where numbers stand in ``table.columns``, and the text that describes them."""

    features: list[int]
    text: int


@dataclass(frozen=True)
class NumericColumns:
    """An input is the numbers of these columns of one row."""

    names: tuple[str, ...]


def described_numbers(
    columns: Sequence[str], sample: Sequence[Sequence[str]], text: str | None = None, label: str | None = None
) -> Described | None:
    """The numeric columns and the text beside them, of a table that has no other columns; None if it is no such table.

    Two numeric columns are the least: one beside a text is a label more likely than a description of it.

    Args:
        text: named by the user as a text to be read: then there are no numbers to be read.
        label: the column of the describing text, if the user gave it.
    """
    if text is not None or not sample:
        return None
    numeric = {at for at in range(len(columns)) if all(is_number(row[at]) for row in sample)}
    if label is None and any(_is_label(columns, sample, at) for at in numeric):
        return None
    others = [at for at in range(len(columns)) if at not in numeric]
    if len(others) != 1 or (label is not None and columns[others[0]] != label):
        return None
    features = [at for at in sorted(numeric) if not names_rows(columns[at])]
    if label is None and text_rank(columns[others[0]]) is None:
        return None
    return Described(features, others[0]) if len(features) > 1 else None


def _is_label(columns: Sequence[str], sample: Sequence[Sequence[str]], at: int) -> bool:
    """Whether a column of numbers is a label by its name, and has few values: 0 and 1 beside a text and its length."""
    if label_rank(columns[at]) is None or (columns[at].lower() == "y" and "x" in map(str.lower, columns)):
        return False
    return 2 * len({row[at] for row in sample}) <= len(sample)


def numbers_at(values: Sequence[Value], columns: Sequence[str], places: Sequence[int]) -> list[float]:
    """The numbers of a record at these places.

    Raises:
        ValueError: one of them is missing or not finite; the message names its column.
    """
    numbers: list[float] = []
    for at in places:
        found = number(values[at])
        if found is None:
            text = as_text(values[at])
            what = f"is no finite number: {quoted(text)}" if text.strip() else "is missing"
            raise ValueError(f"the value of {quoted(columns[at])} {what}")
        numbers.append(found + 0.0)  # -0 is 0
    return numbers


@dataclass(frozen=True)
class ArrayColumn:
    """An input is the numbers of the .npy file that this column names."""

    name: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)


class Places(NamedTuple):
    """Where the names of the arrays stand in ``table.columns``, and the text that describes them."""

    array: int
    text: int


def described_arrays(
    columns: Sequence[str], sample: Sequence[Sequence[str]], label: str | None = None, array: str | None = None
) -> Places | None:
    """The column of .npy files and the text beside it; None if the table has no such columns.

    Args:
        label: the column of the describing text, if the user gave it.
        array: the column of the files, if it is known.
    """
    if array is None:
        found = [at for at in range(len(columns)) if 2 * sum(is_array(row[at]) for row in sample) > len(sample)]
    else:
        found = [at for at, column in enumerate(columns) if column == array]
    if len(found) != 1:
        return None
    others = [at for at in range(len(columns)) if at != found[0]]
    if label is not None:
        others = [at for at in others if columns[at] == label]
    else:
        others = [at for at in others if not names_rows(columns[at])]
        ranks = [(rank, at) for at in others if (rank := text_rank(columns[at])) is not None]
        if ranks:
            others = [at for rank, at in ranks if rank == min(ranks)[0]]
    return Places(found[0], others[0]) if len(others) == 1 else None
