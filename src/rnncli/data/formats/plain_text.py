"""Plain text: one column, a record for every line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from rnncli.data.formats.decoding import lines_of
from rnncli.data.formats.table import Ledger, Opened, Row


def open_text(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """Every line is a record, empty ones too, so that predictions stay beside their lines.

    Raises:
        DataError: the file is empty.
    """
    lines = lines_of(chunks, ledger)
    first = next(lines, None)
    if first is None:
        raise ledger.no_records()
    numbered = enumerate(chain((first,), lines), 1)
    return Opened(("text",), (Row(number, (text.rstrip("\r\n"),)) for number, text in numbered))
