"""A JSON file that is one value: an array of objects, each a record, at the top or below a key."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any, NamedTuple

from rnncli.data.formats.decoding import line_ends
from rnncli.data.formats.json_objects import (
    AS_PYTHON,
    DECODER,
    IS_PAIR,
    MANY_DIGITS,
    MAX_NESTING,
    PAIR,
    TOO_DEEP,
    BadRecord,
    as_object,
    keys_of,
    values_of,
)
from rnncli.data.formats.registry import PACKED
from rnncli.data.formats.sources import refuse_bomb
from rnncli.data.formats.table import Ledger, Opened, Row
from rnncli.errors import DataError, listed, quoted
from rnncli.memory import require_room

_CHECKED_EVERY = 1 << 24  # characters, after which memory for more is checked
_SHOWN = 4  # keys in a message
_CUT_OFF = "broken JSON: the file is cut off before the end of its value"
_READS = 'rnncli reads an array of objects, [{"text": "so it is", "label": "good"}], or an object a line'
_SPACE = re.compile(r"[ \t\r\n]*+")
# For what is passed over: takes what a record may not have, such as NaN or a key given twice.
_LENIENT = json.JSONDecoder(parse_int=float)


class _Array(NamedTuple):
    """An array of objects in the text: the keys above it, and where it begins."""

    path: tuple[str, ...]
    at: int

    @property
    def expression(self) -> str:
        """The Python expression that gives it."""
        return f"json.load(sys.stdin){''.join(f'[{json.dumps(key)}]' for key in self.path)}"


class _Element(NamedTuple):
    """A value of an array: where it begins and ends in the text, and what it is."""

    at: int
    end: int
    value: object  # a BadRecord, where it may not be used


def open_document(texts: Iterable[str], ledger: Ledger) -> Opened:
    """The records of an array of objects; the first one's keys are the columns, and every one must have exactly these.

    The line of a record is that on which it starts. An object without an array of objects is one record.

    Args:
        texts: the file, in pieces.

    Raises:
        DataError: it is not JSON, there is no object, or it cannot be told which array holds the records.
        StorageError: the memory does not suffice.
    """
    document = _Document(_joined(texts, ledger), ledger)
    numbered = _numbered(document.records(), document)
    for line, element in numbered:
        try:
            keys = keys_of(document.object_of(element))
        except BadRecord as bad:
            ledger.bad_record(line, str(bad))
            continue
        return Opened(keys, _rows(chain(((line, element),), numbered), document, keys), line)
    raise ledger.no_records()


def _joined(texts: Iterable[str], ledger: Ledger) -> str:
    """The whole text; raises StorageError where it would not find room, and DataError where it is a bomb."""
    pieces: list[str] = []
    size = checked = 0
    width = 1  # bytes of a character
    for text in texts:
        pieces.append(text)
        size += len(text)
        width = width if text.isascii() else 4
        if size > checked + _CHECKED_EVERY:
            checked = size
            what = f"{ledger.file.name}: a JSON value is read whole, which"
            require_room(2 * size * width, what, "Write it as JSON lines, an object a line.")
            if ledger.file.path.lower().endswith(PACKED):
                refuse_bomb(ledger.file.name, size, os.path.getsize(ledger.file.path))
    return "".join(pieces)


def _numbered(elements: Iterator[_Element], document: _Document) -> Iterator[tuple[int, _Element]]:
    """The elements, each with the line that it begins on; with its own number, where several stand on a line.

    Each number is another one, by which a record is found again.
    """
    text, line, counted_to, last = document.text, 1, 0, 0
    first = list(islice(elements, 2))
    if len(first) == 2 and not line_ends(text[first[0].at : first[1].at]):
        document.ledger.said.append("several records stand on a line: their numbers are given, not lines")
        yield from enumerate(chain(first, elements), 1)
        return
    for element in chain(first, elements):
        line += line_ends(text[counted_to : element.at])
        counted_to = element.at
        last = max(line, last + 1)
        yield last, element


def _rows(numbered: Iterable[tuple[int, _Element]], document: _Document, keys: tuple[str, ...]) -> Iterator[Row]:
    for line, element in numbered:
        try:
            values = values_of(document.object_of(element), keys, document.written(element))
        except BadRecord as bad:
            document.ledger.bad_record(line, str(bad))
        else:
            yield Row(line, values)


class _Document:
    """The text of a JSON value, and what stands where in it."""

    def __init__(self, text: str, ledger: Ledger) -> None:
        self.text, self.ledger = text, ledger

    def records(self) -> Iterator[_Element]:
        """The elements of the array of records, or the one object; see :func:`open_document`."""
        start = self._skip(0)
        if self.text[start] == "[":
            if IS_PAIR.match(self.text, self._skip(start + 1)):
                self._take_records(f"[dict(zip({PAIR},r)) for r in json.load(sys.stdin)]")
            return self._elements(start, alone=True)
        arrays: list[_Array] = []
        end = self._find(start, (), arrays)
        if self._skip(end) < len(self.text):
            raise self._several(end)
        if len(arrays) > 1:
            raise self._ambiguous(arrays)
        if arrays:
            self._take_records(arrays[0].expression)
            self.ledger.said.append(f"records: the objects below {quoted('.'.join(arrays[0].path))}")
            return self._elements(arrays[0].at)
        self._refuse_columns(start)
        self._take_records("[json.load(sys.stdin)]")
        return iter((self._element(start),))

    def _take_records(self, expression: str) -> None:
        self.ledger.file = replace(self.ledger.file, records_in_json=expression)

    def object_of(self, element: _Element) -> dict[str, Any]:
        """The object that an element is; raises BadRecord: it cannot be used."""
        if isinstance(element.value, BadRecord):
            raise element.value
        return as_object(element.value, self.written(element), "record")

    def written(self, element: _Element) -> str:
        """The element's text."""
        return self.text[element.at : element.end]

    def _elements(self, at: int, alone: bool = False) -> Iterator[_Element]:
        """The values of the array that begins at a place; ``alone`` if nothing may follow it."""
        at = self._skip(at + 1)
        if self._mark(at) != "]":
            while True:
                element = self._element(at)
                yield element
                at = self._skip(element.end)
                if self._mark(at) == "]":
                    break
                at = self._behind(at, ",")
        if alone and self._skip(at + 1) < len(self.text):
            raise self._fault(self._skip(at + 1), "more behind the end of the array")

    def _element(self, at: int) -> _Element:
        try:
            value, end = DECODER.raw_decode(self.text, at)
        except json.JSONDecodeError as error:
            raise self._broken(error) from None
        except RecursionError:
            raise self._fault(at, TOO_DEEP) from None
        except BadRecord as bad:
            return _Element(at, self._end_of(at), bad)
        except ValueError:  # Python's own limit, sys.set_int_max_str_digits
            return _Element(at, self._end_of(at), BadRecord(MANY_DIGITS))
        return _Element(at, end, value)

    def _find(self, at: int, path: tuple[str, ...], arrays: list[_Array]) -> int:
        """Collects the arrays of objects in the object that begins at a place, and returns where it ends."""
        if len(path) > MAX_NESTING:
            raise self._fault(at, TOO_DEEP)
        at = self._skip(at + 1)
        while self._mark(at) != "}":
            if self._mark(at) != '"':
                raise self._fault(at, "broken JSON (a key in double quotes is missing)")
            key, end = self._decoded(at)
            at = self._skip(self._behind(self._skip(end), ":"))
            below = (*path, str(key))
            if self._mark(at) == "{":
                end = self._find(at, below, arrays)
            elif self._mark(at) == "[" and self._holds_records(self._skip(at + 1)):
                arrays.append(_Array(below, at))
                for element in self._elements(at):
                    end = element.end
                end = self._skip(end) + 1
            else:
                end = self._end_of(at)
            at = self._skip(end)
            if self._mark(at) != "}":
                at = self._behind(at, ",")
        return at + 1

    def _holds_records(self, at: int) -> bool:
        """Whether an array whose first value begins at a place holds records."""
        return self._mark(at) == "{" or IS_PAIR.match(self.text, at) is not None

    def _refuse_columns(self, start: int) -> None:
        """Raises DataError: an object without an array of objects holds columns, or records by their names."""
        record = self._element(start).value
        found = _columns_in(record) if isinstance(record, dict) else None
        if isinstance(record, dict) and found is not None:
            what, ways = found
            made = [self.ledger.file.as_json("r", f"(lambda d: {rows})(json.load(sys.stdin))") for rows in ways]
            names = listed([quoted(key) for key in list(record)[:_SHOWN]])
            what = f"an object of {what} ({names}), and no array of records"
            by_label = (
                f"; if {quoted(next(iter(record)))} is a label of what is below it: {made[1]}" if made[1:] else ""
            )
            raise self._fault(start, what, f"{_READS}. To make such lines of it: {made[0]}{by_label}")

    def _several(self, end: int) -> DataError:
        script = (
            "import json,sys;d=json.JSONDecoder();s=[sys.stdin.read().strip()];"
            "f=lambda r,n:(s.__setitem__(0,s[0][n:].lstrip()),r)[1];"
            '[print(json.dumps(r)) for r in iter(lambda:s[0] and f(*d.raw_decode(s[0])),"")]'
        )
        made = self.ledger.file.python(script, "jsonl")
        what = "a second JSON value, and the first spreads over several lines"
        return self._fault(self._skip(end), what, f"To write each on a line: {made}")

    def _ambiguous(self, arrays: list[_Array]) -> DataError:
        file = self.ledger.file
        names = listed([quoted(".".join(path)) for path, _ in arrays[:_SHOWN]])
        more = "" if len(arrays) <= _SHOWN else f" and {len(arrays) - _SHOWN:,} more"
        made = [file.as_json("r", array.expression) for array in arrays[:2]]
        what = f"several arrays of objects, {names}{more}, and it cannot be told which holds the records"
        return self._fault(arrays[0].at, what, f"To take one of them: {'; or '.join(made)}")

    def _decoded(self, at: int) -> tuple[object, int]:
        """The value that begins at a place, and where it ends."""
        try:
            return _LENIENT.raw_decode(self.text, at)
        except json.JSONDecodeError as error:
            raise self._broken(error) from None
        except RecursionError:
            raise self._fault(at, TOO_DEEP) from None

    def _end_of(self, at: int) -> int:
        return self._decoded(at)[1]

    def _behind(self, at: int, mark: str) -> int:
        """The next place that is no white space, behind a mark that has to stand at this one."""
        if self._mark(at) != mark:
            raise self._fault(at, f"broken JSON ({mark} is missing)" if at < len(self.text) else _CUT_OFF)
        return self._skip(at + 1)

    def _mark(self, at: int) -> str:
        return self.text[at : at + 1]

    def _skip(self, at: int) -> int:
        """The first place from this one on that is no white space."""
        found = _SPACE.match(self.text, at)
        return at if found is None else found.end()

    def _broken(self, error: json.JSONDecodeError) -> DataError:
        if AS_PYTHON.match(self.text):
            made = self.ledger.file.as_json("r", "ast.literal_eval(sys.stdin.read())")
            return self._fault(
                0, "this is a list as Python shows it, and no JSON", f"To write it as JSON lines: {made}"
            )
        what = _CUT_OFF if error.pos >= len(self.text.rstrip()) else f"broken JSON ({error.msg})"
        return self._fault(error.pos, what)

    def _fault(self, at: int, what: str, hint: str | None = None) -> DataError:
        at = min(at, max(0, len(self.text.rstrip()) - 1))
        return self.ledger.fault(1 + line_ends(self.text[:at]), what, hint)


_BY_LABEL = '[{"text":t,"label":k} for k in d for t in d[k]]'


def _columns_in(record: dict[str, Any]) -> tuple[str, Sequence[str]] | None:
    """What an object holds in place of a record's values, and Python expressions of ``d`` that make records of it."""
    values = list(record.values())
    names, rows = record.get("columns"), record.get("data")  # as pandas writes a table with orient="split"
    if isinstance(names, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows):
        return "lists", ['[dict(zip(d["columns"],v)) for v in d["data"]]']
    if values and all(isinstance(value, list) and value for value in values):
        pairs = all(isinstance(one, list) and [type(part) for part in one] == [str, str] for v in values for one in v)
        if pairs:
            key = json.dumps(max(record, key=lambda key: len(record[key])))
            return "lists", [f'[{{"text":t,"label":k}} for t,k in d[{key}]]']
        items = [one for value in values for one in value]
        prose = all(isinstance(one, str) for one in items) and 2 * sum(" " in one.strip() for one in items) > len(items)
        texts = [_BY_LABEL] if len(values) > 1 and prose else []
        alike = ["[dict(zip(d,v)) for v in zip(*d.values())]"] if len(set(map(len, values))) == 1 else []
        return ("lists", [*alike, *texts]) if alike or texts else None
    if len(values) < 2 or not all(isinstance(value, dict) and value for value in values):
        return None
    keys = [tuple(value) for value in values]
    if len(set(keys)) > 1:
        return None
    if all(key.isdigit() for key in keys[0]):  # as pandas writes a table
        return "columns", ["[dict(zip(d,v)) for v in zip(*(c.values() for c in d.values()))]"]
    return "objects", ["d.values()"]
