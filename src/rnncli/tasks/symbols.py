"""A text as symbols that can be put together again: what networks that generate text read and generate."""

from __future__ import annotations

from collections.abc import Sequence

from rnncli.config import Settings
from rnncli.data.text.tokenizer import Tokenizer

START, END = "<start>", "<end>"  # what stands before the first symbol, and what the end of a text is called
_WORDS = Tokenizer("word", lowercase=False)
# A text of at most so many characters is generated character by character, a longer one word by word.
SHORT = 60


def symbols_of(text: str, unit: str) -> list[str]:
    """The symbols of a text: its characters, what stands between white space, or its words and marks."""
    if unit == "char":
        return list(text)
    return text.split() if unit == "symbol" else _WORDS.tokens(text)


def joined_symbols(symbols: Sequence[str], unit: str) -> str:
    """The text that symbols make."""
    return ("" if unit == "char" else " ").join(symbols)


def require_unit(settings: Settings) -> None:
    """Raises ValueError: these are not the settings of a trained model, in which it is known what a symbol is."""
    if settings.tokens == "auto":
        raise ValueError("settings.tokens does not say what a symbol is")


def likely_unit(texts: Sequence[str], wanted: str) -> str:
    """What a symbol is, if ``wanted`` is "auto".

    Letters with white space between them (``c a t``) are symbols of their own; else the symbols of short
    texts are their characters, and those of longer ones their words.
    """
    if wanted != "auto":
        return wanted
    filled = [text for text in texts if text.strip()]
    longer = [text.split() for text in filled if len(text.split()) > 1]
    if len(longer) > len(filled) / 2 and all(len(part) == 1 for parts in longer for part in parts):
        return "symbol"
    middle = sorted(map(len, filled))[len(filled) // 2] if filled else 0
    return "char" if middle <= SHORT else "word"


def edit_distance(first: Sequence[object], second: Sequence[object]) -> int:
    """How many symbols have to be put in, left out or exchanged (Levenshtein 1966)."""
    row = list(range(len(second) + 1))
    for place, one in enumerate(first, 1):
        diagonal, row[0] = row[0], place
        for at, other in enumerate(second, 1):
            diagonal, row[at] = row[at], min(diagonal + (one != other), row[at] + 1, row[at - 1] + 1)
    return row[-1]
