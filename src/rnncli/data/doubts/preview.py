"""The first rows of a file, as the checks see them, and what is known about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Flag, auto
from functools import cached_property

from rnncli.data.formats.advice import DataFile, command
from rnncli.data.formats.missing import Missing
from rnncli.data.formats.table import Row
from rnncli.data.formats.values import Value, is_json
from rnncli.data.tables.column import Column, columns_of
from rnncli.data.tables.facts import nested
from rnncli.data.tables.first_rows import Expected
from rnncli.data.tables.header import repeats_header
from rnncli.data.tables.names import is_time_name
from rnncli.errors import DataError, quoted

COUNTING = ("regress", "forecast")  # tasks whose targets are numbers
NAMING, TAGGING = ("classify",), ("tag",)  # a class for each input, or for each of its words
WRITING = ("seq2seq", "caption", "lm")  # tasks whose targets are texts
_SHOWN = 40  # characters of an example


@dataclass(frozen=True)
class Purpose:
    """What a file is read for, and what that settles.

    Attributes:
        command: the beginning of the command that reads it.
        task_named: whether the user named the task.
        labels: the labels of the model, whatever they look like.
        knows: whether the model knows the words of a text; None for a model that has none, or none yet.
        lists: whether an input may be a list of words or of numbers.
        expected: what the model knows of the columns of its files.
        task: the model's; "auto" where none reads.
        numbers: whether the inputs are numbers, and no texts.
        missing: what the model does about numbers that are missing inside a sequence.
    """

    command: str = "rnncli train"
    task_named: bool = False
    labels: frozenset[str] = frozenset()
    knows: Callable[[str], bool] | None = None
    lists: bool = True
    expected: Expected = field(default_factory=Expected)
    task: str = "auto"
    numbers: bool = False
    missing: Missing = None

    @property
    def trains(self) -> bool:
        return self.command == "rnncli train"


class Known(Flag):
    """What the user or the task says about a file: no check doubts that."""

    NOTHING = 0
    TEXT = auto()  # the user named the text's column
    LABEL = auto()  # the user named the label's column
    COLUMNS = TEXT | LABEL
    CLASSES = auto()  # the user said that each value of the label's column is a class, whatever it looks like
    TAGS = auto()  # words have tags
    NUMBERS = auto()  # numbers are predicted: what looks like an amount is one
    TARGETS = auto()  # texts are generated: what stands beside a text is not a label


@dataclass(frozen=True)
class Preview:
    """The first rows of a table, before all of it is read.

    Attributes:
        file: what is read.
        names: of the columns, in their order.
        rows: the first rows.
        sample: their values as they are shown.
        columns: with their values; a header that stands among the rows once more is none of them.
        task: the name of what is to be trained or was; "auto" where it is not known.
        named: which of the columns of text and label the user named.
        purpose: what the file is read for.
        text, label: the columns, once they are chosen.
    """

    file: DataFile
    names: tuple[str, ...]
    rows: Sequence[Row]
    sample: Sequence[tuple[str, ...]]
    columns: Sequence[Column]
    task: str
    named: Known
    purpose: Purpose
    text: Column | None = None
    label: Column | None = None

    @classmethod
    def of(
        cls, file: DataFile, names: tuple[str, ...], rows: Sequence[Row], task: str, named: Known, purpose: Purpose
    ) -> Preview:
        sample = [row.texts for row in rows]
        columns = columns_of(names, (texts for texts in sample if not repeats_header(names, texts)))
        return cls(file, names, rows, sample, columns, task, named, purpose)

    def choose(self, text: int | None, label: int | None) -> Preview:
        """The same rows, with these columns as text and label."""
        text_column, label_column = (None if at is None else self.columns[at] for at in (text, label))
        return replace(self, text=text_column, label=label_column)

    def labelled(self, name: str | None) -> Preview:
        """The same rows, with the column of this name as label, and no text."""
        return self.choose(None, None if name is None else self.names.index(name))

    @property
    def known(self) -> Known:
        """All that is known about the file."""
        known = self.named
        if self.has_targets:
            known |= Known.TARGETS
        if self.has_numbers:
            known |= Known.NUMBERS
        if self.task in TAGGING:
            known |= Known.TAGS
        if self.task in NAMING and self.purpose.task_named and Known.LABEL in self.named:
            known |= Known.CLASSES
        return known

    @property
    def has_targets(self) -> bool:
        """Whether a text is to be generated for each text, so that there are no labels."""
        if self.task != "auto":
            return self.task in WRITING
        if self.text is None or self.label is None:
            return {"source", "target"} <= {name.lower() for name in self.names}
        return (self.text.name.lower(), self.label.name.lower()) == ("source", "target")

    @property
    def has_numbers(self) -> bool:
        """Whether numbers are to be predicted."""
        return self.task in COUNTING

    @property
    def holds_tagged_words(self) -> bool:
        return self.file.format.holds == "tagged words"

    @cached_property
    def lines(self) -> list[str]:
        """The lines of a text that hold something."""
        return [texts[0] for texts in self.sample if texts[0].strip()]

    @property
    def typed_pairs(self) -> list[tuple[Value, Value]]:
        """Text and label of the first records, with their types; none before the columns are chosen."""
        if self.text is None or self.label is None:
            return []
        return [(row.values[self.text.at], row.values[self.label.at]) for row in self.rows[:20]]

    def besides(self, *columns: Column | None) -> list[Column]:
        """The other columns."""
        left_out = set(columns)
        return [column for column in self.columns if column not in left_out]

    def line_of(self, column: Column, value: str) -> int | None:
        """The line of a column's value."""
        found = zip(self.rows, self.sample, strict=True)
        return next((row.line for row, texts in found if texts[column.at].strip() == value), None)

    def command(self, *options: str, file: str | None = None) -> str:
        """The command that reads the file, or another one, with these options."""
        if file is not None:
            return " ".join([self.purpose.command, file, *filter(None, options)])
        return self.file.command(*filter(None, options))

    def command_for(self, task: str, *options: str) -> str:
        """The command that trains a model for a task on the file; for a trained model, the command that reads it."""
        return self.command(f"--task {task}" if self.purpose.trains else "", *options)

    @property
    def chosen_columns(self) -> str:
        """The options that name the chosen columns."""
        chosen = (("--text", self.text), ("--label", self.label))
        return " ".join(command(option, column.name) for option, column in chosen if column is not None)

    @property
    def some_columns(self) -> str:
        """The options that name the columns, without the names."""
        return "--text COLUMN" if self.label is None and not self.purpose.trains else "--text COLUMN --label COLUMN"

    def parsed(self, column: Column, value: str) -> str:
        """A column's list in a Python expression of the record ``r``; ``value`` is one of the lists."""
        if self.file.format.typed:
            return cell(column)
        return f"json.loads({cell(column)})" if is_json(value) else f"ast.literal_eval({cell(column)})"

    def numbers(self, column: Column) -> str:
        """A column's row of numbers as a list, in a Python expression of the record ``r``."""
        if self.file.format.typed:
            return cell(column)
        return f'map(float,re.split(r"[|;,\\s]+",{cell(column)}.strip("[]() ")))'


def unfolded(preview: Preview, column: Column, value: str) -> str:
    """What makes columns of a column of objects, or records of one of lists of objects; empty for other lists.

    Args:
        value: one of its values.
    """
    found = nested(value)
    if isinstance(found, dict):
        if preview.file.format.typed:
            return f"To write what they hold as columns of their own: {preview.file.flattened()}"
        made = preview.file.as_json(f"{{**r,**{preview.parsed(column, value)}}}")
        return f"To write what they hold as columns of their own: {made}"
    items = preview.parsed(column, value)
    if isinstance(found, list) and (turns := _turns(found)) is not None:
        who, what, last = map(literal, turns)
        pairs = f"for s in [{items}] for a,b in zip(s,s[1:]) if b[{who}]=={last}"
        made = preview.file.as_json(
            "r", f"({{a[{who}]:a[{what}],b[{who}]:b[{what}]}} for r in {preview.file.records} {pairs})"
        )
        return f"To write what was said last beside what it answers, each in a column: {made}"
    if isinstance(found, list) and found and isinstance(found[0], dict):
        if (measured := _measured(found)) is not None:
            keys, key = "".join(f"{literal(name)}," for name in measured), literal(column.name)
            rest = f"{{k:v for k,v in r.items() if k!={key}}}"
            made = preview.file.as_json(f'{{**{rest},"sequence":[[i[k] for k in ({keys})] for i in {items}]}}')
            return f"To write the numbers in them as a series: {made}"
        return f"To write a record of each object in them: {preview.file.exploded(literal(column.name), items)}"
    return ""


def _measured(objects: Sequence[object]) -> list[str] | None:
    """The keys of what was measured at each timestep, if the objects hold numbers, all the same ones.

    They stand in order of time, so what is a time by its name is left out.
    """
    first = objects[0]
    if not isinstance(first, dict):
        return None
    names = [name for name in first if not is_time_name(name)]
    alike = all(isinstance(one, dict) and one.keys() == first.keys() for one in objects)
    numbers = alike and all(type(one[name]) in (int, float) for one in objects for name in names)  # type: ignore[index]
    return names if numbers and names and len(objects) > 1 else None


_SPEAKERS = ("role", "from", "speaker")  # keys of a message in a chat


def _turns(found: list[object]) -> tuple[str, str, str] | None:
    """The keys of who speaks and of what is said in the messages of a chat, and who speaks last."""
    messages = [dict(one) for one in found if isinstance(one, dict) and len(one) == 2]
    who = next((key for key in _SPEAKERS if messages and key in messages[0]), None)
    if who is None or len(messages) < max(2, len(found)) or any(set(one) != set(messages[0]) for one in messages):
        return None
    what = next(key for key in messages[0] if key != who)
    return who, what, str(messages[-1][who])


Check = Callable[[Preview], DataError | None]
Checks = Sequence[tuple[Check, Known]]  # each with what makes it needless


def cell(column: Column, record: str = "r") -> str:
    """A column's value in a Python expression of a record."""
    return f"{record}[{literal(column.name)}]"


def literal(text: str) -> str:
    """A text as Python, and JSON, write it."""
    return json.dumps(text, ensure_ascii=False)


def cut(value: str) -> str:
    """An example in a message: on one line, and not longer than it takes."""
    line = " ".join(value.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def shown(column: Column) -> str:
    """A column with its first value."""
    return f"{quoted(column.name)} ({cut(column.example)})"


def raise_first(checks: Checks, preview: Preview) -> None:
    """Raises DataError: one of the checks has a doubt."""
    for check, needless in checks:
        if not preview.known & needless:
            raise_found(check(preview))


def raise_found(found: DataError | None) -> None:
    """Raises DataError: something was found."""
    if found is not None:
        raise found
