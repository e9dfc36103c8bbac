"""``--doctor``: why a training is stuck, read off the model and its data."""

from __future__ import annotations

import shlex
from pathlib import Path

from rnncli.cli.arguments.options import DEFAULT_RUNS, InputFiles, as_typed, is_given
from rnncli.cli.views.view import Shown, Subject, View
from rnncli.errors import counted


def draw(subject: Subject, *, doctor: object = None, full: bool = False) -> Shown:
    """Shows every check, and the findings with a command to try for each."""
    from rnncli.data.dataset import left_out
    from rnncli.inspection.doctor.diagnosis import examine
    from rnncli.inspection.doctor.findings import Commands, settings_flags
    from rnncli.training.runs import of_file

    model, source, name = subject.model, subject.source, shlex.quote(subject.name)
    purpose = model.purpose(f"rnncli inspect -m {name} --doctor")
    dataset = model.read_dataset(source, purpose)
    subject.note(dataset.why)
    if dataset.skipped:
        subject.note(left_out(dataset.skipped, dataset.skipped_because), "yellow")
    typed = [as_typed(name, value) for name, value in subject.reading.items() if is_given(name, value)]
    folder = None
    if subject.path is not None:
        run = of_file(subject.path)
        known = subject.path in (run.model, run.epochs / subject.path.name) and run.config.is_file()
        folder = run if known else None
    commands = Commands(
        " ".join([source.typed, *typed]),
        name if folder is None else shlex.quote(_lasting(subject.name, folder.path)),
        None if folder is None else shlex.quote(str(folder.config)),
        settings_flags(model, dataset) if folder is None else {},
        f"--runs {shlex.quote(str(subject.runs))}" if str(subject.runs) != DEFAULT_RUNS else "",
    )
    found = examine(model, dataset, commands)
    hidden = found.evidence and not full
    notes = [f"--full shows the {counted(len(found.evidence), 'row')} behind the findings"] if hidden else []
    return Shown([found.pairs(), *found.views(full)], found.document(full), notes=notes)


def _lasting(model: str, folder: Path) -> str:
    """A name that still means this model after the next training, when ``latest`` is another one."""
    from rnncli.training.runs import LATEST

    run, at, epoch = model.partition("@")
    return f"{folder}{at}{epoch}" if run == LATEST else model


VIEW = View(
    "doctor",
    "Diagnose why training is stuck, and suggest what to try.",
    draw,
    kind=InputFiles,
    metavar="DATA",
    alone=True,
    text=False,
    answer=False,
    file="own",
)
