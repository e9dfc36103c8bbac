"""Tables and heat maps as a picture."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence

from rnncli.clean import clean
from rnncli.render import heatmap, tables
from rnncli.render.console import MIN_WIDTH
from rnncli.results import HeatMap, TableView


def svg(views: Sequence[TableView | HeatMap], *, width: int = 100, title: str = "rnncli") -> str:
    """Return tables and maps as SVG, ``width`` cells wide: no script, no reference, always the same bytes."""
    from rich.console import Console

    width = max(width, MIN_WIDTH)
    # All settings are made here, so that the picture depends neither on the environment nor on the terminal.
    console = Console(
        file=io.StringIO(),
        record=True,
        width=width,
        height=25,
        force_terminal=True,
        force_jupyter=False,
        legacy_windows=False,
        color_system="truecolor",
        no_color=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    for index, view in enumerate(views):
        if index:
            console.print()
        for part in heatmap.laid_out(view, width) if isinstance(view, HeatMap) else tables.laid_out(view, width, str):
            console.print(part)
    picture = console.export_svg(title=clean(title, width // 2), code_format=_SVG, unique_id="rnncli")
    return _TEXT_ELEMENT.sub(_true_length, picture)


def _true_length(element: re.Match[str]) -> str:
    """Give a text the length of its cells. Rich gives that of its characters, and CJK characters would overlap."""
    from rich.cells import cell_len

    start, old, between, content = element.groups()
    text = html.unescape(content)
    return f"{start}{float(old) / len(text) * cell_len(text):g}{between}{content}</text>"


_TEXT_ELEMENT = re.compile(r'(<text [^<>]*textLength=")([\d.]+)("[^<>]*>)([^<]*)</text>')

# Rich's own format, without its fonts from the network.
_SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
    <style>
    .{unique_id}-matrix {{
        font-family: "Fira Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
        font-size: {char_height}px;
        line-height: {line_height}px;
        font-variant-east-asian: full-width;
    }}
    .{unique_id}-title {{
        font-size: 18px;
        font-weight: bold;
        font-family: sans-serif;
    }}
    {styles}
    </style>
    <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
    </defs>
    {chrome}
    <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">
    {matrix}
    </g>
    </g>
</svg>
"""
