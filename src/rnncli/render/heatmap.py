"""Heat maps for a terminal: every number is a sign and a digit, so that a map says the same without colour.

``+7`` is 0.7 of the largest size in the map, ``-0`` a number just below zero. In colour, red is below zero and blue
above, the deeper the larger. A map that is wider than the terminal continues below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnncli.clean import clean
from rnncli.render.console import Output, as_text
from rnncli.render.folding import folded
from rnncli.render.tables import tab_separated
from rnncli.results import HeatMap, format_number

if TYPE_CHECKING:
    from rich.text import Text

COLUMN = 3  # cells of a number, with the space before it
NAME = 14  # cells of a row's name at most
# From the palest to the deepest, of 256 colours: with black digits on the first, white ones on the last.
_BELOW, _ABOVE = (224, 217, 210, 167, 124), (189, 153, 111, 68, 25)


def print_heat_map(output: Output, view: HeatMap) -> None:
    """Print a map to stdout: blocks that fit the width on a terminal; all numbers, by tabs, into a pipe."""
    if not output.is_terminal:
        named = zip(view.rows, view.values, strict=True)
        rows = [[clean(name), *(repr(value + 0.0) for value in row)] for name, row in named]
        output.write(tab_separated([["", *map(clean, view.columns)], *rows]))
        return
    for line in laid_out(view, output.width):
        output.out.print(line, width=output.width, no_wrap=True, crop=True)


def laid_out(view: HeatMap, width: int) -> list[Text]:
    """The map in lines no wider than ``width``: a legend of its columns, then the rows, block by block."""
    from rich.text import Text

    largest = max((abs(value) for row in view.values for value in row), default=0.0)
    name_width = min(NAME, max((len(clean(name, NAME)) for name in view.rows), default=0))
    at_once = max(1, (width - name_width - 1) // COLUMN)
    scale = f"±9 is 0.9 of {format_number(largest)}, the largest size here"
    lines = [as_text(view.title, "bold"), as_text(scale, "dim")]
    for first in range(0, len(view.columns), at_once):
        places = range(first, min(first + at_once, len(view.columns)))
        numbers = ((f"{(place + 1) % 100:>{COLUMN}}", "dim") for place in places)
        lines.append(Text.assemble(" " * (name_width + 1), *numbers))
        for name, row in zip(view.rows, view.values, strict=True):
            line = Text(f"{clean(name, NAME):>{name_width}} ")
            for place in places:
                line.append(" ")
                line.append(*_cell(row[place], largest))
            lines.append(line)
        legend = "  ".join(f"{place + 1} {clean(view.columns[place], NAME)}" for place in places)
        lines += [as_text(part, "dim") for part in folded(legend.split("  "), "  ", width)]
    return lines


def _cell(value: float, largest: float) -> tuple[str, str]:
    """Two characters, and their colours."""
    share = abs(value) / largest if largest else 0.0
    digit = min(9, int(10 * share))
    if value == 0:
        return " 0", ""
    depth = digit // 2
    background = (_BELOW if value < 0 else _ABOVE)[depth]
    return f"{'-' if value < 0 else '+'}{digit}", f"{'black' if depth < 3 else 'white'} on color({background})"
