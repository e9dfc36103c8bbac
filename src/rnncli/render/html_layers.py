"""The heat maps of a page: states and gates of every layer, and where attention looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from rnncli.clean import clean
from rnncli.page_results import Grid, Page
from rnncli.render.html_charts import Map, depth_class, heat_map
from rnncli.render.html_parts import NAME, WORD, Html, element, folded, joined

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
MOST_WRITTEN, WRITTEN = 6_000, 15  # numbers that stand in the squares of heat maps, which have so many columns at most
BESIDE, ALONE = 570, 1150  # how wide a heat map would like to be: one of two beside each other, and one by itself


def maps(page: Page) -> Html:
    """The heat maps of every layer, the topmost opened."""
    parts = [
        element(
            "p",
            "A row is a unit, a column a timestep. Blue is above 0; red, with a line beneath, is below 0; the deeper, "
            "the further away. The number under the mouse, or where the arrow keys lead, stands below each picture.",
        )
    ]
    number = 0
    columns = [len(page.timelines[grid.timeline].names) for grid in page.grids]
    numbers = sum(len(grid.shown) * count for grid, count in zip(page.grids, columns, strict=True) if count <= WRITTEN)
    few = numbers <= MOST_WRITTEN
    read = [line for line in page.timelines if line.steps and line.steps[0] >= 0]
    if any(name != step.token for line in read for name, step in zip(line.names, page.steps, strict=False)):
        told = "A column is named by what the step reads: in a decoder that is the symbol told before."
        parts.append(element("p", told))
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


def _figure(page: Page, number: int, grid: Grid, places: Sequence[int], written: bool) -> Html:
    columns = page.timelines[grid.timeline].names
    drawn = Map(
        number=number,
        places=places,
        rows=[row_name(grid, k) for k in places],
        columns=[clean(name, NAME) for name in columns],
        values=[grid.values[k] for k in places],
        low=grid.low,
        high=grid.high,
        room=BESIDE,
        says=_in_words(page, grid, places),
        written=written,
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
    levels = range(-7, 8) if low < 0 else range(8)
    squares = [
        element("rect", class_=depth_class(k), x=8 * place, y=0, width=8, height=10) for place, k in enumerate(levels)
    ]
    if low < 0:
        squares.append(element("path", class_="below", d=f"M0 9.2h{8 * 7}"))
    width, least = 8 * len(levels), f"{low:z.3g}".replace("-", "−")
    frame = {"width": width, "height": 10, "viewBox": f"0 0 {width} 10"}
    return element("span", least, element("svg", *squares, aria_hidden="true", **frame), f"{high:z.3g}", class_="scale")


def _in_words(page: Page, grid: Grid, places: Sequence[int]) -> str:
    """What a heat map shows, for those who do not see it."""
    line = page.timelines[grid.timeline]
    count = len(line.names)
    numbers = [(grid.values[r][t], r, t) for r in places for t in range(count)]
    if not numbers:
        return "no numbers"
    (least, r0, t0), (most, r1, t1) = min(numbers), max(numbers)
    mean = math.fsum(value for value, _, _ in numbers) / len(numbers)

    def where(unit: int, t: int) -> str:
        return f"of unit {grid.units[unit]} at timestep {line.places[t]} ‘{clean(line.names[t], WORD)}’"

    return (
        f"{_name(grid)}: {len(places)} of {grid.total} units by {count} timesteps; the least is {least:.3f}, "
        f"{where(r0, t0)}, the most {most:.3f}, {where(r1, t1)}, the mean {mean:.3f}"
    )


def _name(grid: Grid) -> str:
    return f"{clean(grid.what, WORD)} of {clean(grid.cell, WORD)} {clean(grid.direction, WORD)}"


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
        room=ALONE,
        says=f"Attention, source symbols by steps; each step looks most: {said}",
    )
    lead = element(
        "p",
        "A column for each symbol that is told, a row for each that was read; over all that were read, the weights "
        "of a column add up to 1.",
    )
    return lead + _framed(heat_map(drawn), "How much each step looks at each symbol", 0.0, 1.0)
