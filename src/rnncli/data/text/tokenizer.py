"""From a text to its tokens: words, characters or symbols."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

# Runs of letters, digits and inner apostrophes ("wasn't"), an apostrophe that begins a clitic of its own ("'s"), or
# any single other mark. This pattern is for ASCII alone, where it is a third faster than one for all characters; the
# separators 1c to 1f are white space to Python, but not to re.ASCII. It never goes back, so no text makes it slow.
WORD = re.compile(r"\w++(?:'\w++)*+|'\w++|[^\w\s\x1c-\x1f]", re.ASCII)
# Zero-width (non-)joiners, inside words of Persian and of Indian languages.
JOINERS = "\u200c\u200d"
LINE_BREAK_TAG = re.compile(r"<br\s{0,9}/?>", re.IGNORECASE)


@dataclass(frozen=True)
class Tokenizer:
    """Splits a text into words, characters or symbols.

    Args:
        unit: ``"word"`` takes words and single punctuation marks, and reads an HTML line break (``<br />``) as white
            space; ``"char"`` takes every character (code point), white space too, so that joining the tokens gives
            the text back; ``"symbol"`` splits at white space alone.
        lowercase: fold case first.
        normalize: compose accents (Unicode NFC) first, so that both ways to write "é" are one token.
    """

    unit: Literal["word", "char", "symbol"] = "word"
    lowercase: bool = True
    normalize: bool = True

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text, in order; an empty list for an empty text."""
        if self.normalize and not text.isascii():
            text = composed(text)
        if self.lowercase:
            text = text.lower()
        if self.unit == "char":
            return list(text)
        if self.unit == "symbol":
            return text.split()
        if "<" in text:
            text = LINE_BREAK_TAG.sub(" ", text)
        return _pattern_for(text).findall(text)

    def word_places(self, text: str) -> list[tuple[int, int]]:
        """Where each word of a text begins and ends, in code points; of one whose accents are composed, if they are."""
        if "<" in text:
            text = LINE_BREAK_TAG.sub(lambda tag: " " * len(tag[0]), text)
        return [found.span() for found in _pattern_for(text).finditer(text)]

    def join(self, tokens: list[str]) -> str:
        """One text for showing: characters joined as they are, others with spaces between."""
        return ("" if self.unit == "char" else " ").join(tokens)


# Cuts the texts of which a tagger reads the words, where they are not given as a list.
OF_TAGGED_TEXTS = Tokenizer("word", lowercase=False)


def composed(text: str) -> str:
    """Unicode NFC, in time that grows with the text alone.

    Putting a run of combining marks in order takes Python the square of its length. No writing system has more than
    a few on a letter; a longer run than the 30 of Unicode's stream-safe text format (UAX #15) is composed in pieces
    of 30.
    """
    cuts = [found.end() for found in _run_of_marks(_is_wide(text)).finditer(text)]
    if not cuts:
        return unicodedata.normalize("NFC", text)
    return "".join(unicodedata.normalize("NFC", text[begin:end]) for begin, end in pairwise((0, *cuts, len(text))))


_LONGEST_RUN = 30  # combining marks in a row, of Unicode's stream-safe text format
# The planes with characters that belong to the one before them; those between hold ideographs alone.
_BASIC_PLANE, _ALL_PLANES = (range(0x300, 0x10000),), (range(0x300, 0x20000), range(0xE0000, 0xE1000))


def _is_wide(text: str) -> bool:
    """Whether a text that is not empty has characters beyond the basic plane."""
    return max(text) > "\uffff"


def _pattern_for(text: str) -> re.Pattern[str]:
    return WORD if text.isascii() else _word_pattern(_is_wide(text))


@lru_cache(maxsize=2)
def _run_of_marks(wide: bool) -> re.Pattern[str]:
    """The longest run of combining marks that is composed as one, where the run continues after it."""
    marks = _ranges(_is_put_in_order, wide)
    return re.compile(f"[{marks}]{{{_LONGEST_RUN}}}(?=[{marks}])")


@lru_cache(maxsize=2)
def _word_pattern(wide: bool) -> re.Pattern[str]:
    r"""WORD for a text with combining marks, which ``\w`` would take for the end of a word.

    The vowel signs of Hindi are such marks, and the dot that ``"İ".lower()`` leaves. A mark continues a word and does
    not begin one: the variation selector after a heart stays apart from the word that follows.

    Args:
        wide: for characters beyond the basic plane too, among which it is slower.
    """
    word = rf"\w[\w{_ranges(_belongs_to_letter, wide)}]*"
    return re.compile(rf"{word}(?:['’]{word})*|['’]{word}|[^\w\s]")


def _belongs_to_letter(character: str) -> bool:
    return character in JOINERS or unicodedata.category(character).startswith("M")


def _is_put_in_order(character: str) -> bool:
    """Whether it is a combining mark of a class, or is composed of such."""
    return unicodedata.combining(unicodedata.normalize("NFD", character)[0]) > 0


def _ranges(belongs: Callable[[str], bool], wide: bool) -> str:
    """The characters of a set in a pattern, without its square brackets."""
    points = [point for plane in (_ALL_PLANES if wide else _BASIC_PLANE) for point in plane if belongs(chr(point))]
    firsts = [point for before, point in pairwise([-1, *points]) if point != before + 1]
    lasts = [point for point, after in pairwise([*points, -1]) if after != point + 1]
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in zip(firsts, lasts, strict=True))


def looks_like_characters(texts: Sequence[str]) -> bool:
    """Whether texts are names, DNA or codes and not words: most are a single run without white space."""
    runs = [len(text.split()) for text in texts]
    return runs.count(1) > 0.8 * (len(runs) - runs.count(0))
