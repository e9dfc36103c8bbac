"""A word and its tag a line, an empty line after each sentence: the commonest format of tagged corpora."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from rnncli.data.formats.decoding import lines_of
from rnncli.data.formats.table import Ledger, Opened, Row

COLUMNS = ("tokens", "tags")
_BEGIN = "-DOCSTART-"  # in place of a word where a document begins


def open_two_columns(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """Each sentence is a record: its words and its tags. The line is that of the first word.

    A line that begins a document (``-DOCSTART- O``) ends a sentence, as an empty one does.

    Raises:
        DataError: a line has another number of columns than two; bad records are left out as whole sentences.
    """
    return Opened(COLUMNS, _sentences(lines_of(chunks, ledger), ledger))


def _sentences(lines: Iterator[str], ledger: Ledger) -> Iterator[Row]:
    words: list[str] = []
    tags: list[str] = []
    begin, bad = 1, False
    for number, line in enumerate(chain(lines, ("",)), 1):
        parts = line.split()
        if not parts or parts[0] == _BEGIN:
            ledger.documents += bool(parts)
            if words and not bad:
                yield Row(begin, (tuple(words), tuple(tags)))
            words, tags, bad = [], [], False
            continue
        if not words and not bad:
            begin = number
        if len(parts) != 2:
            bad = True
            ledger.bad_record(number, f"{len(parts)} columns, and a line is a word and its tag")
        elif not bad:
            words.append(parts[0])
            tags.append(parts[1])
