"""Which tokens get which ids, and a corpus held as numbers against one held as strings."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.vocabulary import UNKNOWN, Corpus, Vocabulary, build_vocabulary

COUNTS = {"the": 5, "zoo": 2, "b": 2, "a": 2, "once": 1, "never": 0}


@pytest.mark.parametrize(
    ("limits", "tokens"),
    [
        ({}, ("the", "a", "b", "zoo", "once")),
        ({"min_count": 2}, ("the", "a", "b", "zoo")),
        ({"min_count": 3}, ("the",)),
        ({"min_count": 6}, ()),
        ({"max_size": 2}, ("the", "a")),
        ({"max_size": 99}, ("the", "a", "b", "zoo", "once")),
        ({"min_count": 2, "max_size": 3}, ("the", "a", "b")),
    ],
)
def test_by_count_then_alphabet(limits: dict[str, int], tokens: tuple[str, ...]) -> None:
    """And not by the order in which they came."""
    assert build_vocabulary(COUNTS, **limits).tokens == tokens
    assert build_vocabulary(dict(reversed(COUNTS.items())), **limits).tokens == tokens


def test_the_unknown_id_is_the_last() -> None:
    vocabulary = Vocabulary(("good", "bad"))
    assert (vocabulary.unknown, vocabulary.size) == (2, 3)
    ids = vocabulary.encode(["bad", "what", "good", "bad", ""])
    assert ids.tolist() == [1, 2, 0, 1, 2]
    assert ids.dtype == np.int32
    assert [vocabulary.token(i) for i in range(3)] == ["good", "bad", UNKNOWN]
    assert "good" in vocabulary
    assert "what" not in vocabulary
    assert vocabulary.encode([]).shape == (0,)


def test_an_empty_vocabulary_knows_nothing() -> None:
    vocabulary = Vocabulary(())
    assert (vocabulary.unknown, vocabulary.size) == (0, 1)
    assert vocabulary.encode(["a", "b"]).tolist() == [0, 0]


def test_a_token_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Vocabulary(("a", "b", "a"))


def corpus_of(texts: list[str]) -> Corpus:
    corpus, tokenizer = Corpus(), Tokenizer()
    for text in texts:
        corpus.add(tokenizer.tokens(text))
    return corpus


def test_corpus_by_hand() -> None:
    corpus = corpus_of(["a good film", "", "bad film, bad"])
    assert corpus.lengths.tolist() == [3, 0, 4]
    assert [ids.tolist() for ids in corpus.texts()] == [[0, 1, 2], [], [3, 2, 4, 3]]
    assert corpus.counts([2]) == {"a": 0, "good": 0, "film": 1, "bad": 2, ",": 1}
    assert corpus.counts([]) == dict.fromkeys(["a", "good", "film", "bad", ","], 0)
    encoded = corpus.encode(Vocabulary(("film", "bad")))
    assert [ids.tolist() for ids in encoded] == [[2, 2, 0], [], [1, 0, 2, 1]]


def test_no_texts() -> None:
    corpus = corpus_of([])
    assert corpus.texts() == []
    assert corpus.counts([]) == {}
    assert corpus.encode(Vocabulary(("a",))) == []
    assert corpus_of(["", ""]).encode(Vocabulary(("a",)))[1].tolist() == []


@given(st.lists(st.lists(st.sampled_from("abcdefg")).map(" ".join), max_size=8), st.data())
def test_corpus_equals_the_naive_way(texts: list[str], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, len(texts) - 1), unique=True)) if texts else []
    corpus = corpus_of(texts)
    counts = Counter(token for row in rows for token in texts[row].split())
    assert +Counter(corpus.counts(rows)) == counts
    vocabulary = build_vocabulary(corpus.counts(rows), min_count=data.draw(st.integers(1, 3)))
    naive = [[vocabulary.encode([token])[0] for token in text.split()] for text in texts]
    assert [ids.tolist() for ids in corpus.encode(vocabulary)] == naive
    assert corpus.lengths.tolist() == [len(text.split()) for text in texts]
