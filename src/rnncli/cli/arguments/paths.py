"""The files that a command reads and writes: no output may be an input, under any name.

A parameter of a command says by its type what it names (:class:`Reads`, :class:`Writes`); all outputs are compared with
all inputs before the command begins. Standard input and output are files too, where a shell has made them so.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO, get_args

from rnncli.errors import StorageError, UsageError


@dataclass(eq=False, repr=False)
class Reads:
    """Marks a parameter that names inputs: files, texts that may be names of files, or a model.

    Attributes:
        several: whether its option may be repeated.
    """

    kind: Literal["file", "model"] = "file"
    several: bool = False


@dataclass(eq=False, repr=False)
class Writes:
    """Marks a parameter that names an output.

    Attributes:
        suffixes: that its name has to end in; empty for the folder of a run, which is written to again.
    """

    suffixes: tuple[str, ...] = ()


Roles = Mapping[str, Reads | Writes]


def roles_of(parameters: Iterable[inspect.Parameter]) -> Roles:
    """Of a command's parameters those that name files, and what they are to it."""
    return {
        one.name: role for one in parameters for role in get_args(one.annotation) if isinstance(role, Reads | Writes)
    }


def check_paths(roles: Roles, values: Mapping[str, Any]) -> None:
    """Refuses outputs that cannot be written or that are inputs, before anything is done.

    Args:
        roles: of the parameters that name files.
        values: of all parameters; ``runs``, if there is such, says where to find models, and ``force`` that a file may
            be overwritten.

    Raises:
        UsageError: an output is an input, another output, a folder, or exists already; or its name ends like that of
            another format.
        StorageError: its folder is not there or cannot be written to, or it is a device.
    """
    from rnncli import storage  # not for --help

    runs = Path(values.get("runs") or "runs")
    given = {name: role for name, role in roles.items() if values[name] is not None}
    inputs = [one for name, role in given.items() if isinstance(role, Reads) for one in _read(values[name], role, runs)]
    files: dict[str, tuple[str, ...]] = {}
    for name, role in given.items():
        if isinstance(role, Writes) and role.suffixes:
            _check_file(values[name], inputs, bool(values.get("force")))
            files[name] = role.suffixes
        elif isinstance(role, Writes):
            storage.require_apart(_run_files(values[name], runs), inputs)
    seen: dict[str, str] = {}
    for name in files:
        other = seen.setdefault(_followed(values[name]), name)
        if other != name:
            raise UsageError(f"--{other} and --{name} name one file, and each is written in a file of its own")
    for name, suffixes in files.items():
        _require_suffix(name, values[name], suffixes)
    outputs = {storage.identity(one) for stream in (sys.stdout, sys.stderr) for one in _descriptor(stream)} - {None}
    if any(storage.identity(one) in outputs for one in inputs):
        raise UsageError("standard output is also an input", "send it to another file")


def suffixes_of(annotation: Any) -> tuple[str, ...]:
    """What the name of an output ends in, by the type of its parameter."""
    return next(mark.suffixes for mark in get_args(annotation) if isinstance(mark, Writes))


def check_output(
    name: str,
    path: str | os.PathLike[str],
    inputs: Iterable[str | os.PathLike[str] | int],
    suffixes: tuple[str, ...] = ("",),
    force: bool = True,
) -> None:
    """As :func:`check_paths` does for a command, for a file that a function of Python is to write.

    Raises:
        UsageError: it is an input, a folder, or exists already; or its name ends like that of another format.
        StorageError: its folder is not there or cannot be written to, or it is a device.
    """
    _check_file(os.fspath(path), inputs, force)
    _require_suffix(name, os.fspath(path), suffixes)


def _read(value: str | list[str], role: Reads, runs: Path) -> Iterator[str | Path | int]:
    """Yields the names of files to read, and descriptors of those without a name; of a model all files of its run.

    Nothing where there is no such model: the command says so itself.
    """
    if role.kind == "model":
        from rnncli.training.runs import find_model, of_file

        with contextlib.suppress(StorageError):
            path = find_model(str(value), runs)
            yield from (path, *of_file(path).files)
        return
    for one in value if isinstance(value, list) else [value]:
        yield from _descriptor(sys.stdin) if one == "-" else [one]


def _run_files(name: str, runs: Path) -> list[Path]:
    from rnncli.training.runs import find

    with contextlib.suppress(StorageError):
        return find(name, runs).files
    return []


def _descriptor(stream: TextIO | None) -> Iterator[int]:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        yield stream.fileno()  # type: ignore[union-attr]


def _check_file(value: str, inputs: Iterable[str | os.PathLike[str] | int], force: bool) -> None:
    from rnncli import storage

    if os.path.isdir(value or os.curdir):
        raise UsageError(f"{value} is a directory")
    storage.require_apart([value], inputs)
    if os.path.lexists(value) and not force:
        raise UsageError(f"{value} exists already", "overwrite it with --force")
    if os.path.exists(value) and not os.path.isfile(value):
        raise StorageError(f"{value} cannot be written: not a regular file")
    storage.require_writable(value)


def _followed(value: str) -> str:
    """The file behind a link, or the name itself; an impossible name is refused where the file is written."""
    try:
        return os.path.realpath(value)
    except ValueError:
        return value


def _require_suffix(name: str, value: str, suffixes: tuple[str, ...]) -> None:
    """Refuses a picture called ``.png``, which no program could open; a link is judged by its target as well."""
    for path in (value, _followed(value)):
        if not path.lower().endswith(suffixes):
            leads = "" if path == value else f"{value} leads to "
            known = " or ".join(suffixes)
            raise UsageError(
                f"--{name} writes a file whose name ends in {known}, and {leads}{path} does not", "give it such a name"
            )
