"""``rnncli predict``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from rnncli.data.dataset import Source, is_path, stream_texts
from rnncli.errors import StorageError, UsageError
from rnncli.render import views
from rnncli.render.clean import clean
from rnncli.render.console import Output
from rnncli.render.json_out import print_json
from rnncli.render.tables import print_table

if TYPE_CHECKING:
    from rnncli.model import Prediction

DATA_SUFFIXES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".txt", ".gz")


@dataclass(frozen=True)
class PredictRequest:
    """What the command line asks for."""

    texts: list[str]
    model: str
    text: str | None
    format: str | None
    encoding: str
    runs: str


def predict_command(request: PredictRequest, json: bool) -> None:
    """Prints one answer for each text, as it is known."""
    output = Output()
    texts = list(request.texts)
    files = _files(texts)
    if "-" in files and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("stdin is a terminal: pipe the texts in, or give them as arguments")

    from rnncli.model import Model
    from rnncli.training.runs import find_model

    model = Model.load(find_model(request.model, Path(request.runs)))
    if files:
        read = chain.from_iterable(_texts_of(request, path) for path in files)
        _print_stream(output, model.predict_stream(read), json)
    elif json or not output.is_terminal:
        _print_stream(output, model.predict(texts), json)
    else:
        print_table(output, views.predictions_view(model.predict(texts)))


def _files(arguments: list[str]) -> list[str]:
    """The arguments, if they are files, else none.

    A single one is a file if there is one of that name; among several the name also has to end like that of a data
    file, for ``good`` and ``bad`` may be texts beside a folder called ``good``.

    Raises:
        StorageError: the only argument looks like a file, and is not there.
        UsageError: some are files and some are texts.
    """
    if len(arguments) == 1:
        return arguments if is_file(arguments[0]) else []
    files = [argument for argument in arguments if argument == "-" or (_ends_like_data(argument) and is_path(argument))]
    if files and len(files) < len(arguments):
        text = next(argument for argument in arguments if argument not in files)
        raise UsageError(f"{files[0]} is a file and '{text}' is none", "give texts, or files, but not both")
    return files


def is_file(argument: str) -> bool:
    """Whether the only argument is a file.

    Raises:
        StorageError: it looks like one, and is not there.
    """
    if is_path(argument):
        return True
    if _ends_like_data(argument) and not any(c.isspace() for c in argument):
        raise StorageError(f"{argument}: there is no such file")
    return False


def _ends_like_data(argument: str) -> bool:
    return argument.lower().endswith(DATA_SUFFIXES)


def _texts_of(request: PredictRequest, path: str) -> Iterable[str]:
    # Lines are the natural thing to pipe in; a header is asked for with --format csv or --text.
    format = request.format or ("text" if path == "-" and request.text is None else None)
    _, columns, rows = stream_texts(Source(path, request.text, None, format, request.encoding))
    return (row.values[columns.text] for row in rows)


def _print_stream(output: Output, predictions: Iterable[Prediction], json: bool) -> None:
    width = output.width if output.is_terminal and not json else None
    for prediction in predictions:
        if json:
            print_json(output, prediction)
        elif width is None:
            output.write("\t".join(_fields(prediction)) + "\n")
        else:
            label, probability, _, text = _fields(prediction)
            line = f"{clean(label, 20):<20} {probability:>6}  {text}"
            output.write(output.encodable(clean(line, width)) + "\n")


def _fields(p: Prediction) -> tuple[str, str, str, str]:
    """Label, probability, unknown words and text, cleaned; an empty text has the label ``(empty)``."""
    label = "(empty)" if p.label is None else p.label
    probability = "-" if p.probability is None else f"{p.probability:.4f}"
    return clean(label), probability, clean(" ".join(p.unknown)) or "-", clean(p.text)
