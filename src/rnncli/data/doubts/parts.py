"""Rows for training and for testing in one file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rnncli.data.doubts.look import Look
from rnncli.data.formats.advice import command
from rnncli.data.formats.table import Row
from rnncli.data.formats.values import as_text
from rnncli.data.tables.columns import words_of
from rnncli.errors import DataError, quoted

_PART = re.compile(
    r"(?:public|private|pre|in|is)?[-_ ]?"
    r"(?:train|training|test|testing|valid|validation|validate|val|dev|devel|development|eval|evaluation|hold-?out|held-?out"
    r"|unlabell?ed)[-_ ]?(?:set|data|\d)?",
    re.IGNORECASE,
)
_PART_COLUMNS = frozenset(
    """
    split splits fold folds kfold cvfold set subset partition phase is_train is_test is_valid is_validation is_val
    in_train in_test
    """.split()  # noqa: SIM905
)
_PART_ENDINGS = frozenset(("split", "splits", "fold", "folds", "kfold", "partition"))
_MOST_PARTS = 20  # different values that tell parts of a file apart


@dataclass
class Parts:
    """Columns that say which part of a file a row belongs to, as training and test, and what stands in them."""

    look: Look
    found: dict[int, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, look: Look) -> Parts:
        """By the names of the columns and the first rows."""
        parts = cls(look)
        for at, of in enumerate(look.facts):
            if _names_parts(of.name) or (of.filled and _are_parts(of.distinct)):
                parts.found[at] = set()
        return parts

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, each looked at as it passes."""
        found = list(self.found.items())
        return self._watched(rows, found) if found else iter(rows)

    def _watched(self, rows: Iterable[Row], found: list[tuple[int, set[str]]]) -> Iterator[Row]:
        for row in rows:
            for at, values in found:
                if len(values) <= _MOST_PARTS:
                    values.add(as_text(row.values[at]).strip())
            yield row

    def refusal(self, roles: Sequence[str | None]) -> DataError | None:
        """The refusal, if rows of several parts were read as one.

        Args:
            roles: columns that were read as something else.
        """
        look = self.look
        for at, values in self.found.items():
            name = look.columns[at]
            if name in roles or not 1 < len(values) <= _MOST_PARTS:
                continue
            by_name = _names_parts(name)
            if not (_are_parts(values) or (by_name and all(len(value) < 20 for value in values))):
                continue
            kept = next((value for value in sorted(values) if value.lower().startswith("train")), None)
            kept = look.facts[at].example if kept is None else kept
            same = f"str(r[{json.dumps(name)}])" if look.file.format.typed else f"r[{json.dumps(name)}]"
            listed = ", ".join(sorted(values)[:4])
            return look.file.refusal(
                f"{quoted(name)} says which rows are for what ({listed}), and all of them would be read as one",
                f"Keep those of one: {look.file.filtered(f'{same}=={json.dumps(kept)}')}; "
                f"or read them all: {look.command(command('--ignore', name))}",
            )
        return None


def _names_parts(name: str) -> bool:
    """Whether a column is called like one of parts: ``split``, ``k_fold``, ``data-split``."""
    words = words_of(name)
    return "_".join(words) in _PART_COLUMNS or "".join(words) in _PART_COLUMNS or bool(set(words[-1:]) & _PART_ENDINGS)


def _are_parts(values: Iterable[str]) -> bool:
    return all(_PART.fullmatch(value.strip()) is not None for value in values)
