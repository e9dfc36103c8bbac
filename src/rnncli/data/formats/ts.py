"""``.ts`` files of the UEA and UCR archives: a header of ``@`` lines, then a series a line.

    @problemName Walks
    @timeStamps false
    @univariate false
    @dimensions 2
    @classLabel true up down
    @data
    0.1,0.2,0.3:1,2,?:up

Dimensions have colons between them, and the last part is the label. A value is missing as ``?`` or ``NaN``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnncli.data.formats.decoding import lines_of
from rnncli.data.formats.missing import number_or_nan
from rnncli.data.formats.numbers import Floats
from rnncli.data.formats.table import Ledger, Opened, Row
from rnncli.errors import closest, counted, quoted

SERIES, LABEL, TARGET = "sequence", "label", "target"

_FLAGS = ("timestamps", "missing", "univariate", "equallength", "classlabel", "targetlabel")
_OTHERS = ("problemname", "dimension", "dimensions", "serieslength")
_WITHOUT_TIMES = r"sed 's/(\([^(]*\),\([^(),]*\))/\2/g; s/^@timeStamps.*/@timeStamps false/I'"


@dataclass
class _Header:
    """What the ``@`` lines say.

    Attributes:
        label: the name of the column of labels, or of the numbers to be predicted; None if there are neither.
        labels: those that are listed; empty if any may occur.
        dimensions, length: of each series; None if they are not said.
        equal: whether all series are said to have this length.
    """

    label: str | None = None
    labels: frozenset[str] = frozenset()
    dimensions: int | None = None
    length: int | None = None
    equal: bool = False


def open_ts(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """Each series is a record: (T, D) numbers, NaN where one is missing, and its label.

    Raises:
        DataError: the header is broken, or says that values have times.
    """
    numbered = enumerate(lines_of(chunks, ledger), 1)
    header, line = _read_header(numbered, ledger)
    names = (SERIES,) if header.label is None else (SERIES, header.label)
    return Opened(names, _series(numbered, header, ledger), line)


def _read_header(numbered: Iterator[tuple[int, str]], ledger: Ledger) -> tuple[_Header, int]:
    """The header, up to and with the line ``@data``, and the number of that line."""
    header, last = _Header(), 1
    for number, text in numbered:
        parts, last = text.split(), number
        if not parts or parts[0].startswith(("#", "%")):
            continue
        name, values = parts[0].lower(), parts[1:]
        if not name.startswith("@"):
            raise ledger.fault(number, f"{quoted(parts[0])} stands before the line @data, and is no line of a header")
        name = name[1:]
        if name == "data":
            return header, number
        if name in _FLAGS:
            _take_flag(header, name, values, number, ledger)
        elif name in ("dimension", "dimensions", "serieslength"):
            count = values[0] if len(values) == 1 else ""
            if not count.isdigit() or int(count[:9]) < 1:
                raise ledger.fault(number, f"{parts[0]} needs a whole number above 0")
            field = "length" if name == "serieslength" else "dimensions"
            setattr(header, field, int(count[:9]))
        elif name not in _OTHERS:
            raise ledger.fault(number, f"@{name} is not known in a .ts file{closest(name, (*_FLAGS, *_OTHERS))}")
    raise ledger.fault(last, "there is no line @data, after which the series of a .ts file begin")


def _take_flag(header: _Header, name: str, values: list[str], line: int, ledger: Ledger) -> None:
    if not values or values[0].lower() not in ("true", "false"):
        raise ledger.fault(line, f"@{name} needs true or false")
    if values[0].lower() == "false":
        return
    if name == "timestamps":
        hint = f"Where each series is in order, take the times out: {ledger.file.piped(_WITHOUT_TIMES, 'ts')}"
        raise ledger.fault(line, "values have time stamps, and rnncli reads .ts files without", hint)
    if name == "univariate":
        header.dimensions = 1
    elif name == "equallength":
        header.equal = True
    elif name == "classlabel":
        header.label, header.labels = LABEL, frozenset(values[1:])
    elif name == "targetlabel":
        header.label = TARGET


def _series(numbered: Iterator[tuple[int, str]], header: _Header, ledger: Ledger) -> Iterator[Row]:
    for number, text in numbered:
        text = text.strip()
        if not text or text.startswith(("#", "%")):
            continue
        try:
            yield Row(number, _record(text, header))
        except ValueError as error:
            ledger.bad_record(number, str(error))


def _record(text: str, header: _Header) -> tuple[Floats, str] | tuple[Floats]:
    """The series of a line and its label, if it has one; ValueError where the line does not fit the header."""
    parts = text.split(":")
    label = None if header.label is None else parts.pop().strip()
    if not parts:
        raise ValueError("there is no colon, and so no label behind the series")
    if header.dimensions is not None and len(parts) != header.dimensions:
        raise ValueError(f"{counted(len(parts), 'dimension')}, and the header has {header.dimensions}")
    if label is not None and header.labels and label not in header.labels:
        known = ", ".join(sorted(header.labels)[:10])
        raise ValueError(f"the label {quoted(label)} is not among those of the header ({known})")
    series = transposed([part.split(",") for part in parts])
    if header.equal and header.length not in (None, len(series)):
        raise ValueError(
            f"{counted(len(series), 'timestep')}, and the header says that each series has {header.length}"
        )
    return (series,) if label is None else (series, label)


def transposed(dimensions: list[list[str]]) -> Floats:
    """(T, D) numbers of the values of D dimensions, NaN where one is missing.

    Raises:
        ValueError: one is no number, or the dimensions are not equally long.
    """
    steps = len(dimensions[0])
    made = np.empty((steps, len(dimensions)))
    for at, values in enumerate(dimensions):
        if len(values) != steps:
            found = f"dimension {at + 1} has {counted(len(values), 'value')}, and the first has {steps}"
            raise ValueError(f"{found}; a series has as many in each")
        numbers = [number_or_nan(value) for value in values]
        if None in numbers:
            step = numbers.index(None)
            where = f"value {step + 1}" + (f" of dimension {at + 1}" if len(dimensions) > 1 else "")
            raise ValueError(f"{where} is not a finite number: {quoted(values[step].strip())}")
        made[:, at] = numbers
    return made
