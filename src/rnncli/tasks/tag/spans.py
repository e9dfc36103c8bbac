"""Spans: names, phrases or words that tags mark in a sentence, in any of the usual schemes, and how many are found.

A tag is the place of a word in its span, a hyphen, and the type of the span: ``B-PER``. Spans are counted as the script
of CoNLL (``conlleval``) and the default mode of the library seqeval count them: none has to be written as its scheme
asks for, since the tags of a network often are not. One that no tag begins begins with its first word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rnncli.tasks.metrics import LabelScore, label_score

OUTSIDE = "O"
_TAG = re.compile(r"([BIOESLUMW])(?:[-_](.+))?", re.DOTALL | re.IGNORECASE)
# What a place is called in other schemes: the last word of several, one in their middle, a span of one word.
_PLACES = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S", "W": "S", "O": OUTSIDE}
# The places of each scheme beside O, and those of which it has one that the schemes before it lack.
_SCHEMES = (
    ("IOB", frozenset("BI"), frozenset("BI")),
    ("IOE", frozenset("IE"), frozenset("E")),
    ("BIOES", frozenset("BIES"), frozenset("ES")),
    ("BILOU", frozenset("BILU"), frozenset("LU")),
    ("BMES", frozenset("BMES"), frozenset("MES")),
    ("BMEW", frozenset("BMEW"), frozenset("W")),
)
NAMELESS = "_"  # the type of a span whose tags name none, as in the segmentation of Chinese words: B M E S


class Span(NamedTuple):
    """The words from ``begin`` up to, but not including, ``end``, and their type."""

    begin: int
    end: int
    type: str


@dataclass(frozen=True, kw_only=True)
class SpanScores:
    """How many spans are found, where a span counts if its type and both its ends are right.

    Attributes:
        scheme: of the tags: IOB1, IOB2, IOB, IOE, BIOES, BILOU, BMES or BMEW.
        by_type: of each type that occurs, by name; ``support`` is its number of true spans.
        all: of all types together (micro average).
    """

    scheme: str
    by_type: tuple[LabelScore, ...]
    all: LabelScore


@lru_cache(maxsize=1 << 14)
def place_and_type(tag: str) -> tuple[str, str] | None:
    """``B-PER`` is B and PER; the place is B, I, E, S or O. None if it is no tag of a span."""
    found = _TAG.fullmatch(tag)
    if found is None:
        return None
    place = _PLACES[found[1].upper()]
    if place == OUTSIDE:
        return (OUTSIDE, "") if found[2] is None else None
    return place, found[2] or NAMELESS


def spans(tags: Sequence[str]) -> set[Span]:
    """The spans of a sentence; a tag that is none of a span is outside of all."""
    found: set[Span] = set()
    begin, before = 0, (OUTSIDE, "")
    for at, tag in enumerate([*tags, OUTSIDE]):
        place, type = place_and_type(tag) or (OUTSIDE, "")
        goes_on = place in "IE" and before[0] in "BI" and type == before[1]
        if not goes_on:
            if before[0] != OUTSIDE:
                found.add(Span(begin, at, before[1]))
            begin = at
        before = place, type
    return found


def scheme_of(sentences: Iterable[Sequence[str]], distinct: Collection[str]) -> str | None:
    """The name of the scheme of all tags; None if some are none of spans, or all are outside.

    Args:
        distinct: the different tags in the sentences; the sentences are looked at only where these do not suffice.
    """
    letters = set()
    for tag in distinct:
        found = _TAG.fullmatch(tag)
        if found is None or place_and_type(tag) is None:
            return None
        letters.add(found[1].upper())
    letters.discard(OUTSIDE)
    typed = any(len(tag) > 1 for tag in distinct)
    if not typed and not (len(letters) > 1 and "B" in letters):
        return None  # I, M and O may be the inside, the membrane and the outside of a cell
    name = next((name for name, places, own in _SCHEMES if letters <= places and letters & own), None)
    return _iob(sentences) if name == "IOB" else name


def _iob(sentences: Iterable[Sequence[str]]) -> str:
    """IOB2 if each span begins with B, IOB1 if only one that follows another of its type does, and else IOB."""
    needless = missing = False
    for tags in sentences:
        before = (OUTSIDE, "")
        for tag in tags:
            place, type = place_and_type(tag) or (OUTSIDE, "")
            follows = before[0] != OUTSIDE and type == before[1]
            needless |= place == "B" and not follows
            missing |= place == "I" and not follows
            before = place, type
    if not missing:
        return "IOB2"
    return "IOB" if needless else "IOB1"


def score_spans(truth: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> SpanScores | None:
    """The scores of predicted tags against the true ones of the same sentences; None if these have no spans."""
    scheme = scheme_of(truth, {tag for tags in truth for tag in tags})
    if scheme is None:
        return None
    right: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    given: Counter[str] = Counter()
    for true_tags, predicted_tags in zip(truth, predicted, strict=True):
        true_spans, predicted_spans = spans(true_tags), spans(predicted_tags)
        for counts, of in ((right, true_spans & predicted_spans), (wanted, true_spans), (given, predicted_spans)):
            counts.update(span.type for span in of)
    return SpanScores(
        scheme=scheme,
        by_type=tuple(label_score(type, right[type], given[type], wanted[type]) for type in sorted(wanted | given)),
        all=label_score("all", right.total(), given.total(), wanted.total()),
    )
