"""``rnncli inspect``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnncli.cli.inspect_data import OfData, refuse_what_says_nothing, show
from rnncli.cli.inspect_print import Drawn, print_shown
from rnncli.cli.options import output_path, parse_units
from rnncli.cli.predict import is_file
from rnncli.data.dataset import Source
from rnncli.data.inputs import stream_inputs
from rnncli.errors import CheckFailedError, DataError, UsageError, counted
from rnncli.render import views
from rnncli.render.console import Output
from rnncli.render.json_out import print_json
from rnncli.render.tables import print_pairs, print_table, svg
from rnncli.views import TableView

if TYPE_CHECKING:
    from rnncli.inspection.states import States
    from rnncli.model import Model

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
    force: bool
    runs: str
    looks: tuple[str, ...] = ()  # of rnncli.cli.inspect_views, in their order there
    answer: str | None = None
    param: str | None = None
    full: bool = False
    map: bool = False
    compare: str | None = None
    form: str | None = None
    html: str | None = None
    of_data: OfData | None = None


def inspect_command(request: InspectRequest, json: bool) -> None:
    """Shows the model's layers and record, or its states along a text."""
    output = Output()
    _refuse_what_says_nothing(request, json)

    from rnncli.model import Model
    from rnncli.training.runs import find_model

    path = find_model(request.model, Path(request.runs))
    picture = output_path(request.svg, request.force, (str(path),)) if request.svg is not None else None
    page = output_path(request.html, request.force, (str(path),)) if request.html is not None else None
    model = Model.load(path)
    text = _text(output, model, request.sentence)
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

        write_page(output, model, path, page, text, request.answer, json and not (request.looks or request.timesteps))
    if picture is not None:
        if not shown:
            raise UsageError("--svg draws tables and maps, and none was shown")
        from rnncli import storage

        storage.write_atomically(picture, svg(shown).encode())
        output.note(f"picture written to {request.svg}")
    if failed:
        raise CheckFailedError("the check has failed: see above", "please report it, with the model and the text")


def _refuse_what_says_nothing(request: InspectRequest, json: bool) -> None:
    """Raises UsageError: an option is given without the one that it says more of."""
    if request.of_data is not None:
        refuse_what_says_nothing(request, request.of_data)
    of_text = request.timesteps or request.looks or request.of_data is not None
    if request.html is not None and request.svg is not None and (not of_text or request.html == request.svg):
        raise UsageError("--svg draws the tables that are shown, in a file of its own", "add --timesteps, --gates, …")
    if request.sentence is not None and not of_text and request.html is None:
        raise UsageError("a text needs to know what to show of it", "add --timesteps, --gates, --bptt, --why, …")
    if (request.units is not None or request.top is not None) and not (request.timesteps or "gates" in request.looks):
        raise UsageError(
            "--units and --top choose among hidden states, which are not shown", "add --timesteps or --gates"
        )
    if request.svg is not None and request.looks == ("by_hand",) and not request.timesteps:
        raise UsageError("--svg draws tables, and --by-hand is none", "--as latex makes a document to print")
    if request.form is not None and json:
        raise UsageError("--as says how --by-hand is written, and --json is another way", "leave one of them out")
    if request.units is not None and request.top is not None:
        raise UsageError("--units and --top are two ways to choose the units: give one of them")
    for option, given, needed in (
        ("--param", request.param, "bptt"),
        ("--compare", request.compare, "memory"),
        ("--as", request.form, "by_hand"),
    ):
        if given is not None and needed not in request.looks:
            name = needed.replace("_", "-")
            raise UsageError(f"{option} says more of --{name}, which is not shown", f"add --{name}")
    answered = request.answer is not None and request.html is None
    if (request.full or request.map or answered) and not request.looks and request.of_data is None:
        raise UsageError(
            "--full, --map and --answer are for --gates, --bptt, --memory, --why, --by-hand and --check-gradients"
        )


def _show_looks(
    output: Output, model: Model, path: Path, text: str | None, request: InspectRequest, json: bool
) -> tuple[Drawn, bool]:
    """Shows what was asked for, one view after the other; says whether one of them found a fault."""
    from rnncli.cli.inspect_views import VIEWS, Look, Shown, another
    from rnncli.model import Model

    other = None
    if request.compare is not None:
        other = request.compare, Model.load(another(request.compare, request.runs, path, "--compare"))
    chosen = (request.units, request.top, request.full, request.map, other, request.model, request.form or "text")
    look = Look(model, text, request.answer, request.param, *chosen)
    found = {name: VIEWS[name](look) for name in request.looks}
    if request.timesteps:
        trace = model.trace(text)
        found = {"timesteps": Shown([trace.view(_chosen_units(trace, request))], trace)} | found
    shown = print_shown(output, found, json)
    cut = model.cut(model.example if text is None else text)
    if cut and not json:
        length = counted(model.settings.max_length, model.unit)
        output.note(f"only the {length} at either end are read: {cut:,} in the middle are left out", "yellow")
    if text is None and not json and output.is_terminal:
        output.note("the model's own example; another one is given as a text", "dim")
    return shown, any(one.failed for one in found.values())


def _show_model(output: Output, model: Model, path: str, json: bool) -> list[TableView]:
    shown = [
        views.layers_view(model),
        views.record_view(model.record.epochs, EPOCHS_ON_A_SCREEN if output.is_terminal else None),
    ]
    if json:
        print_json(output, _model_document(model, path))
        return shown
    print_pairs(output, "", views.model_pairs(model, path))
    for view in shown:
        if view.rows:
            output.write("\n")
            print_table(output, view)
    return shown


def _text(output: Output, model: Model, sentence: str | None) -> str | None:
    """The text itself; but of a file of numbers, which nobody types, the first input.

    Raises:
        DataError: with file and line, where the model cannot read it.
    """
    if sentence is None or sentence == "-" or model.reads is None or not is_file(sentence):
        return sentence
    first = next(stream_inputs(Source(sentence), model.reads))
    problem = model.problem(first.text)
    if problem is not None:
        raise DataError(f"{first.place}: {problem}")
    if first.shown != sentence:
        output.note(f"the first input of {sentence}" + (f": {first.shown}" if first.shown else ""), "dim")
    return first.text


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
