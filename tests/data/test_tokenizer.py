"""Words and characters: what is one token, what comes back, and that no text makes it slow."""

from __future__ import annotations

import itertools
import re
import unicodedata

import pytest
from helpers import time_limit
from hypothesis import given
from hypothesis import strategies as st

from rnncli.data.text.tokenizer import Tokenizer, looks_like_characters

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"
FAMILY = "\U0001f469\u200d\U0001f680"  # one picture, three code points


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \t\n\u3000", []),
        ("It wasn't good.", ["it", "wasn't", "good", "."]),
        ("it 's", ["it", "'s"]),
        ("does n't", ["does", "n't"]),
        ("isn\u2019t", ["isn\u2019t"]),
        ("rock'n'roll", ["rock'n'roll"]),
        ("dogs' tails", ["dogs", "'", "tails"]),
        ("wait...what?!", ["wait", ".", ".", ".", "what", "?", "!"]),
        ("10/10, $5.99", ["10", "/", "10", ",", "$", "5", ".", "99"]),
        ("good<br />bad<BR>so<br/>so", ["good", "bad", "so", "so"]),
        ("a <b> <brr> <br", ["a", "<", "b", ">", "<", "brr", ">", "<", "br"]),
        ("snake_case", ["snake_case"]),
        ("\u4e2d\u6587 \u05e9\u05dc\u05d5\u05dd", ["\u4e2d\u6587", "\u05e9\u05dc\u05d5\u05dd"]),
        (FAMILY, list(FAMILY)),
        # Vowel signs and joiners are part of the word they stand in; a mark alone is none.
        (
            "\u0939\u093f\u0928\u094d\u0926\u0940 \u092e\u0947\u0902",
            ["\u0939\u093f\u0928\u094d\u0926\u0940", "\u092e\u0947\u0902"],
        ),
        ("\u0130stanbul'da", ["i\u0307stanbul'da"]),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"]),
        ("\u2764\ufe0fgood", ["\u2764", "\ufe0f", "good"]),
        ("x\u0301y!", ["x\u0301y", "!"]),
    ],
)
def test_words(text: str, tokens: list[str]) -> None:
    assert Tokenizer().tokens(text) == tokens


def test_characters() -> None:
    tokenizer = Tokenizer("char")
    assert tokenizer.tokens("Ab <br />") == list("ab <br />")
    assert tokenizer.tokens(FAMILY) == list(FAMILY)
    assert tokenizer.tokens("") == []


def test_case_and_accents_as_asked() -> None:
    assert Tokenizer(lowercase=False).tokens("Good DAY") == ["Good", "DAY"]
    for unit, expected in (("word", [COMPOSED]), ("char", list(COMPOSED))):
        tokenizer = Tokenizer(unit)
        assert tokenizer.tokens(COMPOSED) == tokenizer.tokens(DECOMPOSED) == expected
    plain = Tokenizer("char", normalize=False)
    assert plain.tokens(DECOMPOSED) == list(DECOMPOSED)
    assert len(plain.tokens(DECOMPOSED)) == 5


def test_symbols_stand_between_white_space() -> None:
    text = " G-A\t$x$ <b>Not</b>  it's\n" + DECOMPOSED
    assert Tokenizer("symbol").tokens(text) == ["g-a", "$x$", "<b>not</b>", "it's", COMPOSED.lower()]
    assert Tokenizer("symbol", lowercase=False, normalize=False).tokens(text) == text.split()
    assert Tokenizer("symbol").join(["g-a", "$x$"]) == "g-a $x$"


def test_join() -> None:
    assert Tokenizer().join(["not", "good"]) == "not good"
    assert Tokenizer("char").join(["n", "o"]) == "no"


@given(st.text())
def test_characters_come_back(text: str) -> None:
    plain = Tokenizer("char", lowercase=False, normalize=False)
    assert plain.join(plain.tokens(text)) == text
    composing = Tokenizer("char", lowercase=False)
    assert composing.join(composing.tokens(text)) == unicodedata.normalize("NFC", text)


@given(st.text())
def test_words_lose_nothing_but_white_space_and_line_breaks(text: str) -> None:
    tokenizer = Tokenizer(lowercase=False, normalize=False)
    tokens = tokenizer.tokens(text)
    assert all(token and not any(map(str.isspace, token)) for token in tokens)
    if "<" not in text:
        assert "".join(tokens) == "".join(text.split())


@pytest.mark.parametrize("unit", ["word", "char", "symbol"])
@given(text=st.text())
def test_both_ways_to_write_an_accent_are_one_token(unit: str, text: str) -> None:
    tokenizer = Tokenizer(unit)
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
    assert tokenizer.tokens(forms[0]) == tokenizer.tokens(forms[1])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a'" * 500_000, 2),  # one word, and the last apostrophe
        ("'" * 1_000_000, 1_000_000),
        ("a''" * 333_333, 666_667),  # a, ', then 'a and ' by turns
        ("<br" * 333_333, 666_666),
        ("<br" + " " * 1_000_000, 2),
        ("<br         " * 83_333, 166_666),
        ("a" * 1_000_000, 1),
        ("\u0301" * 1_000_000, 1_000_000),  # marks without a letter, which NFC has to put in order
        ("a\u0316\u0301" * 333_333, 1),
        ("a\u0316'" * 333_333, 2),
    ],
    ids=[
        "contractions",
        "apostrophes",
        "doubled",
        "tags",
        "one tag",
        "wide tags",
        "letter",
        "marks",
        "marked letters",
        "marked apostrophes",
    ],
)
def test_a_million_hostile_characters_take_seconds_at_most(text: str, count: int) -> None:
    with time_limit(60):
        assert len(Tokenizer().tokens(text)) == count


@pytest.mark.parametrize(
    ("texts", "characters"),
    [
        (["Anna", "Bert", "Chlo\u00e9"], True),
        (["GATTACA", " ACGT "], True),
        (["a good film", "bad"], False),
        (["one"] * 4 + ["two words"], False),  # four fifths are not more than four fifths
        (["one"] * 9 + ["two words"] * 2, True),
        (["", " "], False),
        ([], False),
        (["", "Anna"], True),
    ],
)
def test_words_or_characters_by_a_sample(texts: list[str], characters: bool) -> None:
    assert looks_like_characters(texts) is characters


def test_ascii_texts_are_cut_as_all_others() -> None:
    """The pattern for ASCII gives the tokens of the one for all characters, whatever stands beside what."""
    in_general = re.compile(r"\w+(?:['’]\w+)*|['’]\w+|[^\w\s]")
    cut = Tokenizer("word", lowercase=False).tokens
    kinds = ["a", "Z", "_", "7", "'", "-", " ", "\n", "\x00", "\x1b", "\x1c", "\x1f", "\x7f"]
    texts = ["".join(characters) for characters in itertools.product(kinds, repeat=4)]
    texts += [f"a{chr(point)}b" for point in range(128)]
    for text in texts:
        assert cut(text) == in_general.findall(text), repr(text)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("one\x85two\u2028three", ["one", "two", "three"]),
        ("one\x1ctwo", ["one", "two"]),
        ("it<br />was<BR>n't", ["it", "was", "n't"]),
        ("cafe\u0301's", ["café's"]),
        ("don’t 'em", ["don’t", "'em"]),
        ("x\u0332y z", ["x\u0332y", "z"]),
        ("❤\ufe0fgood", ["❤", "\ufe0f", "good"]),
        ("fun 👍🏽!", ["fun", "👍", "🏽", "!"]),
    ],
)
def test_odd_texts(text: str, tokens: list[str]) -> None:
    assert Tokenizer("word").tokens(text) == tokens
