r"""``.arff`` files of Weka and of the UEA archive: attributes with their types, then a record a line.

    @relation Walks
    @attribute walk relational
      @attribute t0 numeric
      @attribute t1 numeric
    @end walk
    @attribute class {up,down}
    @data
    '0.1,0.2\n1,?',up

Attributes are the columns of a table, missing values ``?``. An attribute that is relational holds a series: a line for
each dimension, with ``\n`` between them, and its own attributes are the timesteps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rnncli.data.formats.decoding import lines_of
from rnncli.data.formats.numbers import Floats
from rnncli.data.formats.table import Ledger, Opened, Row
from rnncli.data.formats.ts import transposed
from rnncli.errors import DataError, counted, quoted

_NAME = r"'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\""
_ATTRIBUTE = re.compile(rf"@attribute\s+({_NAME}|[^\s{{]+)\s*(.*)", re.IGNORECASE)
_VALUE = re.compile(rf"[ \t]*+({_NAME}|(?!['\"])[^,\t]*+)[ \t]*(?:,|$|\t)")
_TYPES = ("numeric", "real", "integer", "string", "date")
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


class Attribute(NamedTuple):
    """One column.

    Attributes:
        name: as it is written, without quotes.
        kind: numeric, nominal, string, date or relational.
        labels: of a nominal one, those that it may have.
        steps: of a relational one, how many attributes it has.
    """

    name: str
    kind: str
    labels: frozenset[str] = frozenset()
    steps: int = 0


def open_arff(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """The attributes are the columns; values are texts, and those of a relational one (T, D) numbers.

    Raises:
        DataError: the header is broken.
    """
    numbered = ((number, text.strip()) for number, text in enumerate(lines_of(chunks, ledger), 1))
    numbered = ((number, text) for number, text in numbered if text and not text.startswith("%"))
    attributes, line = _read_header(numbered, ledger)
    return Opened([attribute.name for attribute in attributes], _records(numbered, attributes, ledger), line)


def _read_header(numbered: Iterator[tuple[int, str]], ledger: Ledger) -> tuple[list[Attribute], int]:
    attributes: list[Attribute] = []
    inside: str | None = None  # the relational attribute whose own are being read
    last = 1
    for number, text in numbered:
        word, last = text.split()[0].lower(), number
        if word == "@data":
            if inside is not None:
                raise ledger.fault(number, f"the attribute {quoted(inside)} is not ended: @end {inside}")
            if not attributes:
                raise ledger.fault(number, "there is no @attribute before @data")
            return attributes, number
        if word == "@end" and inside is not None:
            inside = None
        elif word == "@attribute":
            attribute = _attribute(text, number, ledger)
            if inside is not None:
                if attribute.kind != "numeric":
                    raise ledger.fault(number, f"{quoted(attribute.name)} in {quoted(inside)} is not numeric")
                attributes[-1] = attributes[-1]._replace(steps=attributes[-1].steps + 1)
                continue
            attributes.append(attribute)
            inside = attribute.name if attribute.kind == "relational" else None
        elif word != "@relation":
            raise ledger.fault(number, f"{quoted(text.split()[0])} is no line of the header of an .arff file")
    raise ledger.fault(last, "there is no line @data, after which the records of an .arff file begin")


def _attribute(text: str, line: int, ledger: Ledger) -> Attribute:
    found = _ATTRIBUTE.fullmatch(text)
    if found is None:
        raise ledger.fault(line, "an @attribute needs a name and a type")
    name, kind = _unquoted(found[1].rstrip(" ")), found[2].strip()
    if kind.startswith("{"):
        if not kind.endswith("}"):
            raise ledger.fault(line, f"the values of {quoted(name)} end without a }}")
        return Attribute(name, "nominal", frozenset(_values(kind[1:-1])))
    word = kind.split()[0].lower() if kind else ""
    if word == "relational":
        return Attribute(name, word)
    if word not in _TYPES:
        raise ledger.fault(line, f"the type of {quoted(name)} is not known: {quoted(kind)}")
    return Attribute(name, "numeric" if word in _TYPES[:3] else word)


def _records(numbered: Iterator[tuple[int, str]], attributes: Sequence[Attribute], ledger: Ledger) -> Iterator[Row]:
    for number, text in numbered:
        if text.startswith("{"):
            raise _sparse(number, ledger)
        try:
            yield Row(number, _record(text, attributes))
        except ValueError as error:
            ledger.bad_record(number, str(error))


def _sparse(line: int, ledger: Ledger) -> DataError:
    return ledger.fault(
        line,
        "a sparse record, which names its values by their places, and rnncli reads .arff files with all values",
        "Weka writes all values with its filter SparseToNonSparse.",
    )


def _record(text: str, attributes: Sequence[Attribute]) -> tuple[str | Floats, ...]:
    """The values of a line; ValueError where it does not fit the attributes."""
    parts = _values(text)
    if len(parts) != len(attributes):
        raise ValueError(f"{counted(len(parts), 'value')}, but there are {counted(len(attributes), 'attribute')}")
    return tuple(_value(part, attribute) for part, attribute in zip(parts, attributes, strict=True))


def _value(text: str, attribute: Attribute) -> str | Floats:
    if attribute.kind == "relational":
        series = transposed([_values(line) for line in text.split("\n") if line.strip()] or [[]])
        if len(series) != attribute.steps:
            found = f"{quoted(attribute.name)} has {counted(len(series), 'timestep')}"
            raise ValueError(f"{found}, and the header has {attribute.steps}")
        return series
    if attribute.kind == "nominal" and text != "?" and text not in attribute.labels:
        known = ", ".join(sorted(attribute.labels)[:10])
        raise ValueError(f"{quoted(text)} is not among the values of {quoted(attribute.name)} ({known})")
    return text


def _values(text: str) -> list[str]:
    """The values between the commas, or tabs, of a line; those in quotes without them."""
    values: list[str] = []
    at = 0
    while True:
        found = _VALUE.match(text, at)
        if found is None:
            raise ValueError(f"text behind a closing quote, at character {at + 1}")
        values.append(_unquoted(found[1].rstrip(" ")))
        at = found.end()
        if at == len(text) and not found[0].endswith((",", "\t")):
            return values


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]:
        return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])
    return text
