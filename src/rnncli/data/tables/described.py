"""Tables in which a text stands beside numbers that it describes: numeric columns, or a column of .npy files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rnncli.data.formats.numbers import is_number
from rnncli.data.formats.registry import is_array
from rnncli.data.formats.values import Value, as_text, number
from rnncli.data.tables.column import Column, best_named, columns_of
from rnncli.data.tables.names import is_id_name, label_rank, text_rank
from rnncli.errors import quoted


@dataclass(frozen=True)
class NumericColumns:
    """An input is the numbers of these columns of one row."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class ArrayColumn:
    """An input is the numbers of the .npy file that this column names."""

    name: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)


class Described(NamedTuple):
    """Where numbers stand in ``table.columns``, and the text that describes them."""

    features: list[int]
    text: int


class Places(NamedTuple):
    """Where the names of the arrays stand in ``table.columns``, and the text that describes them."""

    array: int
    text: int


def described_numbers(
    names: Sequence[str], sample: Sequence[Sequence[str]], label: str | None = None
) -> Described | None:
    """The numeric columns and the text beside them, of a table that has no other columns; None if it is no such table.

    Two numeric columns are the least: one beside a text is a label more likely than a description of it.

    Args:
        names: of all columns.
        sample: some rows.
        label: the column of the describing text, if the user gave it.
    """
    if not sample:
        return None
    columns = columns_of(names, sample)
    numeric = [column for column in columns if all(map(is_number, column.raw))]
    others = [column for column in columns if not all(map(is_number, column.raw))]
    if len(others) != 1 or (label is not None and others[0].name != label):
        return None
    if label is None and (text_rank(others[0].name) is None or any(_is_label(column, names) for column in numeric)):
        return None
    features = [column.at for column in numeric if not is_id_name(column.name)]
    return Described(features, others[0].at) if len(features) > 1 else None


def _is_label(column: Column, names: Sequence[str]) -> bool:
    """Whether a column of numbers is a label by its name, and has few values: 0 and 1 beside a text and its length."""
    if label_rank(column.name) is None or (column.name.lower() == "y" and "x" in map(str.lower, names)):
        return False
    return 2 * len(set(column.raw)) <= len(column.raw)


def described_arrays(
    names: Sequence[str], sample: Sequence[Sequence[str]], label: str | None = None, array: str | None = None
) -> Places | None:
    """The column of .npy files and the text beside it; None if the table has no such columns.

    Args:
        names: of all columns.
        sample: some rows.
        label: the column of the describing text, if the user gave it.
        array: the column of the files, if it is known.
    """
    columns = columns_of(names, sample)
    if array is None:
        arrays = [column for column in columns if 2 * sum(map(is_array, column.raw)) > len(sample)]
    else:
        arrays = [column for column in columns if column.name == array]
    if len(arrays) != 1:
        return None
    others = [column for column in columns if column is not arrays[0]]
    if label is not None:
        others = [column for column in others if column.name == label]
    else:
        others = [column for column in others if not is_id_name(column.name)]
        others = best_named(others, text_rank) or others
    return Places(arrays[0].at, others[0].at) if len(others) == 1 else None


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
