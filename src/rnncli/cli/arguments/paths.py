"""What a command reads and what it writes: no output may be an input, by whatever name.

A parameter of a command says by its type what it names (:class:`Reads`, :class:`Writes`); all outputs are compared with
all inputs before the command begins. Standard input and output are files too, where a shell has made them so.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

from rnncli.errors import StorageError, UsageError


@dataclass(frozen=True)
class Reads:
    """Marks a parameter that names inputs: files, or texts that may be the names of files, or a model."""

    kind: Literal["file", "model"] = "file"


@dataclass(frozen=True)
class Writes:
    """Marks a parameter that names an output.

    Attributes:
        suffixes: that its name has to end in; empty for the folder of a run, which is written to again.
    """

    suffixes: tuple[str, ...] = ()


Roles = Mapping[str, Reads | Writes]


def check_paths(roles: Roles, values: Mapping[str, Any]) -> None:
    """Refuses outputs that cannot be written or are inputs, before anything is done.

    Args:
        roles: of the parameters that name files.
        values: of all parameters; ``runs`` says where models are looked for, ``force`` that a file may be written over.

    Raises:
        UsageError: an output is an input, another output, a folder, or there already; or its name says that it is
            something else.
    """
    from rnncli import storage  # not for --help

    runs = Path(values["runs"])
    inputs = list(_inputs(roles, values, runs))
    files: dict[str, tuple[str, tuple[str, ...]]] = {}
    for name, role in roles.items():
        value = values[name]
        if not isinstance(role, Writes) or value is None:
            continue
        if role.suffixes:
            _check_file(value, inputs, bool(values.get("force")))
            files[name] = value, role.suffixes
        else:
            storage.require_apart(_run_files(value, runs), inputs)
    _require_distinct({name: value for name, (value, _) in files.items()})
    for name, (value, suffixes) in files.items():
        _require_suffix(name, value, suffixes)
    if any(storage.identity(given) == output for output in _standard_outputs() for given in inputs):
        raise UsageError("standard output is also an input", "send it to another file")


def _inputs(roles: Roles, values: Mapping[str, Any], runs: Path) -> Iterator[str | int]:
    """Names of everything that is read, and descriptors of what is read without a name."""
    for name, role in roles.items():
        value = values[name]
        if not isinstance(role, Reads) or value is None:
            continue
        for one in value if isinstance(value, list) else [value]:
            if role.kind == "model":
                yield from _model_files(one, runs)
            elif one == "-":
                yield from _descriptor(sys.stdin)
            else:
                yield one


def _model_files(name: str, runs: Path) -> list[str]:
    """A model's file, and the others of its run; none where there is no such model, which the command says itself."""
    from rnncli.training.runs import find_model, of_file

    try:
        path = find_model(name, runs)
    except StorageError:
        return []
    return [str(path), *map(str, of_file(path).files)]


def _run_files(name: str, runs: Path) -> list[str]:
    from rnncli.training.runs import find

    try:
        folder = find(name, runs)
    except StorageError:
        return []
    return [str(path) for path in folder.files]


def _descriptor(stream: TextIO | None) -> Iterator[int]:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        yield stream.fileno()  # type: ignore[union-attr]


def _standard_outputs() -> Iterator[tuple[int, int]]:
    """Of stdout and stderr, where they go to a file."""
    from rnncli import storage

    for stream in (sys.stdout, sys.stderr):
        for descriptor in _descriptor(stream):
            found = storage.identity(descriptor)
            if found is not None:
                yield found


def _check_file(value: str, inputs: Iterable[str | int], force: bool) -> None:
    from rnncli import storage

    if os.path.isdir(value or os.curdir):
        raise UsageError(f"{value} is a directory")
    storage.require_apart([value], inputs)
    if os.path.lexists(value) and not force:
        raise UsageError(f"{value} exists already", "write over it with --force")
    if os.path.exists(value) and not os.path.isfile(value):
        raise StorageError(f"{value} cannot be written: not a regular file")


def _require_distinct(files: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for name, value in files.items():
        other = seen.setdefault(_followed(value), name)
        if other != name:
            raise UsageError(f"--{other} and --{name} name one file, and each is written in a file of its own")


def _followed(value: str) -> str:
    """The file that a name leads to, or would; a name that no file can have is refused where it is written to."""
    try:
        return os.path.realpath(value)
    except ValueError:
        return value


def _require_suffix(name: str, value: str, suffixes: tuple[str, ...]) -> None:
    """A picture in a file called ``.png`` could not be opened; and what a link leads to is written over as well."""
    for path in (value, _followed(value)):
        if not path.lower().endswith(suffixes):
            leads = "" if path == value else f"{value} leads to "
            known = " or ".join(suffixes)
            raise UsageError(
                f"--{name} writes a file whose name ends in {known}, and {leads}{path} does not", "give it such a name"
            )
