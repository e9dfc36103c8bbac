"""The records of ``--data``, many at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from rnncli.cli.views.view import Subject
from rnncli.errors import DataError

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset

FEW, MANY = 10, 1_000  # inputs that are shown, and with --full: a file may have millions


def records_of(subject: Subject) -> Iterator[Dataset]:
    """Yields the records of the file, many at a time; with empty labels where there is no column of labels.

    A table whose rows are the timesteps of sequences is read whole.

    Raises:
        DataError: a record, or a column that was named, cannot be used.
        StorageError: the file cannot be read.
    """
    from rnncli.data.dataset import SAMPLE_ROWS, Dataset, choose, left_out, read_dataset, stream_rows
    from rnncli.data.records import SKIP_HINT, Records, Texts, TokenLists
    from rnncli.tasks.model import CHUNK

    model, source = subject.model, subject.source
    purpose = model.purpose("rnncli inspect --activations all --data")
    if model.reads is not None:
        whole = read_dataset(source, True, model.reads, task=model.task, inputs=model.inputs, purpose=purpose)
        subject.note(whole.why)
        yield whole
        return
    table = stream_rows(source)
    sample = list(islice(table.rows, SAMPLE_ROWS))
    try:
        wanted = model.labelled or source.label is not None
        columns = choose(source, table, sample, task=model.task, need_label=wanted, purpose=purpose)
    except DataError:
        if source.label is not None:
            raise
        columns = choose(source, table, sample, task=model.task, need_label=False, purpose=purpose)
    subject.note(columns.why)
    rows = chain(sample, table.rows)
    while chunk := list(islice(rows, CHUNK)):
        # Words without tags are texts, which the model itself cuts into words.
        inputs = Texts if model.inputs is TokenLists and columns.label is None else model.inputs
        ledger = replace(table.ledger, skip_hint=SKIP_HINT, skipped=[], count=0)
        records = Records(ledger, inputs())
        for row in chunk:
            records.add(row.line, row.values[columns.text], "" if columns.label is None else row.values[columns.label])
        chosen = replace(source, text=table.columns[columns.text], format=table.format)
        yield Dataset.of(chosen, columns.why, records)
    if table.ledger.count:
        subject.note(left_out(table.ledger.count, table.ledger.skipped), "yellow")
