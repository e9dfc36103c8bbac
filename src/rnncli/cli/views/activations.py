"""``--activations``: where in a file a unit is most active, and which labels go with it."""

from __future__ import annotations

from rnncli.cli.views.records import FEW, MANY, records_of
from rnncli.cli.views.view import Shown, Subject, View
from rnncli.errors import UsageError


def draw(subject: Subject, *, activations: str | int, full: bool = False) -> Shown:
    """Shows one unit, or with ``all`` those that correlate most with a label.

    Raises:
        UsageError: there is no such unit.
    """
    from rnncli.inspection.activations.units import top_activations, units_of_labels

    if activations == "all":
        of_labels = units_of_labels(subject.model, records_of(subject))
        return Shown([of_labels.view(full)], of_labels.document(full))
    unit = _unit(str(activations), subject.adapter.units)
    found = top_activations(subject.model, records_of(subject), unit, MANY if full else FEW)
    notes = [] if subject.model.labelled else ["each line is read from its beginning, as a text of its own"]
    return Shown([found.pairs(), *found.views(full)], found, notes=notes)


def _unit(text: str, names: tuple[str, ...]) -> int:
    """The number of a unit, by its name or its number."""
    if text in names:
        return names.index(text)
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) < len(names):
        return int(text)
    raise UsageError(
        f"--activations {text}: the units are {names[0]} to {names[-1]}",
        "or all, for the units that correlate most with a label",
    )


VIEW = View(
    "activations",
    "Where in --data a unit is most active, and which labels it correlates with.",
    draw,
    kind=str | int | None,
    metavar="UNIT|all",
    alone=True,
    text=False,
    answer=False,
    file="data",
    more_flags=("--fires",),
)
