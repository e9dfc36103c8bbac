"""Tagged words as the shared tasks of CoNLL have them: a word with its tags a line, an empty line after each sentence.

The columns stand between tabs, and then a word may hold spaces, or else between any white space. Only those of CoNLL-U
have names: of other files the first is called ``tokens``, the last ``tags``, and those between by their number. A
sentence is a record, and has in each column a tuple of texts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from itertools import chain

from rnncli.data.formats.decoding import blocks_of, with_newlines
from rnncli.data.formats.table import Ledger, Opened, Row
from rnncli.errors import counted

CONLL_U = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_BEGIN = "-DOCSTART-"  # in place of a word where a document begins
_WHITE_LINE = re.compile(r"\n[^\S\n]+(?=\n|\Z)")
# White space but for spaces, tabs and line ends; in most texts there is none.
_OTHER_SPACE = (
    "\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
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
    blocks = map(with_newlines, blocks_of(chunks, ledger))
    read: list[str] = []
    first = ""
    for block in blocks:
        read.append(block)
        for line in filter(str.strip, block.split("\n")):
            first = first if line.startswith(_BEGIN) else line
            if not line.startswith((_BEGIN, "#")):
                break
        else:
            continue
        break
    if not first:
        raise ledger.no_records()
    tabs = "\t" in first.strip()
    width = len(_at_tabs(first) if tabs else _at_spaces(first))
    names = ("tokens", *map(str, range(2, width)), "tags")[:width]
    # Nearly always the white space between columns is all that there is, and then this is the faster way to split.
    return Opened(names, _Sentences(ledger, _at_tabs if tabs else str.split, width).read(chain(read, blocks)))


def open_conll_u(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """As :func:`open_conll`, of Universal Dependencies: ten columns between tabs, with the names of the format.

    Multiword tokens (``1-2 aux``) and empty nodes (``1.1``), which are no words of the sentence, are left out and
    counted. In CoNLL-U Plus the first comment names the columns.
    """
    blocks = map(with_newlines, blocks_of(chunks, ledger))
    first = next(blocks, "")
    plus = _PLUS.match(first)
    names = CONLL_U if plus is None else tuple(plus[1].lower().split())
    sentences = _Sentences(ledger, _at_tabs, len(names), names[0] == "id")
    return Opened(names, sentences.read(chain((first,), blocks)))


def _without_white_lines(block: str) -> str:
    """Whole lines, of which those of white space alone are empty: they end a sentence as well."""
    if "\n " in block or "\n\t" in block or block[:1].isspace() or any(map(block.__contains__, _OTHER_SPACE)):
        return _WHITE_LINE.sub("\n", f"\n{block}")[1:]
    return block


def _at_tabs(line: str) -> list[str]:
    parts = line.rstrip("\r\n\t ").split("\t")
    return [part.strip(" ") for part in parts] if " " in line else parts


def _at_spaces(line: str) -> list[str]:
    return _SPACES.split(line.strip(" \t\r\n"))


class _Sentences:
    """Reads the sentences of a file.

    Args:
        split: cuts a line into its columns.
        numbered: whether the first column is the number of the word in its sentence.
    """

    def __init__(self, ledger: Ledger, split: Callable[[str], list[str]], width: int, numbered: bool = False) -> None:
        self._ledger, self._split, self._width, self._numbered = ledger, split, width, numbered
        self._left_out: Counter[tuple[str, str]] = Counter()

    def read(self, blocks: Iterable[str]) -> Iterator[Row]:
        """The sentences, while pieces of whole lines come in."""
        number = 1
        held: list[str] = []
        for block in chain(blocks, ("\n\n",)):
            held.append(_without_white_lines(block))
            if "\n\n" not in held[-1] and not (held[-1].startswith("\n") and held[1:]):
                continue
            *whole, rest = "".join(held).split("\n\n")
            held = [rest] if rest else []
            for text in whole:
                lines = text.lstrip("\n")
                number += len(text) - len(lines)
                while self._numbered and lines.startswith("#"):
                    _, end, lines = lines.partition("\n")
                    number += len(end)
                    self._left_out[_COMMENTS] += 1
                if lines:
                    columns = self._columns(lines)
                    if columns is not None:
                        yield Row(number, columns)
                    else:
                        yield from self._by_line(number, lines)
                number += lines.count("\n") + 2
        if self._left_out:
            kinds = (counted(times, *kind) for kind, times in self._left_out.items())
            self._ledger.said.append(f"left out: {', '.join(kinds)}")

    def _columns(self, lines: str) -> tuple[tuple[str, ...], ...] | None:
        """The columns of lines that are all words, as most are: which is seen at once; None if one may not be."""
        width = self._width
        if lines[0] in "#-" or _BEGIN in lines or "\0" in lines:
            return None
        if self._split is str.split:
            parts = lines.replace("\n", " \0 ").split()
        elif " " not in lines and "\t\n" not in lines and lines[-1] != "\t":
            parts = lines.replace("\n", "\t\0\t").split("\t")
        else:
            return None
        # A NUL stands where a line ends, so that each has as many columns if all of these stand in their places.
        ends = lines.count("\n")
        if len(parts) + 1 != (ends + 1) * (width + 1) or parts[width :: width + 1].count("\0") != ends:
            return None
        columns = tuple([tuple(parts[at :: width + 1]) for at in range(width)])
        return columns if not self._numbered or "".join(columns[0]).isdecimal() else None

    def _by_line(self, number: int, text: str) -> Iterator[Row]:
        """The sentences of neighbouring lines, of which some may be no words, or bad."""
        split, width, ledger = self._split, self._width, self._ledger
        words: list[list[str]] = []
        begin, bad = 0, False
        for at, line in chain(enumerate(StringIO(f"{text}\n"), number), ((0, _BEGIN),)):
            if line.startswith(_BEGIN):
                ledger.documents += at > 0
                if words and not bad:
                    yield Row(begin, tuple(zip(*words, strict=True)))
                words, bad = [], False
                continue
            values = split(line)
            kind = _left_out(line, values, self._numbered, not words and not bad, len(values) == width)
            if kind is not None:
                self._left_out[kind] += 1
                continue
            if len(values) != width and split is str.split:
                values = _at_spaces(line)
            if len(values) != width:
                bad = True
                found = counted(len(values), "column") + (" separated by tabs" if split is _at_tabs else "")
                ledger.bad_record(at, f"{found}, and {_should_be(width, self._numbered)}")
                continue
            if not words:
                begin = at
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
