"""``rnncli evaluate``."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnncli.cli.arguments import require_piped
from rnncli.cli.notices import say_what_is_logged
from rnncli.data.dataset import Source, left_out, read_dataset
from rnncli.errors import UsageError
from rnncli.machine import keep_freed_memory
from rnncli.render.console import Output
from rnncli.render.json_out import print_json
from rnncli.render.tables import print_pairs, print_table

MISTAKES = 10  # that are shown unless it is said how many
CHARACTERS_A_TEXT = 200


@dataclass(frozen=True)
class EvaluateRequest:
    """What the command line asks for."""

    model: str
    data: str
    mistakes: int | None
    text: str | None
    label: str | None
    format: str | None
    encoding: str
    skip_bad: bool
    ignore: str | None
    runs: str
    how: dict[str, Any] = field(default_factory=dict)  # options that are for some tasks only, as far as they were given
    workers: int | None = None  # processes; None for as many as help


def evaluate_command(request: EvaluateRequest, json: bool) -> None:
    """Prints the scores, by label and as a confusion matrix, and the most confident mistakes."""
    output = Output()
    require_piped(request.data)

    from rnncli.parallel.processes import helpful_workers
    from rnncli.tasks.model import Model
    from rnncli.training.runs import find_model

    keep_freed_memory()
    model = Model.load(find_model(request.model, Path(request.runs))).answering(**request.how)
    if request.mistakes is not None and not model.labelled:
        raise UsageError(f"--mistakes is not for a model of the task {model.task}, which has no labels to mistake")
    source = Source(
        request.data,
        text=request.text,
        label=request.label,
        format=request.format,
        encoding=request.encoding,
        skip_bad=request.skip_bad,
        ignore=request.ignore,
    )
    asker = model.asker(f"rnncli evaluate {shlex.quote(request.model)}")
    dataset = read_dataset(source, model.labelled, model.reads, task=model.task, asker=asker)
    output.note(dataset.why)
    # A text that stands on a single line is as much work as many.
    texts = max(len(dataset.texts), sum(map(len, dataset.texts)) // CHARACTERS_A_TEXT)
    say_what_is_logged(output)
    evaluation = model.evaluate(
        dataset,
        MISTAKES if request.mistakes is None else request.mistakes,
        request.workers or helpful_workers(texts),
    )
    if evaluation.skipped:
        output.note(left_out(evaluation.skipped, evaluation.skipped_because), "yellow")
    if json:
        print_json(output, evaluation)
        return
    print_pairs(output, "", evaluation.pairs())
    for view in evaluation.tables():
        if view.rows:
            output.write("\n")
            print_table(output, view)
