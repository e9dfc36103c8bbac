"""The records of a file: the input, the label and the line of each."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.data.arrangement import Arrangement
from rnncli.data.formats.places import file_and_line
from rnncli.data.layouts.layout import Reads
from rnncli.data.records import SKIP_HINT, Inputs, Records, Shown, Texts
from rnncli.data.records.short_repr import ShortRepr
from rnncli.data.tables.described import ArrayColumn, NumericColumns
from rnncli.data.tables.parts import PART_VALUES, Part, part_of
from rnncli.data.tables.source import Roles, Source
from rnncli.errors import DataError, counted, quoted

__all__ = ["Dataset", "Source", "label_warnings", "left_out"]
SKIPPED_SHOWN = 5  # records that were left out, of which the reason is shown
PAIRS = "the pairs"


@dataclass(frozen=True, repr=False)
class Dataset(ShortRepr):
    """The records of a file.

    Attributes:
        source: the file, with the columns that were chosen.
        why: a sentence on how the columns were chosen.
        inputs: one a record, all of one type.
        labels: one a record: a text, or the tags of words.
        lines: the line each record starts on.
        digest: SHA-256 of the file's bytes, and of those of the .npy files that it names.
        skipped: how many bad records were left out; ``skipped_because`` says why for the first of them.
        reads: the columns that an input's numbers came from; None where the input is the value of a column.
        shown: the name of each record, where its input is hard to read; empty otherwise.
        roles: of the columns; None for records that were put together in Python.
        named_columns: whether the file names its columns, and not its format.
        splits, groups: what the columns of parts and of groups hold, of each record; empty where there is none.
        arrangement: which records are for training, validation and testing; None where a share is set aside by chance.
        files: the names of the files that records come from, where there are several, and ``file_of`` the number of
            each record's.
    """

    source: Source
    why: str
    inputs: Inputs[Any]
    labels: Inputs[Any]
    lines: Sequence[int]
    digest: str
    skipped: int
    skipped_because: tuple[str, ...]
    reads: Reads | None = None
    shown: Sequence[str] = ()
    roles: Roles | None = None
    named_columns: bool = False
    splits: Sequence[str] = ()
    groups: Sequence[str] = ()
    arrangement: Arrangement | None = None
    files: tuple[str, ...] = ()
    file_of: Sequence[int] = ()

    @classmethod
    def of(
        cls,
        source: Source,
        why: str,
        records: Records,
        digest: str = "",
        reads: Reads | None = None,
        roles: Roles | None = None,
    ) -> Dataset:
        """Records, once all have been read."""
        ledger = records.ledger
        places = [file_and_line(line) for line in records.lines] if ledger.file.files else []
        file_of = array("i", (file for file, _ in places if file is not None))
        return cls(
            source=source,
            why=why,
            inputs=records.inputs,
            labels=records.labels or Texts.of_nothing(len(records.inputs)),
            lines=array("q", (line for _, line in places)) if places else records.lines,
            digest=digest,
            skipped=ledger.count,
            skipped_because=tuple(ledger.skipped[:SKIPPED_SHOWN]),
            reads=reads,
            shown=records.shown,
            files=ledger.file.files if file_of else (),
            file_of=file_of,
            roles=roles,
        )

    @property
    def features(self) -> tuple[str, ...]:
        """The columns whose values in one row are, or name, all the numbers of an input."""
        return self.reads.names if isinstance(self.reads, NumericColumns | ArrayColumn) else ()

    @property
    def texts(self) -> Sequence[str]:
        """The inputs as they are shown."""
        return self.inputs if isinstance(self.inputs, Texts) else Shown(self.inputs)

    @property
    def lasting_roles(self) -> Roles | None:
        """The roles of columns that other files have too; None where the format itself names the columns."""
        return self.roles if self.named_columns and not self.source.pairs else None

    def called(self, row: int) -> str:
        """A record's name, or its input where it has none."""
        return self.shown[row] if self.shown else self.inputs.text(row)

    @property
    def name(self) -> str:
        """What messages call it; pairs from Python are in a file of ours, whose name says nothing."""
        return PAIRS if self.source.pairs else self.source.name

    def file(self, row: int) -> str | None:
        """The file of a record, where there are several."""
        return self.files[self.file_of[row]] if self.files else None

    def place(self, row: int) -> str:
        """Where a record stands: ``reviews.csv:41``."""
        return f"{self.file(row) or self.name}:{self.lines[row]}"

    def joined(self, others: Sequence[Dataset], arrangement: Arrangement) -> Dataset:
        """The records of this file, and then those of the others.

        Args:
            others: read in the same way; the values of this data set become those of all.
            arrangement: of all records; it says what columns of parts and of groups hold.
        """
        parts = (self, *others)
        for other in others:
            self.inputs.extend(other.inputs)
            self.labels.extend(other.labels)
        shown = any(part.shown for part in parts)
        reasons = [reason for part in parts for reason in part.skipped_because]
        return replace(
            self,
            lines=array("q", itertools.chain.from_iterable(part.lines for part in parts)),
            skipped=sum(part.skipped for part in parts),
            skipped_because=tuple(reasons[:SKIPPED_SHOWN]),
            shown=Texts(part.called(row) for part in parts for row in range(len(part.lines))) if shown else (),
            splits=(),
            groups=(),
            arrangement=arrangement,
            files=tuple(name for part in parts for name in part.files or (part.name,)),
            file_of=_numbers_of_files(parts),
        )

    def take(self, rows: Sequence[int]) -> Dataset:
        """The records of these rows, in their order."""
        return replace(
            self,
            inputs=self.inputs.take(rows),
            labels=self.labels.take(rows),
            lines=array("q", (self.lines[row] for row in rows)),
            shown=Texts(self.shown[row] for row in rows) if self.shown else (),
            splits=Texts(self.splits[row] for row in rows) if self.splits else (),
            groups=Texts(self.groups[row] for row in rows) if self.groups else (),
            arrangement=None if self.arrangement is None else self.arrangement.take(rows),
            file_of=array("i", (self.file_of[row] for row in rows)) if self.files else (),
        )

    def held_out(self) -> Dataset:
        """The records for testing, by the column that says what each is for; those for validation if there are none.

        All of them, where there is no such column.

        Raises:
            DataError: none is for either.
        """
        if not len(self.splits):
            return self
        parts = list(map(part_of, self.splits))
        part = next((part for part in (Part.TEST, Part.VALIDATION) if part in parts), None)
        column = quoted(self.source.split or "")
        if part is None:
            raise DataError(
                f"{self.name}: by column {column} no row is for testing or for validation",
                f"its values are {PART_VALUES}; --ignore {self.source.split} takes all rows",
            )
        kept = self.take([row for row, one in enumerate(parts) if one is part])
        use = "testing" if part is Part.TEST else "validation"
        rows = counted(len(kept.lines), f"row for {use}", f"rows for {use}")
        return replace(kept, why=f"{self.why}; here the {rows}")

    def with_tokens(self, counts: Sequence[int] | npt.NDArray[np.int64], unit: str) -> Dataset:
        """The records that have tokens; ``counts`` says how many each has. A text like ``<br>`` has none.

        Raises:
            DataError: one has none and bad records are not to be left out, or all have none.
        """
        if np.all(counts):
            return self
        problem = f"the text has no {unit}s"
        return self.without([None if count else problem for count in counts], f"text without {unit}s")

    def without(self, problems: Sequence[str | None], what: str) -> Dataset:
        """The records that have no problem.

        Args:
            problems: for each record None, or what is wrong with it.
            what: such a record's name, as in "text without words".

        Raises:
            DataError: one has a problem and bad records are not to be left out, or all have one.
        """
        if not any(problems):
            return self
        kept = array("q", (row for row, problem in enumerate(problems) if problem is None))
        bad = (f"{self.place(row)}: {problem}" for row, problem in enumerate(problems) if problem is not None)
        messages = list(itertools.islice(bad, SKIPPED_SHOWN))
        count = len(problems) - len(kept)
        if not self.source.skip_bad:
            raise DataError(messages[0], SKIP_HINT)
        if not kept:
            left = counted(count, f"{what} was", f"{what.replace(' ', 's ', 1)} were")
            raise DataError(f"{self.name}: no records ({left} left out)")
        return replace(
            self.take(kept),
            skipped=self.skipped + count,
            skipped_because=(*self.skipped_because, *messages)[:SKIPPED_SHOWN],
        )


def _numbers_of_files(parts: Sequence[Dataset]) -> array[int]:
    """The number of each record's file among those of all parts."""
    numbers, before = array("i"), 0
    for part in parts:
        numbers.extend(before + (part.file_of[row] if part.files else 0) for row in range(len(part.lines)))
        before += len(part.files) or 1
    return numbers


def left_out(count: int, reasons: Sequence[str]) -> str:
    """A sentence on the bad records that were left out; ``reasons`` says why for the first of them."""
    if count == 1:
        return f"1 bad record was left out: {reasons[0]}"
    return f"{count:,} bad records were left out, the first: {reasons[0]}"


def label_warnings(labels: Iterable[str]) -> list[str]:
    """Labels that differ only in white space or case from another one: most likely a slip in the data."""
    first: dict[str, str] = {}  # of those that are alike
    alike = ((first.setdefault(label.strip().casefold(), label), label) for label in sorted(set(labels)))
    return [f"labels {quoted(one)} and {quoted(label)} are counted as two" for one, label in alike if one != label]
