"""Pronouncing dictionaries, as CMUdict and Sequitur have them: a word, white space and its symbols a line.

;;; a comment
READ  R IY1 D
READ(1)  R EH1 D
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rnncli.data.formats.decoding import lines_of
from rnncli.data.formats.table import Ledger, Opened, Row

COLUMNS = ("source", "target")
COMMENT = ";;;"
_VARIANT = re.compile(r"(?<=.)\(\d+\)\Z")  # of a word that is spoken in several ways
_REMARK = re.compile(r"\s#\s.*\Z", re.DOTALL)


def open_lexicon(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """Each line is a record: a word is the source, and its symbols with single spaces between them are the target."""
    return Opened(COLUMNS, _entries(lines_of(chunks, ledger), ledger))


def _entries(lines: Iterator[str], ledger: Ledger) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if line.startswith(COMMENT) or not line.strip():
            continue
        word, *symbols = _REMARK.sub("", line).split()
        if symbols:
            yield Row(number, (_VARIANT.sub("", word), " ".join(symbols)))
        else:
            ledger.bad_record(number, "a word without symbols, and a line of a lexicon is a word and its symbols")
