"""Words and tags of a sentence, as they stand in records."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.formats.values import Value, as_text, words
from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.word_features import WordFeatures

# A text that is not given as a list of words is split into them like this.
TOKENIZER = Tokenizer("word", lowercase=False)


def words_of(sentence: Value) -> list[str]:
    """The words of a sentence: a list of them, or a text to be split."""
    found = words(sentence)
    return TOKENIZER.tokens(as_text(sentence)) if found is None else list(found)


def encode_words(views: WordFeatures, sentences: Sequence[Sequence[str]]) -> tuple[list[Array], Array]:
    """Each sentence as numbers of its words' forms, and (forms, sides) what is known of each form."""
    number: dict[str, int] = {}
    forms = [np.array([number.setdefault(word, len(number)) for word in words], np.int32) for words in sentences]
    return forms, views.rows(number)
