"""Tagged words as the shared tasks of CoNLL have them: a word with its tags a line, an empty line after each sentence.

The columns stand between tabs, and then a word may hold spaces, or else between any white space. Only those of CoNLL-U
have names: of other files the first is called ``tokens``, the last ``tags``, and those between by their number. A
sentence is a record, and has in each column a tuple of texts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count

from rnncli.data.formats.decoding import lines_of
from rnncli.data.formats.table import Ledger, Opened, Row
from rnncli.errors import counted

CONLL_U = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_BEGIN = "-DOCSTART-"  # in place of a word where a document begins
_SPACES = re.compile("[ \t]+")  # unlike white space without the no-break space, which numbers have: 10 000
# A # may be a word. In a comment it has behind it a key with its value, or where a document begins or ends.
_COMMENT = re.compile(r"#(?:.*=|#|\s*(?:id|sent_id|text|newdoc|newpar|begin document|end document)\b)")
_PLUS = re.compile(r"#\s*global\.columns\s*=\s*(\S.*)")  # the names of the columns of CoNLL-U Plus
# What is left out, in the singular and in the plural.
_COMMENTS = ("comment", "comments")
_RANGES = ("multiword token (1-2)", "multiword tokens (1-2)")
_EMPTY_NODES = ("empty node (1.1)", "empty nodes (1.1)")


def open_conll(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """Each sentence is a record. The line is that of the first word.

    A line that begins a document (``-DOCSTART- O``) ends a sentence, as an empty one does. Comments begin with ``#``
    and stand before a sentence.

    Raises:
        DataError: there is no word, or a line has another number of columns than the first. Bad records are left out as
            whole sentences.
    """
    lines = lines_of(chunks, ledger)
    read: list[str] = []
    for line in lines:
        read.append(line)
        if line.strip() and not line.startswith((_BEGIN, "#")):
            break
    first = next((line for line in reversed(read) if line.strip() and not line.startswith(_BEGIN)), "")
    if not first:
        raise ledger.no_records()
    tabs = "\t" in first.strip()
    width = len(_at_tabs(first) if tabs else _at_spaces(first))
    names = ("tokens", *map(str, range(2, width)), "tags")[:width]
    # Nearly always the white space between columns is all that there is, and then this is the faster way to split.
    return Opened(names, _sentences(chain(read, lines), ledger, _at_tabs if tabs else str.split, width))


def open_conll_u(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """As :func:`open_conll`, of Universal Dependencies: ten columns between tabs, with the names of the format.

    Multiword tokens (``1-2 aux``) and empty nodes (``1.1``), which are no words of the sentence, are left out and
    counted. In CoNLL-U Plus the first comment names the columns.
    """
    lines = lines_of(chunks, ledger)
    first = next(lines, "")
    plus = _PLUS.match(first)
    names = CONLL_U if plus is None else tuple(plus[1].lower().split())
    return Opened(names, _sentences(chain((first,), lines), ledger, _at_tabs, len(names), names[0] == "id"))


def _at_tabs(line: str) -> list[str]:
    parts = line.rstrip("\r\n\t ").split("\t")
    return [part.strip(" ") for part in parts] if " " in line else parts


def _at_spaces(line: str) -> list[str]:
    return _SPACES.split(line.strip(" \t\r\n"))


def _sentences(
    lines: Iterable[str], ledger: Ledger, split: Callable[[str], list[str]], width: int, numbered: bool = False
) -> Iterator[Row]:
    """The sentences, each as its columns.

    Args:
        split: a line into its values.
        width: how many values a line has.
        numbered: whether the first is the number of the word in its sentence.
    """
    left_out: Counter[tuple[str, str]] = Counter()
    block: list[str] = []
    for number, line in enumerate(chain(lines, ("\n",)), 1):
        if not line.isspace():
            block.append(line)
            continue
        if not block:
            continue
        begin = number - len(block)
        # Most sentences have words alone, which is seen of all their lines at once.
        values = list(map(split, block))
        if set(map(len, values)) == {width} and block[0][0] not in "#-":
            columns = tuple(zip(*values, strict=True))
            first = "".join(columns[0])
            if first.isdecimal() if numbered else _BEGIN not in first:
                yield Row(begin, columns)
                block = []
                continue
        yield from _by_line(zip(count(begin), block, values), ledger, split, width, numbered, left_out)
        block = []
    if left_out:
        ledger.said.append(f"left out: {', '.join(counted(times, *kind) for kind, times in left_out.items())}")


def _by_line(
    lines: Iterable[tuple[int, str, list[str]]],
    ledger: Ledger,
    split: Callable[[str], list[str]],
    width: int,
    numbered: bool,
    left_out: Counter[tuple[str, str]],
) -> Iterator[Row]:
    """The sentences of neighbouring lines, of which some may be no words, or bad."""
    words: list[list[str]] = []
    begin, bad = 0, False
    for number, line, values in chain(lines, ((0, _BEGIN, []),)):
        if line.startswith(_BEGIN):
            ledger.documents += number > 0
            if words and not bad:
                yield Row(begin, tuple(zip(*words, strict=True)))
            words, bad = [], False
            continue
        kind = _left_out(line, values, numbered, not words and not bad, len(values) == width)
        if kind is not None:
            left_out[kind] += 1
            continue
        if len(values) != width and split is str.split:
            values = _at_spaces(line)
        if len(values) != width:
            bad = True
            found = counted(len(values), "column") + (" separated by tabs" if split is _at_tabs else "")
            ledger.bad_record(number, f"{found}, and {_should_be(width, numbered)}")
            continue
        if not words:
            begin = number
        words.append(values)


def _left_out(line: str, values: list[str], numbered: bool, between: bool, whole: bool) -> tuple[str, str] | None:
    """What a line is that is no word; None if it is one.

    Args:
        between: whether no sentence has begun.
        whole: whether it has all columns.
    """
    if numbered:
        if line.startswith("#"):
            return _COMMENTS
        return _RANGES if "-" in values[0] else _EMPTY_NODES if "." in values[0] else None
    if between and line.startswith("#") and (_COMMENT.match(line) or (not whole and line[1:2].isspace())):
        return _COMMENTS
    return None


def _should_be(width: int, numbered: bool) -> str:
    if numbered:
        return f"a line of CoNLL-U has {width}"
    return "a line is a word and its tag" if width == 2 else f"the first line has {width}"
