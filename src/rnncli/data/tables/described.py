"""Tables in which a text stands beside numbers that it describes: numeric columns, or a column of .npy files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnncli.data.formats.numbers import is_number
from rnncli.data.formats.registry import is_array
from rnncli.data.formats.values import Value, as_text, number
from rnncli.data.tables.column import Column, best_named
from rnncli.data.tables.names import IDS, is_one_of, label_rank, text_rank
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


def described_numbers(columns: Sequence[Column], label: str | None = None) -> tuple[NumericColumns, str] | None:
    """The numeric columns and the text beside them, of a table that has no other columns; None if it is no such table.

    Two numeric columns are the least: one beside a text is a label more likely than a description of it.

    Args:
        columns: with the values of some rows.
        label: the column of the describing text, if the user gave it.
    """
    if not columns or not columns[0].raw:
        return None
    numeric = [column for column in columns if all(map(is_number, column.raw))]
    if len(numeric) != len(columns) - 1:
        return None
    (text,) = set(columns) - set(numeric)
    if text.name != label if label is not None else text_rank(text.name) is None:
        return None
    if label is None and any(_is_label(column, columns) for column in numeric):
        return None
    features = tuple(column.name for column in numeric if not is_one_of(column.name, IDS))
    return (NumericColumns(features), text.name) if len(features) > 1 else None


def _is_label(column: Column, columns: Sequence[Column]) -> bool:
    """Whether a column of numbers is a label by its name, and has few values: 0 and 1 beside a text and its length."""
    if label_rank(column.name) is None:
        return False
    if column.name.lower() == "y" and any(other.name.lower() == "x" for other in columns):
        return False
    return 2 * len(set(column.raw)) <= len(column.raw)


def described_arrays(
    columns: Sequence[Column], label: str | None = None, array: str | None = None
) -> tuple[ArrayColumn, str] | None:
    """The column of .npy files and the text beside it; None if the table has no such columns.

    Args:
        columns: with the values of some rows.
        label: the column of the describing text, if the user gave it.
        array: the column of the files, if it is known.
    """
    if array is None:
        arrays = [column for column in columns if 2 * sum(map(is_array, column.raw)) > len(column.raw)]
    else:
        arrays = [column for column in columns if column.name == array]
    if len(arrays) != 1:
        return None
    others = [column for column in columns if column is not arrays[0]]
    if label is not None:
        texts = [column for column in others if column.name == label]
    else:
        others = [column for column in others if not is_one_of(column.name, IDS)]
        texts = best_named(others, text_rank) or others
    return (ArrayColumn(arrays[0].name), texts[0].name) if len(texts) == 1 else None


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
            what = f"is not a finite number: {quoted(text)}" if text.strip() else "is missing"
            raise ValueError(f"the value of {quoted(columns[at])} {what}")
        numbers.append(found + 0.0)  # -0 is 0
    return numbers
