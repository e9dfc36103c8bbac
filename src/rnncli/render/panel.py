"""A panel of a summary and small tables, beside the results: on stderr."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnncli.clean import clean
from rnncli.render.console import Output, as_text, discard
from rnncli.render.tables import laid_out
from rnncli.results import TableCell, TableView

if TYPE_CHECKING:
    from rich.console import RenderableType

_BORDER = 4  # cells on both sides
_LONGEST = 60  # cells of an example, so that a record takes a line or two


def note_panel(output: Output, title: str, pairs: Sequence[tuple[str, TableCell]], tables: Sequence[TableView]) -> None:
    """Draws a panel on the terminal that shows notes; ``quiet`` leaves it out."""
    from rich.box import ASCII, ROUNDED
    from rich.console import Group
    from rich.panel import Panel

    if output.quiet:
        return
    width = min(output.err.width, 100)
    parts: list[RenderableType] = [as_text(f"{what}: {value}") for what, value in pairs]
    for view in tables:
        if view.rows:
            rows = tuple(tuple(clean(str(cell), _LONGEST) for cell in row) for row in view.rows)
            small = TableView("", view.columns, rows, view.caption)
            parts += laid_out(small, width - _BORDER, str)
    box = ROUNDED if output.drawable("╭") else ASCII
    try:
        output.err.print(Panel(Group(*parts), title=as_text(title), title_align="left", box=box, width=width))
    except (OSError, SystemExit):  # Rich ends the program where it meets a broken pipe
        discard(output.stderr)
