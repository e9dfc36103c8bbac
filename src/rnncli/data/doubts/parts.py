"""Rows for training and for testing in one file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rnncli.data.advice import command
from rnncli.data.columns import quoted, words_of
from rnncli.data.doubts.look import Look
from rnncli.data.table import Row
from rnncli.errors import DataError

_PARTS = frozenset(
    """
    train training test testing valid validation val dev eval evaluation holdout held-out unlabeled unlabelled
    """.split()  # noqa: SIM905
)
_PART_COLUMNS = frozenset(
    """
    split splits fold folds set subset partition phase is_train is_test is_valid is_validation is_val in_train in_test
    """.split()  # noqa: SIM905
)
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
            name = "_".join(words_of(of.name))
            if name in _PART_COLUMNS or (of.filled and _are_parts(of.distinct)):
                parts.found[at] = set()
        return parts

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, each looked at as it passes."""
        found = list(self.found.items())
        for row in rows:
            for at, values in found:
                if len(values) <= _MOST_PARTS:
                    values.add(row.values[at].strip())
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
            by_name = "_".join(words_of(name)) in _PART_COLUMNS
            if not (_are_parts(values) or (by_name and all(len(value) < 20 for value in values))):
                continue
            kept = next((value for value in sorted(values) if value.lower().startswith("train")), None)
            kept = look.facts[at].example if kept is None else kept
            same = f"str(r[{json.dumps(name)}])" if look.file.format == "jsonl" else f"r[{json.dumps(name)}]"
            listed = ", ".join(sorted(values)[:4])
            return look.file.refusal(
                f"{quoted(name)} says which rows are for what ({listed}), and all of them would be read as one",
                f"Keep those of one: {look.file.filtered(f'{same}=={json.dumps(kept)}')}; "
                f"or read them all: {look.train(command('--ignore', name))}",
            )
        return None


def _are_parts(values: Iterable[str]) -> bool:
    return all(value.strip().lower() in _PARTS for value in values)
