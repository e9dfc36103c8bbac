"""A text as tokens, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rnncli.data.dataset import Dataset

# Words, marks and white space: put one after the other they are the text again.
_WORDS = re.compile(r"\s+|\w+(?:['’]\w+)*|[^\w\s]")


def split(text: str, unit: str) -> list[str]:
    """The tokens of a text, which are the text again one after the other."""
    return list(_tokens(text, unit))


def _tokens(text: str, unit: str) -> Iterator[str]:
    """As :func:`split`, one after the other: a whole text has more tokens than are to be kept as strings."""
    return iter(text) if unit == "char" else (found[0] for found in _WORDS.finditer(text))


def beginning(text: str, unit: str, count: int) -> str:
    """So many tokens of a text at most."""
    return "".join(split(text, unit)[:count])


def joined(dataset: Dataset) -> str:
    """The whole text, a line a record."""
    return "\n".join(dataset.texts) + "\n"
