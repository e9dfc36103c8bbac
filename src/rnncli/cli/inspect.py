"""``rnncli inspect``: the views of a model, those of the table in :mod:`rnncli.cli.views.table`."""

from __future__ import annotations

import inspect as signatures
import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import typer

from rnncli.cli.arguments import options
from rnncli.cli.arguments.checked import checked
from rnncli.cli.arguments.command import Call, command
from rnncli.cli.arguments.inputs import found_model, is_file, refuse_reading, require_piped, source_of
from rnncli.cli.arguments.options import DEFAULT_RUNS, READING, AnyPath, Note, is_given, quiet
from rnncli.cli.arguments.paths import Reads
from rnncli.cli.uses import check_options
from rnncli.cli.views import model as model_view
from rnncli.cli.views.table import VIEWS, Views
from rnncli.cli.views.view import Inspection, Subject, in_numpy
from rnncli.data.formats.registry import looks_like_data
from rnncli.errors import CheckFailedError, DataError, UsageError

if TYPE_CHECKING:
    from rnncli.results import TableView
    from rnncli.tasks.model import Model

Sentence = Annotated[
    AnyPath | Iterable[Any] | None,
    Reads(),
    typer.Argument(metavar="TEXT", help="A text, or a file: its first input."),
]
Answer = Annotated[
    str | None,
    typer.Option("--answer", metavar="ANSWER", help="The answer to explain. [the true label, else the prediction]"),
]
Param = Annotated[
    str | None, typer.Option("--param", metavar="NAME", help="The parameter whose gradient --bptt shows.")
]
Compare = Annotated[
    options.OtherModel, typer.Option("--compare", metavar="MODEL", help="Another model to compare --memory with.")
]
Sentences = Annotated[
    list[str] | None,
    Reads(),
    typer.Argument(metavar="TEXT", help="A text, or a file: its first input. With --doctor or --data: more files."),
]
Data = Annotated[
    options.InputFiles, typer.Option("--data", metavar="FILE", help="Data file for --activations and --diff.")
]
Units = Annotated[str | None, typer.Option("--units", metavar="LIST", help="Units to show, as 0,3-5.")]
Top = Annotated[int | None, typer.Option("--top", metavar="K", help="Show the K units that change most.")]
Full = Annotated[bool, typer.Option("--full", help="Show everything.")]
Map = Annotated[bool, typer.Option("--map", help="Heat maps in place of tables (--gates, --bptt).")]
Form = Annotated[str | None, typer.Option("--as", metavar="FORM", help="--by-hand as text, markdown or latex. [text]")]
Svg = Annotated[options.SvgFile, typer.Option("--svg", metavar="FILE", help="Write the tables as a picture (.svg).")]
Html = Annotated[
    options.HtmlFile, typer.Option("--html", metavar="FILE", help="Write all of it as one page for a browser (.html).")
]

# Sections of the help, each with the options that it begins with.
PANELS = {
    "Views of a text": "timesteps",
    "Views of a data file or of two models": "doctor",
    "What to look at": "answer param",
    "Tables": "units",
    "Output": "svg",
    "How the data are read": "text",
    "Options": "model help",
}


def view_options() -> list[signatures.Parameter]:
    """An option for each row of the table of views."""
    return [
        signatures.Parameter(
            view.name,
            signatures.Parameter.KEYWORD_ONLY,
            default=False if view.kind is bool else None,
            annotation=Annotated[
                view.kind,
                typer.Option(view.flag, *view.more_flags, metavar=view.metavar, help=view.help, show_default=False),
            ],
        )
        for view in VIEWS
    ]


class InspectOptions(Views, options.Reading, total=False):
    """The views, what they show, how much of it the tables show, and how a file is read."""

    param: Param
    compare: Compare
    units: Units
    top: Top
    full: Full
    map: Map
    form: Form


@checked(more=view_options)
@in_numpy
def inspect(
    sentence: Sentence = None,
    *,
    answer: Answer = None,
    data: Data = None,
    model: options.ModelName = "latest",
    runs: options.Runs = DEFAULT_RUNS,
    note: Note = quiet,
    fits: Callable[[TableView], bool] | None = None,
    **options: Unpack[InspectOptions],
) -> Inspection:
    """Opens a model up: what some views show of it, or without one its layers and its training record.

    Args:
        sentence: a text, words or numbers, as the model reads them, or a file: its first input; None for the model's
            own example.
        answer: whose loss and scores to show; None for the true label where that is known, or the prediction.
        data: a file, or several with the same columns, for ``activations`` and ``diff``.
        model: or its name: ``latest``, a run, ``RUN@EPOCH``, a file.
        runs: where models are found by name.
        note: takes a sentence on what is read, and its style.
        fits: whether a table fits on the screen.
        options: views, as ``gates=True`` or ``doctor="reviews.csv"``, and what else :class:`InspectOptions` has.

    Raises:
        RnncliError: of every kind but DivergedError.
    """
    given: dict[str, Any] = {name: value for name, value in options.items() if is_given(name, value)}
    chosen = [view for view in VIEWS if view.name in given]
    # Without a view, a text is there for its page.
    page = None if chosen else sentence
    check_options(given | {"sentence": sentence, "answer": answer, "data": data, "html": page})
    if data is not None:
        chosen = [view.of_data or view for view in chosen]
    files = [given[view.name] if view.file == "own" else data for view in chosen if view.file != "none"]
    chosen = chosen or [model_view.VIEW]
    reading = {name: given[name] for name in READING if name in given}
    opened, path, name = found_model(model, runs)
    subject = Subject(
        model=opened,
        path=path,
        name=name,
        runs=Path(runs),
        text=_text(sentence, opened, reading, note),
        answer=answer,
        of_label=any(view.label or view.loss for view in chosen),
        file=files[0] if files else None,
        reading=reading,
        note=note,
        fits=fits,
    )
    shown = {
        view: view.draw(subject, **{name: given[name] for name in view.keywords & given.keys()}) for view in chosen
    }
    found = Inspection(subject, shown, VIEWS)
    _require_effect(found, "map" in given)
    return found


def _text(sentence: AnyPath | Iterable[Any] | None, model: Model, reading: Mapping[str, Any], note: Note) -> str | None:
    """Returns an input as text; of a file the first one, and notes which that is.

    Raises:
        UsageError: the input is of a type that the model does not read.
        DataError: the model cannot read it, with file and line.
    """
    if sentence is None or (isinstance(sentence, str) and not is_file(sentence, reading.get("format"))):
        return sentence
    from rnncli.data.formats.sources import display_name
    from rnncli.data.formats.values import as_text
    from rnncli.data.inputs import stream_inputs

    if not isinstance(sentence, str | os.PathLike):
        refuse_reading("this is an input", reading)
        value = model.checked_input(sentence)
        problem = model.problem(value)
        if problem is not None:
            raise DataError(problem)
        return as_text(value)
    path = os.fspath(sentence)
    require_piped(path, "the text")
    source = source_of(path, reading, inputs=True)
    how: dict[str, Any] = {"purpose": model.purpose("rnncli inspect"), "inputs": model.inputs, "roles": model.roles}
    first = next(stream_inputs(source, model.reads, **how))
    problem = model.problem(first.value)
    if problem is not None:
        raise DataError(f"{first.place}: {problem}")
    if first.shown != path:
        name = as_text(first.value) if first.shown is None else first.shown
        note(f"the first input of {display_name(path)}" + (f": {name}" if name else ""), "dim")
    return as_text(first.value)


def _require_effect(found: Inspection, map: bool) -> None:
    """Refuses options that change nothing of what these views show of this model; see :mod:`rnncli.cli.uses`.

    Raises:
        UsageError: there is such an option.
    """
    undrawn = [one.no_map for view, one in found.shown.items() if "map" in view.keywords]
    if map and all(undrawn):
        raise UsageError(*undrawn[0])
    subject = found.subject
    read = subject.answer is None or subject.adapter.answer_is_read
    if not read and all(view.states for view in found.shown):
        raise UsageError(
            f"--answer changes no state of a model of the task {subject.model.task}",
            "leave it out, or add --bptt or --why",
        )


def inspect_command(
    call: Call,
    work: Callable[..., Inspection],
    sentence: Sentences = None,
    svg: Svg = None,
    html: Html = None,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """
    \b
    rnncli inspect                        layers, parameters, training record
    rnncli inspect --timesteps "so good"  the state after every word
    rnncli inspect --timesteps --top 8 --svg states.svg
    rnncli inspect --gates --map          every gate of every layer, as a picture
    rnncli inspect --bptt "so good"       ∂L/∂W, one term for each timestep
    rnncli inspect --memory --compare rnn how far back two models remember
    rnncli inspect --why "so good"        which words made the answer
    rnncli inspect "so good" --html so.html  all of it as one page
    rnncli inspect --by-hand --as latex   every number of a small network
    rnncli inspect --doctor reviews.csv   why is it stuck, and what to try
    rnncli inspect --diff gru "so good"   where two models differ
    rnncli inspect --activations 5 --data reviews.csv  where it is active
    """
    from rnncli.cli.show import note_label, show_inspection
    from rnncli.render.json_out import print_json
    from rnncli.render.tables import fits as fits_on
    from rnncli.storage import write_atomically

    output = call.output
    # A picture is the same wherever it is made.
    on_screen = partial(fits_on, output) if output.is_terminal and svg is None else None
    asked = _told_apart({**work.keywords, "sentence": sentence})  # type: ignore[attr-defined]
    found = work(**asked | {"note": output.note, "fits": on_screen})
    page_only = html is not None and list(found.shown) == [model_view.VIEW]
    if not page_only:
        show_inspection(output, found, json)
    if html is not None:
        from rnncli.render.html_page import html_page

        page = html_page(found.page, found.page_tables).encode()
        write_atomically(html, page)
        if page_only and json:
            print_json(output, found.page)
        else:
            note_label(output, found.subject)
        output.note(f"page written to {html}, {len(page) / 1000:,.0f} kB: open it in a browser")
    if svg is not None:
        if not found.drawn:
            raise UsageError("--svg draws tables and maps, and none was shown")
        from rnncli.render.svg import svg as svg_of

        write_atomically(svg, svg_of(found.drawn).encode())
        output.note(f"picture written to {svg}")
    if any(one.failed for one in found.shown.values()):
        raise CheckFailedError("the check has failed: see above", "please report it, with the model and the text")


def _told_apart(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of parameters, where words beside the options are a text, or more files for a view that reads one.

    Raises:
        UsageError: there are several texts.
    """
    given, words = dict(values), list(values["sentence"] or [])
    of_files = next((name for name in ("doctor", "data") if given.get(name)), None)
    if of_files is not None and all(looks_like_data(word) or os.path.exists(word) for word in words):
        given[of_files] = [*given[of_files], *words]
        words = []
    if len(words) > 1:
        raise UsageError("one text is opened at a time, and several are given", 'put it in quotes: "so good"')
    return given | {"sentence": words[0] if words else None}


def _check(values: Mapping[str, Any]) -> None:
    check_options(_told_apart(values))


COMMAND = partial(command, inspect, inspect_command, more=view_options, check=_check)
