"""``--diff``: two models side by side, on a text or on a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rnncli.cli.arguments.options import OtherModel
from rnncli.cli.views.records import FEW, MANY, records_of
from rnncli.cli.views.view import STEPS, Shown, Subject, View

if TYPE_CHECKING:
    from rnncli.cli.arguments.options import AnyModel
    from rnncli.tasks.model import Model


def draw(subject: Subject, *, diff: AnyModel, full: bool = False) -> Shown:
    """Shows where the two differ along a text."""
    from rnncli.inspection.difference.inputs import difference

    names, other = _other(subject, diff)
    found = difference(subject.model, other, subject.text, names)
    return Shown([found.pairs(), *found.views(None if full else STEPS)], found.document(), notes=list(found.notes))


def draw_of_data(subject: Subject, *, diff: AnyModel, full: bool = False) -> Shown:
    """Shows how often the two differ on a file, and where most."""
    from rnncli.inspection.difference.files import data_difference

    names, other = _other(subject, diff)
    found = data_difference(subject.model, other, records_of(subject), names, MANY if full else FEW)
    return Shown([found.pairs(), found.view()], found)


def _other(subject: Subject, diff: AnyModel) -> tuple[tuple[str, str], Model]:
    name, other = subject.other(diff, "--diff")
    names = _called(subject.name), _called(name)
    return names if names[0] != names[1] else (subject.name, name), other


def _called(model: str) -> str:
    """A model's name at the head of a column: that of its run, where it was given by a path."""
    path = Path(model)
    return (path.parent.name if path.name == "model.safetensors" else path.name) or model


VIEW = View(
    "diff",
    "Compare with another model, on a text or on --data.",
    draw,
    kind=OtherModel,
    metavar="MODEL",
    alone=True,
    answer=False,
    drawing=("full",),
)
VIEW = replace(VIEW, of_data=replace(VIEW, draw=draw_of_data, text=False, file="data", drawing=()))
