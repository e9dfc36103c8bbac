"""Opens a data file, recognizes how it holds its records, and reads them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rnncli.data.dataset import PAIRS, Dataset
from rnncli.data.doubts.parts import Parts
from rnncli.data.doubts.preview import NAMING, TAGGING, Known, Preview, Purpose, raise_first, raise_found
from rnncli.data.formats.advice import command
from rnncli.data.formats.folders import is_folder
from rnncli.data.formats.registry import FORMATS, format_of
from rnncli.data.formats.table import Ledger, Row, Table, Watch
from rnncli.data.formats.values import NULL
from rnncli.data.layouts.labels import SEVERAL
from rnncli.data.layouts.layout import Plan, Reads, Record, Request
from rnncli.data.readers import open_table
from rnncli.data.records import SKIP_HINT, Inputs, Records, Texts
from rnncli.data.several import open_source
from rnncli.data.tables.column import Column, columns_of
from rnncli.data.tables.columns import Unclear
from rnncli.data.tables.first_rows import Expected
from rnncli.data.tables.joined import join_columns, join_roles, one_text, one_time, time_parts
from rnncli.data.tables.long_form import LongForm
from rnncli.data.tables.named import Beside, as_trained, columns_named, ignore, resolved, set_aside
from rnncli.data.tables.names import FILE
from rnncli.data.tables.parts import split_among
from rnncli.data.tables.series_form import SeriesForm
from rnncli.data.tables.source import Roles, Source, joined_names
from rnncli.data.tables.wide_form import WideForm
from rnncli.errors import DataError, UsageError, counted, listed, quoted

SAMPLE_ROWS = 200  # rows by which the columns are guessed
TRAINING = Purpose()
_IN_TIME = ("auto", "classify", "multilabel", "regress", "forecast")  # tasks whose inputs may be rows in order of time


def is_plain_text(source: Source) -> bool:
    """Whether the file is a text and not a table."""
    if source.target is not None:
        return False
    named = source.format is not None or source.path == "-"
    format = FORMATS.get((source.format if named else format_of(source.path)) or "")
    return format is not None and format.holds == "texts"


def read_dataset(
    source: Source,
    labelled: bool = True,
    reads: Reads | None = None,
    *,
    roles: Roles | None = None,
    task: str = "auto",
    inputs: type[Inputs[Any]] | None = None,
    settled: bool = False,
    purpose: Purpose = TRAINING,
) -> Dataset:
    """Reads all records, each with an input and a label; if not ``labelled``, texts alone, empty ones too.

    Args:
        reads: the columns that a model takes its numbers from, where they are not to be guessed.
        roles: of the columns that a model was trained on; the user may name others.
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
    doubted = not settled and (source.layout is None or not labelled)
    request = Request(source, labelled, reads=reads if labelled else None, roles=roles, inputs=inputs, doubted=doubted)
    return read_opened(open_records(request, task, purpose))


def read_opened(opened: OpenedRecords) -> Dataset:
    """All records of a file of which the first rows were read.

    Raises:
        DataError: as for :func:`read_dataset`.
    """
    table, plan = opened.table, opened.plan
    parts = Parts(plan.preview) if opened.request.doubted else None
    records = Records(table.ledger, plan.new_inputs(), plan.new_labels())
    records.add_all(opened.records(None if parts is None else parts.watch))
    if not records.inputs:
        raise DataError(f"{table.name}: no records")
    if parts is not None:
        raise_found(parts.refusal({*plan.roles.text, *plan.roles.label}))
        raise_found(plan.refusal(records))
    why, digest = opened.why(records.inputs), table.ledger.digest
    read = Dataset.of(opened.as_read, why, records, digest, plan.kept(), plan.roles)
    return opened.with_beside(read, records)


def _unusual(table: Table, source: Source) -> dict[str, Any]:
    """What was found out of how a table is written, as far as it is not the usual."""
    dialect = table.dialect
    if dialect is None:
        return {}
    usual = dialect.delimiter == table.ledger.file.format.delimiter
    return {
        "delimiter": source.delimiter if usual else dialect.delimiter,
        "header": source.header if dialect.header else False,
    }


@dataclass(frozen=True)
class OpenedRecords:
    """A file of which the first rows were read.

    Attributes:
        source: with the names of columns as the table has them.
        plan: how its rows become records.
        rows: all of them, with the first ones.
        columns: all columns of the file, ignored ones too, with the values of its first rows.
        beside: what stands beside the records.
        request: what was asked of it.
    """

    source: Source
    table: Table
    plan: Plan
    rows: Iterator[Row]
    columns: Sequence[Column]
    beside: Beside
    request: Request

    @property
    def all_seen(self) -> bool:
        """Whether the first rows are all."""
        return len(self.plan.preview.rows) < SAMPLE_ROWS

    @property
    def as_read(self) -> Source:
        """The source with what was chosen, so that the same records are read from it again."""
        roles, several = self.plan.roles, self.source.more or self.source.target is not None
        return replace(
            self.source,
            text=joined_names(roles.text) if roles.text else None,
            label=joined_names(roles.label) if roles.label else None,
            time=roles.time,
            id=roles.id,
            format=self.source.format if several else self.table.format,
            layout=roles.layout,
            **_unusual(self.table, self.source),
        )

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        """What the columns were taken for, and how the file is written; with ``inputs`` once all are read."""
        ledger = self.table.ledger
        said = [*ledger.said, self.plan.why(inputs)]
        if self.source.split is not None:
            said.append(f"{quoted(self.source.split)} says which rows are for training; all are with --ignore")
        if ledger.documents:
            lines = counted(ledger.documents, "line that begins a document", "lines that begin a document")
            said.append(f"left out: {lines} (-DOCSTART-)")
        return "; ".join((*said, *(() if self.table.dialect is None else self.table.dialect.said)))

    def first(self, doubted: bool = False) -> Dataset:
        """The records of the first rows, without those that cannot be used.

        Args:
            doubted: whether they are doubted as all records would be, where they are all.

        Raises:
            DataError: one of them shows that the file is something else.
        """
        skip_bad = self.source.skip_bad or not doubted
        plan, cut = self.plan, not self.all_seen
        ledger = replace(self.table.ledger, skip_bad=skip_bad, first_rows=cut, skipped=[], count=0, first_bad=None)
        parts = Parts(plan.preview)
        records = Records(ledger, plan.new_inputs(), plan.new_labels())
        rows = _without_nulls(plan.preview.rows, self.table, ledger, plan.roles)
        records.add_all(plan.records(self._divided(parts.watch(rows)), ledger))
        if self.request.doubted:
            raise_found(parts.refusal({*plan.roles.text, *plan.roles.label}))
        if not records.inputs:
            if ledger.first_bad is not None and not self.source.skip_bad:
                raise ledger.first_bad
            raise ledger.no_records()
        if doubted and self.request.doubted and self.all_seen:  # of others only all rows tell
            raise_found(plan.refusal(records))
        digest = self.table.ledger.digest if self.all_seen else ""
        return self.with_beside(Dataset.of(self.as_read, self.why(), records, digest, plan.reads, plan.roles), records)

    def with_beside(self, read: Dataset, records: Records) -> Dataset:
        """Records that were read, with what stands beside them."""
        splits, groups = (Texts(self.beside.of(role, records.lines)) for role in ("split", "group"))
        named_columns = self.table.ledger.file.format.holds == "records"
        return replace(read, named_columns=named_columns, splits=splits, groups=groups)

    def records(self, watch: Callable[[Iterable[Row]], Iterable[Row]] | None = None) -> Iterator[Record]:
        """The records, one after the other.

        Args:
            watch: sees all rows as they pass.

        Raises:
            DataError: one cannot be used, and such are not to be left out.
        """
        rows = self._divided(self.rows)
        return self.plan.records(rows if watch is None else watch(rows), self.table.ledger)

    def _divided(self, rows: Iterable[Row]) -> Iterable[Row]:
        """The rows, of which those of one record are all for the same part and in the same group."""
        plan = self.plan
        if not (plan.of_several_rows and self.beside.values):
            return rows
        id_at = None if plan.roles.id is None else plan.preview.names.index(plan.roles.id)
        return self.beside.alike(rows, self.source, self.table.ledger, id_at)


def open_records(
    request: Request,
    task: str = "auto",
    purpose: Purpose = TRAINING,
    *,
    before_waiting: Callable[[], object] | None = None,
    watch: Watch | None = None,
) -> OpenedRecords:
    """Opens a file and recognizes how it holds its records: for every command that reads data.

    Args:
        before_waiting: is called where a pipe holds nothing more yet.
        watch: sees every row as it is read; then a bad record is no error.

    Raises:
        DataError: it cannot be told how the file is to be read, or it is likely something else.
        UsageError: an option has no effect on it.
        StorageError: the file cannot be read.
    """
    # A text is predicted without them: its command need not wait.
    from rnncli.data.doubts.checks import FILE
    from rnncli.data.doubts.unclear import unclear_columns
    from rnncli.data.layouts.table import plan_of

    if not request.labelled and request.source.label is not None:
        raise UsageError("--label names the right answers, and a model of a text has none", "leave it out")
    request = replace(request, source=_of_lines(request))
    table, file_doubted = _opened(request, task, purpose, before_waiting, watch)
    head = list(itertools.islice(table.rows, _rows_to_wait_for(table, request, before_waiting is not None)))
    table.rows = itertools.chain(head, table.rows)
    columns = columns_of(table.columns, [row.texts for row in head])
    source, texts, lacking = _with_roles(table, columns, request, task, purpose)
    if source.pairs:
        table.name, table.ledger.file = PAIRS, replace(table.ledger.file, called=PAIRS)
    beside = set_aside(table, source)
    request = replace(request, source=source)
    sample = list(itertools.islice(table.rows, len(head)))
    text = Known.NOTHING if source.text is None else Known.TEXT
    label = Known.NOTHING if source.label is None else Known.LABEL
    preview = Preview.of(table.ledger.file, table.columns, sample, task, text | label, purpose)
    if file_doubted:
        raise_first(FILE[table.ledger.file.format.holds], preview)  # it is not what its format says, or has no header
    try:
        plan = plan_of(preview, request)
    except Unclear as unclear:
        raise lacking or unclear_columns(preview, unclear, source.text, source.label) from None
    raise_found(lacking)
    rows = _without_nulls(itertools.chain(sample, table.rows), table, table.ledger, plan.roles)
    roles = replace(plan.roles, text=texts or plan.roles.text, split=source.split, group=source.group)
    roles = replace(roles, sheet=table.ledger.sheet)
    return OpenedRecords(source, table, replace(plan, roles=roles), rows, columns, beside, request)


def _of_lines(request: Request) -> Source:
    """The source, as a text if the model's inputs were the lines of one: its rows of numbers are no table then."""
    source, roles = request.source, request.roles
    of_lines = roles is not None and roles.layout == "cells" and roles.text == ("source",)
    if not (of_lines and source.format_found and format_of(source.path) == "text"):
        return source
    return replace(source, format="text", format_found=False, delimiter=None, header=None)


def _opened(
    request: Request,
    task: str,
    purpose: Purpose,
    before_waiting: Callable[[], object] | None,
    watch: Watch | None,
) -> tuple[Table, bool]:
    """The table of a source, and whether it is still to be doubted as a file of its format: not where each file was."""
    from rnncli.data.doubts import files
    from rnncli.data.doubts.checks import FILE
    from rnncli.data.doubts.unsaid import by_its_lines

    source = request.source
    open_one = partial(
        open_table,
        encoding=source.encoding,
        skip_bad=source.skip_bad and source.target is None,  # a line that is left out would move those below it
        before_waiting=before_waiting,
        watch=watch,
        skip_hint=SKIP_HINT if request.labelled and request.whole else None,
        delimiter=source.delimiter,
        header=source.header,
        decimal=source.decimal,
        expected=_expected(request, task, purpose),
        reader=purpose.command,
        given=_given(source, task if purpose.task_named else None),
        sheet=source.sheet,
        usual_sheet=request.sheet or (None if request.roles is None else request.roles.sheet),
    )

    def opened_as(
        format: str | None, by_name: bool = False, tagged: bool = False, by_file: bool | None = False
    ) -> Table:
        named = replace(source, format=format)
        return open_source(named, lambda path, format: open_one(path, format=format), by_name, tagged, by_file=by_file)

    try:
        if request.doubted and purpose.trains and not source.more and is_folder(source.path):
            raise_found(files.parts_as_one(source.path, purpose.command))
        by_name, tagged = (request.labelled and task in tasks for tasks in (NAMING, TAGGING))
        table = opened_as(source.format, by_name, tagged, _by_file(request, purpose))
    except DataError as error:
        raise by_its_lines(error, source, partial(opened_as, "text"), open_one, SAMPLE_ROWS, purpose) from None
    holds, several = table.ledger.file.format.holds, bool(table.ledger.file.files) and source.target is None
    doubted = request.doubted and (holds != "texts" or source.format is None or source.format_found)
    if doubted and several and holds == "texts":
        opened = partial(open_one, format=table.format, watch=None)
        each = list(files.text_files(table.ledger.file, opened, SAMPLE_ROWS, task, purpose))
        files.read_together(table.ledger.file, each, FILE[holds], by_name)
        return table, False
    return table, doubted


def _rows_to_wait_for(table: Table, request: Request, streamed: bool) -> int:
    """How many rows the columns are guessed by.

    Where nothing is to be guessed, or a pipe has one column, the first row need not wait until there are enough.

    Args:
        streamed: whether what is read is used as it comes.
    """
    source = request.source
    reads_by_name = request.reads is not None and not isinstance(request.reads, WideForm)
    settled = source.text is not None or source.format == "text" or reads_by_name
    waits = source.path == "-" and len(table.columns) == 1
    return 0 if streamed and (settled or waits) else SAMPLE_ROWS


def _with_roles(
    table: Table, columns: Sequence[Column], request: Request, task: str, purpose: Purpose
) -> tuple[Source, tuple[str, ...], DataError | None]:
    """What the user and the model say of the columns, done to the table: some are left out, some joined into one.

    Args:
        columns: with the values of the first rows.

    Returns:
        The source with the names of columns as the table has them, the columns of a joined text, and the refusal of a
        table that lacks a column of the model, unless its records are recognized without.

    Raises:
        DataError: there is no such column.
    """
    source = request.source
    if source.ignore is not None:
        ignore(table, source.ignore)
    roles, named_columns = request.roles, table.ledger.file.format.holds == "records"
    if named_columns:
        source = resolved(source, table.columns)
    named_columns = named_columns and not source.pairs
    lacking = None
    if roles is not None and named_columns:
        source, lacking = as_trained(source, roles, table.columns, table.name, request.labelled)
    texts = () if source.text is None else columns_named(table.columns, source.text, "--text")
    if len(texts) > 1:
        join_columns(table, texts, one_text)
    _join(table, columns, request, source, task if purpose.trains else "")
    if source.split is None and request.doubted and request.labelled and purpose.trains:
        named = {name for role in ("text", "label", "time", "id", "features", "group") for name in source.named(role)}
        split = split_among(one for one in columns if one.name in table.columns and one.name not in named)
        source = replace(source, split=None if split is None else split.name)
    return source, texts, lacking


def _by_file(request: Request, purpose: Purpose) -> bool | None:
    """Whether each of several tables is a sequence: by the model, or by what the tables hold, which None stands for."""
    reads, source = request.reads, request.source
    if isinstance(reads, LongForm | SeriesForm):
        return reads.id == FILE
    guessed = request.labelled and request.doubted and purpose.trains and request.roles is None
    return None if guessed and source.id is None and source.text is None else False


def _join(table: Table, columns: Sequence[Column], request: Request, source: Source, task: str) -> None:
    """Makes one column of those that are a time together, and of those that are an id.

    Args:
        columns: with the values of the first rows.
        task: of a training, where they may be guessed; else empty.
    """
    reads, time, id = request.reads, source.time, source.id
    if isinstance(reads, LongForm | SeriesForm):
        time, id = time or reads.time, id or reads.id
    join_roles(table, time, id)
    if time is not None or source.text is not None or not (request.doubted and task in _IN_TIME):
        return
    named, names = _named_columns(source), set(table.columns)
    there = [column for column in columns if column.name in names]
    parts = time_parts(there)
    if parts and not any(name in named for name in parts) and not any(column.is_prose for column in there):
        join_columns(table, parts, one_time(parts))
        table.ledger.said.append(f"{listed([*map(quoted, parts)])} are one time")


def _without_nulls(rows: Iterable[Row], table: Table, ledger: Ledger, roles: Roles) -> Iterator[Row]:
    """The rows that have a value in each column that is read."""
    return _checked_for_nulls(rows, table, ledger, roles) if ledger.file.format.typed else iter(rows)


def _checked_for_nulls(rows: Iterable[Row], table: Table, ledger: Ledger, roles: Roles) -> Iterator[Row]:
    read = {*roles.text, *roles.features, *roles.label, roles.time, roles.id}
    places = [at for at, name in enumerate(table.columns) if name in read]
    for row in rows:
        null = next((at for at in places if row.values[at] is NULL), None)
        if null is None:
            yield row
        else:
            ledger.bad_record(row.line, f"the value of {quoted(table.columns[null])} is null")


def _expected(request: Request, task: str, purpose: Purpose) -> Expected:
    """What is known of a file's columns before it is read."""
    source, roles = request.source, request.roles
    several = source.label_separator is not None or SEVERAL in (task, purpose.task)
    lists = (*source.named("label"), *(() if roles is None else roles.label)) if several else ()
    known = replace(purpose.expected, named=_named_columns(source), lists=lists)
    if roles is None or source.pairs:
        return known
    return replace(known, columns=roles.read, header=not all(map(str.isdigit, roles.read)))


def _given(source: Source, task: str | None) -> list[str]:
    """The options that say what columns are for, as the user typed them."""
    named = {"task": task} | {role: getattr(source, role) for role in ("text", "label", "time", "id", "features")}
    named |= {role: getattr(source, role) for role in ("split", "group", "missing", "ignore")}
    options = [command(f"--{name}", value) for name, value in named.items() if value is not None]
    return [*options, "--skip-bad"] if source.skip_bad else options


def _named_columns(source: Source) -> tuple[str, ...]:
    """The columns that are named, in whatever role."""
    roles = ("text", "label", "time", "id", "features", "split", "group", "ignore")
    return tuple(name for role in roles for name in source.named(role))
