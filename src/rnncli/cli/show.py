"""Prints results and the library's warnings, for a terminal, a pipe or as JSON."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rnncli.clean import clean
from rnncli.errors import counted
from rnncli.render.console import Output
from rnncli.render.heatmap import print_heat_map
from rnncli.render.json_out import print_json
from rnncli.render.tables import print_pairs, print_table
from rnncli.results import HeatMap, TableView

if TYPE_CHECKING:
    from rnncli.cli.tokens import TokenStatistics
    from rnncli.cli.views.view import Inspection, Part, Subject
    from rnncli.tasks.model import Evaluation

PIPE_WIDTH = 120  # characters of a line, where there is no terminal to say how many


def show_figures(output: Output, found: TokenStatistics | Evaluation, json: bool) -> None:
    """Prints the summary, and the tables that have rows."""
    if json:
        print_json(output, found)
        return
    print_pairs(output, "", found.pairs())
    for view in found.tables():
        if view.rows:
            output.write("\n")
            print_table(output, view)


def show_inspection(output: Output, found: Inspection, json: bool) -> None:
    """Prints one view after the other, and then their notes."""
    shown, subject = list(found.shown.values()), found.subject
    if json:
        print_json(output, dict(found) if len(found) > 1 else shown[0].document)
        return
    for k, group in enumerate(group for one in shown for group in one.groups):
        if k:
            output.write("\n")
        for part in group:
            _print_part(output, part)
    for note in (note for one in shown for note in one.notes):
        output.note(note, "dim")
    if any(view.loss for view in found.shown):
        note_label(output, subject)
    if not any(view.text and not view.alone for view in found.shown):
        return
    cut = subject.adapter.cut(subject.adapter.text(subject.text))
    if cut:
        length = counted(subject.model.settings.max_length, subject.model.unit)
        output.note(f"only the {length} at either end are read: {cut:,} in the middle are left out", "yellow")
    if subject.text is None and output.is_terminal:
        output.note("the model's own example; a text as an argument takes its place", "dim")


def _print_part(output: Output, part: Part) -> None:
    if isinstance(part, TableView):
        print_table(output, part)
    elif isinstance(part, HeatMap):
        print_heat_map(output, part)
    elif callable(part):
        output.write(part(output.width if output.is_terminal else PIPE_WIDTH, not output.speaks_unicode))
    else:
        print_pairs(output, "", part)


def note_label(output: Output, subject: Subject) -> None:
    """Says what the loss is of, and what the model predicts if that is something else."""
    from rnncli.inspection.loss import PREDICTION, with_origin

    if not subject.model.labelled:
        return
    label = subject.label
    found = subject.adapter.open(subject.text, label)
    said = f"the loss is of {with_origin(found.answer, found.origin)}"
    if label.origin == PREDICTION:
        reason = f": {label.remark}" if label.remark else ""
        output.note(f"{said}{reason}; --answer gives the true one", "yellow")
        return
    predicted = subject.adapter.open(subject.text).answer
    said += f"; the model predicts {predicted}" if predicted != found.answer else ""
    output.note(f"{said}; {label.remark}" if label.remark else said, "dim")


class _Notes(logging.Handler):
    def __init__(self, output: Output) -> None:
        super().__init__(logging.WARNING)
        self._output = output
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(clean(record.getMessage()))
        self._output.note(self.messages[-1], "yellow")


@contextmanager
def warnings_shown(output: Output) -> Iterator[list[str]]:
    """Shows the warnings that rnncli logs while the block runs, and yields a list of them.

    Afterwards the output may be closed.
    """
    logger, notes = logging.getLogger("rnncli"), _Notes(output)
    logger.addHandler(notes)
    try:
        yield notes.messages
    finally:
        logger.removeHandler(notes)
