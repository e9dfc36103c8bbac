"""One input of a model opened up, as one HTML file that loads nothing.

A content security policy allows one style sheet and one script, by their digests, and nothing else. Texts are cleaned
and escaped by their type as they go in; the script inserts texts as text, never as markup. The same page gives the same
bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any

from rnncli.clean import clean
from rnncli.page_results import Grid, Page, Timeline
from rnncli.render import html_layers as layers
from rnncli.render import html_sections as sections
from rnncli.render.html_parts import WORD, Html, alone, element, embedded, joined, rounded
from rnncli.results import HeatMap, TableView

Sections = Sequence[tuple[str, str, Sequence[TableView | HeatMap]]]

EFFECTS = ("effect", "deleted", "replaced", "integrated", "shapley")  # of a word, by what the script calls them
TITLE = 60  # cells of an input in the title
MOST_BYTES = 2_000_000  # of a page; what is shown of an input is bounded so that none gets near

_DOCUMENT = Html("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header><p class="made">rnncli inspect</p><h1>{text} → {answer}</h1>\
<button type="button" id="theme" hidden>Dark</button></header>
<nav aria-label="Sections"><ol>{links}</ol></nav>
<main>
<section id="input" aria-label="Input and model">{head}</section>
{words}<div>
{beside}</div>
{below}</main>
<footer><p>Written by rnncli. This file is whole: it loads nothing and sends nothing.</p></footer>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
""")


def html_page(page: Page, more: Sections = ()) -> str:
    """The whole document, below two megabytes whatever the page has.

    Args:
        more: sections of tables: a name, a title, and the tables of each.
    """
    made = _document(page, more)
    if len(made.encode()) >= MOST_BYTES:
        left_out = (*page.left_out, "The heat maps have the units of each layer that change most.")
        made = _document(replace(page, grids=tuple(map(_only_shown, page.grids)), left_out=left_out), more)
    if len(made.encode()) >= MOST_BYTES:
        left_out = (*page.left_out, "The heat maps of the layers would make this file too large.")
        made = _document(replace(page, grids=(), timelines=(), left_out=left_out), more)
    return made


def _only_shown(grid: Grid) -> Grid:
    """Without the units that a click would show."""
    units, values = tuple(grid.units[k] for k in grid.shown), tuple(grid.values[k] for k in grid.shown)
    return replace(grid, units=units, values=values, shown=tuple(range(len(units))))


def _document(page: Page, more: Sections) -> str:
    style, script = _own_file("page.css"), _own_file("page.js")
    policy = Html("default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'").format(
        digest(style), digest(script)
    )
    parts = [
        ("words", f"Which {clean(page.reasons.unit, WORD)}s made the answer", sections.words(page.reasons)),
        ("steps", "After every timestep", sections.walk(page)),
    ]
    if page.source:
        parts.append(("attention", "Where the decoder looks", layers.attention(page)))
    if page.grids:
        parts.append(("layers", "Inside the layers", layers.maps(page)))
    beside = len(parts)  # the sections up to here, without the words, follow the slider
    if page.terms:
        parts.append(("gradient", "The gradient, a term for each timestep", sections.gradient(page.terms)))
    if page.memory:
        parts.append(("memory", "How far back it remembers", sections.reach(page)))
    if page.epochs:
        parts.append(("training", "How it learned", sections.learning(page)))
    parts += [(name, title, sections.tables(views)) for name, title, views in more]
    parts.append(("more", "What is not here", _left_out(page)))
    links = [element("li", element("a", title, href=f"#{name}-title")) for name, title, _ in parts]
    made = [
        element("section", element("h2", title, id=f"{name}-title"), content, id=name, aria_labelledby=f"{name}-title")
        + Html("\n")
        for name, title, content in parts
    ]
    whole = _DOCUMENT.format(
        policy=policy,
        title=f"{clean(page.text, TITLE)} → {clean(page.reasons.answer, WORD)} – rnncli",
        style=style,
        text=alone(page.text, TITLE),
        answer=alone(page.reasons.answer),
        links=joined(links),
        head=sections.head(page),
        words=made[0],
        beside=joined(made[1:beside]),
        below=joined(made[beside:]),
        data=embedded(page_data(page)),
        script=script,
    )
    return str(whole)


def digest(text: str) -> str:
    """The hash by which a content security policy allows a script or a style sheet."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def page_data(page: Page) -> dict[str, Any]:
    """The numbers that the page's script shows: of words, steps and heat maps. Texts are cleaned already."""

    def named(pairs: Iterable[tuple[str, float]]) -> list[tuple[str, float | None]]:
        return [(clean(name, WORD), rounded(value)) for name, value in pairs]

    def heat_map(of: str, timeline: int, names: Iterable[str], values: Iterable[Sequence[float]]) -> dict[str, Any]:
        numbers = [[rounded(value, 4) for value in row] for row in values]
        return {"of": clean(of, WORD), "timeline": timeline, "rows": list(names), "values": numbers}

    effects = [
        {"name": clean(one.name, WORD), **{field: rounded(getattr(one, field)) for field in EFFECTS}}
        for one in page.reasons.effects
    ]
    steps = [
        {
            **{"place": step.place, "token": clean(step.token, WORD), "known": step.known},
            **{"answers": named(step.answers), "numbers": named(step.numbers)},
        }
        for step in page.steps
    ]
    maps = []
    for grid in page.grids:
        names = (clean(layers.row_name(grid, k), WORD) for k in range(len(grid.units)))
        maps.append(heat_map(f"{grid.what} of {grid.cell} {grid.direction}", grid.timeline, names, grid.values))
    timelines = list(page.timelines)
    if page.source:
        names = (f"{clean(name, WORD)} ({k})" for k, name in page.source)
        maps.append(heat_map("attention", len(timelines), names, zip(*(s.looks for s in page.steps), strict=True)))
        tokens, places = zip(*((step.token, step.place) for step in page.steps), strict=True)
        timelines.append(Timeline(tokens, places, page.steps_total, tuple(range(len(page.steps)))))
    lines = [
        {"names": [clean(name, WORD) for name in line.names], "places": line.places, "steps": line.steps}
        for line in timelines
    ]
    return {"effects": effects, "steps": steps, "maps": maps, "timelines": lines, "total": page.steps_total}


def _left_out(page: Page) -> Html:
    said = [element("li", alone(sentence, 400)) for sentence in page.left_out]
    listed = element("ul", *said) if said else element("p", "Every timestep of the input is on this page.")
    command = element("code", "rnncli inspect --gates --bptt --memory --why --full --json TEXT")
    return listed + element("p", "Every number of every unit, timestep and parameter: ", command, ".")


def _own_file(name: str) -> Html:
    return Html(files("rnncli.render").joinpath(name).read_text(encoding="utf-8"))  # noqa: S704
