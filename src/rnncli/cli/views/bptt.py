"""``--bptt``: a gradient as a sum of terms, one for each timestep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnncli.cli.views.view import ROWS, STEPS, Shown, Subject, View, notes_on

if TYPE_CHECKING:
    from rnncli.cli.views.view import Part


def draw(subject: Subject, *, param: str | None = None, full: bool = False, map: bool = False) -> Shown:
    """Shows the terms, which step's loss reaches which step, and the chain rule factor by factor.

    Args:
        param: whose gradient; None for both matrices of weights of the topmost layer.
    """
    from rnncli.inspection.chain import chain
    from rnncli.inspection.terms import loss_by_source, terms

    flow = subject.flow
    top = flow.cell()
    named = [param] if param else list(top.matrices)
    found = [terms(flow, name) for name in named]
    parts: list[Part] = [one.view(None if full else STEPS) for one in found]
    document: dict[str, Any] = {"terms": [one.document(full) for one in found]}
    layer = flow.cell_of(named[0]) or top
    entering = int((abs(layer.d_output).sum(axis=1) > 0).sum())
    no_map: tuple[str, ...] = ()
    notes = list(notes_on(flow.labelled_loss))
    if entering <= 1:
        no_map = "--map draws where a gradient comes from, and here it all comes from one timestep", "leave it out"
    elif len(layer.steps) > STEPS and not full:
        said = f"--map draws at most {STEPS} timesteps, and {layer.name} goes through {len(layer.steps):,} here"
        no_map = said, "leave it out, or add --full to draw them all"
        steps = f"{len(layer.steps):,} timesteps"
        notes.append(f"--full shows which timestep's loss each part comes from, too; not shown here, of {steps}")
    else:
        table = loss_by_source(flow, layer)
        document["loss_by_source"] = table
        parts.append(table.heat_map() if map or len(layer.steps) > ROWS else table.view())
    factors = chain(flow, layer, None if full else STEPS)
    return Shown([*parts, factors.view()], document | {"chain": factors}, notes=notes, no_map=no_map)


VIEW = View("bptt", "A gradient as a sum of terms, one a timestep.", draw, loss=True, drawing=("map",), page=True)
