"""The records of ``--data``, many at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
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
    from rnncli.data.dataset import Dataset, left_out
    from rnncli.data.layouts.layout import Request
    from rnncli.data.opening import open_records
    from rnncli.data.records import SKIP_HINT, Records
    from rnncli.tasks.model import CHUNK

    model, source = subject.model, subject.source
    purpose = model.purpose("rnncli inspect --activations all --data")
    if model.reads is not None:
        whole = model.read_dataset(source, purpose)
        subject.note(whole.why)
        yield model.examples(whole)
        return
    labelled = model.labelled or source.label is not None
    request = Request(source, labelled, whole=False, inputs=model.inputs, roles=model.roles)
    try:
        opened = open_records(request, model.task, purpose)
    except DataError:
        if source.label is not None:
            raise
        opened = open_records(replace(request, labelled=False), model.task, purpose)
    table, plan, read = opened.table, opened.plan, opened.records()
    subject.note(plan.why())
    while chunk := list(islice(read, CHUNK)):
        ledger = replace(table.ledger, skip_hint=SKIP_HINT, skipped=[], count=0)
        records = Records(ledger, plan.new_inputs(), plan.new_labels())
        for record in chunk:
            records.add(*record)
        chosen = replace(source, text=plan.roles.text[0], format=table.format)
        yield model.examples(Dataset.of(chosen, plan.why(), records))
    if table.ledger.count:
        subject.note(left_out(table.ledger.count, table.ledger.skipped), "yellow")
