"""One input of a model opened up, as one HTML file that asks nobody for anything.

A content security policy lets in one style sheet and one script, by their digests, and nothing from anywhere else.
Texts are cleaned and escaped as they go in, by their type; the script puts texts into the page as text, never as
markup. The same page gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
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
    """The whole document, below two megabytes whatever stands in it.

    Args:
        more: sections of tables: a name, a title, and what stands in each.
    """
    shown = replace(page, grids=tuple(_only_shown(grid) for grid in page.grids))
    fewer = "The heat maps have the units of each layer that change most."
    shorter = replace(shown, left_out=(*page.left_out, fewer))
    said = (*page.left_out, "The heat maps of the layers would make this file too large.")
    shortest = replace(page, grids=(), timelines=(), left_out=said)
    made = ""
    for candidate in (page, shorter, shortest):
        made = _document(candidate, more)
        if len(made.encode()) < MOST_BYTES:
            break
    return made


def _only_shown(grid: Grid) -> Grid:
    """Without the units that are there on demand."""
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
    followed = len(parts)  # what stands behind the words goes along with the slider up to here
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
        beside=joined(made[1:followed]),
        below=joined(made[followed:]),
        data=embedded(page_data(page)),
        script=script,
    )
    return str(whole)


def digest(text: str) -> str:
    """What a content security policy calls a script or a style sheet by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def page_data(page: Page) -> dict[str, Any]:
    """The numbers that the page's script shows: of words, steps and heat maps. Texts are cleaned already."""
    fields = ("effect", "deleted", "replaced", "integrated", "shapley")
    effects = [
        {"name": clean(effect.name, WORD), **{field: rounded(getattr(effect, field)) for field in fields}}
        for effect in page.reasons.effects
    ]
    steps = [
        {
            **{"place": step.place, "token": clean(step.token, WORD), "known": step.known},
            "answers": [(clean(label, WORD), rounded(p)) for label, p in step.answers],
            "numbers": [(clean(name, WORD), rounded(value)) for name, value in step.numbers],
        }
        for step in page.steps
    ]
    maps = [
        {
            **{"of": clean(f"{grid.what} of {grid.cell} {grid.direction}", WORD), "timeline": grid.timeline},
            "rows": [clean(layers.row_name(grid, k), WORD) for k in range(len(grid.units))],
            "values": [[rounded(value, 4) for value in row] for row in grid.values],
        }
        for grid in page.grids
    ]
    timelines = [_timeline(line) for line in page.timelines]
    if page.source:
        own = tuple(range(len(page.steps)))
        places = tuple(step.place for step in page.steps)
        timelines.append(_timeline(Timeline(tuple(step.token for step in page.steps), places, page.steps_total, own)))
        values = [[rounded(weight, 4) for weight in row] for row in zip(*(s.looks for s in page.steps), strict=True)]
        names = [f"{clean(name, WORD)} ({k})" for k, name in page.source]
        maps.append({"of": "attention", "timeline": len(timelines) - 1, "rows": names, "values": values})
    return {"effects": effects, "steps": steps, "maps": maps, "timelines": timelines, "total": page.steps_total}


def _timeline(line: Timeline) -> dict[str, Any]:
    return {"names": [clean(name, WORD) for name in line.names], "places": line.places, "steps": line.steps}


def _left_out(page: Page) -> Html:
    said = [element("li", alone(sentence, 400)) for sentence in page.left_out]
    listed = element("ul", *said) if said else element("p", "Every timestep of the input is on this page.")
    command = element("code", "rnncli inspect --gates --bptt --memory --why --full --json TEXT")
    return listed + element("p", "Every number of every unit, timestep and parameter: ", command, ".")


def _own_file(name: str) -> Html:
    return Html(files("rnncli.render").joinpath(name).read_text(encoding="utf-8"))  # noqa: S704
