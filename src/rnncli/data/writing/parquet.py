"""Parquet, by pyarrow: a column has the type of all of its values, and text where they have none in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from rnncli.data.formats.values import as_text
from rnncli.data.writing.json_lines import plain
from rnncli.data.writing.table import Chunks, distinct_names


class _Sink:
    """What the library writes, to be taken away piece by piece."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        self._length += len(self._pieces[-1])
        return len(self._pieces[-1])

    def tell(self) -> int:
        return self._length

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def parquet_bytes(columns: Sequence[str], chunks: Chunks) -> Iterator[bytes]:
    """A row group for each chunk."""
    pa, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    kinds = [_Kind() for _ in columns]
    for rows in chunks():
        for kind, values in zip(kinds, zip(*rows, strict=True), strict=True):
            kind.see(values)
    schema = pa.schema([(name, kind.type(pa)) for name, kind in zip(distinct_names(columns), kinds, strict=True)])
    sink = _Sink()
    with parquet.ParquetWriter(pa.PythonFile(sink, mode="w"), schema) as writer:
        for rows in chunks():
            arrays = [
                pa.array(kind.converted(values), kind.type(pa))
                for kind, values in zip(kinds, zip(*rows, strict=True), strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            yield sink.taken()
    yield sink.taken()


class _Kind:
    """The type of a column, by all of its values.

    An empty text beside numbers is a missing number: so they are read from a table that has types.
    """

    def __init__(self) -> None:
        self._types: set[type] = set()
        self._items: set[type] = set()
        self._large = False

    def see(self, values: Sequence[Any]) -> None:
        for value in map(plain, values):
            if value == "" and type(value) is str:
                self._types.add(type(None))
            else:
                self._types.add(type(value))
                if isinstance(value, list | tuple):
                    self._items.update(map(type, value))
                self._large |= type(value) is int and not -(2**63) <= value < 2**63

    @property
    def _name(self) -> str:
        types = {list if kind is tuple else kind for kind in self._types} - {type(None)}
        if types == {list}:
            if self._items <= {str}:
                return "list of string"
            return "list of double" if self._items <= {int, float} else "string"
        if types == {bool}:
            return "bool"
        if types == {int}:
            return "string" if self._large else "int64"
        return "double" if types and types <= {int, float} else "string"

    def type(self, pa: Any) -> Any:
        """As the library calls it."""
        _, is_list, kind = self._name.rpartition("list of ")
        found = pa.type_for_alias(kind)
        return pa.list_(found) if is_list else found

    def converted(self, values: Sequence[Any]) -> list[Any]:
        found = map(plain, values)
        if self._name == "string":
            return [
                None if value is None else as_text(value).encode("utf-8", "backslashreplace").decode()
                for value in found
            ]
        return [None if isinstance(value, str) and not value else value for value in found]
