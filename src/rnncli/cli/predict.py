"""``rnncli predict``."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnncli.clean import clean, inert
from rnncli.cli import model_tables as views
from rnncli.cli.arguments import files_among, require_piped
from rnncli.cli.notices import say_what_is_logged
from rnncli.data.dataset import Source
from rnncli.data.inputs import stream_inputs
from rnncli.errors import DataError, UsageError, counted
from rnncli.render.console import Output
from rnncli.render.json_out import print_json
from rnncli.render.tables import print_table

if TYPE_CHECKING:
    from rnncli.tasks.model import Model, Prediction

# A guess at the length of a text, to tell whether more processes than one are worth their start.
BYTES_A_TEXT = 500


@dataclass(frozen=True)
class PredictRequest:
    """What the command line asks for."""

    texts: list[str]
    model: str
    text: str | None
    format: str | None
    encoding: str
    runs: str
    how: dict[str, Any] = field(default_factory=dict)  # options that are for some tasks only, as far as they were given
    spreadsheet_safe: bool = False
    workers: int | None = None  # processes at most; None for as many as help


def predict_command(request: PredictRequest, json: bool) -> None:
    """Prints one answer for each text, as it is known."""
    output = Output()
    texts = list(request.texts)
    files = files_among(texts, request.format)
    if "-" in files:
        require_piped("-", "the texts")
    if request.spreadsheet_safe and output.is_terminal:
        raise UsageError("--spreadsheet-safe is for a file, and this is a terminal", "send the output to one: > FILE")

    from rnncli.tasks.model import CHUNK, Model, chunks_of
    from rnncli.training.runs import find_model

    model = Model.load(find_model(request.model, Path(request.runs))).answering(**request.how)
    if files or json or not output.is_terminal:
        stream = _Stream(output, model, CHUNK, json, request.spreadsheet_safe)
        workers = _workers(files, request.workers)
        if workers > 1:
            from rnncli.parallel.chunks import map_chunks

            say_what_is_logged(output)
            read = chain.from_iterable(_texts_of(request, model, path, stream, _do_nothing) for path in files)
            for predictions in map_chunks(lambda part: model.predict(*part), _numbered(chunks_of(read)), workers):
                for prediction in predictions:
                    stream.show(prediction)
        else:
            read = chain.from_iterable(_texts_of(request, model, path, stream, stream.flush) for path in files)
            for text in read if files else texts:
                stream.add(text)
            stream.flush()
        cut = stream.cut
        if request.spreadsheet_safe:
            cells = counted(stream.quoted, "cell that a spreadsheet", "cells that a spreadsheet")
            output.note(f"a ' stands before {cells} would take for a formula", "dim")
    else:
        predictions = model.predict(texts)
        for view in model.shown(predictions):
            print_table(output, view)
        cut = sum(prediction.cut > 0 for prediction in predictions)
    if cut and not json:
        length = counted(model.settings.max_length, model.unit)
        output.note(
            f"{counted(cut, 'text is', 'texts are')} longer than the {length} that this model reads; "
            f"{'its' if cut == 1 else 'their'} middle was left out"
        )


def as_input(path: str, text: str | None, format: str | None, encoding: str | None) -> Source:
    """A file whose inputs are to be read, as the options say."""
    # Lines are the natural thing to pipe in; a header is asked for with --format csv or --text.
    format = format or ("text" if path == "-" and text is None else None)
    return Source(path, text, None, format, encoding or "utf-8")


def _texts_of(
    request: PredictRequest, model: Model, path: str, stream: _Stream, before_waiting: Callable[[], object]
) -> Iterable[str]:
    """What the model is to read; ``stream`` is told what to call each.

    Raises:
        DataError: with file and line, where the model cannot read an input.
    """
    source = as_input(path, request.text, request.format, request.encoding)
    for input in stream_inputs(source, model.reads, before_waiting, model.asker("rnncli predict")):
        problem = model.problem(input.text)
        if problem is not None:
            raise DataError(f"{input.place}: {problem}")
        stream.names.append(input.shown)
        yield input.text


def _workers(files: list[str], most: int | None) -> int:
    """How many processes are to answer: one where input may pause, or is soon done."""
    if not files or not all(os.path.isfile(path) for path in files):
        return 1
    from rnncli.parallel.processes import helpful_workers

    return most or helpful_workers(sum(os.path.getsize(path) for path in files) // BYTES_A_TEXT)


def _numbered(chunks: Iterable[list[str]]) -> Iterator[tuple[list[str], int]]:
    """Each chunk with the number of its first text."""
    first = 0
    for chunk in chunks:
        yield chunk, first
        first += len(chunk)


def _do_nothing() -> None:
    """Nobody waits for the answers to a file while it is read."""


class _Stream:
    """Answers texts in order, many at a time; but those that have come wait for no other when the input pauses."""

    def __init__(self, output: Output, model: Model, size: int, json: bool, spreadsheet_safe: bool = False) -> None:
        self.cut = 0  # texts so far that were not read whole
        self.names: deque[str | None] = deque()  # what to call those whose answers are still to come; None as they are
        self._output, self._model, self._size, self._json = output, model, size, json
        self.quoted = 0  # cells that were made inert for a spreadsheet
        self._field = self._inert if spreadsheet_safe else clean
        self._width = output.width if output.is_terminal and not json else None
        self._texts: list[str] = []
        self._answered = 0

    def add(self, text: str) -> None:
        self._texts.append(text)
        if len(self._texts) == self._size:
            self._answer()

    def flush(self) -> None:
        """Answers what has come so far, and sees to it that the answers arrive."""
        if self._texts:
            self._answer()
            self._output.stdout.flush()

    def _answer(self) -> None:
        texts, self._texts = self._texts, []
        first, self._answered = self._answered, self._answered + len(texts)
        for prediction in self._model.predict_stream(texts, first):
            self.show(prediction)

    def _inert(self, text: str) -> str:
        cell = inert(text)
        self.quoted += cell != clean(text)
        return cell

    def show(self, prediction: Prediction) -> None:
        self.cut += prediction.cut > 0
        name = self.names.popleft() if self.names else None
        if name is not None:
            prediction = replace(prediction, text=name)  # type: ignore[type-var]
        if self._json:
            print_json(self._output, prediction)
        elif self._width is None:
            self._output.write("\t".join(map(self._field, prediction.fields())) + "\n")
        else:
            self._output.write(self._output.encodable(views.prediction_line(prediction, self._width)) + "\n")
