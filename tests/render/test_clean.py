"""Whatever goes in, what comes out can be seen and cannot act."""

from __future__ import annotations

import string

import pytest
from attacks import ATTACKS, MARKUP, dangers
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from rnncli.clean import clean
from rnncli.render.console import as_text

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # surrogates too


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("a\tb\nc\rd", r"a\tb\nc\rd"),
        ("\x00\x07\b\x7f\x85\x9b", r"\x00\x07\x08\x7f\x85\x9b"),
        ("\u202egnp", r"\u202egnp"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\u200b\u2060\ufeff", r"\u200b\u2060\ufeff"),
        ("\U000e0041", r"\U000e0041"),
        ("caf\udcff", r"caf\xff"),
        ("\ud800", r"\ud800"),
        ("\ue000", r"\ue000"),
        ("\u3164\u034f", r"\u3164\u034f"),
        (r"C:\new", r"C:\new"),
        ("中文 naïve שלום p\u0430ypal", "中文 naïve שלום p\u0430ypal"),
        ("no\u00a0break\u3000", "no\u00a0break\u3000"),
    ],
)
def test_what_could_act_or_hide_is_escaped_and_the_rest_is_not(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    "emoji", ["👩\u200d🚀", "👩🏽\u200d🚀", "❤\ufe0f\u200d🔥", "🏳\ufe0f\u200d🌈", "1\ufe0f\u20e3", "⛹🏽\u200d♂\ufe0f"]
)
def test_an_emoji_sequence_stays_whole(emoji: str) -> None:
    assert clean(f"a{emoji}b") == f"a{emoji}b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u200db", r"a\u200db"),
        ("👩\u200d", r"👩\u200d"),
        ("👩\u200d\u200d🚀", r"👩\u200d\u200d🚀"),
        ("a\ufe0f", r"a\ufe0f"),
        ("1\ufe0f", r"1\ufe0f"),
        ("👩\u200d\U0001f8ff", r"👩\u200d\U0001f8ff"),  # nothing is assigned there
    ],
)
def test_outside_an_emoji_joiners_are_shown(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize("limit", [None, 1, 2, 10, 40, 200])
def test_attacks_come_out_harmless_and_within_the_limit(limit: int | None) -> None:
    for text in ATTACKS:
        shown = clean(text, limit)
        assert not dangers(shown, allowed=""), ascii(text)
        assert clean(shown) == shown
        if limit is not None:
            assert cell_len(shown) <= limit, ascii(text)
            assert len(shown) <= 8 * limit, ascii(text)


def test_an_endless_emoji_is_no_emoji() -> None:
    """One that is two cells wide and ten thousand characters long would pass any limit."""
    assert clean("🚀" + "\u200d🚀" * 100).count(r"\u200d") == 100 // 8


def test_markup_stays_literal() -> None:
    for text in MARKUP:
        assert clean(text) == text
        assert as_text(text).plain == text
        assert not as_text(text).spans


def test_as_text_takes_any_value_and_a_style() -> None:
    assert as_text(3).plain == "3"
    assert as_text("\x1b", "bold").plain == r"\x1b"
    assert as_text("x", "bold").style == "bold"


def test_a_cut_counts_the_characters_left_out() -> None:
    assert clean("w" * 10_000, 50) == "w" * 29 + "…(+9,971 characters)"
    assert clean("影" * 10_000, 50) == "影" * 14 + "…(+9,986 characters)"
    assert clean("w" * 10_000, 5) == "wwww…"
    assert clean("w" * 50, 50) == "w" * 50


def test_a_cut_leaves_no_half_of_an_escape() -> None:
    assert clean("\x1b" * 100, 30) == r"\x1b\x1b\x1b" + "…(+97 characters)"


@given(ANY_TEXT, st.none() | st.integers(1, 60))
def test_nothing_dangerous_comes_out_of_any_text(text: str, limit: int | None) -> None:
    shown = clean(text, limit)
    assert not dangers(shown, allowed="")
    assert clean(shown) == shown
    shown.encode("utf-8")
    if limit is not None:
        assert cell_len(shown) <= limit


@given(st.text(string.printable[:95]))
def test_printable_ascii_is_unchanged(text: str) -> None:
    assert clean(text) == text
