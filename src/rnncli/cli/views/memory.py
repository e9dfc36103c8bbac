"""``--memory``: how much of a gradient at the end arrives at each earlier step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnncli.cli.views.view import STEPS, Shown, Subject, View, notes_on

if TYPE_CHECKING:
    from rnncli.cli.arguments.options import AnyModel
    from rnncli.cli.views.view import Part


def draw(subject: Subject, *, compare: AnyModel | None = None, full: bool = False) -> Shown:
    """Shows every layer and direction; with ``compare`` the topmost one beside another model's."""
    from rnncli.inspection.memory import memory

    most = None if full else STEPS
    if compare is not None:
        return _beside(subject, compare, most)
    found = [memory(cell, subject.flow) for cell in subject.flow.cells]
    parts: list[Part] = []
    for one in found:
        parts += [one.view(most), one.pairs()]
    return Shown(parts, [one.document for one in found], notes=notes_on(subject.flow.labelled_loss))


def _beside(subject: Subject, compare: AnyModel, most: int | None) -> Shown:
    from rnncli.inspection.adapters import adapter_of
    from rnncli.inspection.flow import flow
    from rnncli.inspection.memory import comparison, memory, require_same_steps

    name, other = subject.other(compare, "--compare")
    names = subject.name, name
    require_same_steps(subject.model, other, names)
    # The same input and the same label: a prediction may be another one.
    text = subject.text if subject.text is not None else subject.model.example
    flows = subject.flow, flow(adapter_of(other).open(text, subject.asked))
    first, second = (memory(one.cell(), one) for one in flows)
    view = comparison(first, second, names, most)
    warnings = ((called, notes_on(one.labelled_loss)) for called, one in zip(names, flows, strict=True))
    notes = [f"{called}: {note}" for called, said in warnings for note in said]
    return Shown([view], {names[0]: first.document, name: second.document}, notes=notes)


VIEW = View(
    "memory", "How far back the gradient reaches, and how much of it.", draw, loss=True, drawing=("full",), page=True
)
