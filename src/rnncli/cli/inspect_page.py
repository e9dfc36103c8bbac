"""``rnncli inspect --html``: one input of a model opened up, as one file for a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rnncli.cli.inspect_label import note_label
from rnncli.render.console import Output
from rnncli.render.json_out import print_json

if TYPE_CHECKING:
    from rnncli.inspection.loss import Label
    from rnncli.tasks.model import Model


def write_page(
    output: Output, model: Model, path: Path, file: Path, text: str | None, label: Label, json: bool
) -> None:
    """Writes the page of an input, or of the model's own example; with ``json`` prints its numbers too.

    Args:
        path: the model's file, to name it.
        file: where the page goes.
        label: what the loss is of.

    Raises:
        UsageError: the input has no timesteps, or the answer is none that can be given.
        StorageError: the page cannot be written.
    """
    from rnncli import storage
    from rnncli.inspection.page import page
    from rnncli.render.html_page import html_page

    made = page(model, text, label, str(path))
    data = html_page(made).encode()
    storage.write_atomically(file, data)
    if json:
        print_json(output, made)
    else:
        note_label(output, model, text, label)
    output.note(f"page written to {file}, {len(data) / 1000:,.0f} kB: open it in a browser")
