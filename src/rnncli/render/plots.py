"""Learning curves and confusion matrices as files: SVG and HTML, which need nothing else, and PNG by Matplotlib."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from rnncli.clean import clean
from rnncli.errors import UsageError
from rnncli.render.html_charts import Curve, Map, curves, heat_map
from rnncli.render.html_parts import NAME, WORD, Html, element, joined
from rnncli.results import Curves, HeatMap

Picture = Curves | HeatMap
SUFFIXES = (".svg", ".png", ".html", ".htm")
_WIDTH, _TITLE, _CURVES_HEIGHT = 600, 26, 240
_STYLES = ("a", "b")  # of the first curve and of the second
_INK, _SOFT, _LINE, _PLUS, _MINUS, _ZERO = "#1d1f23", "#5c6068", "#d5d5cf", "#1c5fb8", "#a93a1a", "#f4f4f0"
_CSS = f"""
svg {{ background: #fff; }}
text {{ fill: {_SOFT}; font: 12px system-ui, "DejaVu Sans", sans-serif; }}
.title {{ fill: {_INK}; font-size: 14px; font-weight: 600; }}
.row {{ text-anchor: end; }}
.mid, .in text {{ text-anchor: middle; }}
.map text {{ font: 10px ui-monospace, "DejaVu Sans Mono", monospace; }}
.in text {{ fill: {_INK}; }}
.in text.deep {{ fill: #fff; }}
.grid {{ stroke: {_LINE}; }}
.line {{ fill: none; stroke-width: 2px; stroke-linejoin: round; stroke-linecap: round; }}
path.a {{ stroke: {_MINUS}; stroke-dasharray: 5 3; }}
path.b {{ stroke: {_PLUS}; }}
text.a {{ fill: {_MINUS}; }}
text.b {{ fill: {_PLUS}; }}
.best {{ stroke: {_SOFT}; stroke-dasharray: 2 3; }}
"""


def require_drawable(suffix: str) -> None:
    """Raises UsageError: Matplotlib is not installed, and is what draws such files."""
    if suffix == ".png" and find_spec("matplotlib") is None:
        raise UsageError(
            "a .png is drawn by Matplotlib, which is not installed",
            "pip install 'rnncli[plots]'; .svg and .html need nothing",
        )


def drawn(pictures: Sequence[Picture], suffix: str) -> bytes:
    """The content of a file of this suffix, one of :data:`SUFFIXES`, with the pictures one below the other.

    Raises:
        UsageError: it is a PNG, and Matplotlib is not installed.
    """
    if suffix == ".png":
        return _png(pictures)
    picture = _svg(pictures)
    if suffix == ".svg":
        return str(picture).encode()
    head = Html('<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>rnncli</title>\n')
    return str(head + picture + Html("\n</html>\n")).encode()


def _svg(pictures: Sequence[Picture]) -> Html:
    parts, top, width = [], 8.0, float(_WIDTH)
    for one in pictures:
        parts.append(element("text", clean(one.title, WORD), class_="title", x=12, y=f"{top + 14:.0f}"))
        top += _TITLE
        if isinstance(one, Curves):
            body, wide, tall = curves(one.title, _lines(one), one.best), float(_WIDTH), float(_CURVES_HEIGHT)
        else:
            body, wide, tall = _confusion(one)
        parts.append(element("svg", body, x=8, y=f"{top:.0f}", width=f"{wide:.0f}", height=f"{tall:.0f}"))
        top, width = top + tall + 16, max(width, wide + 16)
    size = {"width": f"{width:.0f}", "height": f"{top:.0f}", "viewBox": f"0 0 {width:.0f} {top:.0f}"}
    shades = "".join(f".l{k} {{ fill: {_shade(k / 7)}; }}\n" for k in range(8))
    style = Html(f"<style>{_CSS}{shades}</style>")  # noqa: S704  # ours
    return element("svg", style, joined(parts), xmlns="http://www.w3.org/2000/svg", **size)


def _lines(one: Curves) -> list[Curve]:
    """Its lines; where there is one, in the colour of a validation."""
    styles = _STYLES if len(one.lines) > 1 else _STYLES[1:]
    return [Curve(clean(name, NAME), style, points) for style, (name, points) in zip(styles, one.lines, strict=False)]


def _confusion(one: HeatMap) -> tuple[Html, float, float]:
    """A square a pair of labels, as dark as the share of its row; width and height."""
    shares = _shares(one)
    view = Map(
        number=0,
        places=range(len(one.rows)),
        rows=[clean(name, NAME) for name in one.rows],
        columns=[clean(name, NAME) for name in one.columns],
        values=shares,
        low=0.0,
        high=1.0,
        wanted_width=_WIDTH,
        in_words=one.title,
    )
    made = heat_map(view)
    width, height = (re.search(rf' {name}="([0-9.]+)"', made) for name in ("width", "height"))
    assert width
    assert height
    return made, float(width[1]), float(height[1])


def _shares(one: HeatMap) -> list[list[float]]:
    return [[value / (sum(row) or 1) for value in row] for row in one.values]


def _shade(depth: float) -> str:
    """A colour between that of nothing and the deepest, as #rrggbb."""
    ends = [[int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in (_ZERO, _PLUS)]
    return "#" + "".join(f"{round(a + (b - a) * depth):02x}" for a, b in zip(*ends, strict=True))


def _png(pictures: Sequence[Picture]) -> bytes:
    require_drawable(".png")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    heights = [2.6 if isinstance(one, Curves) else 2.0 + 0.28 * len(one.rows) for one in pictures]
    figure: Any = Figure(figsize=(7, sum(heights)), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(pictures), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for one, axis in zip(pictures, axes, strict=True):
        # A dollar sign would begin a formula.
        axis.set_title(_plain(one.title), loc="left", fontsize=11)
        if isinstance(one, Curves):
            for line in _lines(one):
                colour, dashed = (_MINUS, "--") if line.style == "a" else (_PLUS, "-")
                axis.plot(*zip(*line.points, strict=True), dashed, color=colour, label=_plain(line.name))
            if one.best is not None:
                axis.axvline(one.best, color=_SOFT, linestyle=":", linewidth=1)
            axis.set_xlabel("epoch")
            axis.grid(axis="y", color=_LINE)
            axis.legend(frameon=False)
        else:
            shares = _shares(one)
            axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
            axis.set_xticks(range(len(one.columns)), [_plain(name) for name in one.columns], rotation=50, ha="right")
            axis.set_yticks(range(len(one.rows)), [_plain(name) for name in one.rows])
            for r, row in enumerate(one.values if len(one.columns) <= 30 else ()):
                for c, value in enumerate(row):
                    ink = "white" if shares[r][c] > 0.6 else _INK
                    axis.text(c, r, f"{value:g}" if value else "", ha="center", va="center", fontsize=7, color=ink)
    made = io.BytesIO()
    figure.savefig(made, format="png", metadata={"Software": None})
    return made.getvalue()


def _plain(text: str) -> str:
    return clean(text, WORD).replace("$", r"\$")


def finite(points: Sequence[tuple[int, float | None]]) -> tuple[tuple[int, float], ...]:
    """The points that can be drawn."""
    return tuple((x, y) for x, y in points if y is not None and math.isfinite(y))
