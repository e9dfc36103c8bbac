"""What is seen of a table when it is doubted, and what the checks have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from rnncli.data.advice import DataFile, command
from rnncli.data.columns import names_rows, quoted, words_of
from rnncli.data.facts import Facts
from rnncli.data.header import (
    repeats_header,
)
from rnncli.data.table import Row
from rnncli.errors import DataError

WRITING = ("seq2seq", "caption", "lm")  # tasks whose answers are texts
_SHOWN = 40  # characters of an example


@dataclass(frozen=True)
class Look:
    """What is seen of a table.

    Attributes:
        file: what is read.
        columns: names, in their order.
        rows: the first of them.
        task: the name of what is to be trained or was; "auto" where it is not known.
        named: whether the user named the text, and the label.
        text, label: where they stand, once they were chosen.
    """

    file: DataFile
    columns: tuple[str, ...]
    rows: Sequence[Row]
    task: str = "auto"
    named: tuple[bool, bool] = (False, False)
    text: int | None = None
    label: int | None = None

    @cached_property
    def facts(self) -> list[Facts]:
        """Of each column; a header that stands among the rows once more is none of them."""
        rows = [row.values for row in self.rows if not repeats_header(self.columns, row.values)]
        return [Facts(name, [values[at] for values in rows]) for at, name in enumerate(self.columns)]

    @property
    def pairs(self) -> bool:
        """Whether a text is to be written for each text, so that the label is none."""
        if self.task != "auto":
            return self.task in WRITING
        if self.text is None or self.label is None:
            return {"source", "target"} <= {name.lower() for name in self.columns}
        return (self.columns[self.text].lower(), self.columns[self.label].lower()) == ("source", "target")

    def shown(self, at: int) -> str:
        """A column with its first value."""
        return f"{quoted(self.columns[at])} ({cut(self.facts[at].example)})"

    def line_of(self, at: int, value: str) -> int | None:
        """The line of a column's value."""
        return next((row.line for row in self.rows if row.values[at].strip() == value), None)

    def train(self, *options: str, file: str | None = None) -> str:
        """The command that trains."""
        return " ".join(["rnncli train", file or self.file.quoted, *options])


Check = Callable[[Look], DataError | None]


def cut(value: str) -> str:
    """An example in a message: on one line, and not longer than it takes."""
    line = " ".join(value.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def raise_first(checks: Iterable[Check], look: Look) -> None:
    """Raises DataError: one of the checks has a doubt."""
    for check in checks:
        found = check(look)
        if found is not None:
            raise found


def named(look: Look) -> list[str]:
    """The columns that were chosen, as options."""
    text = None if look.text is None else look.columns[look.text]
    label = None if look.label is None else look.columns[look.label]
    chosen = (("--text", text), ("--label", label))
    return [command(option, name) for option, name in chosen if name is not None]


def parsed(look: Look, name: str) -> str:
    """A column's list in a Python expression of the record ``r``."""
    return f"r[{json.dumps(name)}]" if look.file.format == "jsonl" else f"json.loads(r[{json.dumps(name)}])"


def is_id(look: Look, at: int) -> bool:
    """Whether a column tells rows apart and says nothing of them."""
    name, words = look.columns[at], words_of(look.columns[at])
    return (bool(words) and names_rows(words[-1])) or look.facts[at].counts_rows or name == f"column {at + 1}"
