"""What ``rnncli inspect`` can show of one input, each by its option: the numbers, and the views of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnncli.cli.options import parse_units
from rnncli.errors import UsageError
from rnncli.results import HeatMap, TableCell, TableView

if TYPE_CHECKING:
    from rnncli.inspection.flow import Flow, Opened
    from rnncli.inspection.loss import Label
    from rnncli.tasks.model import Model

TOP = 4  # units that are shown of their own accord
PARTS = 20  # of a long input, where each has a row
STEPS = 40  # timesteps of a long input on a screen
SHORT_TEXT = 500  # characters, of what is noted below a table
MAP_UNITS = 16  # rows of a heat map that nobody has chosen


@dataclass(frozen=True)
class Look:
    """What is looked at, and how closely.

    Attributes:
        text: the input; None for the model's own example.
        answer: what the scores are of; None for what the model predicts.
        parameter: whose gradient; None for the recurrent weights of the topmost layer.
        units: as given by ``--units``.
        top: units that change most, as given by ``--top``.
        full: nothing is left out.
        map: heat maps in place of tables.
        other: another model to set beside, with the name it was given by.
        name: that of the model itself.
        form: of what is worked by hand: text, markdown or latex.
        label: what the loss is of; None for ``answer``.
    """

    model: Model
    text: str | None
    answer: str | None = None
    parameter: str | None = None
    units: str | None = None
    top: int | None = None
    full: bool = False
    map: bool = False
    other: tuple[str, Model] | None = None
    name: str = "latest"
    form: str = "text"
    label: Label | None = None

    @cached_property
    def flow(self) -> Flow:
        """The input forward and back, once for all that ask."""
        from rnncli.inspection.flow import flow

        return flow(self.opened)

    @cached_property
    def opened(self) -> Opened:
        """The input as an example of training, with its label."""
        from rnncli.inspection.adapters import adapter_of

        return adapter_of(self.model).open(self.text, self.label or self.answer)


@dataclass(frozen=True)
class Shown:
    """What is shown.

    Attributes:
        views: for people, in order; pairs are a summary, a function writes a text for a width, without marks beyond
            ASCII where these cannot be shown.
        document: for ``--json``.
        failed: what was looked at is not as it should be.
    """

    views: list[TableView | HeatMap | list[tuple[str, TableCell]] | Callable[[int, bool], str]]
    document: Any
    failed: bool = False
    notes: list[str] = field(default_factory=list)


def gates(look: Look) -> Shown:
    """States and gates of every layer and direction."""
    from rnncli.inspection.gates import gates as of_cell

    found = [of_cell(cell) for cell in look.flow.cells]
    shown: list[Any] = []
    for one in found:
        H = one.values["h"].shape[1]
        chosen = _chosen(look, H, one.most_changing, MAP_UNITS if look.map else TOP)
        shown += [one.heat_map(name, chosen) for name in one.values] if look.map else [one.view(chosen)]
    return Shown(shown, found)


def bptt(look: Look) -> Shown:
    """The gradient as a sum of terms, one for each timestep."""
    from rnncli.inspection.chain import chain
    from rnncli.inspection.terms import loss_by_source, terms

    top = look.flow.cell()
    named = [look.parameter] if look.parameter else list(top.matrices)
    found = [terms(look.flow, name) for name in named]
    shown: list[Any] = [one.view(None if look.full else STEPS) for one in found]
    document: dict[str, Any] = {"terms": [one.document(look.full) for one in found]}
    layer = look.flow.cell(look.parameter) if look.parameter and _in_a_cell(look) else top
    entering = int((abs(layer.d_output).sum(axis=1) > 0).sum())
    if entering > 1 and (look.full or len(layer.steps) <= STEPS):
        table = loss_by_source(look.flow, layer)
        document["loss_by_source"] = table
        shown.append(table.heat_map() if look.map or len(layer.steps) > PARTS else table.view())
    found_chain = chain(look.flow, layer, None if look.full else STEPS)
    shown.append(found_chain.view())
    document["chain"] = found_chain
    return Shown(shown, document, notes=_of_the_loss(look.flow.loss))


def another(name: str, runs: str, than: Path, option: str) -> Path:
    """The file of the model that one is set beside.

    Args:
        than: the file of that one.
        option: that names the other.

    Raises:
        StorageError: there is none.
        UsageError: they are one model.
    """
    from rnncli.training.runs import find_model

    path = find_model(name, Path(runs))
    if path.samefile(than):
        raise UsageError(f"{option} {name}: that is the model itself", "name another one")
    return path


def memory(look: Look) -> Shown:
    """How much of a gradient at the end arrives at each earlier step."""
    from rnncli.inspection.adapters import adapter_of
    from rnncli.inspection.flow import flow
    from rnncli.inspection.memory import comparison, require_same_steps
    from rnncli.inspection.memory import memory as of_cell

    if look.other is None:
        found = [of_cell(cell, look.flow) for cell in look.flow.cells]
        shown: list[Any] = []
        for one in found:
            shown += [one.view(None if look.full else STEPS), one.pairs()]
        return Shown(shown, [one.document for one in found], notes=_of_the_loss(look.flow.loss))
    name, other = look.other
    require_same_steps(look.model, other, (look.name, name))
    # The same input and the same label: a prediction may be another one.
    text = look.text if look.text is not None else look.model.example
    beside = flow(adapter_of(other).open(text, look.label or look.answer))
    first, second = of_cell(look.flow.cell(), look.flow), of_cell(beside.cell(), beside)
    view = comparison(first, second, (look.name, name), None if look.full else STEPS)
    notes = [f"{called}: {one.vanished}" for called, one in ((look.name, first), (name, second)) if one.vanished]
    return Shown([view], {look.name: first.document, name: second.document}, notes=notes)


def why(look: Look) -> Shown:
    """Which parts of the input made the answer."""
    from rnncli.inspection.adapters import adapter_of
    from rnncli.inspection.loss import GIVEN, PREDICTION
    from rnncli.inspection.why import why as ask

    found = ask(adapter_of(look.model).question(look.text, look.answer))
    notes = [found.saturation] if found.saturated else []
    if look.label is not None and look.answer is None and look.label.text is not None:
        notes.append(f"{look.label.origin} has the label {look.label.text}: what is explained is the prediction")
    if found.flip_text is not None and found.flip_explains:
        short = len(found.flip_text) <= SHORT_TEXT
        notes += [f"the same without them{f': {found.flip_text}' if short else ' is flip_text of --json'}"]
    document = found.document() | {"answer_from": GIVEN if look.answer is not None else PREDICTION}
    return Shown([found.view(None if look.full else PARTS)], document, notes=notes)


def by_hand(look: Look) -> Shown:
    """One example worked with every number."""
    from rnncli.inspection.adapters import adapter_of
    from rnncli.render.by_hand import as_latex, as_markdown, as_text

    found = adapter_of(look.model).by_hand(look.text, look.label or look.answer)
    written: dict[str, Callable[[int, bool], str]] = {
        "text": lambda width, ascii: as_text(found, width, ascii),
        "markdown": lambda width, ascii: as_markdown(found, ascii),
        "latex": lambda width, ascii: as_latex(found),
    }
    if look.form not in written:
        raise UsageError(f"--as {look.form}: {', '.join(written)} are the forms there are")
    return Shown([written[look.form]], found, notes=_of_the_loss(found.loss))


def check_gradients(look: Look) -> Shown:
    """Backpropagation against differences."""
    from rnncli.inspection.check import ENTRIES
    from rnncli.inspection.check import check_gradients as compare

    found = compare(look.opened, None if look.full else ENTRIES)
    document = {"passed": found.passed, "worst": found.worst, "check": found}
    return Shown([found.view()], document, not found.passed, _of_the_loss(found.loss))


VIEWS: dict[str, Callable[[Look], Shown]] = {
    "gates": gates,
    "bptt": bptt,
    "memory": memory,
    "why": why,
    "by_hand": by_hand,
    "check_gradients": check_gradients,
}


def _of_the_loss(loss: float) -> list[str]:
    from rnncli.inspection.loss import vanished

    said = vanished(loss)
    return [said] if said else []


def _in_a_cell(look: Look) -> bool:
    return any(str(look.parameter).startswith(cell.name + "/") for cell in look.flow.cells)


def _chosen(look: Look, count: int, most_changing: Callable[[int], Sequence[int]], usual: int) -> list[int]:
    if look.full:
        return list(range(count))
    if look.units is not None:
        return parse_units(look.units, tuple(map(str, range(count))))
    if look.top is not None and not 1 <= look.top <= count:
        raise UsageError(f"--top must be at least 1 and at most {count}, not {look.top}")
    return sorted(most_changing(min(count, look.top or usual)))
