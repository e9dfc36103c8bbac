"""What an HTML page is put together from: elements, numbers, and data for its script."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from typing import Any, Self

from markupsafe import Markup

from rnncli.clean import clean
from rnncli.render.json_out import dumps
from rnncli.render.tables import format_number
from rnncli.results import TableCell

WORD, NAME, TEXT = 40, 16, 600  # cells of a token or label, of one beside a picture, and of a whole text
LEVELS = 7  # depths of a colour on either side of 0


class Html(Markup):
    """Markup of a page. Whatever else is put into it, by any of its methods, is cleaned and escaped as it goes in.

    Texts are ``str`` all through, and this is the one place where they become markup: there is no call to forget.
    """

    __slots__ = ()

    @classmethod
    def escape(cls, s: Any, /) -> Self:
        if isinstance(s, cls):
            return s
        return cls(s if hasattr(s, "__html__") else html.escape(clean(str(s))))


_EMPTY = {"path": "/>", "rect": "/>", "meta": ">", "input": ">"}  # elements without content, and how they end


def element(name: str, *content: object, **attributes: object) -> Html:
    """``element("p", "1 < 2", class_="n")`` is ``<p class="n">1 &lt; 2</p>``.

    Args:
        content: ``Html`` stays as it is, anything else is text.
        attributes: ``aria_label`` is ``aria-label``. One that is True has no value; one that is None is left out.
    """
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{Html.escape(value)}"')
        for key, value in attributes.items()
        if value is not None
    )
    end = _EMPTY.get(name) or f">{joined(content)}</{name}>"
    return Html(f"<{name}{given}{end}")  # noqa: S704  # escaped just now


def joined(parts: Iterable[object]) -> Html:
    return Html("".join(map(Html.escape, parts)))  # noqa: S704


def alone(text: str, limit: int = WORD) -> Html:
    """A text of others, cut, where one of ours stands beside it: read from the right, it moves nothing of ours."""
    return element("bdi", clean(text, limit))


def signed(x: float) -> str:
    """``+1.23``, ``−0.05``: with a sign, so that it can be told without colour."""
    size = abs(x)
    written = f"{size:.2f}" if size >= 0.1 or not size else f"{size:.3f}" if size >= 0.001 else f"{size:.0e}"
    return f"{'−' if x < 0 else '+'}{written}"


def number(x: float) -> str:
    """As in a table on a terminal, with a minus that is as wide as a plus."""
    return format_number(x).replace("-", "−")


def cell(value: TableCell) -> str:
    """A table's cell."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return alone(value, TEXT)
    return f"{value:,}" if isinstance(value, int) else number(value)


def percent(x: float) -> str:
    return "below 0.1%" if 0 < x < 0.001 else f"{x:.1%}"


def level(value: float, low: float, high: float) -> int:
    """How deep a number's colour is, from −7 to 7; from 0 where no number lies below it."""
    size = max(high, -low)
    if not size or not math.isfinite(value):
        return 0
    return max(-LEVELS, min(LEVELS, round(LEVELS * value / size)))


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], numeric: Iterable[int] = ()) -> Html:
    """A table in a box that scrolls by itself.

    Args:
        rows: the first cell of a row names it.
        numeric: places of columns that stand to the right.
    """
    right = set(numeric)

    def of(name: str, place: int, content: str, scope: str | None = None) -> Html:
        return element(name, content, class_="n" if place in right else None, scope=scope)

    head = element("tr", *(of("th", k, name, "col") for k, name in enumerate(columns)))
    body = (
        element("tr", of("th", 0, row[0], "row"), *(of("td", k, row[k]) for k in range(1, len(row)))) for row in rows
    )
    whole = element("table", element("caption", caption), element("thead", head), element("tbody", *body))
    return element("div", whole, class_="scroll", tabindex=0, role="region", aria_label=caption)


def folded(summary: str, content: Html, opened: bool = False) -> Html:
    return element("details", element("summary", summary), content, open=opened or None)


def facts(pairs: Iterable[tuple[str, TableCell]]) -> Html:
    """A list of names and values."""
    rows = (element("div", element("dt", clean(name, WORD)), element("dd", cell(value))) for name, value in pairs)
    return element("dl", *rows, class_="facts")


def embedded(value: object) -> Html:
    """Data for the page's script, in which nothing can end the element that it stands in."""
    text = dumps(value, ensure_ascii=True).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return Html(text)  # noqa: S704


def rounded(x: float | None, digits: int = 8) -> float | None:
    """So many significant digits; None where there is no number."""
    return None if x is None or not math.isfinite(x) else float(f"{x:.{digits}g}")
