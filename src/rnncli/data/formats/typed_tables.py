"""What the binary formats of tables share: their library, their bytes at random access, their values.

The libraries are an extra, ``rnncli[tables]``, and are imported when such a file is opened.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time, timedelta
from decimal import Decimal
from importlib import import_module
from io import BytesIO
from typing import Any

from rnncli.data.formats.json_objects import MAX_NESTING, TOO_DEEP, BadRecord, check_characters
from rnncli.data.formats.table import Ledger
from rnncli.data.formats.values import FALSE, TRUE, Value
from rnncli.errors import DataError, RnncliError, StorageError, UsageError, quoted
from rnncli.memory import allocations_limited

_HEAD = 16
# What a file starts with → the format that it has, and what to do about it.
_STARTS = (
    (b"PAR1", "a Parquet file", "parquet"),
    (b"ARROW1", "an Arrow file", "arrow"),
    (b"\xff\xff\xff\xff", "an Arrow stream", "arrow"),
    (b"PK\x03\x04", "a zip archive, as Excel workbooks are", "xlsx"),
)
_OTHER_STARTS = (
    (b"\xd0\xcf\x11\xe0", "an old or an encrypted Excel workbook", "Save it as .xlsx, without a password."),
    (b"\x1f\x8b", "gzip", "Give it a name that ends in .gz."),
)


def library(name: str, ledger: Ledger) -> Any:
    """The module of a library that reads a format.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        what = f"{ledger.file.name}: {ledger.file.format.name} is read by {name.partition('.')[0]}"
        raise UsageError(f"{what}, which is not installed", "pip install 'rnncli[tables]'") from None


@contextmanager
def refusals(file: BytesIO, ledger: Ledger, kind: str) -> Iterator[None]:
    """Lets a library read a part of a file: whatever it makes of hostile bytes is a refusal.

    Args:
        kind: of the file, for messages: ``a Parquet file``.

    Raises:
        DataError: the library fails.
        StorageError: the memory does not suffice.
    """
    try:
        with allocations_limited():
            yield
    except RnncliError:
        raise
    except MemoryError:
        raise StorageError(
            f"{ledger.file.name}: the memory does not suffice to unpack it", "Take a part of it."
        ) from None
    except Exception as error:
        raise _not_whole(file, ledger, kind, error) from None


def _not_whole(file: BytesIO, ledger: Ledger, kind: str, error: Exception) -> DataError:
    name = ledger.file.name
    file.seek(0)
    head = file.read(_HEAD)
    if not head:
        return ledger.no_records()
    for start, found, format in _STARTS:
        if head.startswith(start) and format != ledger.file.format.name:
            return DataError(f"{name}: is {found}, not {kind}", f"Say --format {format}.")
    for start, found, hint in _OTHER_STARTS:
        if head.startswith(start):
            return DataError(f"{name}: is {found}, not {kind}", hint)
    if head and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head):
        return DataError(f"{name}: is text, not {kind}", "Say --format csv, or what else it is.")
    reason = " ".join(str(error).split())[:100] or type(error).__name__
    return DataError(f"{name}: is not {kind}, or not a whole one ({reason})", "Fetch or write it again.")


def plain(value: Any, column: str) -> Value | BadRecord:
    """A value as those of other formats are: missing ones are empty, dates are texts as ISO 8601 has them.

    Returns:
        a BadRecord in place of a value that cannot be used.
    """
    try:
        made: Value = _plain(value, column, 0)
    except BadRecord as bad:
        return bad
    return made


def _plain(value: Any, column: str, depth: int) -> Any:
    match value:
        case str():
            check_characters(column, value, nested=False)
            return value
        case None:
            return None if depth else ""
        case bool():
            return value if depth else TRUE if value else FALSE
        case int():
            return value
        case float():
            return _float(value, column, nested=depth > 0)
        case date() | time():  # a datetime is a date
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal():
            return str(value)
        case bytes():
            return _text_of(value, column)
        case dict() | list() | tuple() if depth == MAX_NESTING:
            raise BadRecord(TOO_DEEP)
        case dict():
            keys = (key if isinstance(key, str) else str(_plain(key, column, depth + 1)) for key in value)
            values = (_plain(one, column, depth + 1) for one in value.values())
            return dict(zip(keys, values, strict=True))
        case list() | tuple():
            return [_plain(one, column, depth + 1) for one in value]
    raise BadRecord(f"{quoted(column)} holds {type(value).__name__}, no text, number or list")


def _float(value: float, column: str, nested: bool) -> Value | None:
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return None if nested else ""
    if nested:
        raise BadRecord(f"a number in {quoted(column)} is not finite")
    return str(value)  # refused by whoever reads numbers of this column, as in a CSV file


def _text_of(value: bytes, column: str) -> str:
    try:
        text = value.decode()
        check_characters(column, text, nested=False)
    except (UnicodeDecodeError, BadRecord):
        raise BadRecord(f"{quoted(column)} holds bytes that are no text") from None
    return text
