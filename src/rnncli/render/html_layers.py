"""The heat maps of a page: states and gates of every layer, and attention weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from rnncli.clean import clean
from rnncli.page_results import Grid, Page
from rnncli.render.html_charts import Map, depth_class, heat_map, svg
from rnncli.render.html_parts import LEVELS, NAME, WORD, Html, element, folded, joined

MEANS = {
    "h": "h, the state: what the layer passes on",
    "c": "c, the memory: what it keeps to itself",
    "i": "i, the input gate: how much is written into the memory",
    "f": "f, the forget gate: how much of the memory is kept",
    "g": "g, the candidate: what would be written",
    "o": "o, the output gate: how much of the memory is shown",
    "r": "r, the reset gate: how much of the state the candidate sees",
    "z": "z, the update gate: how much of the old state is kept",
    "n": "n, the candidate: what the state would become",
}
# Heat maps of at most so many columns have numbers in their squares, unless these are too many in all.
NUMBERED_COLUMNS, MOST_NUMBERS = 15, 6_000
HALF, FULL = 570, 1150  # pixels that a heat map wants: one of two side by side, and one by itself


def maps(page: Page) -> Html:
    """The heat maps of every layer, the topmost opened."""
    parts = [
        element(
            "p",
            "Each row is a unit, each column a timestep. Blue is above 0; red, with a line beneath, is below 0; the "
            "deeper the colour, the further from 0. The number under the mouse, or at the place that the arrow keys "
            "have reached, stands below each picture.",
        )
    ]
    number = 0
    sizes = [(len(grid.shown), len(page.timelines[grid.timeline].names)) for grid in page.grids]
    few = sum(rows * columns for rows, columns in sizes if columns <= NUMBERED_COLUMNS) <= MOST_NUMBERS
    read = [line for line in page.timelines if line.steps and line.steps[0] >= 0]
    if any(name != step.token for line in read for name, step in zip(line.names, page.steps, strict=False)):
        named = "A column is named by what the step reads: in a decoder that is the symbol generated before."
        parts.append(element("p", named))
    for (name, direction), of_cell in groupby(page.grids, key=lambda grid: (grid.cell, grid.direction)):
        grids = list(of_cell)
        drawn = [_figure(page, number + k, grid, grid.shown, few) for k, grid in enumerate(grids)]
        content = element("div", *drawn, class_="maps")
        if len(grids[0].shown) < len(grids[0].units):
            every = range(len(grids[0].units))
            more = [_figure(page, number + k, grid, every, False) for k, grid in enumerate(grids)]
            content += folded(f"All {grids[0].total} units", element("div", *more, class_="maps"))
        number += len(grids)
        reads = "reads backwards" if direction == "←" else "reads forwards"
        title = element("h3", f"{clean(name, WORD)} {clean(direction, WORD)}")
        units = f" {reads}, {len(grids[0].shown)} of {grids[0].total} units"
        parts.append(folded(title + units, content, opened=True))
    return joined(parts)


def row_name(grid: Grid, place: int) -> str:
    return f"{grid.what}{grid.units[place]}"


def _figure(page: Page, number: int, grid: Grid, places: Sequence[int], with_numbers: bool) -> Html:
    columns = page.timelines[grid.timeline].names
    drawn = Map(
        number=number,
        places=places,
        rows=[row_name(grid, k) for k in places],
        columns=[clean(name, NAME) for name in columns],
        values=[grid.values[k] for k in places],
        low=grid.low,
        high=grid.high,
        wanted_width=HALF,
        in_words=_in_words(page, grid, places),
        with_numbers=with_numbers,
    )
    means = MEANS.get(grid.what, clean(grid.what, WORD))
    if grid.what == "h" and not any(other.what == "o" for other in page.grids if other.cell == grid.cell):
        means = "h, the state: what the layer keeps and passes on"
    return _framed(heat_map(drawn), means, grid.low, grid.high)


def _framed(picture: Html, caption: str, low: float, high: float) -> Html:
    return element(
        "figure",
        element("figcaption", element("b", caption), " ", _scale(low, high)),
        element("div", picture, class_="scroll"),
        element("p", class_="says", aria_live="polite"),
    )


def _scale(low: float, high: float) -> Html:
    """Which colour is which number."""
    levels = range(-LEVELS if low < 0 else 0, LEVELS + 1)
    squares = [
        element("rect", class_=depth_class(k), x=8 * place, y=0, width=8, height=10) for place, k in enumerate(levels)
    ]
    if low < 0:
        squares.append(element("path", class_="below", d=f"M0 9.2h{8 * LEVELS}"))
    colours = svg(*squares, aria_hidden="true", width=8 * len(levels), height=10)
    return element("span", f"{low:z.3g}".replace("-", "−"), colours, f"{high:z.3g}", class_="scale")


def _in_words(page: Page, grid: Grid, places: Sequence[int]) -> str:
    """What a heat map shows, for a screen reader."""
    line = page.timelines[grid.timeline]
    count = len(line.names)
    numbers = [(grid.values[r][t], r, t) for r in places for t in range(count)]
    if not numbers:
        return "no numbers"

    def said(value: float, unit: int, t: int) -> str:
        return f"{value:.3f}, of unit {grid.units[unit]} at timestep {line.places[t]} ‘{clean(line.names[t], WORD)}’"

    name = f"{clean(grid.what, WORD)} of {clean(grid.cell, WORD)} {clean(grid.direction, WORD)}"
    mean = math.fsum(value for value, _, _ in numbers) / len(numbers)
    return (
        f"{name}: {len(places)} of {grid.total} units by {count} timesteps; the least is {said(*min(numbers))}, "
        f"the most {said(*max(numbers))}, the mean {mean:.3f}"
    )


def attention(page: Page) -> Html:
    """Where each step looks: source symbols by steps."""
    columns = [clean(step.token, NAME) for step in page.steps]
    values = list(zip(*(step.looks for step in page.steps), strict=True))
    most = [max(range(len(page.source)), key=step.looks.__getitem__) for step in page.steps]
    said = ", ".join(
        f"{clean(step.token, WORD)} at {clean(page.source[k][1], WORD)} ({page.source[k][0]})"
        for step, k in zip(page.steps, most, strict=True)
    )
    drawn = Map(
        number=len(page.grids),
        places=range(len(page.source)),
        rows=[clean(name, NAME) for _, name in page.source],
        columns=columns,
        values=values,
        low=0.0,
        high=1.0,
        wanted_width=FULL,
        in_words=f"Attention, source symbols by steps; each step looks most: {said}",
    )
    lead = element(
        "p",
        "Each column is a symbol that is generated, each row a symbol of the source. Over the whole source, the "
        "weights of a column add up to 1.",
    )
    return lead + _framed(heat_map(drawn), "How much each step looks at each symbol", 0.0, 1.0)
