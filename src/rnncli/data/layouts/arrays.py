"""The names of .npy files, whose numbers are the inputs, and beside them the text that describes each.

image,text
images/001.npy,a red boat
images/002.npy,two red boats
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from rnncli.data.doubts.preview import Preview
from rnncli.data.formats.npy import Vector, named_vector
from rnncli.data.formats.registry import ARRAY_SUFFIX
from rnncli.data.formats.table import Ledger, Row
from rnncli.data.formats.values import as_text
from rnncli.data.layouts.layout import Plan, Record, Request, require_columns
from rnncli.data.records import FeatureRows, Inputs
from rnncli.data.tables.described import ArrayColumn, described_arrays
from rnncli.data.tables.source import Roles
from rnncli.errors import DataError, StorageError, counted

MAX_ALL_NUMBERS = 100_000_000  # of all records together; one file may be named by many of them


@dataclass(frozen=True, kw_only=True)
class _Plan(Plan):
    reads: ArrayColumn
    text: str | None

    def why(self, inputs: Inputs[Any] | None = None) -> str:
        size = f"{inputs[0].size if inputs else 0:,} in each" if inputs is not None else "in"
        why = f"numbers: {self.reads.name}, {size} {ARRAY_SUFFIX} file{'' if inputs is not None else 's'}"
        return why if self.text is None else f"{why}; text: {self.text}; change with --label"

    def records(self, rows: Iterable[Row], ledger: Ledger) -> Iterator[Record]:
        """The records; the ledger's digest in the end is one of the arrays too.

        Raises:
            DataError: a record cannot be used, or the arrays of all records with texts hold more than
                :data:`MAX_ALL_NUMBERS`.
        """
        columns, column = self.preview.names, self.reads.name
        at, text_at = columns.index(column), None if self.text is None else columns.index(self.text)
        folder = "" if ledger.file.path == "-" else os.path.dirname(ledger.file.path)
        described = text_at is not None
        read = cache(_vector_or_problem) if described else _vector_or_problem  # several texts may describe one array
        hasher = hashlib.sha256()
        size = count = 0
        for line, values in rows:
            name, text = as_text(values[at]).strip(), "" if text_at is None else as_text(values[text_at])
            vector = read(name, column, folder)
            hasher.update(b"-\n" if isinstance(vector, str) else vector.digest.encode() + b"\n")
            if isinstance(vector, str):
                ledger.bad_record(line, vector)
            elif described and count and vector.numbers.size != size:
                held = f"{os.path.join(folder, name)}: holds {counted(vector.numbers.size, 'number')}"
                ledger.bad_record(line, f"{held}, and the first record has {size:,}")
            elif described and not text.strip():
                ledger.bad_record(line, "the text is empty")
            else:
                size, count = vector.numbers.size, count + 1
                yield Record(line, vector.numbers, text, name)
                if described and size * count > MAX_ALL_NUMBERS:
                    what = f"the .npy files up to here hold more than {MAX_ALL_NUMBERS:,} numbers"
                    raise ledger.fault(line, what, "Take fewer records, or smaller arrays.")
        ledger.digest = hashlib.sha256(f"{ledger.digest} {hasher.hexdigest()}".encode()).hexdigest()

    def new_inputs(self) -> FeatureRows:
        return FeatureRows()


def _vector_or_problem(name: str, column: str, folder: str) -> Vector | str:
    try:
        return named_vector(name, column, folder)
    except (DataError, StorageError) as error:
        return error.message


def recognize(preview: Preview, request: Request) -> Plan | None:
    source, reads = request.source, request.reads
    known = reads.name if isinstance(reads, ArrayColumn) else source.text if source.layout == "arrays" else None
    if source.layout is None and (source.text is not None or source.id is not None):
        return None
    if isinstance(reads, ArrayColumn):
        require_columns(preview, reads.names)
    found: tuple[ArrayColumn, str | None] | None = None
    if request.labelled:
        found = described_arrays(preview.columns, source.label, known)
        if found is None and isinstance(reads, ArrayColumn):
            raise DataError(f"{preview.file.name}: cannot tell which column is the text", "Name it with --label.")
    elif isinstance(reads, ArrayColumn):
        found = reads, None
    if found is None:
        return None
    column, text = found
    roles = Roles(layout="arrays", text=column.names, label=() if text is None else (text,))
    return _Plan(preview=preview, roles=roles, reads=column, text=text)
