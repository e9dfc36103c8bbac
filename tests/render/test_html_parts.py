"""Whatever is put into markup, and however, is text unless its type says that it is markup."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from attacks import ATTACKS, dangers

from rnncli.clean import clean
from rnncli.render.html_parts import Html, alone, element, facts, folded, joined, table

WAYS_IN: dict[str, Callable[[str], Html]] = {
    "added": lambda text: Html("<p>") + text,
    "added in front": lambda text: text + Html("<p>"),
    "formatted": lambda text: Html("<p>{}").format(text),
    "formatted by name": lambda text: Html('<p title="{a}">').format(a=text),
    "by a percent sign": lambda text: Html("<p>%s") % text,
    "joined": lambda text: Html("<p>").join((text, text)),
    "of an f-string": lambda text: Html("<p>") + f"{Html('<b>')}{text}",
    "content": lambda text: element("p", text),
    "attribute": lambda text: element("p", title=text),
    "parts": lambda text: joined([element("p"), text]),
    "alone": lambda text: element("p", alone(text)),
    "a table": lambda text: element("p", table(text, (text, text), [(text, text)], (1,))),
    "folded": lambda text: element("p", folded(text, Html())),
    "facts": lambda text: element("p", facts([(text, text)])),
}


class Elements(HTMLParser):
    """The names of elements, and of their attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.feed(str(source))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *(name for name, _ in attrs)))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


@pytest.mark.parametrize("way", WAYS_IN)
def test_no_text_becomes_markup_or_acts_on_a_terminal(way: str) -> None:
    """The same elements as with a harmless text, whatever the text is."""
    expected = Elements(WAYS_IN[way]("harmless")).found
    assert "p" in {name for name, *_ in expected}
    for text in ATTACKS:
        made = WAYS_IN[way](text)
        assert type(made) is Html
        assert Elements(made).found == expected, text
        assert not dangers(made), text


def test_each_text_is_there_to_be_read() -> None:
    for text in ATTACKS:
        assert element("p", text).unescape() == f"<p>{clean(text)}</p>"
        assert element("p", title=text).unescape() == f'<p title="{clean(text)}"></p>'


def test_an_element() -> None:
    assert element("p", "1 < 2", element("b", 3), class_="n", aria_label='"') == (
        '<p class="n" aria-label="&quot;">1 &lt; 2<b>3</b></p>'
    )
    assert element("input", type="range", max=0, hidden=True, class_=None) == '<input type="range" max="0" hidden>'
    assert element("path", d="M0 0") == '<path d="M0 0"/>'
