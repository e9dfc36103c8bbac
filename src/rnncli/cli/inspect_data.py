"""What ``rnncli inspect`` shows of a model beside data or another model: ``--doctor``, ``--diff`` and ``--fires``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnncli.cli.arguments import require_piped
from rnncli.cli.inspect_print import Drawn, print_shown
from rnncli.cli.inspect_views import STEPS, Shown
from rnncli.cli.options import DEFAULT_RUNS
from rnncli.data.dataset import SAMPLE_ROWS, Dataset, Source, choose, left_out, read_dataset, stream_rows
from rnncli.errors import DataError, UsageError
from rnncli.render.console import Output

if TYPE_CHECKING:
    from rnncli.cli.inspect import InspectRequest
    from rnncli.tasks.model import Model
    from rnncli.training.runs import RunFolder

FEW, MANY = 10, 1_000  # inputs that are named, and with --full: a file may have millions


@dataclass(frozen=True)
class OfData:
    """What the command line asks for.

    Attributes:
        doctor: a file.
        diff: another model.
        fires: a unit, or ``all``.
        data: the file for the other two.
    """

    doctor: str | None
    diff: str | None
    fires: str | None
    data: str | None
    text: str | None
    label: str | None
    format: str | None
    encoding: str | None
    skip_bad: bool
    ignore: str | None

    @property
    def asked(self) -> list[str]:
        """Options that say what to show."""
        named = (("--doctor", self.doctor), ("--diff", self.diff), ("--fires", self.fires))
        return [option for option, given in named if given is not None]

    @property
    def reading(self) -> list[str]:
        """Options that say how to read the file, as they were given."""
        named = [("--text", self.text), ("--label", self.label), ("--format", self.format)]
        named += [("--encoding", self.encoding), ("--ignore", self.ignore)]
        given = [f"{option} {shlex.quote(value)}" for option, value in named if value is not None]
        return [*given, *(["--skip-bad"] if self.skip_bad else [])]

    @property
    def path(self) -> str | None:
        """The file, if there is one to read."""
        return self.doctor if self.doctor is not None else self.data

    @property
    def source(self) -> Source:
        """The file, with how to read it."""
        path, encoding = self.path or "-", self.encoding or "utf-8"
        return Source(path, self.text, self.label, self.format, encoding, self.skip_bad, ignore=self.ignore)


def of_data(**given: Any) -> OfData | None:
    """What was asked for; None if none of the options was given."""
    made = OfData(**given)
    return made if made.asked else None


def show(
    output: Output, model: Model, path: Path, text: str | None, request: InspectRequest, asked: OfData, json: bool
) -> Drawn:
    """Shows it, and returns what can be drawn.

    Args:
        path: of the model's file.
        text: what the models are compared on, without a file.
    """
    require_piped(asked.path)
    if asked.doctor is not None:
        shown = _doctor(output, model, path, request, asked)
    elif asked.fires is not None:
        shown = _fires(output, model, asked, request.full)
    else:
        shown = _diff(output, model, path, text, request, asked)
    return print_shown(output, {"shown": shown}, json)


def _doctor(output: Output, model: Model, path: Path, request: InspectRequest, asked: OfData) -> Shown:
    from rnncli.inspection.doctor import examine
    from rnncli.inspection.findings import Commands, settings_flags
    from rnncli.training.runs import of_file

    asker = model.asker(f"rnncli inspect -m {shlex.quote(request.model)} --doctor")
    dataset = read_dataset(asked.source, model.labelled, model.reads, task=model.task, asker=asker)
    output.note(dataset.why)
    if dataset.skipped:
        output.note(left_out(dataset.skipped, dataset.skipped_because), "yellow")
    folder = of_file(path)
    known = path in (folder.model, folder.epochs / path.name) and folder.config.is_file()
    commands = Commands(
        " ".join([shlex.quote(asked.source.path), *asked.reading]),
        shlex.quote(_lasting(request.model, folder) if known else request.model),
        shlex.quote(str(folder.config)) if known else None,
        {} if known else settings_flags(model, dataset),
        f"--runs {shlex.quote(request.runs)}" if request.runs != DEFAULT_RUNS else "",
    )
    found = examine(model, dataset, commands)
    hidden = found.evidence and not request.full
    notes = [f"--full shows the {len(found.evidence):,} rows that make the findings"] if hidden else []
    return Shown([found.pairs(), *found.views(request.full)], found.document(request.full), notes=notes)


def _lasting(model: str, folder: RunFolder) -> str:
    """A model's name that goes on naming it: ``latest`` is another one after the next training."""
    from rnncli.training.runs import LATEST

    run, at, epoch = model.partition("@")
    return f"{folder.path}{at}{epoch}" if run == LATEST else model


def _diff(output: Output, model: Model, path: Path, text: str | None, request: InspectRequest, asked: OfData) -> Shown:
    from rnncli.cli.inspect_views import another
    from rnncli.inspection.difference import difference
    from rnncli.inspection.difference_data import data_difference
    from rnncli.tasks.model import Model

    assert asked.diff is not None
    other = Model.load(another(asked.diff, request.runs, path, "--diff"))
    names = _called(request.model), _called(asked.diff)
    names = names if names[0] != names[1] else (request.model, asked.diff)
    if asked.data is not None:
        parts = parts_of(output, asked.source, model)
        over_file = data_difference(model, other, parts, names, MANY if request.full else FEW)
        return Shown([over_file.pairs(), over_file.view()], over_file)
    found = difference(model, other, text, names)
    return Shown(
        [found.pairs(), *found.views(None if request.full else STEPS)], found.document(), notes=list(found.notes)
    )


def _called(model: str) -> str:
    """A model's name at the head of a column: its run's, where it was given by a path."""
    path = Path(model)
    return (path.parent.name if path.name == "model.safetensors" else path.name) or model


def _fires(output: Output, model: Model, asked: OfData, full: bool) -> Shown:
    from rnncli.inspection.adapters import adapter_of
    from rnncli.inspection.unit_activations import fires, units_of_labels

    assert asked.fires is not None
    names = adapter_of(model).units
    if asked.fires == "all":
        of_labels = units_of_labels(model, parts_of(output, asked.source, model))
        return Shown([of_labels.view(full)], of_labels.document(full))
    unit = _unit(asked.fires, names)
    found = fires(model, parts_of(output, asked.source, model), unit, MANY if full else FEW)
    notes = [] if model.labelled else ["each line is read from its beginning, as a text of its own"]
    return Shown([found.pairs(), *found.views(full)], found, notes=notes)


def _unit(text: str, names: tuple[str, ...]) -> int:
    """The number of a unit, by its name or its number.

    Raises:
        UsageError: there is no such unit.
    """
    if text in names:
        return names.index(text)
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) < len(names):
        return int(text)
    raise UsageError(
        f"--fires {text}: the units are {names[0]} to {names[-1]}", "or all, for the units that go with a label most"
    )


def parts_of(output: Output, source: Source, model: Model) -> Iterator[Dataset]:
    """The records of a file, many at a time; with empty labels where there is no column of labels.

    Of a table whose rows have to be put together to sequences, all of it is read first.

    Raises:
        DataError: a record, or a column that was named, cannot be used.
        StorageError: the file cannot be read.
    """
    from rnncli.tasks.model import CHUNK

    asker = model.asker("rnncli inspect --fires all --data")
    asker = model.asker("rnncli inspect --fires all --data")
    if model.reads is not None:
        whole = read_dataset(source, True, model.reads, task=model.task, asker=asker)
        output.note(whole.why)
        yield whole
        return
    table = stream_rows(source)
    sample = list(islice(table.rows, SAMPLE_ROWS))
    try:
        wanted = model.labelled or source.label is not None
        columns = choose(source, table, sample, task=model.task, need_label=wanted, asker=asker)
    except DataError:
        if source.label is not None:
            raise
        columns = choose(source, table, sample, task=model.task, need_label=False, asker=asker)
    output.note(columns.why)
    rows = chain(sample, table.rows)
    while chunk := list(islice(rows, CHUNK)):
        texts = [row.values[columns.text] for row in chunk]
        labels = [row.values[columns.label] if columns.label is not None else "" for row in chunk]
        chosen = replace(source, text=table.columns[columns.text], format=table.format)
        yield Dataset(chosen, columns.why, texts, labels, [row.line for row in chunk], "", 0, ())
    if table.skipped_count:
        output.note(left_out(table.skipped_count, table.skipped), "yellow")
