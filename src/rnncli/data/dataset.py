"""A labelled data file read whole: texts, labels, and where each stood."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rnncli.data.columns import (
    Columns,
    Described,
    choose_columns,
    described_numbers,
    number_problem,
    numbers_text,
    quoted,
)
from rnncli.data.readers import Row, Table, open_table
from rnncli.errors import DataError, counted

# How many rows the guess of the columns looks at.
SAMPLE_ROWS = 200
# Of how many records that were left out it is kept why.
SKIPPED_SHOWN = 5
SKIP_HINT = "leave such records out with --skip-bad"


@dataclass(frozen=True)
class Source:
    """Which file, how to read it, and which columns count; None where rnncli is to find out.

    With ``features`` all numeric columns but the label's together are the input.
    """

    path: str
    text: str | None = None
    label: str | None = None
    format: str | None = None
    encoding: str = "utf-8"
    skip_bad: bool = False
    features: bool | None = None


@dataclass(frozen=True)
class Dataset:
    """The records of a file.

    Attributes:
        source: the file, with the columns that were chosen.
        why: a sentence on how the columns were chosen.
        texts, labels: one entry a record; labels are compared as text.
        lines: the line each record starts on.
        features: names of the numeric columns that a text is made of, as a JSON list of their numbers.
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
    features: tuple[str, ...] = ()

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


def is_plain_text(source: Source) -> bool:
    """Whether the file is a text and no table."""
    if source.format is not None or source.path == "-":
        return source.format == "text"
    return source.path.lower().removesuffix(".gz").endswith(".txt")


def read_dataset(source: Source, labelled: bool = True) -> Dataset:
    """Reads every record, with a text and a label in each; if not ``labelled``, the text alone, empty ones too.

    Raises:
        DataError: a record cannot be used (with file and line), or there is none.
        StorageError: the file cannot be read.
    """
    if not labelled:
        return _read_text(source)
    table, sample = _open_table(source, SAMPLE_ROWS, SKIP_HINT)
    values = [row.values for row in sample]
    described = (
        None if source.features is False else described_numbers(table.columns, values, source.text, source.label)
    )
    rows = itertools.chain(sample, table.rows)
    if described is not None:
        return _read_described(source, table, described, rows)
    if source.features:
        raise DataError(f"{table.name}: there are no numeric columns beside a text")
    columns = choose_columns(table.columns, values, text=source.text, label=source.label)
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
        features=False,
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


def _read_text(source: Source) -> Dataset:
    table, columns, rows = _open(source)
    read = [(row.values[columns.text], row.line) for row in rows]
    texts, lines = [text for text, _ in read], [line for _, line in read]
    name = table.columns[columns.text]
    chosen = Source(source.path, name, None, table.format, source.encoding, source.skip_bad)
    why = "one text" if table.format == "text" else columns.why
    return Dataset(chosen, why, texts, [""] * len(texts), lines, table.digest, table.skipped_count, ())


def stream_texts(
    source: Source, before_waiting: Callable[[], object] | None = None
) -> tuple[Table, Columns, Iterator[Row]]:
    """The rows of a file that needs no labels, one after the other: for predicting and for tokenizing.

    Where a pipe holds nothing more yet, ``before_waiting`` is called.
    """
    return _open(source, before_waiting=before_waiting)


def _open(
    source: Source, *, before_waiting: Callable[[], object] | None = None
) -> tuple[Table, Columns, Iterator[Row]]:
    # Where nothing is to be guessed, the first row need not wait until there are enough to guess from.
    table, sample = _open_table(source, SAMPLE_ROWS if source.text is None else 0, None, before_waiting)
    values = [row.values for row in sample]
    columns = choose_columns(table.columns, values, text=source.text, label=source.label, need_label=False)
    return table, columns, itertools.chain(sample, table.rows)


def _open_table(
    source: Source, sampled: int, skip_hint: str | None, before_waiting: Callable[[], object] | None = None
) -> tuple[Table, list[Row]]:
    """The table, and so many of its first rows, if it has more columns than one to choose from.

    Args:
        skip_hint: only what reads labels can leave records out.
    """
    table = open_table(
        source.path,
        format=source.format,
        encoding=source.encoding,
        skip_bad=source.skip_bad,
        before_waiting=before_waiting,
        skip_hint=skip_hint,
    )
    sampled = sampled if len(table.columns) > 1 or skip_hint else 0
    return table, list(itertools.islice(table.rows, sampled))


def _read_described(source: Source, table: Table, described: Described, rows: Iterator[Row]) -> Dataset:
    """Records of numbers with a text that describes them."""
    texts: list[str] = []
    labels: list[str] = []
    lines: list[int] = []
    skipped: list[str] = []
    names = tuple(table.columns[at] for at in described.features)
    for row in rows:
        problem = number_problem(row.values, table.columns, described.features)
        if problem is None and not row.values[described.text].strip():
            problem = "the text is empty"
        if problem is not None:
            message = f"{table.name}:{row.line}: {problem}"
            if not source.skip_bad:
                raise DataError(message, SKIP_HINT)
            skipped.append(message)
            continue
        texts.append(numbers_text(row.values, described.features))
        labels.append(row.values[described.text])
        lines.append(row.line)
    if not texts:
        raise DataError(f"{table.name}: no records")
    chosen = replace(source, label=table.columns[described.text], format=table.format, features=True)
    because = tuple([*table.skipped, *skipped][:SKIPPED_SHOWN])
    why = f"numbers: {names[0]} to {names[-1]} ({len(names)}), text: {chosen.label}; change with --label"
    return Dataset(
        *(chosen, why, texts, labels, lines, table.digest, table.skipped_count + len(skipped), because), features=names
    )


def stream_numbers(
    source: Source, names: tuple[str, ...], before_waiting: Callable[[], object] | None = None
) -> tuple[Table, Iterator[Row]]:
    """The rows of a table, each with one value: the numbers of the named columns as a JSON list.

    Raises:
        DataError: a column is missing, or a value is no number (with file and line).
    """
    table, _ = _open_table(source, 0, None, before_waiting)
    for name in names:
        if name not in table.columns:
            raise DataError(f"{table.name}: there is no column {quoted(name)}, which the model reads")
    places = [table.columns.index(name) for name in names]

    def rows() -> Iterator[Row]:
        for row in table.rows:
            problem = number_problem(row.values, table.columns, places)
            if problem is not None:
                raise DataError(f"{table.name}:{row.line}: {problem}")
            yield Row(row.line, (numbers_text(row.values, places),))

    return table, rows()


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
