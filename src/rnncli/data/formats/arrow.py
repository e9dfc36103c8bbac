"""Parquet, and the file and stream formats of Arrow, of which Feather is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import chain, islice
from typing import Any

from rnncli.data.formats.json_objects import BadRecord
from rnncli.data.formats.sources import gathered
from rnncli.data.formats.table import Ledger, Opened, Row
from rnncli.data.formats.typed_tables import library, plain, refusals
from rnncli.data.formats.values import Value
from rnncli.errors import DataError, listed, quoted

_ROWS = 4096  # that are made of a batch at a time
_INDEX = "__index_level_"  # begins the name of a column in which pandas keeps an index without a name
_STREAM, _FEATHER_1 = b"\xff\xff\xff\xff", b"FEA1"


def open_parquet(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """The columns of the schema; the line of a record is its number.

    Raises:
        UsageError: pyarrow is not installed.
        DataError: it is something else, or damaged.
        StorageError: the memory does not suffice.
    """
    parquet = library("pyarrow.parquet", ledger)
    file = gathered(chunks, ledger.file.name)
    table = _Table(file, ledger, "a Parquet file")
    with table.refusals():
        opened = parquet.ParquetFile(file, pre_buffer=False)
        schema, batches = opened.schema_arrow, opened.iter_batches(_ROWS, use_threads=False)
    return table.open(schema, batches)


def open_arrow(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """As :func:`open_parquet`; raises the same."""
    ipc = library("pyarrow.ipc", ledger)
    file = gathered(chunks, ledger.file.name)
    head = file.read(len(_STREAM))
    file.seek(0)
    if head == _FEATHER_1:
        hint = "Write it again: pyarrow.feather.write_feather(pyarrow.feather.read_table(FILE), FILE)."
        raise DataError(f"{ledger.file.name}: is a Feather file of version 1, which nobody writes any more", hint)
    table = _Table(file, ledger, "an Arrow file")
    with table.refusals():
        options = ipc.IpcReadOptions(use_threads=False)
        if head == _STREAM:
            reader = ipc.open_stream(file, options=options)
            return table.open(reader.schema, iter(reader))
        reader = ipc.open_file(file, options=options)
        return table.open(reader.schema, map(reader.get_batch, range(reader.num_record_batches)))


@dataclass
class _Table:
    """A table of Arrow's that is read from a file.

    Attributes:
        kind: of the file, for messages.
    """

    file: BytesIO
    ledger: Ledger
    kind: str

    def refusals(self) -> Any:
        """See :func:`rnncli.data.formats.typed_tables.refusals`."""
        return refusals(self.file, self.ledger, self.kind)

    def open(self, schema: Any, batches: Iterator[Any]) -> Opened:
        """The columns without those of which all values are bytes that are no text, as in a column of pictures."""
        names = [str(name) for name in schema.names]
        kept = [at for at, name in enumerate(names) if not name.startswith(_INDEX)]
        batches = self._checked(batches)
        first = list(islice(batches, 1))
        columns = self._columns(first[0], 0, names, kept) if first else [[] for _ in kept]
        dropped = {at for at, values in zip(kept, columns, strict=True) if _unusable(values)}
        if dropped:
            left_out = listed([quoted(names[at]) for at in sorted(dropped)])
            self.ledger.said.append(f"left out, for they hold bytes that are no text: {left_out}")
        kept = [at for at in kept if at not in dropped]
        if not kept:
            raise DataError(f"{self.ledger.file.name}: there are no columns of texts or numbers")
        return Opened([names[at] for at in kept], self._rows(chain(first, batches), names, kept))

    def _rows(self, batches: Iterator[Any], names: Sequence[str], kept: Sequence[int]) -> Iterator[Row]:
        number = 0
        for batch in batches:
            for start in range(0, batch.num_rows, _ROWS):
                columns = self._columns(batch, start, names, kept)
                for values in zip(*columns, strict=True):
                    number += 1
                    bad = next((value for value in values if isinstance(value, BadRecord)), None)
                    if bad is None:
                        yield Row(number, values)
                    else:
                        self.ledger.bad_record(number, str(bad))

    def _checked(self, batches: Iterator[Any]) -> Iterator[Any]:
        """The batches, of which no offset leads out of its buffer: Arrow believes what a file says, and would crash."""
        while True:
            with self.refusals():
                batch = next(batches, None)
                if batch is None:
                    return
                batch.validate(full=True)
            yield batch

    def _columns(
        self, batch: Any, start: int, names: Sequence[str], kept: Sequence[int]
    ) -> list[list[Value | BadRecord]]:
        """The values of some rows, by column."""
        with self.refusals():
            part = batch.slice(start, _ROWS)
            return [_values(part.column(at), names[at], library("pyarrow", self.ledger)) for at in kept]


def _unusable(values: Sequence[Value | BadRecord]) -> bool:
    """Whether none of the values that there are can be used."""
    bad = [isinstance(value, BadRecord) for value in values if not isinstance(value, str) or value]
    return bool(bad) and all(bad)


def _values(column: Any, name: str, pa: Any) -> list[Value | BadRecord]:
    """The values of a column as :func:`rnncli.data.formats.typed_tables.plain` gives them; ``pa`` is pyarrow."""
    types, kind = pa.types, column.type
    if isinstance(kind, pa.BaseExtensionType):
        column, kind = column.storage, column.storage.type
    if types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    zone = ""
    # to_pylist would ask pandas for nanoseconds, and the system for time zones.
    if types.is_timestamp(kind):
        zone = "+00:00" if kind.tz else ""
        column = column.cast(pa.int64()).cast(pa.timestamp(kind.unit)).cast(pa.timestamp("us"), safe=False)
    elif types.is_duration(kind):
        column = column.cast(pa.duration("us"), safe=False)
    elif types.is_time(kind):
        column = column.cast(pa.time64("us"), safe=False)
    values: list[Any] = column.to_pylist()
    if types.is_integer(kind) and not column.null_count:
        return values
    if zone:
        return ["" if value is None else value.isoformat() + zone for value in values]
    return [plain(value, name) for value in values]
