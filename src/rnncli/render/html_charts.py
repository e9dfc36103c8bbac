"""Pictures of a page as SVG, which refers to nothing: heat maps, bars and curves. Colours come from the CSS, by class.

What is below zero carries a line as well as its colour, and every picture says in words what it shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rnncli.clean import clean
from rnncli.render.html_parts import LEVELS, NAME, Html, element, level
from rnncli.results import format_number

_NARROW, _WIDE = 14, 44  # a heat map's column
_LETTER = 6.2  # width of a letter of a name, in the page's small monospaced font
_SIGNED_FITS, _SHARE_FITS = 34, 22  # from this width on the numbers fit into a column
_LEFT, _TOP, _WIDTH, _HEIGHT = 52, 14, 560, 220  # of a chart of curves


def svg(*content: object, width: object, height: object, **attributes: object) -> Html:
    """A picture; ``width`` and ``height`` are also those of its coordinates."""
    return element("svg", *content, width=width, height=height, viewBox=f"0 0 {width} {height}", **attributes)


@dataclass(frozen=True, kw_only=True)
class Map:
    """A heat map as it is drawn.

    Attributes:
        number: of its data for the page's script; ``places`` are the rows of these data that are drawn.
        rows, columns: their names.
        values: of these rows, between ``low`` and ``high``.
        wanted_width: pixels.
        with_numbers: whether the numbers stand in the squares, where they fit.
        in_words: what it shows.
    """

    number: int
    places: Sequence[int]
    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float]]
    low: float
    high: float
    wanted_width: int
    in_words: str
    with_numbers: bool = True


def heat_map(view: Map) -> Html:
    """A square for each number; the number itself where it fits."""
    count, signed = len(view.columns), view.low < 0
    left = 8 + _LETTER * min(NAME, max((len(name) for name in view.rows), default=0))
    longest = min(NAME, max((len(name) for name in view.columns), default=0))
    top = 16 + _LETTER * longest * (0.8 if longest > 3 else 1)
    width = max(_NARROW, min(_WIDE, int((view.wanted_width - left) / max(1, count))))
    with_numbers = view.with_numbers and width >= (_SIGNED_FITS if signed else _SHARE_FITS)
    height = 15 if with_numbers else 10
    right = _LETTER * longest * 0.7  # the last column's name leans over
    full, tall = left + count * width + right, top + len(view.rows) * height + 2
    deep: dict[int, list[str]] = {}
    below: list[str] = []
    numbers: list[Html | str] = []
    for r, row in enumerate(view.values):
        levels = [level(value, view.low, view.high) for value in row]
        for first, last in _runs(levels):
            deep.setdefault(levels[first], []).append(f"M{first} {r}h{last - first}v1h{first - last}z")
        if signed:
            signs = [value < 0 for value in row]
            below += [f"M{a}.2 {r}.9h{b - a - 0.4:.1f}" for a, b in _runs(signs) if signs[a]]
        if with_numbers:
            numbers += [_number(k, r, row[k], levels[k], signed, width, height) for k in range(count)]
    squares = [element("path", class_=depth_class(k), d="".join(deep[k])) for k in sorted(deep)]
    if below:
        squares.append(element("path", class_="below", d="".join(below)))
    names = [
        element("text", clean(name, NAME), x=f"{left - 5:.0f}", y=f"{top + (r + 0.5) * height + 3:.1f}", class_="row")
        for r, name in enumerate(view.rows)
    ]
    over = [_over(name, left + (k + 0.5) * width, top - 4, longest) for k, name in enumerate(view.columns)]
    moved = f"translate({left:.1f} {top:.1f})"
    drawn = element("g", *squares, transform=f"{moved} scale({width} {height})")
    inside = element("g", *numbers, transform=moved, class_="in")
    return svg(
        element("g", *names, *over, drawn, inside, aria_hidden="true"),
        class_="map",
        role="img",
        aria_label=view.in_words,
        width=f"{full:.0f}",
        height=f"{tall:.0f}",
        data_map=view.number,
        data_rows=" ".join(map(str, view.places)),
        data_left=f"{left:.1f}",
        data_top=f"{top:.1f}",
        data_width=width,
        data_height=height,
    )


def _over(name: str, x: float, y: float, longest: int) -> Html:
    """A column's name, which leans over the others where they have more than a letter."""
    shown = clean(name, NAME)
    if longest == 1:
        return element("text", shown, x=f"{x:.0f}", y=f"{y:.0f}", class_="mid")
    return element("text", shown, transform=f"translate({x:.0f} {y:.0f}) rotate(-50)")


def depth_class(depth: int) -> str:
    """A colour's name in the CSS."""
    return f"lm{-depth}" if depth < 0 else f"l{depth}"


def _number(k: int, r: int, value: float, depth: int, signed: bool, width: int, height: int) -> Html | str:
    """A number in its square: a share as ``.97``, and nothing where it is nearly 0."""
    text = f"{value:.2f}".replace("-", "−") if signed or value >= 0.995 else f"{value:.2f}"[1:]
    if not signed and value < 0.005:
        return ""
    style = {LEVELS - 2: "mid", LEVELS - 1: "deep", LEVELS: "deep"}.get(abs(depth))
    return element("text", text, x=f"{(k + 0.5) * width:g}", y=r * height + 11, class_=style)


def _runs(values: Sequence[object]) -> list[tuple[int, int]]:
    """Begin and end of each run of equal values."""
    edges = [k for k in range(len(values)) if k == 0 or values[k] != values[k - 1]]
    return list(zip(edges, [*edges[1:], len(values)], strict=True))


def bar(share: float, largest: float, signed: bool = True) -> Html:
    """A bar from the middle where there are shares below zero, else from the left; a number stands beside it."""
    size = 0.0 if not largest else min(1.0, abs(share) / largest)
    middle, longest = (60, 58) if signed else (1, 118)
    start = middle - size * longest if share < 0 else middle
    kind = "minus" if share < 0 else "plus"
    filled = element("rect", class_=kind, x=f"{start:.1f}", y=2, width=f"{size * longest:.1f}", height=8)
    axis = element("path", class_="axis", d=f"M{middle} 0v12")
    return svg(filled, axis, class_="bar", aria_hidden="true", width=120, height=12)


def logarithmic(share: float, decades: int = 6) -> float:
    """The filled part of a bar whose whole length is six powers of ten."""
    return 0.0 if share <= 0 else max(0.0, min(1.0, 1 + math.log10(share) / decades))


@dataclass(frozen=True)
class Curve:
    """A line over the epochs, of at least one point; ``style`` is its class in the CSS."""

    name: str
    style: str
    points: Sequence[tuple[int, float]]


def curves(title: str, lines: Sequence[Curve], best: int | None) -> Html:
    """Lines over the epochs, each named at its end, and a mark at the best epoch."""
    points = [point for line in lines for point in line.points]
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    low, high = min(y for _, y in points), max(y for _, y in points)
    ticks = _ticks(low, high)
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    right, bottom = _WIDTH - 104, _HEIGHT - 34

    def x(epoch: float) -> float:
        return _LEFT + (right - _LEFT) * ((epoch - first) / (last - first) if last > first else 0.5)

    def y(value: float) -> float:
        return bottom - (bottom - _TOP) * ((value - low) / (high - low) if high > low else 0.5)

    drawn = []
    for tick in ticks:
        drawn.append(element("path", class_="grid", d=f"M{_LEFT} {y(tick):.1f}H{right}"))
        drawn.append(element("text", f"{tick:g}", class_="row", x=_LEFT - 6, y=f"{y(tick) + 4:.1f}"))
    drawn += [element("text", k, class_="mid", x=f"{x(k):.1f}", y=bottom + 16) for k in sorted({first, last})]
    drawn.append(element("text", "epoch", class_="mid", x=f"{(_LEFT + right) / 2:.0f}", y=_HEIGHT - 4))
    if best is not None and first <= best <= last:
        drawn.append(element("path", class_="best", d=f"M{x(best):.1f} {_TOP}V{bottom}"))
        anchor = "row" if x(best) > (_LEFT + right) / 2 else "col"
        aside = -4 if anchor == "row" else 4
        drawn.append(element("text", f"best: {best}", class_=anchor, x=f"{x(best) + aside:.1f}", y=_TOP + 8))
    taken: list[float] = []
    for line in lines:
        path = "L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in line.points)
        dot = "h.1" if len(line.points) == 1 else ""
        drawn.append(element("path", class_=f"line {line.style}", d=f"M{path}{dot}"))
        at = y(line.points[-1][1]) + 4
        while any(abs(at - other) < 13 for other in taken):
            at += 1
        taken.append(at)
        drawn.append(element("text", line.name, class_=f"col {line.style}", x=right + 6, y=f"{at:.1f}"))
    return element(
        "svg",
        element("g", *drawn, aria_hidden="true"),
        class_="curves",
        role="img",
        aria_label=_in_words(title, lines, best),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
    )


def _in_words(title: str, lines: Sequence[Curve], best: int | None) -> str:
    said = [
        f"{line.name} " + ", ".join(f"{format_number(y)} at epoch {x}" for x, y in (line.points[0], line.points[-1]))
        for line in lines
    ]
    return f"{title}: {'; '.join(said)}{'' if best is None else f'; best epoch {best}'}"


def _ticks(low: float, high: float) -> list[float]:
    """About four round numbers, around all that is shown."""
    span = max(high - low or abs(high) or 1.0, 1e-300)  # a third of less may be 0
    raw = span / 3
    unit = 10 ** math.floor(math.log10(raw))
    step = next(unit * k for k in (1, 2, 2.5, 5, 10) if unit * k >= raw)
    first = math.floor(low / step)
    return [k * step for k in range(first, math.ceil(high / step) + 1)]
