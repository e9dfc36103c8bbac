"""Words and tags of a sentence, as they stand in records."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.vocabulary import Corpus
from rnncli.data.text.word_features import WordFeatures

# A text that is not given as a list of words is split into them like this.
TOKENIZER = Tokenizer("word", lowercase=False)
UNREADABLE = "sentence that cannot be read"


def words_of(text: str) -> list[str]:
    """The words of a sentence: a JSON list of them, or a text to be split."""
    words = listed(text)
    return TOKENIZER.tokens(text) if words is None else words


def listed(text: str) -> list[str] | None:
    """The texts of a JSON list; None if it is something else."""
    if not text.lstrip().startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and all(isinstance(item, str) for item in found) else None


def encode_words(views: WordFeatures, sentences: Sequence[Sequence[str]]) -> tuple[list[Array], Array]:
    """Each sentence as numbers of its words' forms, and (forms, sides) what is known of each form."""
    number: dict[str, int] = {}
    forms = [np.array([number.setdefault(word, len(number)) for word in words], np.int32) for words in sentences]
    return forms, views.rows(number)


def read_sentences(dataset: Dataset) -> tuple[list[list[str]], list[list[str]], Dataset]:
    """The words and the tags of each record, and the records that could be read.

    Raises:
        DataError: one could not be, and bad records are not to be left out.
    """
    found = [_sentence(text, tags) for text, tags in zip(dataset.texts, dataset.labels, strict=True)]
    dataset = dataset.without([one if isinstance(one, str) else None for one in found], UNREADABLE)
    pairs = [one for one in found if not isinstance(one, str)]
    return [words for words, _ in pairs], [tags for _, tags in pairs], dataset


def _add(text: str, tagged: str, words: Corpus, tags: Corpus) -> str | None:
    """Takes a record into both; what is wrong with one that cannot be read."""
    found = _sentence(text, tagged)
    if isinstance(found, str):
        return found
    words.add_tokens(found[0])
    tags.add_tokens(found[1])
    return None


def _sentence(text: str, tagged: str) -> tuple[list[str], list[str]] | str:
    """Words and tags, or what is wrong with them."""
    words, tags = listed(text), listed(tagged)
    words = text.split() if words is None else words
    tags = tagged.split() if tags is None else tags
    if len(words) != len(tags):
        return f"{len(words):,} words and {len(tags):,} tags; there is a tag for each word"
    if not words:
        return "the sentence has no words"
    if not all(tag.strip() for tag in tags):
        return f"the tag of word {next(k for k, tag in enumerate(tags, 1) if not tag.strip())} is empty"
    return words, tags
