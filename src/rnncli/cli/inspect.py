"""``rnncli inspect``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnncli.cli import model_tables as views
from rnncli.cli.arguments import is_file, require_piped
from rnncli.cli.inspect_data import OfData, show
from rnncli.cli.inspect_label import OF_A_LOSS, label_of, note_label
from rnncli.cli.inspect_print import Drawn, print_shown
from rnncli.cli.options import parse_units
from rnncli.cli.predict import as_input
from rnncli.data.dataset import display_name
from rnncli.data.inputs import stream_inputs
from rnncli.errors import CheckFailedError, DataError, UsageError, counted
from rnncli.render.console import Output
from rnncli.render.json_out import print_json
from rnncli.render.tables import fits, print_pairs, print_table, svg
from rnncli.results import HeatMap, TableView

if TYPE_CHECKING:
    from rnncli.cli.inspect_views import Shown
    from rnncli.inspection.adapters import Adapter
    from rnncli.inspection.states import States
    from rnncli.tasks.model import Model

FIRST_UNITS = 6
EPOCHS_ON_A_SCREEN = 12


@dataclass(frozen=True)
class InspectRequest:
    """What the command line asks for."""

    sentence: str | None
    timesteps: bool
    units: str | None
    top: int | None
    model: str
    svg: str | None
    runs: str
    looks: tuple[str, ...] = ()  # of rnncli.cli.inspect_views, in their order there
    answer: str | None = None
    param: str | None = None
    full: bool = False
    map: bool = False
    compare: str | None = None
    form: str | None = None
    html: str | None = None
    text: str | None = None
    format: str | None = None
    encoding: str | None = None
    of_data: OfData | None = None


def inspect_command(request: InspectRequest, json: bool) -> None:
    """Shows the model's layers and record, or its states along a text."""
    output = Output()

    from rnncli.tasks.model import Model
    from rnncli.training.runs import find_model

    path = find_model(request.model, Path(request.runs))
    picture, page = request.svg, request.html
    model = Model.load(path)
    text = _text(output, model, request)
    failed = False
    shown: Drawn = []
    if request.of_data is not None:
        shown = show(output, model, path, text, request, request.of_data, json)
    elif request.looks or request.timesteps:
        shown, failed = _show_looks(output, model, path, text, request, json)
    elif page is None:
        shown = _show_model(output, model, str(path), json)
    if page is not None:
        from rnncli.cli.inspect_page import write_page

        label = label_of(model, path, text, request.answer)
        write_page(output, model, path, Path(page), text, label, json and not (request.looks or request.timesteps))
    if picture is not None:
        if not shown:
            raise UsageError("--svg draws tables and maps, and none was shown")
        from rnncli import storage

        storage.write_atomically(picture, svg(shown).encode())
        output.note(f"picture written to {picture}")
    if failed:
        raise CheckFailedError("the check has failed: see above", "please report it, with the model and the text")


def _show_looks(
    output: Output, model: Model, path: Path, text: str | None, request: InspectRequest, json: bool
) -> tuple[Drawn, bool]:
    """Shows what was asked for, one view after the other; says whether one of them found a fault."""
    from rnncli.cli.inspect_views import VIEWS, Look, Shown, another
    from rnncli.inspection.adapters import adapter_of
    from rnncli.tasks.model import Model

    adapter, other = adapter_of(model), None
    if request.compare is not None:
        other = request.compare, Model.load(another(request.compare, request.runs, path, "--compare"))
    chosen = (request.units, request.top, request.full, request.map, other, request.model, request.form or "text")
    of_a_loss = not OF_A_LOSS.isdisjoint(request.looks)
    label = label_of(model, path, text, request.answer) if of_a_loss or "why" in request.looks else None
    look = Look(model, text, request.answer, request.param, *chosen, label=label)
    found = {name: VIEWS[name](look) for name in request.looks}
    if request.timesteps:
        trace = adapter.trace(text)
        found = {"timesteps": Shown([_timesteps(output, trace, request)], trace.document())} | found
    _require_effect(adapter, request, found)
    shown = print_shown(output, found, json)
    if label is not None and of_a_loss and not json:
        note_label(output, model, text, label)
    cut = adapter.cut(adapter.text(text))
    if cut and not json:
        length = counted(model.settings.max_length, model.unit)
        output.note(f"only the {length} at either end are read: {cut:,} in the middle are left out", "yellow")
    if text is None and not json and output.is_terminal:
        output.note("the model's own example; another one is given as a text", "dim")
    return shown, any(one.failed for one in found.values())


def _require_effect(adapter: Adapter[Any], request: InspectRequest, found: Mapping[str, Shown]) -> None:
    """Refuses options that change nothing of what these views show of this model; see :mod:`rnncli.cli.uses`.

    Raises:
        UsageError: there is such an option.
    """
    if request.map and not any(isinstance(part, HeatMap) for one in found.values() for part in one.views):
        raise UsageError(
            "--map draws where a gradient comes from, and here it all comes from one timestep", "leave it out"
        )
    only_gates = request.html is None and request.looks == ("gates",)
    if request.answer is not None and only_gates and not adapter.answer_is_read:
        raise UsageError(
            f"--answer changes no state of a model of the task {adapter.model.task}",
            "leave it out, or add --bptt or --why",
        )


def _show_model(output: Output, model: Model, path: str, json: bool) -> list[TableView]:
    shown = [
        views.layers_view(model),
        views.record_view(
            model.record.epochs, EPOCHS_ON_A_SCREEN if output.is_terminal else None, model.record.best_epoch
        ),
    ]
    if json:
        print_json(output, _model_document(model, path))
        return shown
    print_pairs(output, "", views.model_pairs(model, path))
    for view in shown:
        if view.rows:
            output.write("\n")
            print_table(output, view)
    curves = views.record_curves(model.record.epochs)
    if curves and output.is_terminal:
        print_pairs(output, "", curves)
    return shown


def _text(output: Output, model: Model, request: InspectRequest) -> str | None:
    """The text itself; but of a file its first input, and says which that is.

    Raises:
        DataError: with file and line, where the model cannot read it.
    """
    sentence = request.sentence
    if sentence is None or not is_file(sentence):
        return sentence
    require_piped(sentence, "the text")
    first = next(stream_inputs(as_input(sentence, request.text, request.format, request.encoding), model.reads))
    problem = model.problem(first.text)
    if problem is not None:
        raise DataError(f"{first.place}: {problem}")
    if first.shown != sentence:
        said = first.text if first.shown is None else first.shown
        output.note(f"the first input of {display_name(sentence)}" + (f": {said}" if said else ""), "dim")
    return first.text


def _timesteps(output: Output, trace: States, request: InspectRequest) -> TableView:
    """The states at every timestep: of units that nobody has chosen so many as fit into the terminal."""
    units = _chosen_units(trace, request)
    view = trace.view(units)
    chosen = request.units is not None or request.top is not None
    if output.is_terminal and not chosen and request.svg is None:  # a picture is the same wherever it is made
        while len(units) > 1 and not fits(output, view):
            units = units[:-1]
            view = trace.view(units)
    return view


def _chosen_units(trace: States, request: InspectRequest) -> list[int]:
    if request.units is not None:
        return parse_units(request.units, trace.units)
    if request.top is not None:
        if not 1 <= request.top <= len(trace.units):
            raise UsageError(f"--top must be at least 1 and at most {len(trace.units)}, not {request.top}")
        return trace.most_changing(request.top)
    return list(range(min(FIRST_UNITS, len(trace.units))))


def _model_document(model: Model, path: str) -> dict[str, Any]:
    shapes = model.network.shapes()
    return {
        "model": path,
        "task": model.task,
        **model.facts(),
        "settings": model.settings.as_dict(),
        "layers": [{"name": name, "shape": shape} for name, shape in shapes.items()],
        "record": model.record,
        "example": model.example,
    }
