"""Features of a word: the word itself, its endings, its beginning, its shape.

A word that the training data lack still has an ending and a shape that others have: "-ing", "-ly", a capital, a digit.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.data.text.vocabulary import Vocabulary, build_vocabulary

Rows = npt.NDArray[np.int64]

_DIGIT = re.compile(r"\d")
_RUNS = re.compile(r"(.)\1+")
MIN_WORDS = 2  # so many different words make an ending, a beginning or a shape a known one
SIDES = ("word", "ending2", "ending3", "ending4", "beginning3", "shape")


def sides(word: str) -> tuple[str, ...]:
    """The entry of a word in each of :data:`SIDES`; all digits count as 0."""
    lower = _DIGIT.sub("0", word.lower())
    return lower, lower[-2:], lower[-3:], lower[-4:], lower[:3], shape(word)


def shape(word: str) -> str:
    """``McGee's`` is ``XxXx'x``: capitals X, other letters x, digits 0, runs of one kind once."""
    kinds = "".join("X" if c.isupper() else "x" if c.isalpha() else "0" if c.isdigit() else c for c in word[:20])
    return _RUNS.sub(r"\1", kinds)


@dataclass(frozen=True)
class WordFeatures:
    """The known entries of each side.

    Args:
        known: one vocabulary for each of :data:`SIDES`.
    """

    known: tuple[Vocabulary, ...]

    @classmethod
    def of(
        cls, words: Mapping[str, int], *, min_count: int, max_size: int, known: WordFeatures | None = None
    ) -> WordFeatures:
        """From the training words and how often each occurs.

        Args:
            min_count: rarer words have their other features alone.
            max_size: the most known words.
            known: the features that a training goes on from, all of which stay in their places.
        """
        counts: list[Counter[str]] = [Counter() for _ in SIDES]
        for word, count in words.items():
            for k, entry in enumerate(sides(word)):
                counts[k][entry] += count if k == 0 else 1  # of an ending, in how many words
        before = known.known if known is not None else (None,) * len(SIDES)
        limits = [(min_count, max_size), *[(MIN_WORDS, None)] * (len(SIDES) - 1)]
        return cls(
            tuple(
                build_vocabulary(of_side, min_count=fewest, max_size=most, known=of_known)
                for of_side, (fewest, most), of_known in zip(counts, limits, before, strict=True)
            )
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Entries of each side, the unknown one included."""
        return tuple(vocabulary.size for vocabulary in self.known)

    def rows(self, words: Iterable[str]) -> Rows:
        """(words, sides) the entry of each word on each side."""
        entries = list(map(sides, words))
        columns = [vocabulary.encode([of[k] for of in entries]) for k, vocabulary in enumerate(self.known)]
        return np.stack(columns, axis=1).astype(np.int64)

    def knows(self, word: str) -> bool:
        return _DIGIT.sub("0", word.lower()) in self.known[0]

    @cached_property
    def manifest(self) -> dict[str, Any]:
        return {side: list(vocabulary.tokens) for side, vocabulary in zip(SIDES, self.known, strict=True)}
