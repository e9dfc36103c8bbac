"""fastText's lines of a text and its labels: ``__label__good a warm film``, also with several labels, or at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from rnncli.data.formats.decoding import lines_of
from rnncli.data.formats.table import Ledger, Opened, Row
from rnncli.errors import counted

PREFIX = "__label__"
_FIRST_LINES = 1000  # by which it is told whether a line has one label, or any number of them


def open_fasttext(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """Columns ``text`` and ``label``: a text, or where lines have several or none, a list of texts.

    Raises:
        DataError: no line holds something.
    """
    numbered = ((number, line.split()) for number, line in enumerate(lines_of(chunks, ledger), 1))
    lines = ((number, words) for number, words in numbered if words)
    first = list(islice(lines, _FIRST_LINES))
    if not first:
        raise ledger.no_records()
    counts = {sum(word.startswith(PREFIX) for word in words) for _, words in first}
    several = max(counts) > 1
    ledger.said.append(f"labels: the words that begin with {PREFIX}" + (", any number a line" if several else ""))
    return Opened(("text", "label"), _rows(chain(first, lines), several, ledger), first[0][0])


def _rows(lines: Iterable[tuple[int, list[str]]], several: bool, ledger: Ledger) -> Iterator[Row]:
    for number, words in lines:
        labels = [word.removeprefix(PREFIX) for word in words if word.startswith(PREFIX)]
        text = " ".join(word for word in words if not word.startswith(PREFIX))
        if several:
            yield Row(number, (text, labels))
        elif len(labels) > 1:
            ledger.bad_record(number, f"{counted(len(labels), 'label')}, and each line before has one")
        else:
            yield Row(number, (text, labels[0] if labels else ""))


def is_fasttext(lines: Iterable[str]) -> bool:
    """Whether the first lines of a text are fastText's: each that holds something has a label."""
    held = [line.split() for line in lines if line.strip()]
    return bool(held) and all(any(word.startswith(PREFIX) for word in words) for words in held)
