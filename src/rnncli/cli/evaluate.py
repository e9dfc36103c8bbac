"""``rnncli evaluate``."""

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
from rnncli.cli.arguments.inputs import (
    STDIN,
    are_pairs,
    as_file,
    is_model,
    model_of,
    parallel_files,
    paths_of,
    require_piped,
    source_of,
)
from rnncli.cli.arguments.options import DEFAULT_RUNS, AnyPath, Note, quiet
from rnncli.cli.arguments.paths import Reads
from rnncli.cli.help import tables_of_evaluation
from rnncli.cli.plots import require_drawable, write_plot
from rnncli.data.formats.registry import looks_like_data
from rnncli.errors import UsageError

if TYPE_CHECKING:
    from rnncli.tasks.model import Evaluation

Plot = Annotated[
    options.PlotFile, typer.Option("--plot", metavar="FILE", help="Draw the confusion matrix (.svg, .png, .html).")
]
Mistakes = Annotated[int | None, typer.Option("--mistakes", metavar="K", min=0, help="How many mistakes to show. [10]")]
DataArguments = Annotated[
    list[str] | None,
    Reads(),
    typer.Argument(metavar="DATA", help="Data with the right answers, files or a folder; - for stdin."),
]

MISTAKES = 10  # shown by default
CHARACTERS_A_TEXT = 200  # a guess, by which data are or are not worth more than one process


@checked()
def evaluate(
    data: AnyPath | Iterable[AnyPath | tuple[Any, Any]] | None = None,
    model: options.ModelName = "latest",
    *,
    source: options.SourceFile = None,
    target: options.TargetFile = None,
    mistakes: Mistakes = None,
    beam: options.Beam = None,
    workers: options.Workers = 1,
    engine: options.Engine = "auto",
    runs: options.Runs = DEFAULT_RUNS,
    plot: Plot = None,
    note: Note = quiet,
    **reading: Unpack[options.Reading],
) -> Evaluation:
    """Scores a model on data with the right answers: overall, by label, and the most confident mistakes.

    Args:
        data: a data file, or several with the same columns, or a folder, as for training; or pairs of an input and its
            label.
        source, target: in place of ``data`` two text files, of which each line of one goes with that of the other.
        model: or its name: ``latest``, a run, ``RUN@EPOCH``, a file.
        mistakes: how many of them to return; 10 if None.
        beam: width of the beam search, where texts are generated.
        workers: processes that share the work; None for as many as help.
        engine: what computes: ``compiled``, ``numpy``, or ``auto`` for the compiled engine where it is there.
        runs: where models are found by name.
        plot: a file for the confusion matrix; one that is there is replaced.
        note: takes a sentence on how the file is read and what is left out, and its style.
        reading: how to read the file; see :class:`rnncli.cli.arguments.options.Reading`.

    Raises:
        RnncliError: of every kind but DivergedError.
    """
    from rnncli.data.dataset import left_out
    from rnncli.parallel.processes import helpful_workers
    from rnncli.training.engines import computing

    data = parallel_files(data, source, target)
    if data is None:
        raise UsageError("name the data with the right answers", "rnncli evaluate test.csv")
    name = os.fspath(model) if isinstance(model, str | os.PathLike) else "MODEL"
    asked = model_of(model, runs).with_options(**({} if beam is None else {"beam": beam}))
    if mistakes is not None and not asked.labelled:
        raise UsageError(f"--mistakes is not for a model of the task {asked.task}, which has no labels to mistake")
    purpose = asked.purpose(f"rnncli evaluate -m {shlex.quote(name)}")
    with as_file(data) as path:
        require_drawable(plot, paths_of(path))
        read = source_of(path, reading, target=target, pairs=are_pairs(path, data))
        dataset = asked.read_dataset(read, purpose)
        note(dataset.why)
        # A text that stands on a single line is as much work as many.
        texts = max(len(dataset.texts), sum(map(len, dataset.texts)) // CHARACTERS_A_TEXT)
        with computing(engine):
            found: Evaluation = asked.evaluate(
                dataset, MISTAKES if mistakes is None else mistakes, workers or helpful_workers(texts)
            )
    if plot is not None:
        write_plot(plot, found.pictures())
    if found.skipped:
        note(left_out(found.skipped, found.skipped_because), "yellow")
    return found


def evaluate_command(
    call: Call,
    work: Callable[..., Evaluation],
    data: DataArguments = None,
    model: options.ModelName = "latest",
    workers: options.Workers = None,
    runs: options.Runs = DEFAULT_RUNS,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """
    \b
    rnncli evaluate test.csv                    the newest model
    rnncli evaluate test.csv -m runs/reviews-1 --json
    """
    from rnncli.cli.show import show_figures, warnings_shown
    from rnncli.machine import keep_freed_memory

    output = call.output
    first, *files = data or [""]
    if files and "model" not in call.typed and _is_model(first, os.fspath(runs)):
        model = first  # MODEL DATA is the order of version 0.1, before there was --model
    else:
        files = data or []
    if files == [first] and is_model(first, os.fspath(runs)):
        raise UsageError(f"{first} is a model: name the data too", f"rnncli evaluate DATA -m {shlex.quote(first)}")
    for one in files:
        require_piped(one)
    keep_freed_memory()
    with warnings_shown(output):
        evaluation = work(files or None, model, workers=workers, runs=runs, note=output.note)
    show_figures(output, evaluation, json)


def _is_model(name: str, runs: str) -> bool:
    """Whether the first of several arguments is a model: a run, a file of one, or what is there as neither."""
    if is_model(name, runs) or name.endswith(".safetensors"):
        return True
    return not os.path.exists(name) and name != STDIN and not looks_like_data(name)


PANELS = {
    "Model and scores": "model mistakes",
    "How the data are read": "source text",
    "Output": "plot force help",
}
TABLES = tables_of_evaluation

COMMAND = partial(command, evaluate, evaluate_command)
