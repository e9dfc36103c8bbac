"""Other people's text in a model's card, as a renderer of Markdown reads it."""

from __future__ import annotations

import csv
import html
import re
from pathlib import Path

import pytest
from attacks import ATTACKS
from markdown_it import MarkdownIt

import rnncli
from rnncli.clean import clean
from rnncli.training.card import literal

LIVE = [
    *ATTACKS,
    "[ok](http://evil.example)",
    "![x](http://127.0.0.1/l)",
    "[x]: http://evil.example",
    "<http://evil.example>",
    "http://evil.example",
    "www.evil.example",
    "evil.example",
    "someone@evil.example",
    '<img src="http://evil.example/beacon">',
    "<!-- hidden",
    "<?php",
    "<![CDATA[",
    "&lt;script&gt; &#60; &colon;",
    "*strong* **very** _so_ __more__ ~~gone~~",
    "`code` ``more``",
    "`",
    "``` ` ``",
    "a | b | c",
    "# heading",
    "- item",
    "1. item",
    "> quoted",
    "---",
    "===",
    "$x^2$",
    ":smile:",
    "@someone #1",
    "\\",
    "\\`a`",
    " a ",
    "tail ",
]


@pytest.mark.parametrize("text", LIVE)
def test_a_text_is_shown_and_does_nothing(text: str) -> None:
    """As the only thing behind a label, and between two others."""
    parser = MarkdownIt("commonmark").enable("table").enable("strikethrough")
    for line in (f"- Labels: {literal(text)}", f"# {literal(text)}", f"Trained on {literal(text)} and *more*."):
        shown = parser.render(line + "\n")
        tags = set(re.findall(r"<(/?[^\s>]*)", shown))
        assert tags <= {"ul", "/ul", "li", "/li", "h1", "/h1", "p", "/p", "code", "/code", "em", "/em"}
        words = html.unescape(re.sub(r"<[^>]*>", "", shown))
        # Markdown takes the outer spaces off a line; nothing else is lost or added.
        assert re.sub(r"\s+", " ", clean(text)).strip() in re.sub(r"\s+", " ", words)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("negative (30), positive (30)", "negative (30), positive (30)"),
        ("LSTM, 64 units, 1 layer", "LSTM, 64 units, 1 layer"),
        ("accuracy 0.5 of 1.", "accuracy 0.5 of 1."),
        ("reviews.csv", "`reviews.csv`"),
        ("loose_belt", "`loose_belt`"),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        ("", ""),
    ],
)
def test_plain_words_stay_plain(text: str, shown: str) -> None:
    assert literal(text) == shown


def test_the_card_of_a_hostile_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    column = '<script>document.title="PWNED"</script><img src="http://127.0.0.1:9912/beacon">'
    name = "`<b>x.csv"
    with Path(name).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "time", column, "y", "label"])
        for one in range(40):
            label = ("[ok](http://evil.example)", "![x](http://127.0.0.1:9912/l)")[one % 2]
            rows.writerows([one, step, one % 3, step, label] for step in range(3))
    rnncli.train(name, hidden=4, epochs=1, name="x")
    shown = MarkdownIt("commonmark").render(Path("runs/x/README.md").read_text())
    assert set(re.findall(r"<(\w+)", shown)) == {"h1", "p", "ul", "li", "code"}
    for told in (column, "[ok](http://evil.example)", name):
        assert told in html.unescape(shown)
