"""``rnncli predict``."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import typer

from rnncli.clean import clean, inert
from rnncli.cli.arguments import options
from rnncli.cli.arguments.checked import checked
from rnncli.cli.arguments.command import Call, command
from rnncli.cli.arguments.inputs import files_among, model_of, refuse_reading, require_piped, source_of
from rnncli.cli.arguments.options import DEFAULT_RUNS, AnyPath, quiet
from rnncli.data.formats.registry import is_array
from rnncli.errors import DataError, UsageError, counted
from rnncli.render.console import Output

if TYPE_CHECKING:
    from rnncli.data.dataset import Source
    from rnncli.tasks.model import Model, Prediction

Length = Annotated[int | None, typer.Option("--length", metavar="N", min=1, help="How many tokens to generate. [200]")]
Temperature = Annotated[
    float | None,
    typer.Option(
        "--temperature",
        metavar="X",
        min=0.0,
        max=100.0,
        help="Sampling temperature; 0 takes the most probable token. [1]",
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

BYTES_A_TEXT = 500  # a guess, by which a file is or is not worth more than one process


@checked()
def predict(
    texts: AnyPath | Iterable[AnyPath],
    model: options.ModelName = "latest",
    *,
    length: Length = None,
    temperature: Temperature = None,
    seed: Seed = None,
    beam: options.Beam = None,
    workers: options.Workers = 1,
    runs: options.Runs = DEFAULT_RUNS,
    on_start: Callable[[Model], object] = quiet,
    on_prediction: Callable[[Any], object] | None = None,
    on_pause: Callable[[], object] = quiet,
    **reading: Unpack[options.InputReading],
) -> list[Any]:
    """Returns a model's predictions, one for each input, in the order of the inputs.

    Args:
        texts: a list of texts, or of paths of data files; or one text, or the name of a file.
        model: or its name: ``latest``, a run, ``RUN@EPOCH``, a file.
        length, temperature, seed: how a language model continues a text.
        beam: width of the beam search, where texts are generated.
        workers: processes that share a file; None for as many as help.
        runs: where models are found by name.
        on_start: takes the model, before the first prediction.
        on_prediction: takes each prediction as soon as it is made; then an empty list is returned.
        on_pause: called when a pipe is empty for now, and every input so far has its prediction.
        reading: how to read the file; see :class:`rnncli.cli.arguments.options.InputReading`.

    Raises:
        RnncliError: of every kind but DivergedError.
    """
    format = reading.get("format")
    sampling = {"length": length, "temperature": temperature, "seed": seed, "beam": beam}
    if temperature == 0 and seed is not None:
        raise UsageError("--seed chooses random numbers, and --temperature 0 uses none", "leave one of them out")
    if isinstance(texts, str):
        texts = [Path(file) for file in files_among([texts], format)] or [texts]
    elif isinstance(texts, os.PathLike):
        texts = [texts]
    paths = [os.fspath(one) for one in texts if isinstance(one, os.PathLike)] if isinstance(texts, Sequence) else []
    if all(format is None and is_array(path) for path in paths):
        refuse_reading("these are texts", reading)
    # The model refuses an option that is not for its task.
    asked = model_of(model, runs).with_options(**{name: value for name, value in sampling.items() if value is not None})
    on_start(asked)
    found: list[Any] = []
    show = on_prediction or found.append
    if paths:
        sources = [source_of(path, reading, inputs=True) for path in paths]
        _predict_files(asked, sources, workers, show, on_pause)
    else:
        for prediction in asked.predict_stream(texts):  # type: ignore[arg-type]  # which checks them
            show(prediction)
    return found


def predict_command(
    call: Call,
    work: Callable[..., list[Any]],
    texts: TextArguments,
    workers: options.Workers = None,
    format: options.Format = None,
    spreadsheet_safe: SpreadsheetSafe = False,
    json: options.Json = False,
) -> None:
    """
    \b
    rnncli predict "movie was good" "not bad at all"
    rnncli predict new.csv --json      one JSON object a line
    rnncli predict "To be" --length 99 a language model goes on with the text
    cat lines.txt | rnncli predict -   one text a line

    In a pipe, a classifier writes label, probability, unknown words and text, separated by tabs.
    """
    from rnncli.cli.show import warnings_shown
    from rnncli.render.tables import print_table

    output = call.output
    if spreadsheet_safe and json:
        raise UsageError("--spreadsheet-safe is for lines of a table, and --json prints none", "leave one of them out")
    files = files_among(texts, format)
    for file in files:
        require_piped(file, "the texts")
    if spreadsheet_safe and output.is_terminal:
        raise UsageError("--spreadsheet-safe is for a file, and this is a terminal", "send the output to one: > FILE")
    inputs: list[Any] = [Path(file) for file in files] or texts
    models: list[Model] = []
    ask = partial(work, inputs, workers=workers, format=format, on_start=models.append)
    if files or json or not output.is_terminal:
        lines = _Lines(output, json, spreadsheet_safe)
        with warnings_shown(output):
            ask(
                on_prediction=lambda prediction: lines.show_rows(models[0].rows_of(prediction)),
                on_pause=output.stdout.flush,
            )
        cut = lines.cut
        if spreadsheet_safe:
            cells = counted(lines.quoted, "cell that a spreadsheet", "cells that a spreadsheet")
            output.note(f"a ' stands before {cells} would take for a formula", "dim")
    else:
        predictions = ask()
        for view in models[0].shown(predictions):
            print_table(output, view)
        cut = sum(prediction.cut > 0 for prediction in predictions)
    if cut and not json:
        read = counted(models[0].settings.max_length, models[0].unit)
        output.note(
            f"{counted(cut, 'text is', 'texts are')} longer than the {read} that this model reads; "
            f"{'its' if cut == 1 else 'their'} middle was left out"
        )


COMMAND = partial(command, predict, predict_command)


def _predict_files(
    model: Model,
    sources: Sequence[Source],
    workers: int | None,
    show: Callable[[Any], object],
    on_pause: Callable[[], object],
) -> None:
    """Predicts chunks of inputs, in order; where the input pauses, those so far are predicted without waiting for more.

    Raises DataError, with file and line, where the model cannot read an input.
    """
    from rnncli.data.inputs import stream_inputs
    from rnncli.parallel.chunks import map_chunks
    from rnncli.tasks.model import CHUNK, chunks_of

    # Of the inputs without a prediction yet the names, None to show an input as it is, and the last times.
    names: deque[tuple[str | None, tuple[str, ...]]] = deque()
    waiting: list[Any] = []
    done = 0  # inputs that are predicted, or are being predicted

    def numbered(texts: list[Any]) -> tuple[list[Any], int]:
        nonlocal done
        done += len(texts)
        return texts, done - len(texts)

    def show_all(predictions: Iterable[Any]) -> None:
        for prediction in predictions:
            name, times = names.popleft() if names else (None, ())
            prediction = prediction if name is None else replace(prediction, text=name)
            show(model.dated(prediction, times) if times else prediction)

    def predict_waiting() -> None:
        chunk, waiting[:] = waiting[:], []
        show_all(model.predict_stream(*numbered(chunk)))

    def pause() -> None:
        if waiting:
            predict_waiting()
            on_pause()

    def texts(before_waiting: Callable[[], object]) -> Iterator[Any]:
        for source in sources:
            purpose = model.purpose("rnncli predict")
            how: dict[str, Any] = {"parts_of": model.parts_of, "roles": model.roles}
            for input in stream_inputs(source, model.reads, before_waiting, purpose, model.inputs, **how):
                problem = model.problem(input.value)
                if problem is not None:
                    raise DataError(f"{input.place}: {problem}")
                names.append((input.shown, input.times))
                yield input.value

    count = _workers(sources, workers)
    if count > 1:
        chunks = map(numbered, chunks_of(texts(quiet), CHUNK))
        for predictions in map_chunks(lambda part: model.predict(*part), chunks, count):
            show_all(predictions)
        return
    for text in texts(pause):
        waiting.append(text)
        if len(waiting) == CHUNK:
            predict_waiting()
    pause()


def _workers(sources: Sequence[Source], most: int | None) -> int:
    """How many processes predict: one where the input may pause, or is small."""
    from rnncli.parallel.processes import helpful_workers

    paths = [source.path for source in sources]
    if not all(map(os.path.isfile, paths)):
        return 1
    return most or helpful_workers(sum(map(os.path.getsize, paths)) // BYTES_A_TEXT)


class _Lines:
    """Prints predictions as lines for a pipe or a terminal, or as JSON.

    Attributes:
        cut: inputs so far whose middle was not read.
        quoted: cells behind a ``'``, for a spreadsheet.
    """

    def __init__(self, output: Output, json: bool, spreadsheet_safe: bool) -> None:
        self.cut = self.quoted = 0
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
        if self._json:
            print_json(self._output, prediction)
        elif self._width is None:
            self._output.write("\t".join(map(self._field, prediction.fields())) + "\n")
        else:
            self._output.write(self._output.encodable(prediction_line(prediction.brief(), self._width)) + "\n")
