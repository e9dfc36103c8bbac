"""Which file is read, how, and what its columns are for: as the user says it, and as a training keeps it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from rnncli import schema
from rnncli.data.formats.advice import command
from rnncli.data.formats.sources import display_name
from rnncli.errors import counted

Role = Literal["input", "label", "time", "id", "split", "group", "ignored"]


@dataclass(frozen=True)
class Source:
    """Which file, how to read it, and which columns count; None where that is guessed.

    A column is named by its name, or in a file without a header by its number from 1. Several stand with commas between
    them; see :func:`names_in`.

    Attributes:
        path: ``-`` is standard input, a folder stands for the files in it.
        more: files with the same columns, whose records follow.
        target: a file of texts, a line for each line of ``path``, which is one too.
        text: the column of the texts, or several, which are joined.
        label: the column of the labels, or several.
        sheet: of an Excel workbook, by its name or its number from 1.
        format: its name in :data:`rnncli.data.formats.registry.FORMATS`.
        format_found: whether the files say it, and not the user.
        skip_bad: whether bad records are left out.
        ignore: columns that are left out.
        time: the column that orders the timesteps of a sequence, or several that are a time together.
        id: the column that says which sequence a row belongs to, or several that say it together.
        features: the columns of an input's numbers.
        split: the column that says whether a record is for training, validation or test.
        group: the column of groups whose records stay on one side.
        delimiter: what separates the values of a line.
        header: whether the first line names the columns.
        decimal: the mark before the decimals of a number.
        missing: what becomes of missing numbers inside a sequence; None refuses them.
        pairs: whether it holds pairs from Python, whose columns have names of ours.
        layout: how the table holds records, by its name in :data:`rnncli.data.layouts.table.LAYOUTS`.
        label_separator: what stands between the labels of a value that holds several.
    """

    path: str
    text: str | None = None
    label: str | None = None
    format: str | None = None
    encoding: str = "utf-8"
    skip_bad: bool = False
    ignore: str | None = None
    time: str | None = None
    id: str | None = None
    features: str | None = None
    split: str | None = None
    group: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    decimal: Literal[".", ","] | None = None
    missing: Literal["interpolate"] | None = None
    layout: str | None = None
    label_separator: str | None = None
    more: tuple[str, ...] = ()
    target: str | None = None
    pairs: bool = False
    format_found: bool = False
    sheet: str | None = None

    def of(self, path: str, more: tuple[str, ...] = (), target: str | None = None) -> Source:
        """Another file, or several, that are read in the same way."""
        return replace(self, path=path, more=more, target=target)

    @property
    def name(self) -> str:
        """What messages call it: ``a.csv and 2 more files``."""
        if self.target is not None:
            return f"{display_name(self.path)} and {display_name(self.target)}"
        return display_name(self.path) + (f" and {counted(len(self.more), 'more file')}" if self.more else "")

    @property
    def typed(self) -> str:
        """How it stands in a command."""
        if self.target is not None:
            return command("--source", self.path, "--target", self.target)
        return command(*self.paths)

    @property
    def paths(self) -> tuple[str, ...]:
        """All that were named."""
        return (self.path, *self.more) if self.target is None else (self.path, self.target)

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> Source:
        """Reads the source of a saved training; older ones have ``sequence`` and a flag for ``id`` and ``layout``.

        Raises:
            Wrong: a field is of another type, or unknown.
        """
        fields = dict(value)
        if "sequence" in fields:
            fields["id"], numbers = fields.pop("sequence"), fields.pop("features", None)
            of_row = "numbers" if fields.get("text") is None else "arrays"
            layout = "texts" if not numbers else of_row if fields["id"] is None else "long"
            fields["layout"] = None if numbers is None else layout
        return schema.read_fields(cls, fields)

    def named(self, role: str) -> tuple[str, ...]:
        """The columns of a role that the user named, or that were chosen."""
        names = getattr(self, role)
        return () if names is None else (names, *names_in(names))

    def naming(self, columns: Mapping[str, Iterable[str]]) -> Source:
        """The same with the columns of some roles; a role without columns stays as it is."""
        named: dict[str, Any] = {role: joined_names(names) for role, names in columns.items() if names}
        return replace(self, **named)


@dataclass(frozen=True, kw_only=True)
class Roles:
    """What each column of a table is for. A column that has no role is ignored.

    Attributes:
        pairs: whether it holds pairs from Python, whose columns have names of ours.
        layout: how the table holds records, by its name in :data:`rnncli.data.layouts.table.LAYOUTS`.
        text, features: the columns of an input: of a text, or its numbers.
        label: the columns of the labels; none where they are not read.
        time, id: what orders the timesteps of a sequence, and says which one a row belongs to.
        split, group: what sets records aside, and keeps them together.
        sheet: of an Excel workbook of several.
        by_form: whether a model's own form says which columns of another file it reads: one without ids is one
            sequence, one of other timesteps a sequence of another length.
    """

    layout: str
    text: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    time: str | None = None
    id: str | None = None
    split: str | None = None
    group: str | None = None
    sheet: str | None = None
    by_form: bool = False

    @property
    def read(self) -> tuple[str, ...]:
        """The columns that an input is made of, with those that are one only together, and the parts of these."""
        singles = [name for name in (self.time, self.id) if name is not None]
        return (*self.text, *self.features, *(part for name in singles for part in (name, *names_in(name))))

    def stored(self) -> dict[str, Any]:
        """As a manifest keeps them."""
        fields = asdict(self).items()
        return {name: list(value) if isinstance(value, tuple) else value for name, value in fields if value}

    def of(self, column: str) -> Role:
        """The role of a column."""
        if column in self.label:
            return "label"
        if column in self.text or column in self.features:
            return "input"
        singles: tuple[tuple[str | None, Role], ...] = (
            (self.time, "time"),
            (self.id, "id"),
            (self.split, "split"),
            (self.group, "group"),
        )
        alone: Iterator[Role] = (role for name, role in singles if name == column)
        several: Iterator[Role] = (role for name, role in singles if name is not None and column in names_in(name))
        return next(alone, next(several, "ignored"))


def names_in(names: str) -> tuple[str, ...]:
    """The names that stand with commas between them; one that has a comma itself stands in double quotes."""
    try:
        return tuple(name.strip() for name in next(csv.reader([names], skipinitialspace=True), ()))
    except csv.Error:  # a carriage return, which is in no list of names
        return (names,)


def joined_names(names: Iterable[str]) -> str:
    """The opposite of :func:`names_in`; a single name stands as it is."""
    names = tuple(names)
    if len(names) == 1:
        return names[0]
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return line.getvalue()
