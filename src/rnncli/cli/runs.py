"""``rnncli runs``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnncli.clean import clean
from rnncli.cli.arguments import options
from rnncli.cli.arguments.checked import checked
from rnncli.cli.arguments.command import Call, command
from rnncli.cli.arguments.options import DEFAULT_RUNS
from rnncli.errors import UsageError, closest, counted

if TYPE_CHECKING:
    from rnncli.training.overview import RunSummary

Action = Annotated[list[str] | None, typer.Argument(metavar="[rm RUN ...]", help="Runs to remove.", show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Remove without asking.")]


@checked()
def list_runs(runs: options.Runs = DEFAULT_RUNS) -> list[RunSummary]:
    """Lists the trainings in a folder, the newest first.

    Raises:
        StorageError: the folder cannot be read.
    """
    from rnncli.training.overview import summaries

    return summaries(Path(runs))


@checked()
def remove_runs(names: Iterable[str], runs: options.Runs = DEFAULT_RUNS) -> dict[str, list[str]]:
    """Removes runs: what their trainings wrote, and nothing else.

    Returns:
        The folder of each removed run, with the names of the files that are left in it.

    Raises:
        UsageError: a name means a run elsewhere.
        StorageError: there is no such run, it is being trained, or it cannot be removed.
    """
    from rnncli.training.overview import find_all, remove

    return {str(run.path): remove(run) for run in find_all(names, Path(runs))}


def runs_command(
    call: Call,
    work: Callable[..., list[RunSummary]],
    action: Action = None,
    runs: options.Runs = DEFAULT_RUNS,
    yes: Yes = False,
    json: options.Json = False,
) -> None:
    """
    \b
    rnncli runs                 all runs, the newest first
    rnncli runs rm reviews-1    removes one, after asking
    """
    from rnncli.render.json_out import print_json

    output = call.output
    if action:
        _remove(call, action, runs, yes, json)
        return
    if yes:
        raise UsageError("--yes is for runs rm", "leave it out")
    found = work(runs=runs)
    if json:
        print_json(output, [_document(one) for one in found])
    elif found:
        _print(call, found)
    else:
        output.note(f"there are no runs in {runs}/; train one: rnncli train reviews.csv")


COMMAND = partial(command, list_runs, runs_command)


def _remove(call: Call, action: list[str], runs: options.AnyPath, yes: bool, json: bool) -> None:
    from rnncli.render.json_out import print_json
    from rnncli.training.overview import find_all, remove

    if action[0] != "rm":
        raise UsageError(
            f"'{action[0]}' is not something to do with runs{closest(action[0], ['rm'])}", "rnncli runs rm RUN"
        )
    if len(action) == 1:
        raise UsageError("name the runs to remove", "rnncli runs rm RUN")
    found = find_all(action[1:], Path(runs))
    if not yes:
        names = ", ".join(str(run.path) for run in found)
        if sys.stdin is None or not sys.stdin.isatty():
            raise UsageError(f"{counted(len(found), 'run')} would be removed for good: {names}", "add --yes")
        if not typer.confirm(clean(f"Remove {names}?"), err=True):
            return
    left = {str(run.path): remove(run) for run in found}
    if json:
        print_json(call.output, {"removed": list(left), "left": left})
        return
    for path, names_left in left.items():
        call.output.note(f"removed {path}")
        if names_left:
            call.output.note(f"{path} stays, with what no training wrote: {', '.join(names_left)}", "yellow")


def _document(one: RunSummary) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(one) | {"modified": one.modified.isoformat(timespec="seconds")}


def _print(call: Call, found: list[RunSummary]) -> None:
    from rnncli.render.progress import duration
    from rnncli.render.tables import print_table
    from rnncli.results import Column, TableView

    plain = not call.output.is_terminal  # then each figure is a column of its own
    columns = [Column("run", style="bold"), Column("data"), Column("task"), Column("network"), Column("epoch", True)]
    columns += [Column("score", True), Column("metric"), Column("bytes" if plain else "size", True)]
    columns += [Column("seconds" if plain else "time", True), Column("when"), Column("")]
    rows = tuple(
        (
            one.name,
            one.data,
            one.task,
            one.network if plain or one.network is None else one.network.partition(" units")[0],
            one.epoch,
            one.score,
            None if one.score is None else one.metric,
            one.bytes if plain else _size(one.bytes),
            one.seconds if plain or one.seconds is None else duration(one.seconds),
            one.modified.isoformat(timespec="seconds") if plain else f"{one.modified.astimezone():%Y-%m-%d %H:%M}",
            ", ".join((["latest"] if one.latest else []) + ([] if one.status == "finished" else [one.status])),
        )
        for one in found
    )
    print_table(call.output, TableView("", tuple(columns), rows))


def _size(count: float) -> str:
    """``824 kB``."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"
