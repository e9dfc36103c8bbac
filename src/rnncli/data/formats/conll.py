"""A word and its tag a line, an empty line after each sentence: the commonest format of tagged corpora."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from rnncli.data.formats.decoding import lines_of
from rnncli.data.formats.table import Ledger, Opened, Row
from rnncli.errors import counted

COLUMNS = ("tokens", "tags")
_FIRST_LINES = 10_000  # that may have a wrong number of columns in common
_FIRST_AND_LAST = "awk '{print $1,$NF}'"
_BEGIN = "-DOCSTART-"  # in place of a word where a document begins


def open_two_columns(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """Each sentence is a record: its words and its tags. The line is that of the first word.

    A line that begins a document (``-DOCSTART- O``) ends a sentence, as an empty one does.

    Raises:
        DataError: a line has another number of columns than two; bad records are left out as whole sentences, unless
            all lines are so.
    """
    return Opened(COLUMNS, _sentences(_checked(lines_of(chunks, ledger), ledger), ledger))


def _checked(lines: Iterator[str], ledger: Ledger) -> Iterator[str]:
    """The lines; raises DataError where the first ones, and so likely all, have the same wrong number of columns."""
    read: list[str] = []
    first = width = 0
    for number, line in enumerate(islice(lines, _FIRST_LINES), 1):
        read.append(line)
        parts = line.split()
        if not parts or parts[0] == _BEGIN:
            continue
        first, width = first or number, width or len(parts)
        if width == 2 or len(parts) != width:
            break
    else:
        if width:
            what = f"each line has {counted(width, 'column')}, and a line is a word and its tag"
            cut = f"To keep the word and its last column: {ledger.file.piped(_FIRST_AND_LAST, 'conll')}"
            raise ledger.fault(first, what, cut if width > 1 else "write the tag behind each word")
    yield from chain(read, lines)


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
            ledger.bad_record(number, f"{counted(len(parts), 'column')}, and a line is a word and its tag")
        elif not bad:
            words.append(parts[0])
            tags.append(parts[1])
