"""Records whose inputs are numbers: of several columns, of the rows of a sequence, or of an .npy file that a row names.

image,text
images/001.npy,a red boat
images/002.npy,two red boats
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from rnncli.data.formats.npy import Vector, named_vector
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import as_text
from rnncli.data.tables.described import ArrayColumn, NumericColumns, numbers_at
from rnncli.data.tables.long_form import LongForm, NumberRecord, read_sequences
from rnncli.errors import DataError, StorageError, counted

MAX_ALL_NUMBERS = 100_000_000  # of all records together; one file may be named by many of them

# The columns of a table that an input's numbers come from.
Reads = NumericColumns | LongForm | ArrayColumn


def number_records(
    rows: Iterable[Row], columns: Sequence[str], reads: Reads, label: str | None, ledger: Ledger
) -> Iterator[NumberRecord]:
    """The records of ``rows``; those of a table in long form once all rows have been read.

    Args:
        columns: of ``rows``; those that are read are among them.
        label: the column of the labels; None to read the inputs alone.
        ledger: of the file, for records that cannot be used. Its digest in the end is one of the arrays too.

    Raises:
        DataError: a record cannot be used and such are not to be left out, or the arrays of all records with labels
            hold more than :data:`MAX_ALL_NUMBERS`.
    """
    if isinstance(reads, LongForm):
        yield from read_sequences(rows, columns, replace(reads, label=label), ledger.bad_record)
        return
    places = [columns.index(name) for name in reads.names]
    label_at = None if label is None else columns.index(label)
    if isinstance(reads, ArrayColumn):
        yield from _array_records(rows, reads.name, places[0], label_at, ledger)
        return
    for line, values in rows:
        text = None if label_at is None else as_text(values[label_at])
        try:
            numbers = np.array(numbers_at(values, columns, places))
            if text is not None and not text.strip():
                raise ValueError("the text is empty")
        except ValueError as error:
            ledger.bad_record(line, str(error))
        else:
            yield NumberRecord(line, numbers, text or "")


def _array_records(
    rows: Iterable[Row], column: str, at: int, label_at: int | None, ledger: Ledger
) -> Iterator[NumberRecord]:
    folder = "" if ledger.file.path == "-" else os.path.dirname(ledger.file.path)
    labelled = label_at is not None
    read = cache(_vector_or_problem) if labelled else _vector_or_problem  # several texts may describe one array
    hasher = hashlib.sha256()
    size = count = 0
    for line, values in rows:
        name, text = as_text(values[at]).strip(), "" if label_at is None else as_text(values[label_at])
        vector = read(name, column, folder)
        hasher.update(b"-\n" if isinstance(vector, str) else vector.digest.encode() + b"\n")
        if isinstance(vector, str):
            ledger.bad_record(line, vector)
        elif labelled and count and vector.numbers.size != size:
            held = f"{os.path.join(folder, name)}: holds {counted(vector.numbers.size, 'number')}"
            ledger.bad_record(line, f"{held}, and the first record has {size:,}")
        elif labelled and not text.strip():
            ledger.bad_record(line, "the text is empty")
        else:
            size, count = vector.numbers.size, count + 1
            yield NumberRecord(line, vector.numbers, text, name)
            if labelled and size * count > MAX_ALL_NUMBERS:
                what = f"the .npy files up to here hold more than {MAX_ALL_NUMBERS:,} numbers"
                raise ledger.fault(line, what, "Take fewer records, or smaller arrays.")
    ledger.digest = hashlib.sha256(f"{ledger.digest} {hasher.hexdigest()}".encode()).hexdigest()


def _vector_or_problem(name: str, column: str, folder: str) -> Vector | str:
    try:
        return named_vector(name, column, folder)
    except (DataError, StorageError) as error:
        return error.message
