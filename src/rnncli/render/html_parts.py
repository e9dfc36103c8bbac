"""The elements of an HTML page, its numbers, and the data for its script."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from typing import Any, Self

from markupsafe import Markup

from rnncli.clean import clean
from rnncli.render.json_out import dumps
from rnncli.results import TableCell, format_number

WORD, NAME, TEXT = 40, 16, 600  # cells of a token or label, of one beside a picture, and of a whole text
LEVELS = 7  # depths of a colour on either side of 0


class Html(Markup):
    """Markup of a page. Whatever else is put into it, by any of its methods, is cleaned and escaped as it goes in."""

    __slots__ = ()

    @classmethod
    def escape(cls, s: Any, /) -> Self:
        if isinstance(s, cls):
            return s
        return cls(s if hasattr(s, "__html__") else html.escape(clean(str(s))))


_EMPTY = {"path": "/>", "rect": "/>", "input": ">"}  # elements without content, and how they end


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
    """A text of the data, cut, beside one of ours, whose order it leaves alone even if it is read from the right."""
    return element("bdi", clean(text, limit))


def signed(x: float) -> str:
    """``+1.23``, ``−0.05``: the sign says what the colour does."""
    size = abs(x)
    digits = ".2f" if size >= 0.1 or not size else ".3f" if size >= 0.001 else ".0e"
    return f"{'−' if x < 0 else '+'}{size:{digits}}"


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
    """How deep the colour of a number is, from −7 to 7."""
    size = max(high, -low)
    if not size or not math.isfinite(value):
        return 0
    return max(-LEVELS, min(LEVELS, round(LEVELS * value / size)))


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], numeric: Iterable[int] = ()) -> Html:
    """A table in a box that scrolls by itself.

    Args:
        rows: the first cell of a row names it.
        numeric: numbers of the columns that are aligned to the right.
    """
    right = set(numeric)

    def of(name: str, k: int, content: str, scope: str | None = None) -> Html:
        return element(name, content, class_="n" if k in right else None, scope=scope)

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
    """Data for the page's script, in which no text can end the element around it."""
    text = dumps(value, ensure_ascii=True).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return Html(text)  # noqa: S704


def rounded(x: float | None, digits: int = 8) -> float | None:
    """To so many significant digits; None where it is not a number."""
    return None if x is None or not math.isfinite(x) else float(f"{x:.{digits}g}")
