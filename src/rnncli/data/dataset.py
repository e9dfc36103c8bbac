"""A data file read whole: the input, the label and the line of each record."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.data.doubts.checks import CHOSEN, DESCRIBED, FILE, LABELLED, TABLE
from rnncli.data.doubts.labels import nested_label, no_labels, takes_tags, unlikely_labels
from rnncli.data.doubts.parts import Parts
from rnncli.data.doubts.preview import Known, Preview, Purpose, raise_first, raise_found
from rnncli.data.doubts.texts import nested_text
from rnncli.data.formats.registry import ARRAY_SUFFIX, FORMATS, format_of
from rnncli.data.formats.sources import display_name
from rnncli.data.formats.table import Row, Table
from rnncli.data.formats.values import Value, as_text, is_nested, looks_like_numbers, words
from rnncli.data.number_records import Reads, number_records
from rnncli.data.readers import open_table
from rnncli.data.records import SKIP_HINT, FeatureRows, Inputs, NumberArrays, Records, Shown, Texts, TokenLists
from rnncli.data.short_repr import ShortRepr
from rnncli.data.tables.column import columns_of
from rnncli.data.tables.columns import Columns, choose_columns
from rnncli.data.tables.described import ArrayColumn, NumericColumns, described_arrays, described_numbers
from rnncli.data.tables.long_form import LongForm, guess_long_form
from rnncli.errors import DataError, UsageError, counted, quoted

SAMPLE_ROWS = 200  # rows by which the columns are guessed
_TYPED_BY = 20  # records that decide the type of the inputs; a later one of another type is a bad record
SKIPPED_SHOWN = 5  # records that were left out, of which the reason is shown
TRAINING = Purpose()


@dataclass(frozen=True)
class Source:
    """Which file, how to read it, and which columns count; None where that is guessed.

    With ``features`` the inputs are numbers: those of the .npy files that ``text`` names, those of all rows with the
    same value in ``sequence``, or else those of all numeric columns but the label's. Columns named in ``ignore``, with
    commas between them, are left out.
    """

    path: str
    text: str | None = None
    label: str | None = None
    format: str | None = None
    encoding: str = "utf-8"
    skip_bad: bool = False
    features: bool | None = None
    sequence: str | None = None
    ignore: str | None = None


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

    @classmethod
    def of(cls, source: Source, why: str, records: Records, digest: str = "", reads: Reads | None = None) -> Dataset:
        """Records, once all have been read."""
        ledger = records.ledger
        return cls(
            source=source,
            why=why,
            inputs=records.inputs,
            labels=records.labels or Texts.of_nothing(len(records.inputs)),
            lines=records.lines,
            digest=digest,
            skipped=ledger.count,
            skipped_because=tuple(ledger.skipped[:SKIPPED_SHOWN]),
            reads=reads,
            shown=records.shown,
        )

    @property
    def features(self) -> tuple[str, ...]:
        """The columns whose values in one row are, or name, all the numbers of an input."""
        return self.reads.names if isinstance(self.reads, NumericColumns | ArrayColumn) else ()

    @property
    def texts(self) -> Sequence[str]:
        """The inputs as they are shown."""
        return self.inputs if isinstance(self.inputs, Texts) else Shown(self.inputs)

    def called(self, row: int) -> str:
        """A record's name, or its input where it has none."""
        return self.shown[row] if self.shown else self.inputs.text(row)

    @property
    def name(self) -> str:
        return display_name(self.source.path)

    def take(self, rows: Sequence[int]) -> Dataset:
        """The records of these rows, in their order."""
        return replace(
            self,
            inputs=self.inputs.take(rows),
            labels=self.labels.take(rows),
            lines=array("q", (self.lines[row] for row in rows)),
            shown=Texts(self.shown[row] for row in rows) if self.shown else (),
        )

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
        found = zip(self.lines, problems, strict=True)
        bad = (f"{self.name}:{line}: {problem}" for line, problem in found if problem is not None)
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


def left_out(count: int, reasons: Sequence[str]) -> str:
    """A sentence on the bad records that were left out; ``reasons`` says why for the first of them."""
    if count == 1:
        return f"1 bad record was left out: {reasons[0]}"
    return f"{count:,} bad records were left out, the first: {reasons[0]}"


def is_plain_text(source: Source) -> bool:
    """Whether the file is a text and not a table."""
    named = source.format is not None or source.path == "-"
    format = FORMATS.get((source.format if named else format_of(source.path)) or "")
    return format is not None and format.holds == "texts"


def read_dataset(
    source: Source,
    labelled: bool = True,
    reads: Reads | None = None,
    *,
    task: str = "auto",
    inputs: type[Inputs[Any]] | None = None,
    settled: bool = False,
    purpose: Purpose = TRAINING,
) -> Dataset:
    """Reads all records, each with an input and a label; if not ``labelled``, texts alone, empty ones too.

    Args:
        reads: the columns that a model takes its numbers from, where they are not to be guessed.
        inputs: the type of the inputs, where that is not to be guessed.
        task: the name of what is trained, or was, if it is known: a label of one is a text for another.
        purpose: the command that reads the file, and what that settles.
        settled: whether the file was read before, and is not to be doubted again; see :mod:`rnncli.data.doubts`.

    Raises:
        UsageError: a column of labels is named, and none is read.
        DataError: a record cannot be used (with file and line), or there is none; or the file is likely something else
            than it would be read as.
        StorageError: the file cannot be read.
    """
    if not labelled and source.label is not None:
        raise UsageError("--label names the right answers, and a model of a text has none", "leave it out")
    table, sample = _open_table(source, SAMPLE_ROWS, SKIP_HINT if labelled else None)
    preview = _preview(source, table, sample, task, purpose)
    rows: Iterator[Row] = itertools.chain(sample, table.rows)
    doubt = not settled and (source.features is None or not labelled)
    parts = None
    if doubt:
        _doubt_file(source, preview)
        parts = Parts(preview)
        rows = parts.watch(rows)
    numbers = _numbers_of(source, table, preview.sample, reads) if labelled else None
    if numbers is not None:
        if doubt and isinstance(numbers[0], NumericColumns):
            raise_first(DESCRIBED, preview)
        dataset = _read_numbers(source, table, *numbers, rows)
    else:
        dataset = _read_column(source, table, preview, labelled, inputs, rows, doubt)
    if parts is None:
        return dataset
    text, label = dataset.source.text, dataset.source.label
    raise_found(parts.refusal((text, label)))
    # The labels of other inputs are texts, or tags, which were checked as they were read.
    if label is not None and not isinstance(dataset.inputs, TokenLists | FeatureRows):
        at = None if numbers or text is None else table.columns.index(text)
        preview = preview.choose(at, table.columns.index(label))
        raise_found(no_labels(preview, dataset.texts, dataset.labels, dataset.lines))
        raise_found(unlikely_labels(preview, dataset.labels))
    return dataset


def _preview(source: Source, table: Table, sample: Sequence[Row], task: str, purpose: Purpose) -> Preview:
    text = Known.NOTHING if source.text is None else Known.TEXT
    label = Known.NOTHING if source.label is None else Known.LABEL
    return Preview.of(table.ledger.file, table.columns, sample, task, text | label, purpose)


def _doubt_file(source: Source, preview: Preview) -> None:
    """Raises DataError: it is not what its format says, or has no header."""
    holds = preview.file.format.holds
    if holds != "texts" or source.format is None:
        raise_first(FILE[holds], preview)


def _read_column(
    source: Source,
    table: Table,
    preview: Preview,
    labelled: bool,
    inputs: type[Inputs[Any]] | None,
    rows: Iterable[Row],
    doubt: bool,
) -> Dataset:
    """The records whose inputs are the values of a column."""
    if labelled and source.features:
        raise DataError(f"{table.name}: there are no numeric columns beside a text")
    columns = _choose(source, preview, need_label=labelled, doubt=doubt)
    text_at, label_at = columns.text, columns.label
    preview = preview.choose(text_at, label_at)
    inputs = (inputs or _type_of_inputs(preview)) if labelled else Texts
    tags_doubted = doubt and inputs is TokenLists
    texts_expected = labelled and inputs is Texts and not preview.has_targets and not preview.columns[text_at].nested
    ledger = table.ledger
    records = Records(ledger, inputs())
    for line, values in rows:
        input, label = values[text_at], None if label_at is None else values[label_at]
        problem = None if label is None else _missing(input, label)
        if problem is not None:
            ledger.bad_record(line, problem)
            continue
        if doubt and texts_expected and not isinstance(input, str) and is_nested(input):
            raise nested_text(preview, as_text(input), line)
        if tags_doubted and label is not None and words(label) is None:
            raise_found(nested_label(preview, as_text(input), as_text(label), line, tagged=True))
        records.add(line, input, label)
    source = replace(source, text=table.columns[text_at], label=None if label_at is None else table.columns[label_at])
    if labelled:
        return _dataset(replace(source, features=False), columns.why, table, records)
    return _dataset(source, "one text" if ledger.file.format.holds == "texts" else columns.why, table, records)


def _type_of_inputs(preview: Preview) -> type[Inputs[Any]]:
    """What the inputs are, by the first records."""
    assert preview.text is not None
    assert preview.label is not None
    pairs = ((row.values[preview.text.at], row.values[preview.label.at]) for row in preview.rows)
    first = list(itertools.islice((pair for pair in pairs if _missing(*pair) is None), _TYPED_BY))
    if takes_tags(preview, first):
        return TokenLists
    numbers = 2 * sum(looks_like_numbers(input) for input, _ in first) > len(first)
    return NumberArrays if numbers and not preview.has_targets else Texts


def _missing(input: Value, label: Value) -> str | None:
    """What is wrong with a record whose text or label is empty."""
    if isinstance(input, str) and not input.strip():
        return "the text is empty"
    if isinstance(label, str) and not label.strip():
        return "the label is empty"
    return None


def choose(
    source: Source,
    table: Table,
    sample: Sequence[Row],
    *,
    task: str = "auto",
    need_label: bool,
    purpose: Purpose = TRAINING,
) -> Columns:
    """The columns of text and label, as they were named or are guessed.

    Raises:
        DataError: it cannot be told which they are, or the table is likely something else.
    """
    preview = _preview(source, table, sample, task, purpose)
    _doubt_file(source, preview)
    return _choose(source, preview, need_label=need_label)


def _choose(source: Source, preview: Preview, *, need_label: bool, doubt: bool = True) -> Columns:
    if doubt and need_label:
        raise_first(TABLE, preview)
    columns = choose_columns(preview.names, preview.sample, text=source.text, label=source.label, need_label=need_label)
    if doubt:
        preview = preview.choose(columns.text, columns.label)
        raise_first(CHOSEN, preview)
        if columns.label is not None:
            texts, labels = ([texts[at] for texts in preview.sample] for at in (columns.text, columns.label))
            raise_found(no_labels(preview, texts, labels, [row.line for row in preview.rows]))
        raise_first(LABELLED, preview)
    return columns


def _numbers_of(
    source: Source, table: Table, sample: Sequence[Sequence[str]], reads: Reads | None
) -> tuple[Reads, str | None] | None:
    """The columns that inputs of numbers come from, and that of their labels; None if the inputs are in one column."""
    if source.features is False or (source.text is not None and not source.features):
        return None
    columns = columns_of(table.columns, sample)
    if source.text is not None:
        return described_arrays(columns, source.label, source.text)
    if isinstance(reads, LongForm | ArrayColumn):
        require_columns(table, reads)
    if isinstance(reads, LongForm):
        form = reads.labelled(table.columns, source.label, table.name)
        return form, form.label
    if isinstance(reads, ArrayColumn):
        found = described_arrays(columns, source.label, reads.name)
        if found is None:
            raise DataError(f"{table.name}: cannot tell which column is the text", "Name it with --label.")
        return found
    if source.features is None and source.sequence is None:
        found = described_arrays(columns, source.label)
        if found is not None:
            return found
    if source.features is None or source.sequence is not None:
        guessed = guess_long_form(columns, source.label, source.sequence)
        if guessed is not None:
            return guessed, guessed.label
    return described_numbers(columns, source.label)


def require_columns(table: Table, reads: Reads) -> None:
    """Raises DataError: the table lacks a column of the inputs."""
    for name in replace(reads, label=None).names if isinstance(reads, LongForm) else reads.names:
        if name not in table.columns:
            raise DataError(f"{table.name}: there is no column {quoted(name)}, which the model reads")


def _read_numbers(source: Source, table: Table, reads: Reads, label: str | None, rows: Iterable[Row]) -> Dataset:
    """The records whose inputs are numbers; a bad row of a sequence leaves all of it out."""
    numeric = isinstance(reads, NumericColumns)
    inputs = NumberArrays(whole=True) if isinstance(reads, LongForm) else FeatureRows(spaced=numeric, whole=numeric)
    records = Records(table.ledger, inputs)
    for record in number_records(rows, table.columns, reads, label, table.ledger):
        records.add(*record)
    match reads:
        case LongForm():
            sequences = f"{reads.id}, {len(inputs):,} of them in order of {reads.order}"
            why = f"sequences: {sequences}; numbers: {reads.listed}; label"
            source = replace(source, sequence=reads.id)
        case ArrayColumn():
            size = len(inputs[0]) if inputs else 0
            why = f"numbers: {reads.name}, {size:,} in each {ARRAY_SUFFIX} file; text"
            source = replace(source, text=reads.name)
        case NumericColumns(names):
            why = f"numbers: {names[0]} to {names[-1]} ({len(names)}), text"
    source = replace(source, label=label, features=True)
    return _dataset(source, f"{why}: {label}; change with --label", table, records, reads)


def _dataset(source: Source, why: str, table: Table, records: Records, reads: Reads | None = None) -> Dataset:
    """The records, once all rows were read."""
    ledger = table.ledger
    if not records.inputs:
        raise DataError(f"{table.name}: no records")
    if ledger.documents:
        lines = counted(ledger.documents, "line that begins a document", "lines that begin a document")
        why = f"{why}; left out: {lines} (-DOCSTART-)"
    return Dataset.of(replace(source, format=table.format), why, records, ledger.digest, reads)


def stream_rows(source: Source, before_waiting: Callable[[], object] | None = None) -> Table:
    """The table, without any guess at its columns; see :func:`stream_texts`."""
    return _open_table(source, 0, None, before_waiting)[0]


def stream_texts(
    source: Source, before_waiting: Callable[[], object] | None = None, purpose: Purpose = TRAINING
) -> tuple[Table, Columns, Iterator[Row]]:
    """The rows of a file that needs no labels, one after the other: for predicting and for tokenizing.

    Where a pipe holds nothing more yet, ``before_waiting`` is called.
    """
    # Where nothing is to be guessed, the first row need not wait until there are enough to guess from.
    sampled = SAMPLE_ROWS if source.text is None and source.format != "text" else 0
    table, sample = _open_table(source, sampled, None, before_waiting)
    columns = choose(source, table, sample, need_label=False, purpose=purpose)
    return table, columns, itertools.chain(sample, table.rows)


def _open_table(
    source: Source, sampled: int, skip_hint: str | None, before_waiting: Callable[[], object] | None = None
) -> tuple[Table, list[Row]]:
    """The table and its first rows, as many as are sampled; none where only a pipe's one column could be chosen."""
    table = open_table(
        source.path,
        format=source.format,
        encoding=source.encoding,
        skip_bad=source.skip_bad,
        before_waiting=before_waiting,
        skip_hint=skip_hint,
        ignore=source.ignore,
    )
    waits = source.path == "-" and before_waiting is not None and len(table.columns) == 1
    return table, list(itertools.islice(table.rows, 0 if waits else sampled))


def label_warnings(labels: Iterable[str]) -> list[str]:
    """Labels that differ only in white space or case from another one: most likely a slip in the data."""
    first: dict[str, str] = {}  # of those that are alike
    alike = ((first.setdefault(label.strip().casefold(), label), label) for label in sorted(set(labels)))
    return [f"labels {quoted(one)} and {quoted(label)} are counted as two" for one, label in alike if one != label]
