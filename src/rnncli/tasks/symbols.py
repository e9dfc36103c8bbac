"""A text as symbols that can be put together again: what networks that generate text read and generate."""

from __future__ import annotations

from collections.abc import Sequence

from rnncli.config import Settings
from rnncli.data.text.tokenizer import Tokenizer

START, END = "<start>", "<end>"  # names of what stands before the first symbol and after the last
_WORDS = Tokenizer("word", lowercase=False)
SHORT = 60  # texts of at most so many characters are generated character by character, longer ones word by word


def symbols_of(text: str, unit: str) -> list[str]:
    """The symbols of a text: its characters, its pieces between white space, or its words and marks."""
    if unit == "char":
        return list(text)
    return text.split() if unit == "symbol" else _WORDS.tokens(text)


def joined_symbols(symbols: Sequence[str], unit: str) -> str:
    """Symbols put together again."""
    return ("" if unit == "char" else " ").join(symbols)


def require_unit(settings: Settings) -> None:
    """Raises ValueError: the settings leave open what a symbol is, unlike those of a trained model."""
    if settings.tokens == "auto":
        raise ValueError("settings.tokens does not say what a symbol is")


def likely_unit(texts: Sequence[str], wanted: str) -> str:
    """What a symbol is: ``wanted``, or if that is "auto", what the texts look like.

    Letters with white space between them (``c a t``) are symbols of their own; otherwise the symbols of short
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


_ROWS, _REPEATED, _LONGEST_SYMBOL = 12, 3, 3  # rows, how often a symbol occurs, and its characters, on average


def are_rows_of_symbols(texts: Sequence[str]) -> bool:
    """Whether texts are rows of a few short symbols with white space between them: the sounds of words."""
    rows = [text.split() for text in texts]
    symbols = [symbol for row in rows for symbol in row]
    if len(rows) < _ROWS or len(symbols) < 2 * len(rows):
        return False
    few = _REPEATED * len(set(symbols)) <= len(symbols)
    return few and sum(map(len, symbols)) <= _LONGEST_SYMBOL * len(symbols)


def edit_distance(first: Sequence[object], second: Sequence[object]) -> int:
    """How many symbols have to be inserted, deleted or replaced (Levenshtein 1966)."""
    row = list(range(len(second) + 1))
    for count, one in enumerate(first, 1):
        diagonal, row[0] = row[0], count
        for at, other in enumerate(second, 1):
            diagonal, row[at] = row[at], min(diagonal + (one != other), row[at] + 1, row[at - 1] + 1)
    return row[-1]
