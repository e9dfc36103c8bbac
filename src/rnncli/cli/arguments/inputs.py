"""What an argument is: a text, the name of a file, or that of a model."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from rnncli.data.formats.registry import ends_like_data, has_ending, looks_like_data
from rnncli.errors import StorageError, UsageError

if TYPE_CHECKING:
    from rnncli.cli.arguments.options import AnyModel, AnyPath
    from rnncli.data.dataset import Source
    from rnncli.tasks.model import Model

STDIN = "-"


def load(path: AnyPath = "runs/latest") -> Model:
    """Reads a model: its file, its run's folder, or the newest run.

    Raises:
        ModelFileError: the file is not a model of ours, or damaged.
        StorageError: there is nothing to read.
    """
    return model_of(path, "runs")


def model_of(model: AnyModel, runs: AnyPath) -> Model:
    """A model that is given, or that of a name: ``latest``, a run below ``runs``, ``RUN@EPOCH`` or a file."""
    return found_model(model, runs)[0]


def found_model(model: AnyModel, runs: AnyPath) -> tuple[Model, Path | None, str]:
    """As :func:`model_of`, with its file, if it was named, and what it is called by."""
    from rnncli.tasks.model import Model, path_of
    from rnncli.training.runs import find_model

    if isinstance(model, Model):
        return model, None, "MODEL"
    name = path_of(model)
    path = find_model(name, Path(path_of(runs)))
    return Model.load(path), path, name


def is_model(name: str, runs: str) -> bool:
    """Whether a name is that of a run, or of an epoch of one, and not of a file."""
    from rnncli.training.runs import find_model

    try:
        return name != STDIN and not os.path.isfile(name) and find_model(name, Path(runs)).is_file()
    except (StorageError, ValueError):
        return False


def is_file(argument: str) -> bool:
    """Whether the only argument is a file: stdin, whatever is there under that name, or what looks like data.

    Raises:
        StorageError: it looks like a file, and is not there.
    """
    from rnncli.data.formats.sources import check_path, is_path  # not for --help

    if is_path(argument):
        return True
    if looks_like_data(argument):
        check_path(argument)
    return False


def files_among(arguments: Sequence[str], format: str | None = None) -> list[str]:
    """The arguments, if they are files, else none.

    A single one is a file if there is one of that name. Among several the name also has to end like that of a file, or
    their format has to be given, for ``good`` and ``bad`` may be texts beside a folder called ``good``.

    Raises:
        StorageError: an argument looks like a file, as do all others or one that is there, and it is not there.
        UsageError: some are files and some are texts, or stdin is named twice.
    """
    from rnncli.data.formats.sources import check_path, is_path

    if arguments.count(STDIN) > 1:
        raise UsageError("stdin (-) can be read only once")
    if len(arguments) == 1:
        return list(arguments) if is_file(arguments[0]) else []

    def named(argument: str) -> bool:
        return argument == STDIN or format is not None or ends_like_data(argument) or has_ending(argument)

    files = [argument for argument in arguments if is_path(argument) and named(argument)]
    missing = [argument for argument in arguments if argument not in files and looks_like_data(argument)]
    if missing and (files or len(missing) == len(arguments)):
        check_path(missing[0])
    if files and len(files) < len(arguments):
        text = next(argument for argument in arguments if argument not in files)
        raise UsageError(f"{files[0]} is a file and '{text}' is none", "give texts, or files, but not both")
    return files


def source_of(path: AnyPath, reading: Mapping[str, Any], *, inputs: bool = False) -> Source:
    """A file, as the options say it is to be read.

    Args:
        inputs: nothing of it is learned from; then lines are the natural thing to pipe in, and a header is asked for
            with --format csv or --text.

    Raises:
        UsageError: something is of another type.
    """
    from rnncli import schema
    from rnncli.data.dataset import Source
    from rnncli.tasks.model import path_of

    path = path_of(path)
    given = {name: value for name, value in reading.items() if value is not None}
    if inputs and path == STDIN and "text" not in given:
        given = {"format": "text"} | given
    try:
        return schema.read(Source, asdict(Source(path, **given)))
    except schema.Wrong as wrong:
        raise UsageError(str(wrong)) from None


@contextmanager
def as_file(data: AnyPath | Iterable[tuple[Any, Any]] | None) -> Iterator[Any]:
    """A data file; pairs are written to one for as long as they are read, and checked as those of any file.

    Args:
        data: a path, or pairs of a text, a list of words or numbers, and its label, its tags or the text it becomes.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(data, str | os.PathLike) or not isinstance(data, Iterable):
        yield data
        return
    lines = []
    for number, pair in enumerate(data, 1):
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise UsageError(f"data is a path, or pairs of an input and its label, and number {number} is {pair!r:.60}")
        given, label = (one.tolist() if hasattr(one, "tolist") else one for one in pair)
        names = ("text", "label")
        if not isinstance(given, str):
            names = ("tokens", "tags") if all(isinstance(one, str) for one in given) else ("sequence", "label")
        lines.append(json.dumps(dict(zip(names, (given, label), strict=True))) + "\n")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.jsonl"
        path.write_text("".join(lines), encoding="utf-8")
        yield path


def refuse_reading(instead: str, reading: Mapping[str, Any]) -> None:
    """Refuses options that say how a file is read where there is none.

    Raises:
        UsageError: one was given; ``instead`` says what there is.
    """
    for name, value in reading.items():
        if value is not None:
            raise UsageError(
                f"--{name} says how a file is read, and none is given: {instead}", "name a file, or - for stdin"
            )


def require_piped(argument: object, what: str = "the data") -> None:
    """Refuses to wait for what somebody would have to type.

    Raises:
        UsageError: the argument is stdin, and that is a terminal.
    """
    if argument == STDIN and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError(f"stdin is a terminal: pipe {what} in, or name a file")
