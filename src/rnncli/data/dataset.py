"""A labelled data file read whole: texts, labels, and where each stood."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rnncli.data.columns import Columns, choose_columns, quoted
from rnncli.data.readers import Row, Table, open_table
from rnncli.errors import DataError, counted

# How many rows the guess of the columns looks at.
SAMPLE_ROWS = 200
# Of how many records that were left out it is kept why.
SKIPPED_SHOWN = 5
SKIP_HINT = "leave such records out with --skip-bad"


@dataclass(frozen=True)
class Source:
    """Which file, how to read it, and which columns count; None where rnncli is to find out."""

    path: str
    text: str | None = None
    label: str | None = None
    format: str | None = None
    encoding: str = "utf-8"
    skip_bad: bool = False


@dataclass(frozen=True)
class Dataset:
    """The records of a file.

    Attributes:
        source: the file, with the columns that were chosen.
        why: a sentence on how the columns were chosen.
        texts, labels: one entry a record; labels are compared as text.
        lines: the line each record starts on.
        digest: SHA-256 of the file's bytes.
        skipped: how many bad records were left out; ``skipped_because`` says why for the first of them.
    """

    source: Source
    why: str
    texts: list[str]
    labels: list[str]
    lines: list[int]
    digest: str
    skipped: int
    skipped_because: tuple[str, ...]

    @property
    def name(self) -> str:
        return display_name(self.source.path)

    def with_tokens(self, counts: Sequence[int], unit: str) -> Dataset:
        """The records that have tokens; ``counts`` says how many each has. A text like ``<br>`` has none.

        Raises:
            DataError: one has none and bad records are not to be left out, or all have none.
        """
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
        kept = [row for row, problem in enumerate(problems) if problem is None]
        if len(kept) == len(problems):
            return self
        found = zip(self.lines, problems, strict=True)
        said = [f"{self.name}:{line}: {problem}" for line, problem in found if problem is not None]
        if not self.source.skip_bad:
            raise DataError(said[0], SKIP_HINT)
        if not kept:
            left = counted(len(said), f"{what} was", f"{what.replace(' ', 's ', 1)} were")
            raise DataError(f"{self.name}: no records ({left} left out)")
        return replace(
            self,
            texts=[self.texts[row] for row in kept],
            labels=[self.labels[row] for row in kept],
            lines=[self.lines[row] for row in kept],
            skipped=self.skipped + len(said),
            skipped_because=(*self.skipped_because, *said)[:SKIPPED_SHOWN],
        )


def left_out(count: int, reasons: Sequence[str]) -> str:
    """A sentence on the bad records that were left out; ``reasons`` says why for the first of them."""
    if count == 1:
        return f"1 bad record was left out: {reasons[0]}"
    return f"{count:,} bad records were left out, the first: {reasons[0]}"


def display_name(path: str) -> str:
    """A file's name in messages."""
    return "<stdin>" if path == "-" else path


def read_dataset(source: Source) -> Dataset:
    """Reads every record, with a text and a label in each.

    Raises:
        DataError: a record cannot be used (with file and line), or there is none.
        StorageError: the file cannot be read.
    """
    table, columns, rows = _open(source, need_label=True)
    texts: list[str] = []
    labels: list[str] = []
    lines: list[int] = []
    skipped: list[str] = []
    label_column = columns.label
    assert label_column is not None  # need_label
    for row in rows:
        text, label = row.values[columns.text], row.values[label_column]
        problem = _problem(text, label)
        if problem:
            message = f"{table.name}:{row.line}: {problem}"
            if not source.skip_bad:
                raise DataError(message, SKIP_HINT)
            skipped.append(message)
            continue
        texts.append(text)
        labels.append(label)
        lines.append(row.line)
    if not texts:
        raise DataError(f"{table.name}: no records")
    chosen = Source(
        source.path,
        table.columns[columns.text],
        table.columns[label_column],
        table.format,
        source.encoding,
        source.skip_bad,
    )
    return Dataset(
        chosen,
        columns.why,
        texts,
        labels,
        lines,
        table.digest,
        table.skipped_count + len(skipped),
        tuple([*table.skipped, *skipped][:SKIPPED_SHOWN]),
    )


def stream_texts(
    source: Source, before_waiting: Callable[[], object] | None = None
) -> tuple[Table, Columns, Iterator[Row]]:
    """The rows of a file that needs no labels, one after the other: for predicting and for tokenizing.

    Where a pipe holds nothing more yet, ``before_waiting`` is called.
    """
    return _open(source, need_label=False, before_waiting=before_waiting)


def _open(
    source: Source, *, need_label: bool, before_waiting: Callable[[], object] | None = None
) -> tuple[Table, Columns, Iterator[Row]]:
    table = open_table(
        source.path,
        format=source.format,
        encoding=source.encoding,
        skip_bad=source.skip_bad,
        before_waiting=before_waiting,
        skip_hint=SKIP_HINT if need_label else None,  # only what reads labels can leave records out
    )
    # Where nothing is to be guessed, the first row need not wait until there are enough to guess from.
    guess = need_label or (source.text is None and len(table.columns) > 1)
    sample = list(itertools.islice(table.rows, SAMPLE_ROWS if guess else 0))
    columns = choose_columns(
        table.columns, [row.values for row in sample], text=source.text, label=source.label, need_label=need_label
    )
    return table, columns, itertools.chain(sample, table.rows)


def _problem(text: str, label: str) -> str | None:
    if not text.strip():
        return "the text is empty"
    if not label.strip():
        return "the label is empty"
    return None


def is_path(argument: str) -> bool:
    """Whether a command-line argument means a file rather than a text: ``-``, or the name of something there."""
    if argument == "-":
        return True
    try:
        return os.path.exists(argument)
    except ValueError:  # a text with a NUL is no path
        return False


def label_warnings(labels: list[str]) -> list[str]:
    """Labels that differ only in white space or case from another one: most likely a slip in the data."""
    seen: dict[str, str] = {}
    warnings = []
    for label in sorted(Counter(labels)):
        folded = label.strip().casefold()
        if folded in seen:
            warnings.append(f"labels {quoted(seen[folded])} and {quoted(label)} are counted as two")
        else:
            seen[folded] = label
    return warnings
