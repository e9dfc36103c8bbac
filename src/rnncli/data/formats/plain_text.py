"""Plain text: one column, a record for every line, or one for the whole file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from rnncli.data.formats.decoding import lines_of, text_of
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


def open_document(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """All of the file is one record."""
    return Opened(("text",), _document(text_of(chunks, ledger), ledger))


def _document(texts: Iterator[str], ledger: Ledger) -> Iterator[Row]:
    pieces, length = [], 0
    for text in texts:
        pieces.append(text)
        length += len(text)
        if length > ledger.max_field:
            raise ledger.fault(1, f"a document of more than {ledger.max_field:,} characters")
    yield Row(1, ("".join(pieces).strip(),))
