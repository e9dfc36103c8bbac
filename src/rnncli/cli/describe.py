"""``rnncli train --dry-run``: what a file is taken for, before anything is trained on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from rnncli.cli.arguments import options
from rnncli.cli.arguments.checked import checked
from rnncli.cli.arguments.inputs import are_pairs, as_file, parallel_files, source_of
from rnncli.cli.arguments.training import Config, TrainingData, TrainingOptions, reading_of, settings_asked
from rnncli.config import SETTING_NAMES, Settings
from rnncli.errors import UsageError
from rnncli.render.console import Output

if TYPE_CHECKING:
    from rnncli.data.description import DataDescription

MOST_ROWS = 40  # of the table of columns on a terminal; --json and a pipe have all


@checked(settings=SETTING_NAMES)
def describe(
    data: TrainingData = None,
    *,
    config: Config = None,
    source: options.SourceFile = None,
    target: options.TargetFile = None,
    **options: Unpack[TrainingOptions],
) -> DataDescription:
    """Says what a file is taken for, from its first rows: task, columns and their roles, the first records.

    Args:
        data: a data file, or several, or pairs of an input and its label, as for :func:`rnncli.train`.
        source, target: in place of ``data`` two text files, of which each line of one goes with that of the other.
        config: a settings file (YAML); ``options`` override it.
        options: settings, of which the task counts, and how to read the file, as for :func:`rnncli.train`.

    Raises:
        RnncliError: as :func:`rnncli.train`, where the file is refused.
    """
    from rnncli.training.data import described, open_data

    data = parallel_files(data, source, target)
    if data is None:
        raise UsageError("name the data to describe", "rnncli train reviews.csv --dry-run")
    given, settings = settings_asked(config, options)
    chosen = Settings.from_mapping(settings)
    with as_file(data) as path:
        read = source_of(path, reading_of(options), target=target, pairs=are_pairs(path, data))
        return described(open_data(read, chosen, given), chosen, alone=True)


def show_description(output: Output, found: DataDescription, json: bool) -> None:
    """Prints a description as the result of a command."""
    from rnncli.render.json_out import print_json
    from rnncli.render.tables import print_pairs, print_table

    if json:
        print_json(output, found)
        return
    print_pairs(output, "", found.pairs())
    for view in found.tables(MOST_ROWS if output.is_terminal else None):
        if view.rows:
            output.write("\n")
            print_table(output, view)


def note_description(output: Output, found: DataDescription) -> None:
    """Shows a description before a training: a panel on a terminal, a few lines in a log."""
    from rnncli.render.panel import note_panel

    if output.err.is_terminal:
        note_panel(output, found.file, found.pairs()[1:3], found.tables(MOST_ROWS // 4))
        return
    for what, value in found.lines():
        output.note(f"{what:>11}  {value}")
