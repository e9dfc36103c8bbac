"""From a text to its tokens: words or characters."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

# Runs of letters, digits and inner apostrophes ("wasn't"), an apostrophe that begins a clitic of its own ("'s"), or
# any single other mark. No part of it can match the same text in two ways, so no text makes it slow.
WORD = re.compile(r"\w+(?:['’]\w+)*|['’]\w+|[^\w\s]")
LINE_BREAK_TAG = re.compile(r"<br\s{0,9}/?>", re.IGNORECASE)


@dataclass(frozen=True)
class Tokenizer:
    """Splits a text into words or characters.

    Args:
        unit: ``"word"`` takes words and single punctuation marks, and reads an HTML line break (``<br />``) as white
            space; ``"char"`` takes every character (code point), white space too, so that joining the tokens gives
            the text back.
        lowercase: fold case first.
        normalize: compose accents (Unicode NFC) first, so that both ways to write "é" are one token.
    """

    unit: Literal["word", "char"] = "word"
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
        if "<" in text:
            text = LINE_BREAK_TAG.sub(" ", text)
        return WORD.findall(text)

    def join(self, tokens: list[str]) -> str:
        """One text for showing: characters joined as they are, words with spaces between."""
        return ("" if self.unit == "char" else " ").join(tokens)


def looks_like_characters(texts: list[str]) -> bool:
    """Whether a sample of texts has no words to speak of: names, DNA, codes.

    True when most texts are a single run without white space.
    """
    filled = [text for text in texts if text.strip()]
    if not filled:
        return False
    single = sum(len(text.split()) == 1 for text in filled)
    return single / len(filled) > 0.8
