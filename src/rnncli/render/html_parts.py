"""What an HTML page is put together from: text that is safe to stand in it, numbers, and data for its script."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence

from rnncli.clean import clean
from rnncli.render.json_out import dumps
from rnncli.render.tables import format_number
from rnncli.results import TableCell

WORD, NAME, TEXT = 40, 16, 600  # cells of a token or label, of one beside a picture, and of a whole text
LEVELS = 7  # depths of a colour on either side of 0


def safe(text: str, limit: int = WORD) -> str:
    """A text that we did not write: made visible by the one gate there is, cut, and with nothing that is markup."""
    return html.escape(clean(text, limit), quote=True)


def alone(text: str, limit: int = WORD) -> str:
    """The same where text of ours stands beside it: one that is read from the right moves nothing of ours."""
    return f"<bdi>{safe(text, limit)}</bdi>"


def signed(x: float) -> str:
    """``+1.23``, ``−0.05``: with a sign, so that it can be told without colour."""
    size = abs(x)
    written = f"{size:.2f}" if size >= 0.1 or not size else f"{size:.3f}" if size >= 0.001 else f"{size:.0e}"
    return f"{'−' if x < 0 else '+'}{written}"


def number(x: float) -> str:
    """As in a table on a terminal, with a minus that is as wide as a plus."""
    return format_number(x).replace("-", "−")


def cell(value: TableCell) -> str:
    """A table's cell, ready for markup."""
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


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], numeric: Iterable[int] = ()) -> str:
    """A table in a box that scrolls by itself.

    Args:
        caption, columns, rows: ready for markup; the first cell of a row names it.
        numeric: places of columns that stand to the right.
    """
    right = set(numeric)

    def of(tag: str, place: int, content: str, more: str = "") -> str:
        kind = ' class="n"' if place in right else ""
        return f"<{tag}{kind}{more}>{content}</{tag}>"

    head = "".join(of("th", k, name, ' scope="col"') for k, name in enumerate(columns))
    body = "".join(
        "<tr>"
        + of("th", 0, row[0], ' scope="row"')
        + "".join(of("td", k, row[k]) for k in range(1, len(row)))
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{caption}"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def folded(summary: str, content: str, opened: bool = False) -> str:
    return f"<details{' open' if opened else ''}><summary>{summary}</summary>{content}</details>"


def embedded(value: object) -> str:
    """Data for the page's script, in which nothing can end the element that it stands in."""
    text = dumps(value, ensure_ascii=True)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def rounded(x: float | None, digits: int = 8) -> float | None:
    """So many significant digits; None where there is no number."""
    return None if x is None or not math.isfinite(x) else float(f"{x:.{digits}g}")
