"""A labelled data file read whole: inputs, labels, and where each stood."""

from __future__ import annotations

import hashlib
import itertools
import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.data.array_records import read_arrays
from rnncli.data.doubts.labels import are_tagged, nested_label, no_labels, unlikely_labels
from rnncli.data.doubts.look import Asker, Look, raise_first, raise_found
from rnncli.data.doubts.parts import Parts
from rnncli.data.doubts.tables import DESCRIBED, TABLE, no_header
from rnncli.data.doubts.text_files import CONLL, TEXT_FILE
from rnncli.data.doubts.texts import BESIDE, CHOSEN, nested_text
from rnncli.data.formats.registry import ARRAY_SUFFIX, format_of
from rnncli.data.formats.sources import STDIN_NAME
from rnncli.data.formats.table import Row, Table
from rnncli.data.formats.values import Value, as_text, is_nested, looks_like_numbers, words
from rnncli.data.readers import open_table
from rnncli.data.records import (
    CHECKED_EVERY,
    SKIP_HINT,
    SKIPPED_SHOWN,
    FeatureRows,
    Inputs,
    Lines,
    NumberArrays,
    Records,
    Shown,
    Texts,
    TokenLists,
    require_room_for,
)
from rnncli.data.short_repr import ShortRepr
from rnncli.data.tables.columns import Columns, choose_columns
from rnncli.data.tables.described import (
    ArrayColumn,
    Described,
    NumericColumns,
    Places,
    described_arrays,
    described_numbers,
    numbers_at,
)
from rnncli.data.tables.long_form import LongForm, guess_long_form, read_sequences
from rnncli.errors import DataError, UsageError, counted, quoted

# How many rows the guess of the columns looks at.
SAMPLE_ROWS = 200

# The type of the inputs is decided by so many records; a later one of another type is a bad record.
LOOKED_AT = 20

TRAINING = Asker()

# The columns of a table that an input's numbers come from.
Reads = NumericColumns | LongForm | ArrayColumn


@dataclass(frozen=True)
class Source:
    """Which file, how to read it, and which columns count; None where rnncli is to find out.

    With ``features`` numbers are the input: those of the .npy files that ``text`` names, those of all rows with the
    same value in ``sequence``, or else those of all numeric columns but the label's together. Columns named in
    ``ignore``, with commas between them, are none of the table.
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
        inputs: one entry a record, of the type that the inputs have.
        labels: one entry a record: a text, or the tags of words.
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

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns of which one row holds, or names, all the numbers of an input."""
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
            lines=Lines(self.lines[row] for row in rows),
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
        said = list(itertools.islice(bad, SKIPPED_SHOWN))
        count = len(problems) - len(kept)
        if not self.source.skip_bad:
            raise DataError(said[0], SKIP_HINT)
        if not kept:
            left = counted(count, f"{what} was", f"{what.replace(' ', 's ', 1)} were")
            raise DataError(f"{self.name}: no records ({left} left out)")
        return replace(
            self.take(kept),
            skipped=self.skipped + count,
            skipped_because=(*self.skipped_because, *said)[:SKIPPED_SHOWN],
        )


def left_out(count: int, reasons: Sequence[str]) -> str:
    """A sentence on the bad records that were left out; ``reasons`` says why for the first of them."""
    if count == 1:
        return f"1 bad record was left out: {reasons[0]}"
    return f"{count:,} bad records were left out, the first: {reasons[0]}"


def display_name(path: str) -> str:
    """A file's name in messages."""
    return STDIN_NAME if path == "-" else path


def is_plain_text(source: Source) -> bool:
    """Whether the file is a text and no table."""
    if source.format is not None or source.path == "-":
        return source.format == "text"
    return format_of(source.path) == "text"


def read_dataset(
    source: Source,
    labelled: bool = True,
    reads: Reads | None = None,
    *,
    task: str = "auto",
    inputs: type[Inputs[Any]] | None = None,
    settled: bool = False,
    asker: Asker = TRAINING,
) -> Dataset:
    """Reads every record, with an input and a label in each; if not ``labelled``, a text alone, empty ones too.

    Args:
        reads: the columns that a model takes its numbers from, where they are not to be guessed.
        inputs: of what type the inputs are, where that is not to be guessed.
        task: the name of what is trained, or was, if it is known: a label of one is a text for another.
        asker: who reads it, and what that settles.
        settled: whether the file was read so before, and is not to be doubted again; see :mod:`rnncli.data.doubts`.

    Raises:
        DataError: a record cannot be used (with file and line), or there is none; or the file is likely something else
            than it would be read as.
        StorageError: the file cannot be read.
    """
    if not labelled:
        return _read_text(source, task, settled, asker)
    table, sample = _open_table(source, SAMPLE_ROWS, SKIP_HINT)
    look = _look(source, table, sample, task, asker)
    if settled or source.features is not None:
        return _read_labelled(source, table, look, reads, inputs, itertools.chain(sample, table.rows))
    _doubt_file(source, look)
    parts = Parts.of(look)
    rows = parts.watch(itertools.chain(sample, table.rows))
    dataset = _read_labelled(source, table, look, reads, inputs, rows, doubt=True)
    raise_found(parts.refusal((dataset.source.text, dataset.source.label)))
    if isinstance(dataset.reads, NumericColumns | ArrayColumn):
        return dataset  # its labels are texts
    if isinstance(dataset.inputs, TokenLists):
        return dataset  # its labels are tags, which were looked at as they were read
    look = replace(look, label=table.columns.index(dataset.source.label or ""))
    if dataset.reads is None:
        look = replace(look, text=table.columns.index(dataset.source.text or ""))
    raise_found(no_labels(look, dataset.texts, dataset.labels, dataset.lines))
    raise_found(unlikely_labels(look, dataset.labels))
    return dataset


def _read_labelled(
    source: Source,
    table: Table,
    look: Look,
    reads: Reads | None,
    inputs: type[Inputs[Any]] | None,
    rows: Iterator[Row],
    doubt: bool = False,
) -> Dataset:
    """The records of ``rows``, once the columns to read are chosen."""
    match _numbers_of(source, table, look.sample, reads):
        case Places() as places:
            return _read_arrays(source, table, places, rows)
        case LongForm() as form:
            return _read_long_form(source, table, form, rows)
        case Described() as described:
            if doubt:
                raise_first(DESCRIBED, look)
            return _read_described(source, table, described, rows)
    if source.features:
        raise DataError(f"{table.name}: there are no numeric columns beside a text")
    columns = _choose(source, look, doubt=doubt)
    assert columns.label is not None  # need_label
    look = replace(look, text=columns.text, label=columns.label)
    inputs = inputs or _type_of_inputs(look)
    tagged = inputs is TokenLists
    texts_alone = inputs is Texts and doubt and not look.pairs and not look.facts[columns.text].nested
    records = Records.of(inputs, table.ledger)
    for row in rows:
        input, label = row.values[columns.text], row.values[columns.label]
        problem = _missing(input, label)
        if problem is not None:
            table.ledger.bad_record(row.line, problem)
            continue
        if texts_alone and not isinstance(input, str) and is_nested(input):
            raise nested_text(look, as_text(input), row.line)
        if tagged and doubt and words(label) is None:
            raise_found(nested_label(look, as_text(input), as_text(label), row.line, tagged))
        records.add(row.line, input, label)
    text, label = table.columns[columns.text], table.columns[columns.label]
    return _dataset(replace(source, text=text, label=label, features=False), columns.why, table, records)


def _type_of_inputs(look: Look) -> type[Inputs[Any]]:
    """What the inputs are, by the first records."""
    assert look.text is not None
    assert look.label is not None
    pairs = ((row.values[look.text], row.values[look.label]) for row in look.rows)
    first = list(itertools.islice((pair for pair in pairs if _missing(*pair) is None), LOOKED_AT))
    if look.task == "tag" or (look.task == "auto" and are_tagged(first)):
        return TokenLists
    numbers = 2 * sum(looks_like_numbers(input) for input, _ in first) > len(first)
    return NumberArrays if numbers and not look.pairs else Texts


def _missing(input: Value, label: Value) -> str | None:
    """What is wrong with a record whose text or label is empty."""
    if isinstance(input, str) and not input.strip():
        return "the text is empty"
    if isinstance(label, str) and not label.strip():
        return "the label is empty"
    return None


def _look(source: Source, table: Table, sample: Sequence[Row], task: str, asker: Asker) -> Look:
    named = (source.text is not None, source.label is not None)
    return Look(table.ledger.file, table.columns, sample, task, named, asker)


def _doubt_file(source: Source, look: Look) -> None:
    """Raises DataError: it is no text, or has no header."""
    if look.file.format == "conll":
        raise_first(CONLL, look)
    elif look.file.format != "text":
        raise_found(no_header(look))
    elif source.format is None:
        raise_first(TEXT_FILE, look)


def choose(
    source: Source,
    table: Table,
    sample: Sequence[Row],
    *,
    task: str = "auto",
    need_label: bool,
    asker: Asker = TRAINING,
) -> Columns:
    """The columns of text and label, as they were named or are guessed.

    Raises:
        DataError: it cannot be told which they are, or the table is likely something else.
    """
    look = _look(source, table, sample, task, asker)
    _doubt_file(source, look)
    return _choose(source, look, need_label=need_label)


def _choose(source: Source, look: Look, *, need_label: bool = True, doubt: bool = True) -> Columns:
    if doubt and need_label:
        raise_first(TABLE, look)
    columns = choose_columns(look.columns, look.sample, text=source.text, label=source.label, need_label=need_label)
    if doubt:
        look = replace(look, text=columns.text, label=columns.label)
        raise_first(CHOSEN, look)
        if columns.label is not None:
            texts, labels = ([texts[at] for texts in look.sample] for at in (columns.text, columns.label))
            raise_found(no_labels(look, texts, labels, [row.line for row in look.rows]))
        raise_first(BESIDE, look)
    return columns


def _numbers_of(
    source: Source, table: Table, sample: Sequence[Sequence[str]], reads: Reads | None
) -> Places | LongForm | Described | None:
    """Where the numbers stand that the records are made of; None if the records are texts."""
    columns = table.columns
    if source.features is False:
        return None
    if source.features and source.text is not None:
        return described_arrays(columns, sample, source.label, source.text)
    if source.text is not None:
        return None
    if isinstance(reads, LongForm):
        require_columns(table, replace(reads, label=None).names)
        return reads.labelled(columns, source.label, table.name)
    if isinstance(reads, ArrayColumn):
        require_columns(table, reads.names)
        found = described_arrays(columns, sample, source.label, reads.name)
        if found is None:
            raise DataError(f"{table.name}: cannot tell which column is the text", "Name it with --label.")
        return found
    if source.sequence is not None or source.features is None:
        arrays = None if source.sequence is not None else described_arrays(columns, sample, source.label)
        guessed = arrays or guess_long_form(columns, sample, source.label, source.sequence)
        if guessed is not None:
            return guessed
    return described_numbers(columns, sample, None, source.label)


def require_columns(table: Table, names: Sequence[str]) -> None:
    """Raises DataError: the table has no column of one of the names."""
    for name in names:
        if name not in table.columns:
            raise DataError(f"{table.name}: there is no column {quoted(name)}, which the model reads")


def _dataset(
    source: Source, why: str, table: Table, records: Records, reads: Reads | None = None, of_arrays: str | None = None
) -> Dataset:
    """The records, once all rows were read; ``of_arrays`` is the digest of the arrays that the table names."""
    if not records.inputs:
        raise DataError(f"{table.name}: no records")
    if table.ledger.documents:
        lines = counted(table.ledger.documents, "line that begins a document", "lines that begin a document")
        why = f"{why}; left out: {lines} (-DOCSTART-)"
    digest = table.ledger.digest
    if of_arrays is not None:
        digest = hashlib.sha256(f"{digest} {of_arrays}".encode()).hexdigest()
    return Dataset(
        *(replace(source, format=table.format), why, records.inputs, records.labels, records.lines, digest),
        table.ledger.count,
        tuple(table.ledger.skipped[:SKIPPED_SHOWN]),
        reads,
        records.shown,
    )


def _read_text(source: Source, task: str, settled: bool, asker: Asker) -> Dataset:
    if source.label is not None:
        raise UsageError("--label names the right answers, and a model of a text has none", "leave it out")
    table, sample = _open_table(source, SAMPLE_ROWS, None)
    look = _look(source, table, sample, task, asker)
    parts = Parts.of(look)
    if not settled:
        _doubt_file(source, look)
    columns = _choose(source, look, need_label=False, doubt=not settled)
    texts, lines = Texts(), Lines()
    for row in parts.watch(itertools.chain(sample, table.rows)):
        texts.append(row.values[columns.text])
        lines.append(row.line)
        if len(lines) % CHECKED_EVERY == 0:
            require_room_for(texts)
    chosen = replace(source, text=table.columns[columns.text], label=None, format=table.format)
    why = "one text" if table.format == "text" else columns.why
    dataset = Dataset(chosen, why, texts, Texts([""] * len(texts)), lines, table.ledger.digest, table.ledger.count, ())
    if not settled:
        raise_found(parts.refusal((dataset.source.text, dataset.source.label)))
    return dataset


def stream_rows(source: Source, before_waiting: Callable[[], object] | None = None) -> Table:
    """The table, without any guess at its columns; see :func:`stream_texts`."""
    return _open_table(source, 0, None, before_waiting)[0]


def stream_texts(
    source: Source, before_waiting: Callable[[], object] | None = None, asker: Asker = TRAINING
) -> tuple[Table, Columns, Iterator[Row]]:
    """The rows of a file that needs no labels, one after the other: for predicting and for tokenizing.

    Where a pipe holds nothing more yet, ``before_waiting`` is called.
    """
    # Where nothing is to be guessed, the first row need not wait until there are enough to guess from.
    sampled = SAMPLE_ROWS if source.text is None and source.format != "text" else 0
    table, sample = _open_table(source, sampled, None, before_waiting)
    columns = choose(source, table, sample, need_label=False, asker=asker)
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


def _read_described(source: Source, table: Table, described: Described, rows: Iterable[Row]) -> Dataset:
    """Records of numbers with a text that describes them."""
    records = Records(table.ledger, FeatureRows(spaced=True, whole=True))
    names = tuple(table.columns[at] for at in described.features)
    for row in rows:
        text = as_text(row.values[described.text])
        try:
            numbers = numbers_at(row.values, table.columns, described.features)
            if not text.strip():
                raise ValueError("the text is empty")
        except ValueError as error:
            table.ledger.bad_record(row.line, str(error))
        else:
            records.add(row.line, np.array(numbers), text)
    chosen = replace(source, label=table.columns[described.text], features=True)
    why = f"numbers: {names[0]} to {names[-1]} ({len(names)}), text: {chosen.label}; change with --label"
    return _dataset(chosen, why, table, records, NumericColumns(names))


def _read_long_form(source: Source, table: Table, form: LongForm, rows: Iterable[Row]) -> Dataset:
    """Sequences of numbers with a label, of which a row is a timestep; a bad row leaves its sequence out."""
    records = Records(table.ledger, NumberArrays(whole=True))
    for one in read_sequences(rows, table.columns, form, table.ledger.bad_record):
        records.add(one.line, one.numbers, one.label, one.id)
    why = (
        f"sequences: {form.id}, {len(records.inputs):,} of them in order of {form.order}; "
        f"numbers: {form.listed}; label: {form.label}; change with --label"
    )
    chosen = replace(source, label=form.label, features=True, sequence=form.id)
    return _dataset(chosen, why, table, records, form)


def _read_arrays(source: Source, table: Table, places: Places, rows: Iterable[Row]) -> Dataset:
    """Records of numbers, each in an .npy file, with a text that describes them."""
    records = Records(table.ledger, FeatureRows())
    folder = "" if source.path == "-" else os.path.dirname(source.path)
    of_arrays = read_arrays(rows, table.columns, places, folder, records)
    array, text = (table.columns[at] for at in places)
    size = len(records.inputs[0]) if records.inputs else 0
    why = f"numbers: {array}, {size:,} in each {ARRAY_SUFFIX} file; text: {text}; change with --label"
    chosen = replace(source, text=array, label=text, features=True)
    return _dataset(chosen, why, table, records, ArrayColumn(array), of_arrays)


def label_warnings(labels: Iterable[str]) -> list[str]:
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
