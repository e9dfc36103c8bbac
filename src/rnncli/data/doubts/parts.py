"""Rows for training and for testing in one file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from rnncli.data.doubts.preview import Preview, cell, literal
from rnncli.data.formats.advice import command
from rnncli.data.formats.table import Row
from rnncli.data.formats.values import as_text
from rnncli.data.tables.column import Column
from rnncli.data.tables.names import names_parts
from rnncli.data.tables.parts import Part, part_of
from rnncli.errors import DataError, quoted

_PART = re.compile(
    r"(?:public|private|pre|in|is)?[-_ ]?"
    r"(?:train|training|test|testing|valid|validation|validate|val|dev|devel|development|eval|evaluation|hold-?out|held-?out"
    r"|unlabell?ed)[-_ ]?(?:set|data|\d)?",
    re.IGNORECASE,
)
_MOST_PARTS = 20  # different values that tell parts of a file apart


class Parts:
    """The columns that divide the rows into parts, as training and test, and the values in them."""

    def __init__(self, preview: Preview) -> None:
        self.preview = preview
        self.found: dict[Column, set[str]] = {
            column: set()
            for column in preview.columns
            if names_parts(column.name) or (column.filled and _are_parts(column.distinct))
        }

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, with the parts of each noted as it passes."""
        return map(self._note, rows) if self.found else iter(rows)

    def _note(self, row: Row) -> Row:
        for column, values in self.found.items():
            if len(values) <= _MOST_PARTS:
                values.add(as_text(row.values[column.at]).strip())
        return row

    def refusal(self, roles: Collection[str | None]) -> DataError | None:
        """The refusal, if rows of several parts were read as one.

        Args:
            roles: names of columns that were read as something else.
        """
        file = self.preview.file
        for column, values in self.found.items():
            if column.name in roles or not 1 < len(values) <= _MOST_PARTS:
                continue
            if not (_are_parts(values) or (names_parts(column.name) and all(len(value) < 20 for value in values))):
                continue
            kept = next((value for value in sorted(values) if value.lower().startswith("train")), column.example)
            value = f"str({cell(column)})" if file.format.typed else cell(column)
            listed = ", ".join(sorted(values)[:4])
            obey = self.preview.command(command("--split", column.name))
            said = set(map(part_of, values))
            # A number may count folds, or be a flag.
            trains = self.preview.purpose.trains
            told = None not in said and not any(map(str.isdigit, values)) and (not trains or Part.TRAINING in said)
            what = "train on the rows for training" if trains else "read the rows for testing"
            return file.refusal(
                f"{quoted(column.name)} divides the rows into parts ({listed}), but all of them would be read together",
                (f"To {what}: {obey}. " if told else "")
                + f"To keep the rows of one part: {file.filtered(f'{value}=={literal(kept)}')}; "
                f"to read all of them: {self.preview.command(command('--ignore', column.name))}",
            )
        return None


def _are_parts(values: Iterable[str]) -> bool:
    return all(_PART.fullmatch(value.strip()) is not None for value in values)
