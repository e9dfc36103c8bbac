"""Views of ``rnncli inspect`` on a terminal, in a pipe or as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rnncli.cli.inspect_views import Shown
from rnncli.render.console import Output
from rnncli.render.heatmap import print_heat_map
from rnncli.render.json_out import print_json
from rnncli.render.tables import print_pairs, print_table
from rnncli.results import HeatMap, TableView

# What can be drawn as a picture.
Drawn = Sequence[TableView | HeatMap]

PIPE_WIDTH = 120  # of a text that is laid out, where nobody says how wide


def print_shown(output: Output, found: Mapping[str, Shown], json: bool) -> Drawn:
    """Prints one view after the other, by their names; what a view notes comes last.

    Returns:
        what of it can be drawn.
    """
    if json:
        documents = {name: one.document for name, one in found.items()}
        print_json(output, documents if len(documents) > 1 else next(iter(documents.values())))
    else:
        for k, part in enumerate(part for one in found.values() for part in one.views):
            if k:
                output.write("\n")
            _print(output, part)
        for note in (note for one in found.values() for note in one.notes):
            output.note(note, "dim")
    return [part for one in found.values() for part in one.views if isinstance(part, (TableView, HeatMap))]


def _print(output: Output, part: Any) -> None:
    if isinstance(part, TableView):
        print_table(output, part)
    elif isinstance(part, HeatMap):
        print_heat_map(output, part)
    elif callable(part):
        output.write(part(output.width if output.is_terminal else PIPE_WIDTH, not output.speaks_unicode))
    else:
        print_pairs(output, "", part)
