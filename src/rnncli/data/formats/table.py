"""What a format's reader returns: names of columns and records, and a ledger of the records that were left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from rnncli.data.formats.advice import DataFile
from rnncli.data.formats.dialect import Dialect
from rnncli.data.formats.values import Value, as_text
from rnncli.errors import DataError, counted

MAX_BYTES = 4 << 30  # 4 GiB, as stored and as unpacked
MOST_KEPT = 20  # messages of records that were left out


class Row(NamedTuple):
    """One record."""

    # 1-based line on which the record starts; of a binary format the number of the record. With several files it is
    # that of place_in, by which records of all of them are told apart.
    line: int
    values: tuple[Value, ...]  # one per column

    @property
    def texts(self) -> tuple[str, ...]:
        """The values as they are shown."""
        return tuple(map(as_text, self.values))


class Opened(NamedTuple):
    """A file whose first record, or header, was read."""

    names: Sequence[str]  # of the columns, as they stand in the file; where a dialect is, perhaps the first record
    rows: Iterator[Row]  # streaming; not checked yet
    line: int = 1  # of the names
    dialect: Dialect | None = None  # of a table in a text file, whose first line may or may not be a header
    found_names: bool = False  # whether names are the first of all rows, where nothing says that they are names


class Watch(Protocol):
    """Sees every row of a file as it is read, and which are bad ones."""

    def opened(self, names: Sequence[str], columns: Sequence[str]) -> None:
        """A table begins, whose columns have these names in the file, and these by which options name them."""

    def row(self, row: Row) -> None:
        """A row was read."""

    def bad(self, line: int, what: str) -> None:
        """The record of this line cannot be used."""


@dataclass
class Ledger:
    """Where bad records are reported: refused at once, or counted.

    Args:
        file: what is read; a reader that finds another format in it than it is said to have puts that in its place.
        skip_bad: whether bad records are left out.
        max_field: the most characters in one value.
        max_bytes: the most bytes that the file may unpack to.
        skip_hint: the hint with a refused record that says how to leave it out.
        asked: what the user said of the dialect.
        watch: sees all rows; then a bad record is no error.
        first_rows: whether only the first rows of the file are read, so that what all of them say is not known yet.
        sheet: of a workbook, that the user named; then the one that is read, where it has several.
        usual_sheet: that is read where the user named none, and the workbook has it.

    Attributes:
        skipped: messages of the first 20 records that were left out.
        count: how many were.
        first_bad: the error that the first of them is, were it not left out.
        documents: lines that begin a document, which are not records.
        said: what the user should know of how the file is read.
        digest: SHA-256 over the bytes as stored, in hex, once all have been read; "" before.
        has_nul: whether NUL characters have been read.
    """

    file: DataFile
    skip_bad: bool
    max_field: int
    skip_hint: str | None = None
    max_bytes: int = MAX_BYTES
    asked: Dialect = field(default_factory=Dialect)
    watch: Watch | None = None
    first_rows: bool = False
    sheet: str | None = None
    usual_sheet: str | None = None
    skipped: list[str] = field(default_factory=list)
    count: int = 0
    first_bad: DataError | None = None
    documents: int = 0
    said: list[str] = field(default_factory=list)
    digest: str = ""
    has_nul: bool = False

    def note_nul(self) -> None:
        """Takes note that some records that follow have NUL characters, and are bad ones."""
        self.has_nul = True

    def bad_record(self, line: int, what: str, hint: str | None = None) -> None:
        """Counts a record that cannot be used.

        Args:
            hint: what else than leaving it out mends it; a command in it ends it, after a colon.

        Raises:
            DataError: such records are not to be left out.
        """
        if self.watch is not None:
            self.watch.bad(line, what)
            return
        between = "; or " if hint is not None and ": " in hint else " or "
        error = self.fault(line, what, between.join(filter(None, (hint, self.skip_hint))) or None)
        if not self.skip_bad:
            raise error
        self.count += 1
        self.first_bad = self.first_bad or error
        if len(self.skipped) < MOST_KEPT:
            self.skipped.append(error.message)

    def watched(self, rows: Iterator[Row], names: Sequence[str], columns: Sequence[str]) -> Iterator[Row]:
        """The rows of a table that begins, as somebody may watch them."""
        if self.watch is None:
            return rows
        self.watch.opened(names, columns)
        return _watched(rows, self.watch)

    def fault(self, line: int, what: str, hint: str | None = None) -> DataError:
        """The exception for something wrong at ``line``."""
        return DataError(f"{self.place(line)}: {what}", hint)

    def place(self, line: int) -> str:
        """``a.csv:3``: the file and the line of a record."""
        return self.file.place(line)

    def no_records(self) -> DataError:
        """The exception for a file without a usable record."""
        if not self.count:
            return DataError(f"{self.file.name}: no records")
        left_out = counted(self.count, "bad one was", "bad ones were")
        return DataError(f"{self.file.name}: no records ({left_out} left out)", self.skipped[0])


def _watched(rows: Iterator[Row], watch: Watch) -> Iterator[Row]:
    for row in rows:
        watch.row(row)
        yield row


@dataclass
class Table:
    """A data file that is being read."""

    name: str  # for messages: the path as given, or "<stdin>"
    columns: tuple[str, ...]
    format: str  # its name in the registry
    rows: Iterator[Row]  # streaming, flat memory, each row checked as it is read
    ledger: Ledger
    dialect: Dialect | None = None  # None of a format that has none
