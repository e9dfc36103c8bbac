"""Tells whether an argument is a text, a file or a model, and opens it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rnncli.clean import clean
from rnncli.data.formats.registry import FORMATS, ends_like_data, has_ending, looks_like_data
from rnncli.errors import DataError, RnncliError, StorageError, UsageError

if TYPE_CHECKING:
    from rnncli.cli.arguments.options import AnyModel, AnyPath
    from rnncli.data.dataset import Source
    from rnncli.tasks.model import Model

STDIN = "-"
T = TypeVar("T")


def load(path: AnyPath = "runs/latest") -> Model:
    """Reads a model: its file, its run's folder, or the newest run.

    Raises:
        ModelFileError: the file is not a model of ours, or damaged.
        StorageError: there is nothing to read.
    """
    return model_of(path, "runs")


def model_of(model: AnyModel, runs: AnyPath) -> Model:
    """A model itself, or that of a name: ``latest``, a run below ``runs``, ``RUN@EPOCH`` or a file."""
    return found_model(model, runs)[0]


def found_model(model: AnyModel, runs: AnyPath) -> tuple[Model, Path | None, str]:
    """As :func:`model_of`, with its file, if it was named, and what messages call it."""
    from rnncli.tasks.model import Model, path_of
    from rnncli.training.runs import find_model

    if isinstance(model, Model):
        return model, None, "MODEL"
    name = path_of(model)
    path = find_model(name, Path(path_of(runs)))
    return Model.load(path), path, name


def is_model(name: str, runs: str) -> bool:
    """Whether a name means a run, or an epoch of one, and not a file."""
    from rnncli.training.runs import find_model

    try:
        return name != STDIN and not os.path.isfile(name) and find_model(name, Path(runs)).is_file()
    except (StorageError, ValueError):
        return False


def is_file(argument: str, format: str | None = None) -> bool:
    """Whether the only argument is a file: stdin, an existing path, or a name that looks like data.

    Raises:
        StorageError: it looks like a file, and does not exist.
        DataError: there is such a file, and it may as well be a text.
    """
    from rnncli.data.formats.sources import check_path, is_path  # not for --help

    if is_path(argument):
        named = argument == STDIN or format is not None or ends_like_data(argument) or has_ending(argument)
        if not named and os.path.isfile(argument) and not _holds_numbers(argument):
            raise DataError(
                f"{clean(argument)}: the name does not say the format; it is the name of a file here, or a text",
                f"Say it with --format: {', '.join(FORMATS)}. The text: echo {shlex.quote(argument)} | rnncli … -",
            )
        return True
    if looks_like_data(argument):
        check_path(argument)
    return False


def _holds_numbers(path: str) -> bool:
    """Whether the lines of a file whose name says no format are rows of numbers: ``Coffee_TEST``."""
    from rnncli.data.dataset import Source
    from rnncli.data.recognized import with_format

    return with_format(Source(path)).format is not None


def files_among(arguments: Sequence[str], format: str | None = None) -> list[str]:
    """Returns the arguments if they are files, and an empty list if they are texts.

    A single one is a file if one of that name exists. Of several, each name must also end like that of a file, unless
    the format is given, for ``good`` and ``bad`` may be texts beside a folder called ``good``.

    Raises:
        StorageError: an argument that looks like a file does not exist, and all others look so too, or one exists.
        UsageError: some are files and some are texts, or stdin is named twice.
    """
    from rnncli.data.formats.sources import check_path, is_path

    if arguments.count(STDIN) > 1:
        raise UsageError("stdin (-) can be read only once")
    if len(arguments) == 1:
        return list(arguments) if is_file(arguments[0], format) else []

    def named(argument: str) -> bool:
        return argument == STDIN or format is not None or ends_like_data(argument) or has_ending(argument)

    files = [argument for argument in arguments if is_path(argument) and named(argument)]
    missing = [argument for argument in arguments if argument not in files and looks_like_data(argument)]
    if missing and (files or len(missing) == len(arguments)):
        check_path(missing[0])
    if files and len(files) < len(arguments):
        text = next(argument for argument in arguments if argument not in files)
        raise UsageError(f"{files[0]} is a file and '{text}' is not", "give texts, or files, but not both")
    return files


def source_of(
    path: AnyPath | Sequence[AnyPath],
    reading: Mapping[str, Any],
    *,
    inputs: bool = False,
    target: AnyPath | None = None,
    pairs: bool = False,
) -> Source:
    """Returns a file, or several, with how to read them.

    Args:
        path: of several their paths, one at least.
        reading: the options by name; None for those that are not given.
        target: the file whose lines go with those of the only path.
        inputs: it is only predicted or looked at. Then a pipe holds lines of text, unless --format csv or --text says
            that it has a header.
        pairs: it holds pairs from Python; see :func:`as_file`.

    Raises:
        UsageError: an option is of another type.
    """
    from rnncli import schema
    from rnncli.data.dataset import Source
    from rnncli.data.recognized import with_format
    from rnncli.tasks.model import path_of

    first, *more = map(path_of, paths_of(path))
    target = None if target is None else path_of(target)
    twice = next((path for at, path in enumerate(more) if path in (first, *more[:at])), None)
    if twice is not None:
        raise UsageError(f"{clean(twice)} is named twice", "its rows would count twice; name it once")
    if not all((first, *more)):
        raise StorageError("the name of the file is empty")
    given = {name: value for name, value in reading.items() if value is not None}
    if isinstance(given.get("sheet"), int):
        given["sheet"] = str(given["sheet"])
    if inputs and first == STDIN and "text" not in given:
        given = {"format": "text"} | given
    try:
        made = Source(first, more=tuple(more), target=target, pairs=pairs, **given)
        return with_format(schema.read(Source, asdict(made)))
    except schema.Wrong as wrong:
        raise UsageError(str(wrong)) from None


def parallel_files(data: T | None, source: AnyPath | None, target: AnyPath | None) -> T | AnyPath | None:
    """The data, or the first of two files whose lines go together.

    Raises:
        UsageError: one of the two lacks the other, or there is other data beside them.
    """
    if source is None and target is None:
        return data
    if source is None or target is None:
        raise UsageError("--source and --target go together: each line of one goes with that of the other", "name both")
    if data is not None:
        raise UsageError("--source and --target stand in place of DATA", "leave one of them out")
    return source


def paths_of(data: AnyPath | Iterable[AnyPath] | None) -> list[AnyPath]:
    """The paths that were named."""
    return [] if data is None else [data] if isinstance(data, str | os.PathLike) else list(data)


@contextmanager
def as_file(data: AnyPath | Iterable[AnyPath | tuple[Any, Any]] | None) -> Iterator[Any]:
    """Gives a path as it is, and for pairs a temporary file of them, which is read and checked like any other.

    Args:
        data: a path, or several, or pairs: a text or a list of words or numbers, and its label, its tags or its
            target text.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(data, str | os.PathLike) or not isinstance(data, Iterable):
        yield data
        return
    data = list(data)
    if data and all(isinstance(one, str | os.PathLike) for one in data):
        yield data
        return
    lines = []
    for number, pair in enumerate(data, 1):
        if isinstance(pair, str | bytes) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise UsageError(
                f"data is a path, or pairs of an input and its label, and number {number} is {clean(repr(pair), 60)}"
            )
        given, label = (one.tolist() if hasattr(one, "tolist") else one for one in pair)
        names = ("text", "label")
        if isinstance(given, list | tuple):
            names = ("tokens", "tags") if all(isinstance(one, str) for one in given) else ("sequence", "label")
        elif not isinstance(given, str):
            raise _not_in_pair(number, "an input", "a text, or a list of words or of numbers", given)
        if not isinstance(label, str | int | float | list | tuple | None):
            raise _not_in_pair(number, "a label", "a text, a number or a list of tags", label)
        try:
            lines.append(json.dumps(dict(zip(names, (given, label), strict=True))) + "\n")
        except (TypeError, ValueError) as error:
            raise UsageError(f"pair {number} holds what is neither a text nor a number: {error}") from None
    from tempfile import TemporaryDirectory  # not at each start

    with TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.jsonl"
        path.write_text("".join(lines), encoding="utf-8")
        try:
            yield path
        except RnncliError as error:
            error.message = error.message.replace(str(path), "the pairs")
            error.args = (error.message,)
            raise


def are_pairs(path: object, data: object) -> bool:
    """Whether a path that :func:`as_file` gives holds pairs."""
    return isinstance(path, Path) and path is not data


def _not_in_pair(number: int, what: str, wanted: str, value: object) -> UsageError:
    return UsageError(f"{what} is {wanted}, and that of pair {number} is {shown(value)}")


def shown(value: object) -> str:
    """An argument of a wrong type, in a message."""
    return f"{clean(repr(value), 60)} ({type(value).__name__})"


def refuse_reading(instead: str, reading: Mapping[str, Any]) -> None:
    """Refuses options that say how a file is read where no file is.

    Raises:
        UsageError: one is given; ``instead`` says what was given in place of a file.
    """
    for name, value in reading.items():
        if value is not None:
            raise UsageError(
                f"--{name} says how a file is read, and none is given: {instead}", "name a file, or - for stdin"
            )


def require_piped(argument: object, what: str = "the data") -> None:
    """Refuses to wait for input from a keyboard.

    Raises:
        UsageError: the argument is stdin, and stdin is a terminal.
    """
    if argument == STDIN and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError(f"stdin is a terminal: pipe {what} in, or name a file")
