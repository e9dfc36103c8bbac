"""Spans of a text as tags of its words: annotated by hand, a name is two places in the text and a type."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from rnncli.data.text.tokenizer import OF_TAGGED_TEXTS, composed
from rnncli.errors import counted, quoted


class Span(NamedTuple):
    """The characters (code points) of a text from ``begin`` up to, but not including, ``end``.

    Attributes:
        text: what the span is said to hold, or None.
    """

    begin: int
    end: int
    type: str
    text: str | None = None


class TaggedText(NamedTuple):
    """The words of a text with their tags, in IOB2.

    Attributes:
        widened: how many spans began or ended inside a word, all of which they now hold.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    widened: int


def tag_words(text: str, spans: Sequence[Span]) -> TaggedText:
    """The words of a text, each with its place in a span.

    Words are cut as a tagger cuts a text that it is given. A span that begins or ends inside a word is widened.

    Raises:
        ValueError: a span is not in the text, holds no word, or overlaps another one; or the text has no words.
    """
    whole = composed(text)
    places = OF_TAGGED_TEXTS.word_places(whole)
    if not places:
        raise ValueError("the text has no words")
    begins, ends = [begin for begin, _ in places], [end for _, end in places]
    tags = ["O"] * len(places)
    holder: dict[int, Span] = {}  # word → the span that holds it
    widened = 0
    for span in spans:
        _check(text, span)
        # Of composed text the beginning is composed, too.
        begin, end = (at if whole == text or not at else len(composed(text[:at])) for at in (span.begin, span.end))
        first, last = bisect_right(ends, begin), bisect_left(begins, end)
        if first >= last:
            raise ValueError(f"the span {_shown(text, span)} holds no word")
        widened += begin > begins[first] or end < ends[last - 1]
        for at in range(first, last):
            if at in holder:
                other = _shown(text, holder[at])
                raise ValueError(f"the spans {other} and {_shown(text, span)} overlap, and a word has one tag")
            holder[at] = span
            tags[at] = f"{'B' if at == first else 'I'}-{span.type}"
    return TaggedText(tuple(whole[begin:end] for begin, end in places), tuple(tags), widened)


def _check(text: str, span: Span) -> None:
    """Raises ValueError: it is not in the text, or holds something else than it is said to."""
    if not 0 <= span.begin <= span.end <= len(text):
        size = counted(len(text), "character")
        raise ValueError(f"the span from {span.begin} to {span.end} ({span.type}) is not in the text, which has {size}")
    if span.text is not None and span.text.split() != text[span.begin : span.end].split():
        said = quoted(" ".join(span.text.split()))
        raise ValueError(f"the span {_shown(text, span)} should be {said}; places are code points, counted from 0")


def _shown(text: str, span: Span) -> str:
    return f"{quoted(' '.join(text[span.begin : span.end].split()))} ({span.type}, {span.begin} to {span.end})"
