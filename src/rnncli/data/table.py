"""What a reader gives, and where it notes what it left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rnncli.data.advice import DataFile
from rnncli.data.header import only_a_header
from rnncli.errors import DataError, counted

_KEPT_MESSAGES = 20


class Row(NamedTuple):
    """One record."""

    line: int  # 1-based line on which the record starts
    values: tuple[str, ...]  # one text per column


@dataclass
class Table:
    """A data file that is being read."""

    name: str  # for messages: the path as given, or "<stdin>"
    columns: tuple[str, ...]
    format: str  # "csv", "tsv", "jsonl" or "text"
    rows: Iterator[Row]  # streaming, flat memory, each row checked as it is read
    skipped: list[str]  # messages of the records left out so far, the first 20
    skipped_count: int  # all of them
    documents: int = field(default=0, kw_only=True)  # lines that begin a document, and are no record
    digest: str  # SHA-256 over the bytes as stored, in hex; complete once rows is exhausted, "" before


class Ledger:
    """Where readers report bad records: refused at once, or counted in the table.

    It knows the table by a weak reference only. A strong one would close a circle (table, rows, ledger, table), and a
    table that is dropped half-way would keep its file open until the cycle collector came by.
    """

    def __init__(self, file: DataFile, skip_bad: bool, max_field: int, skip_hint: str | None = None) -> None:
        self.file, self.name = file, file.name
        self.skip_hint = skip_hint  # how a bad record is left out, for who refuses one
        self.max_field = max_field  # the most characters in one value
        self.skip_bad = skip_bad
        self.skipped: list[str] = []
        self.count = 0
        self.table: Callable[[], Table | None] = lambda: None

    def bad_record(self, line: int, what: str) -> None:
        """Count a record that cannot be used, if that is wanted.

        Raises:
            DataError: it is not.
        """
        error = self.fault(line, what, self.skip_hint)
        if not self.skip_bad:
            raise error
        self.count += 1
        if len(self.skipped) < _KEPT_MESSAGES:
            self.skipped.append(error.message)
        if table := self.table():
            table.skipped_count = self.count

    def document(self) -> None:
        """Count a line that begins a document."""
        if table := self.table():
            table.documents += 1

    def fault(self, line: int, what: str, hint: str | None = None) -> DataError:
        """The exception for something wrong at ``line``."""
        return DataError(f"{self.name}:{line}: {what}", hint)

    def no_records(self, header: Sequence[str] = ()) -> DataError:
        """The exception for a file from which nothing is left.

        Args:
            header: the names of its columns, if they were read from a line of it.
        """
        if not self.count and header:
            return only_a_header(self.file, header)
        if not self.count:
            return DataError(f"{self.name}: no records")
        return DataError(
            f"{self.name}: no records ({counted(self.count, 'bad one was', 'bad ones were')} left out)", self.skipped[0]
        )

    def finish(self, digest: str) -> None:
        """Every byte has been read: the table may say which they were."""
        if table := self.table():
            table.digest = digest


# How a format is opened: lines and ledger in; columns and rows out.
Opened = tuple[tuple[str, ...], Iterator[Row]]
