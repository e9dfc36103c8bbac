"""Excel workbooks: the sheet that is named or alone holds something, its first row the names of the columns."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from itertools import chain, islice
from typing import Any, NamedTuple

from rnncli.data.formats.advice import command
from rnncli.data.formats.json_objects import BadRecord
from rnncli.data.formats.sources import gathered, refuse_bomb
from rnncli.data.formats.table import Ledger, Opened, Row
from rnncli.data.formats.typed_tables import library, plain, refusals
from rnncli.data.formats.values import Value, as_text
from rnncli.errors import DataError, StorageError, closest, first_listed, quoted
from rnncli.memory import require_room

MAX_ROWS = 1 << 20  # of a sheet, by Excel's own specification
_KIND = "an Excel workbook"
_FIRST_ROWS = 1000  # in which a column without a name has to hold something, to be one
_SHOWN = 4  # sheets in a message

_BOOK = "openpyxl.load_workbook(io.BytesIO(b),data_only=True)"
_ALL_SHEETS = f"s={_BOOK}.worksheets;"
_SHARED = "sharedStrings.xml"  # which openpyxl keeps whole, at up to this many bytes of memory for one of the file
_MEMORY_PER_BYTE = 8

_NOT_OF_TIME = re.compile(r'\[[^\[\]]*\]|"[^"]*"|\\.')  # conditions, colours and texts in a number format
_OF_TIME = re.compile(r"[hs]", re.IGNORECASE)


class _SheetRow(NamedTuple):
    number: int  # from 1, as in the sheet
    values: list[Value | BadRecord]


def open_excel(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """The rows of the sheet below the first one that holds something; the line of a record is the row in the sheet.

    Empty rows are left out, and columns without a name and without values. Formulas have the values that were saved
    with them; those that are errors are missing.

    Raises:
        UsageError: openpyxl is not installed.
        DataError: it is something else, damaged, empty, has no such sheet, or several hold something and none is named.
        StorageError: it would unpack to too much.
    """
    openpyxl = library("openpyxl", ledger)
    file = gathered(chunks, ledger.file.name)
    with refusals(file, ledger, _KIND):
        _check_sizes(file, ledger)
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # what the sheet says of its size may be wrong
    filled, named = {}, None if ledger.sheet is None else _named(book.worksheets, ledger.sheet, ledger)
    for sheet in book.worksheets if named is None else [named]:
        rows = _filled_rows(sheet, file, ledger)
        first = next(rows, None)
        if first is not None and (sheet is named or sheet.sheet_state == "visible"):
            filled[sheet.title] = (first, rows)
    if len(filled) > 1 and ledger.usual_sheet not in filled:
        raise _several(list(filled), ledger)
    if not filled:
        raise ledger.no_records()
    title = ledger.usual_sheet or ""
    title = title if title in filled else next(iter(filled))
    if named is not None or len(filled) > 1:
        ledger.sheet = title
        ledger.said.append(f"sheet {quoted(title)}")
        records = ledger.file.format.as_json_lines.replace(_ALL_SHEETS, f"s=[{_BOOK}[{title!r}]];")
        ledger.file = replace(ledger.file, format=replace(ledger.file.format, as_json_lines=records))
    return _opened(*filled[title], ledger)


def _named(sheets: Sequence[Any], wanted: str, ledger: Ledger) -> Any:
    """The sheet of a name, or else of a number from 1.

    Raises:
        DataError: there is none.
    """
    titles = [sheet.title for sheet in sheets]
    at = titles.index(wanted) if wanted in titles else int(wanted) - 1 if re.fullmatch("[0-9]{1,9}", wanted) else -1
    if not 0 <= at < len(titles):
        hint = f"It has {first_listed([*map(quoted, titles)], _SHOWN)}; name one, or say its number from 1."
        raise DataError(f"{ledger.file.name}: there is no sheet {quoted(wanted)}{closest(wanted, titles)}", hint)
    return sheets[at]


def _check_sizes(file: BytesIO, ledger: Ledger) -> None:
    """Refuses a bomb before anything of it is unpacked; openpyxl reads no more of a part than its entry says."""
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
    size, packed = sum(part.file_size for part in parts), sum(part.compress_size for part in parts)
    name = ledger.file.name
    if size > ledger.max_bytes:
        raise StorageError(f"{name}: unpacks to more than {ledger.max_bytes:,} bytes", "Take a part of the sheet.")
    refuse_bomb(name, size, packed)
    shared = sum(part.file_size for part in parts if part.filename.endswith(_SHARED))
    require_room(_MEMORY_PER_BYTE * shared, f"{name}: its texts", "Take a part of the sheet, or save it as CSV UTF-8.")


def _several(names: Sequence[str], ledger: Ledger) -> DataError:
    what = (
        f"{len(names)} sheets hold something ({first_listed([*map(quoted, names)], _SHOWN)}), and one of them is read"
    )
    ways = [ledger.file.command(command("--sheet", name)) for name in names[:_SHOWN]]
    return DataError(f"{ledger.file.name}: {what}", f"Name it: {'; or '.join(ways)}")


def _opened(first: _SheetRow, rows: Iterator[_SheetRow], ledger: Ledger) -> Opened:
    head = list(islice(rows, _FIRST_ROWS))
    bad = next((value for value in first.values if isinstance(value, BadRecord)), None)
    if bad is not None:
        raise ledger.fault(first.number, str(bad))
    names = [as_text(value) for value in first.values if not isinstance(value, BadRecord)]
    width = max(len(names), *(len(row.values) for row in head)) if head else len(names)
    names += [""] * (width - len(names))
    used = {at for row in head for at, value in enumerate(row.values) if value != ""}
    kept = [at for at in range(width) if names[at].strip() or at in used]
    return Opened([names[at] for at in kept], _rows(chain(head, rows), kept, ledger), first.number, found_names=True)


def _rows(rows: Iterable[_SheetRow], kept: Sequence[int], ledger: Ledger) -> Iterator[Row]:
    places = set(kept)
    for number, values in rows:
        made = [values[at] if at < len(values) else "" for at in kept]
        bad = next((value for value in made if isinstance(value, BadRecord)), None)
        beside = next((at for at, value in enumerate(values) if value != "" and at not in places), None)
        if bad is not None:
            ledger.bad_record(number, str(bad))
        elif beside is not None:
            ledger.bad_record(number, f"a value in column {beside + 1}, which has no name")
        else:
            yield Row(number, tuple(value for value in made if not isinstance(value, BadRecord)))


def _filled_rows(sheet: Any, file: BytesIO, ledger: Ledger) -> Iterator[_SheetRow]:
    """The rows of a sheet that hold something."""
    with refusals(file, ledger, _KIND):
        rows = sheet.iter_rows()
    number = 0
    while True:
        with refusals(file, ledger, _KIND):
            cells = next(rows, None)
            number += 1
            if cells is None:
                return
            if number > MAX_ROWS:
                raise DataError(f"{ledger.file.name}: a sheet of more than {MAX_ROWS:,} rows, the most of Excel")
            values = [_value(cell) for cell in cells]
        while values and values[-1] == "":
            values.pop()
        if values:
            yield _SheetRow(number, values)


def _value(cell: Any) -> Value | BadRecord:
    value = cell.value
    if value is None or cell.data_type == "e":  # an error, such as #N/A
        return ""
    if isinstance(value, float) and value.is_integer():
        return int(value)  # all numbers of Excel's are floats, and 3 is meant
    if isinstance(value, datetime) and not _OF_TIME.search(_NOT_OF_TIME.sub("", cell.number_format)):
        value = value.date()
    return plain(value, f"column {cell.column}")
