"""``rnncli compare``."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import typer

from rnncli.cli.arguments import options
from rnncli.cli.arguments.checked import checked
from rnncli.cli.arguments.command import Call, command
from rnncli.cli.arguments.inputs import as_file, found_model, require_piped, source_of
from rnncli.cli.arguments.options import DEFAULT_RUNS, AnyPath
from rnncli.errors import UsageError

if TYPE_CHECKING:
    from rnncli.tasks.model import Model
    from rnncli.training.compared import ModelComparison

ModelsAndData = Annotated[
    options.TextsOrFiles,
    typer.Argument(metavar="MODEL MODEL ... DATA", help="Two models or more, and data with the right answers."),
]


@checked()
def compare(
    models: Iterable[Model | AnyPath],
    data: AnyPath | Iterable[tuple[Any, Any]],
    *,
    engine: options.Engine = "auto",
    runs: options.Runs = DEFAULT_RUNS,
    **reading: Unpack[options.Reading],
) -> ModelComparison:
    """Compares trained models on the same rows: scores with intervals, speed, size, and which to take.

    Args:
        models: at least two, or their names: ``latest``, a run, ``RUN@EPOCH``, a file.
        data: a data file, or pairs of an input and its label; best one that none of the models has seen.
        engine: what computes: ``compiled``, ``numpy``, or ``auto`` for the compiled engine where it is there.
        runs: where models are found by name.
        reading: how to read the file; see :class:`rnncli.cli.arguments.options.Reading`.

    Raises:
        RnncliError: of every kind but DivergedError.
    """
    from rnncli.training.compared import compare_models
    from rnncli.training.engines import computing

    found: list[tuple[str, Model]] = []
    for given in models:
        model, path, name = found_model(given, runs)
        name = f"model {len(found) + 1}" if path is None else name
        if name in dict(found):
            raise UsageError(f"{name} is named twice", "name another model")
        found.append((name, model))
    if len(found) < 2:
        raise UsageError("compare takes two models or more, and then the data", "rnncli compare RUN RUN DATA")
    with as_file(data) as path:
        datasets = []
        for name, model in found:
            purpose = model.purpose(f"rnncli evaluate -m {shlex.quote(name)}")
            datasets.append(model.read_dataset(source_of(path, reading, pairs=path is not data), purpose))
        with computing(engine):
            return compare_models(found, datasets)


def compare_command(
    call: Call,
    work: Callable[..., ModelComparison],
    given: ModelsAndData,
    json: options.Json = False,
) -> None:
    """
    \b
    rnncli compare reviews-1 reviews-2 test.csv
    rnncli compare lstm gru rnn test.csv --json
    """
    from rnncli.cli.show import warnings_shown
    from rnncli.machine import keep_freed_memory
    from rnncli.render.json_out import print_json
    from rnncli.render.tables import print_table

    output = call.output
    *models, data = given
    if data == "-":
        raise UsageError("compare reads its data once for each model, and stdin can be read only once", "save it first")
    require_piped(data)
    keep_freed_memory()
    with warnings_shown(output):
        found = work(models, data)
    if json:
        print_json(output, found)
        return
    print_table(output, _table(found))
    output.note(found.verdict, "bold")


COMMAND = partial(command, compare, compare_command)


def _table(found: ModelComparison) -> Any:
    from rnncli.results import Column, TableView, format_number

    columns = [Column("model", style="bold"), Column(found.metric, True), Column("95% interval", True)]
    columns += [Column("behind the best", True), Column("rows/s", True), Column("parameters", True)]
    rows = []
    for one in found.models:
        low, high = map(format_number, one.interval)
        behind = "-"
        if one.beside_best is not None:
            ends = " to ".join(map(format_number, one.beside_best.interval)).replace("-", "−")
            behind = f"{format_number(one.beside_best.difference)} ({ends})"
        cells = one.name, one.score, f"{low} to {high}", behind, round(one.rows_per_second), one.parameters
        rows.append(cells)
    return TableView(f"{found.rows:,} rows of {os.path.basename(found.data)}", tuple(columns), tuple(rows))


PANELS = {"How the data are read": "text", "Output": "json help"}
