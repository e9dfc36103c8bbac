"""From a text to its tokens: words, characters or symbols."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

# Runs of letters, digits and inner apostrophes ("wasn't"), an apostrophe that begins a clitic of its own ("'s"), or
# any single other mark. No part of it can match the same text in two ways, so no text makes it slow.
WORD = re.compile(r"\w+(?:['’]\w+)*|['’]\w+|[^\w\s]")
# Zero-width (non-)joiners stand inside words of Persian and of Indian languages.
JOINERS = "\u200c\u200d"
LINE_BREAK_TAG = re.compile(r"<br\s{0,9}/?>", re.IGNORECASE)


@dataclass(frozen=True)
class Tokenizer:
    """Splits a text into words, characters or symbols.

    Args:
        unit: ``"word"`` takes words and single punctuation marks, and reads an HTML line break (``<br />``) as white
            space; ``"char"`` takes every character (code point), white space too, so that joining the tokens gives
            the text back; ``"symbol"`` takes what stands between white space, as it is.
        lowercase: fold case first.
        normalize: compose accents (Unicode NFC) first, so that both ways to write "é" are one token.
    """

    unit: Literal["word", "char", "symbol"] = "word"
    lowercase: bool = True
    normalize: bool = True

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text, in order; an empty list for an empty text."""
        if self.normalize and not text.isascii():
            text = unicodedata.normalize("NFC", text)
        if self.lowercase:
            text = text.lower()
        if self.unit == "char":
            return list(text)
        if self.unit == "symbol":
            return text.split()
        if "<" in text:
            text = LINE_BREAK_TAG.sub(" ", text)
        return (WORD if text.isascii() else _word_pattern(_blocks_of_marks(text))).findall(text)

    def join(self, tokens: list[str]) -> str:
        """One text for showing: characters joined as they are, others with spaces between."""
        return ("" if self.unit == "char" else " ").join(tokens)


def _blocks_of_marks(text: str) -> tuple[int, ...]:
    """The blocks of 128 code points whose combining marks, or joiners, stand in a text."""
    return tuple(sorted({ord(c) >> 7 for c in set(text) if not c.isascii() and _belongs_to_letter(c)}))


def _belongs_to_letter(character: str) -> bool:
    return character in JOINERS or unicodedata.category(character).startswith("M")


@lru_cache(maxsize=64)
def _word_pattern(blocks: tuple[int, ...]) -> re.Pattern[str]:
    r"""WORD for a text with marks from these blocks, which ``\w`` would take for the end of a word.

    The vowel signs of Hindi are such marks, and the dot that ``"İ".lower()`` leaves. One of them goes on with a word
    and does not begin one: the variation selector behind a heart stays apart from the word that follows.
    """
    points = (chr(128 * block + offset) for block in blocks for offset in range(128))
    marks = "".join(point for point in points if _belongs_to_letter(point))
    if not marks:
        return WORD
    word = rf"\w[\w{marks}]*"
    return re.compile(rf"{word}(?:['’]{word})*|['’]{word}|[^\w\s]")


def looks_like_characters(texts: list[str]) -> bool:
    """Whether a sample of texts has no words to speak of: names, DNA, codes.

    True when most texts are a single run without white space.
    """
    filled = [text for text in texts if text.strip()]
    if not filled:
        return False
    single = sum(len(text.split()) == 1 for text in filled)
    return single / len(filled) > 0.8
