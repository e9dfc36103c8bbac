"""What is seen of a table when it is doubted, and what the checks have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from rnncli.data.formats.advice import DataFile, command
from rnncli.data.formats.table import Row
from rnncli.data.formats.values import Value, is_json
from rnncli.data.tables.columns import names_rows, words_of
from rnncli.data.tables.facts import Facts
from rnncli.data.tables.header import repeats_header
from rnncli.errors import DataError, quoted

WRITING = ("seq2seq", "caption", "lm")  # tasks whose answers are texts
_SHOWN = 40  # characters of an example


@dataclass(frozen=True)
class Asker:
    """Who reads a file, and what that settles.

    Attributes:
        command: how the command line begins that reads it.
        task_named: whether the user named the task.
        labels: those that a model tells apart, whatever they look like.
        knows: whether a model knows the words of a text; None where it has none, or is yet to learn them.
        lists: whether an input may be a list of words or of numbers.
    """

    command: str = "rnncli train"
    task_named: bool = False
    labels: frozenset[str] = frozenset()
    knows: Callable[[str], bool] | None = None
    lists: bool = True

    @property
    def trains(self) -> bool:
        return self.command == "rnncli train"


@dataclass(frozen=True)
class Look:
    """What is seen of a table.

    Attributes:
        file: what is read.
        columns: names, in their order.
        rows: the first of them.
        task: the name of what is to be trained or was; "auto" where it is not known.
        named: whether the user named the text, and the label.
        asker: who looks.
        text, label: where they stand, once they were chosen.
    """

    file: DataFile
    columns: tuple[str, ...]
    rows: Sequence[Row]
    task: str = "auto"
    named: tuple[bool, bool] = (False, False)
    asker: Asker = Asker()
    text: int | None = None
    label: int | None = None

    @cached_property
    def sample(self) -> list[tuple[str, ...]]:
        """The values of the rows as they are shown."""
        return [row.texts for row in self.rows]

    @cached_property
    def facts(self) -> list[Facts]:
        """Of each column; a header that stands among the rows once more is none of them."""
        rows = [values for values in self.sample if not repeats_header(self.columns, values)]
        return [Facts(name, [values[at] for values in rows]) for at, name in enumerate(self.columns)]

    @property
    def pairs_of_values(self) -> list[tuple[Value, Value]]:
        """Text and label of the first records, as they are typed; none where they were not chosen."""
        if self.text is None or self.label is None:
            return []
        return [(row.values[self.text], row.values[self.label]) for row in self.rows[:20]]

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
        found = zip(self.rows, self.sample, strict=True)
        return next((row.line for row, texts in found if texts[at].strip() == value), None)

    @property
    def classes_named(self) -> bool:
        """Whether the user said that each value of the label's column is a class, whatever it looks like."""
        return self.task == "classify" and self.asker.task_named and self.named[1]

    def command(self, *options: str, file: str | None = None) -> str:
        """The command that reads the file, or another one, so."""
        return " ".join([self.asker.command, file or self.file.quoted, *filter(None, options)])

    def with_task(self, task: str) -> str:
        """The option that names a task, where one is to be trained."""
        return f"--task {task}" if self.asker.trains else ""

    @property
    def some_columns(self) -> str:
        """The options that name the columns, for whoever has to say which."""
        return "--text COLUMN" if self.label is None and not self.asker.trains else "--text COLUMN --label COLUMN"


Check = Callable[[Look], DataError | None]


def cut(value: str) -> str:
    """An example in a message: on one line, and not longer than it takes."""
    line = " ".join(value.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def raise_first(checks: Iterable[Check], look: Look) -> None:
    """Raises DataError: one of the checks has a doubt."""
    for check in checks:
        raise_found(check(look))


def raise_found(found: DataError | None) -> None:
    if found is not None:
        raise found


def named(look: Look) -> list[str]:
    """The columns that were chosen, as options."""
    text = None if look.text is None else look.columns[look.text]
    label = None if look.label is None else look.columns[look.label]
    chosen = (("--text", text), ("--label", label))
    return [command(option, name) for option, name in chosen if name is not None]


def parsed(look: Look, name: str, value: str) -> str:
    """A column's list in a Python expression of the record ``r``.

    Args:
        value: one of the lists, as it is written.
    """
    cell = f"r[{json.dumps(name, ensure_ascii=False)}]"
    if look.file.format.typed:
        return cell
    return f"json.loads({cell})" if is_json(value) else f"ast.literal_eval({cell})"


def is_id(look: Look, at: int) -> bool:
    """Whether a column tells rows apart and says nothing of them."""
    name, words = look.columns[at], words_of(look.columns[at])
    return (bool(words) and names_rows(words[-1])) or look.facts[at].counts_rows or name == f"column {at + 1}"
