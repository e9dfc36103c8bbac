"""``rnncli predict``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import typer

from rnncli.clean import clean, inert
from rnncli.cli.answers import Destination, MoreColumns
from rnncli.cli.arguments import options
from rnncli.cli.arguments.checked import checked
from rnncli.cli.arguments.command import Call, command
from rnncli.cli.arguments.inputs import STDIN, files_among, found_model, refuse_reading, require_piped, source_of
from rnncli.cli.arguments.options import DEFAULT_RUNS, AnyPath, quiet
from rnncli.cli.arguments.paths import check_output, suffixes_of
from rnncli.cli.predictions import Answer, Asking
from rnncli.data.formats.registry import is_array
from rnncli.errors import UsageError, counted
from rnncli.render.console import Output

if TYPE_CHECKING:
    from rnncli.tasks.model import Model, Prediction

Length = Annotated[int | None, typer.Option("--length", metavar="N", min=1, help="How many tokens to generate. [200]")]
Temperature = Annotated[
    float | None,
    typer.Option(
        "--temperature",
        metavar="X",
        min=0.0,
        max=100.0,
        help="Sample; 0 takes the most probable token. [1 for lm; others search]",
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", min=0, help="Seed for sampling. [0]")]
TextArguments = Annotated[
    options.TextsOrFiles, typer.Argument(metavar="TEXT|FILE", help="Texts, data files, or - for stdin.")
]
SpreadsheetSafe = Annotated[
    bool,
    typer.Option("--spreadsheet-safe", help="Put a ' before anything that a spreadsheet would take for a formula."),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        metavar="X",
        min=0.0,
        max=1.0,
        help="Probability from which a label, or the second of two, is given.",
    ),
]
MinProbability = Annotated[
    float | None,
    typer.Option("--min-probability", metavar="X", min=0.0, max=1.0, help="Say (unsure) for a lower probability."),
]
Probabilities = Annotated[bool, typer.Option("--probabilities", help="Give each label a column with its probability.")]
Top = Annotated[
    int | None, typer.Option("--top", metavar="K", min=1, help="Give the K most probable labels columns of their own.")
]


@checked()
def predict(
    texts: AnyPath | Iterable[AnyPath],
    model: options.ModelName = "latest",
    *,
    output: options.AnswersFile = None,
    probabilities: Probabilities = False,
    top: Top = None,
    vectors: options.VectorsFile = None,
    threshold: Threshold = None,
    min_probability: MinProbability = None,
    length: Length = None,
    temperature: Temperature = None,
    seed: Seed = None,
    beam: options.Beam = None,
    workers: options.Workers = 1,
    engine: options.Engine = "auto",
    runs: options.Runs = DEFAULT_RUNS,
    force: options.Force = False,
    spreadsheet_safe: SpreadsheetSafe = False,
    note: options.Note = quiet,
    on_start: Callable[[Model], object] = quiet,
    on_prediction: Callable[[Any], object] | None = None,
    on_pause: Callable[[], object] = quiet,
    on_end: Callable[[Destination], object] = quiet,
    **reading: Unpack[options.InputReading],
) -> list[Any]:
    """Returns a model's predictions, one for each input, in the order of the inputs.

    Args:
        texts: a list of texts, or of paths of data files; or one text, or the name of a file.
        model: or its name: ``latest``, a run, ``RUN@EPOCH``, a file.
        output: a file for the inputs and their predictions, a row each: .csv, .tsv, .jsonl or .parquet. It has all
            columns of the inputs, and of an input that cannot be read says why; its prediction is None.
        probabilities: whether ``output`` has a column with the probability of each label.
        top: how many of the most probable labels it has columns for.
        vectors: a file for what the network reads each input as: .npy, or .csv with the line of each.
        threshold: of a classifier with two labels, the probability from which the second is predicted; where a text
            has several labels, that from which each is.
        min_probability: a prediction of a lower one is ``(unsure)``.
        length: how many tokens a language model adds.
        temperature, seed: how tokens are drawn; without a temperature seq2seq and caption search for the most probable
            text.
        beam: width of the beam search, where texts are generated.
        workers: processes that share a file; None for as many as help.
        engine: what computes: ``compiled``, ``numpy``, or ``auto`` for the compiled engine where it is there.
        runs: where models are found by name.
        force: whether ``output`` and ``vectors`` are overwritten.
        spreadsheet_safe: whether a ``'`` is put before texts in ``output`` that are formulas for a spreadsheet.
        note: takes a sentence on which model answers, where it is not named, and its style.
        on_start: takes the model, before the first prediction.
        on_prediction: takes each prediction as soon as it is made; then an empty list is returned.
        on_pause: called when a pipe is empty for now, and every input so far has its prediction.
        on_end: takes what is to be said of the files that were written.
        reading: how to read the file; see :class:`rnncli.cli.arguments.options.InputReading`.

    Raises:
        RnncliError: of every kind but DivergedError.
    """
    from rnncli.training.engines import computing
    from rnncli.training.runs import LATEST, of_file

    format = reading.get("format")
    choices = {"length": length, "temperature": temperature, "seed": seed, "beam": beam}
    choices |= {"threshold": threshold, "min_probability": min_probability}
    if temperature == 0 and seed is not None:
        raise UsageError("--seed chooses random numbers, and --temperature 0 uses none", "leave one of them out")
    if isinstance(texts, str):
        texts = [Path(file) for file in files_among([texts], format)] or [texts]
    elif isinstance(texts, os.PathLike):
        texts = [texts]
    paths = [os.fspath(one) for one in texts if isinstance(one, os.PathLike)] if isinstance(texts, Sequence) else []
    if all(format is None and is_array(path) for path in paths):
        refuse_reading("these are texts", reading)
    files = _outputs(output, vectors, paths, bool(force))
    sources = [source_of(path, reading, inputs=True) for path in paths]
    if spreadsheet_safe and (files[0] or ".jsonl").lower().endswith((".jsonl", ".parquet")):
        raise UsageError("--spreadsheet-safe is for a .csv or .tsv file", "leave it out, or name such a file")
    with computing(engine):
        # The model refuses an option that is not for its task.
        loaded, path, name = found_model(model, runs)
        if path is not None and name == LATEST:
            data = loaded.record.data
            note(f"answered by {of_file(path).named}" + (f", trained on {data}" if data else ""), "dim")
        asked = loaded.with_options(**{name: value for name, value in choices.items() if value is not None})
        more = MoreColumns(asked, bool(probabilities), top)
        on_start(asked)
        found: list[Any] = []
        show = on_prediction or found.append
        if not any(files):
            if paths:
                Asking(asked, lambda answer: show(answer.prediction), on_pause).about_files(sources, workers)
            else:
                for prediction in asked.predict_stream(texts):  # type: ignore[arg-type]  # which checks them
                    show(prediction)
            return found
        with Destination(asked, *files, more, sources, bool(spreadsheet_safe)) as written:

            def answered(answer: Answer) -> None:
                written.add(answer, asking)
                if output is not None:
                    show(answer.prediction)

            asking = Asking(asked, answered, keep=True, predictions=output is not None, vectors=vectors is not None)
            if paths:
                asking.about_files(sources, workers)
            else:
                asking.about_texts(texts)
            written.finish(asking)
            on_end(written)
    return found


def _outputs(
    output: AnyPath | None, vectors: AnyPath | None, paths: Sequence[str], force: bool
) -> tuple[str | None, str | None]:
    """The files to write.

    Raises:
        UsageError: one cannot be.
    """
    files = [None if one is None else os.fspath(one) for one in (output, vectors)]
    for name, path, annotation in zip(
        ("output", "vectors"), files, (options.AnswersFile, options.VectorsFile), strict=True
    ):
        if path is not None:
            check_output(name, path, [one for one in paths if one != STDIN], suffixes_of(annotation), force)
            folder = next(filter(os.path.isdir, paths), None)
            if folder is not None:
                raise UsageError(
                    f"--{name} writes a row for each of a file, and {folder} is a folder", "name its files"
                )
    return files[0], files[1]


def predict_command(
    call: Call,
    work: Callable[..., list[Any]],
    texts: TextArguments,
    output: options.AnswersFile = None,
    probabilities: Probabilities = False,
    top: Top = None,
    vectors: options.VectorsFile = None,
    workers: options.Workers = None,
    format: options.Format = None,
    spreadsheet_safe: SpreadsheetSafe = False,
    json: options.Json = False,
) -> None:
    """
    \b
    rnncli predict "movie was good" "not bad at all"
    rnncli predict new.csv --json      one JSON object a line
    rnncli predict new.csv -o out.csv  its columns, and the predictions
    rnncli predict "To be" --length 99 a language model goes on with the text
    cat lines.txt | rnncli predict -   one text a line

    In a pipe, a classifier writes label, probability, unknown words and text, separated by tabs.
    """
    from rnncli.cli.show import warnings_shown
    from rnncli.data.formats.sources import is_path
    from rnncli.render.console import WARNING
    from rnncli.render.tables import print_table

    out = call.output
    if spreadsheet_safe and json:
        raise UsageError("--spreadsheet-safe is for lines of a table, and --json prints none", "leave one of them out")
    files = files_among(texts, format)
    for file in files:
        require_piped(file, "the texts")
    for text in texts if not files else []:
        if is_path(text):
            out.note(f"'{clean(text)}' is taken as a text; the file of this name is read with --format")
    to_files = output is not None or vectors is not None
    if spreadsheet_safe and out.is_terminal and not to_files:
        raise UsageError("--spreadsheet-safe is for a file, and this is a terminal", "send the output to one: > FILE")
    inputs: list[Any] = [Path(file) for file in files] or texts
    models: list[Model] = []
    ask = partial(work, inputs, workers=workers, format=format, on_start=models.append, note=out.note)
    ask = partial(ask, probabilities=probabilities, top=top)
    if to_files:
        written: list[Destination] = []
        counted_cut = _Cut()
        how: dict[str, Any] = {"output": output, "vectors": vectors, "spreadsheet_safe": spreadsheet_safe}
        with warnings_shown(out):
            ask(on_prediction=counted_cut, on_end=written.append, **how)
        cut = counted_cut.cut
        if json:
            from rnncli.render.json_out import print_json

            print_json(out, written[0].summary())
        else:
            for note in written[0].notes():
                out.note(note)
            for warning in written[0].warnings():
                out.note(clean(warning), WARNING)
    elif files or json or not out.is_terminal:
        lines = _Lines(out, json, spreadsheet_safe, lambda: MoreColumns(models[0], probabilities, top))
        with warnings_shown(out):
            ask(
                on_prediction=lambda prediction: lines.show_rows(models[0].rows_of(prediction)),
                on_pause=out.stdout.flush,
            )
        cut = lines.cut
        if spreadsheet_safe:
            cells = counted(lines.quoted, "cell that a spreadsheet", "cells that a spreadsheet")
            out.note(f"a ' stands before {cells} would take for a formula", "dim")
    else:
        predictions = ask()
        more = MoreColumns(models[0], probabilities, top)
        views = [more.view(predictions, models[0].columns)] if more.names else models[0].shown(predictions)
        for view in views:
            print_table(out, view)
        cut = sum(prediction.cut > 0 for prediction in predictions)
    if cut and not json:
        read = counted(models[0].settings.max_length, models[0].unit)
        out.note(
            f"{counted(cut, 'text is', 'texts are')} longer than the {read} that this model reads; "
            f"{'its' if cut == 1 else 'their'} middle was left out"
        )


COMMAND = partial(command, predict, predict_command)


class _Cut:
    """Counts predictions of inputs whose middle was not read."""

    def __init__(self) -> None:
        self.cut = 0

    def __call__(self, prediction: Any) -> None:
        self.cut += prediction is not None and prediction.cut > 0


class _Lines:
    """Prints predictions as lines for a pipe or a terminal, or as JSON.

    Attributes:
        cut: inputs so far whose middle was not read.
        quoted: cells behind a ``'``, for a spreadsheet.
    """

    def __init__(self, output: Output, json: bool, spreadsheet_safe: bool, more: Callable[[], MoreColumns]) -> None:
        self.cut = self.quoted = 0
        self._more_of = more
        self._output, self._json = output, json
        self._field = self._inert if spreadsheet_safe else clean
        self._width = output.width if output.is_terminal and not json else None

    def _inert(self, text: str) -> str:
        cell = inert(text)
        self.quoted += cell != clean(text)
        return cell

    def show_rows(self, predictions: Iterable[Prediction]) -> None:
        for prediction in predictions:
            self.show(prediction)

    def show(self, prediction: Prediction) -> None:
        from rnncli.render.json_out import print_json
        from rnncli.render.tables import prediction_line

        self.cut += prediction.cut > 0
        more = self._more
        if self._json and more.top:
            print_json(self._output, more.document(prediction))
        elif self._json:
            print_json(self._output, prediction)
        elif self._width is None:
            fields = prediction.fields()
            if more.names:
                fields = more.beside(fields, more.texts(prediction))
            self._output.write("\t".join(map(self._field, fields)) + "\n")
        else:
            answer, text, note = prediction.brief()
            if more.names:
                answer = more.beside(answer, more.texts(prediction))
            self._output.write(self._output.encodable(prediction_line((answer, text, note), self._width)) + "\n")

    @cached_property
    def _more(self) -> MoreColumns:
        """Known once there is a prediction."""
        return self._more_of()


PANELS = {
    "Model": "model workers engine runs",
    "Answers": "probabilities",
    "Generated texts": "length",
    "How the data are read": "text",
    "Output": "output force spreadsheet_safe json help",
}
