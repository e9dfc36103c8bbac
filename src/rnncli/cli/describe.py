"""``rnncli train --dry-run``: what a file is taken for, before anything is trained on it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Unpack

from rnncli.cli.arguments import options
from rnncli.cli.arguments.checked import checked
from rnncli.cli.arguments.options import DEFAULT_RUNS
from rnncli.cli.arguments.training import (
    Config,
    Folds,
    From,
    Keep,
    KeepFolds,
    Name,
    Test,
    TrainingData,
    TrainingOptions,
    training_call,
)
from rnncli.config import SETTING_NAMES
from rnncli.errors import UsageError
from rnncli.render.console import WARNING, Output

if TYPE_CHECKING:
    from rnncli.data.description import DataDescription

MOST_ROWS = 40  # of the table of columns on a terminal; --json and a pipe have all


@checked(settings=SETTING_NAMES)
def describe(
    data: TrainingData = None,
    *,
    config: Config = None,
    name: Name = None,
    test: Test = None,
    from_: From = None,
    keep: Keep = None,
    folds: Folds = None,
    keep_folds: KeepFolds = False,
    runs: options.Runs = DEFAULT_RUNS,
    source: options.SourceFile = None,
    target: options.TargetFile = None,
    named: Collection[str] | None = None,
    **options: Unpack[TrainingOptions],
) -> DataDescription:
    """Says what a file is taken for, from its first rows: task, columns and their roles, the first records, their use.

    Args:
        data: a data file, or several, or pairs of an input and its label, as for :func:`rnncli.train`.
        config: a settings file (YAML); ``options`` override it.
        name, test, from_, keep, folds, keep_folds, runs: as for :func:`rnncli.train`.
        source, target: in place of ``data`` two text files, of which each line of one goes with that of the other.
        named: names of settings to refuse where they have no effect; None for those among ``options``.
        options: settings, of which the task counts, and how to read the file, as for :func:`rnncli.train`.

    Raises:
        RnncliError: as :func:`rnncli.train`, where the file is refused.
    """
    if data is None and source is None and target is None:
        raise UsageError("name the data to describe", "rnncli train reviews.csv --dry-run")
    rows = {"test": test, "keep": keep}
    arguments: dict[str, Any] = {"config": config, "pair": (source, target), "rows": rows, "model": from_}
    with training_call(data, options, runs=runs, **arguments) as called:
        asked = called.asked(runs, name, folds=folds, keep_folds=keep_folds, named=named)
        return asked.opened().described(alone=True)


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
    if found.refusal is not None:
        output.note(f"a training stops at these rows: {found.refusal}", WARNING)


def note_description(output: Output, found: DataDescription) -> None:
    """Shows a description before a training: a panel on a terminal, a few lines in a log."""
    from rnncli.render.panel import note_panel

    if output.err.is_terminal:
        note_panel(output, found.file, found.pairs()[1:3], found.tables(MOST_ROWS // 4))
        return
    for what, value in found.lines():
        output.note(f"{what:>11}  {value}")
