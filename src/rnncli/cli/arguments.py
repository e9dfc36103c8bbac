"""Whether an argument is a text or the name of a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rnncli.data.formats.registry import ends_like_data, has_ending, looks_like_data
from rnncli.errors import UsageError

STDIN = "-"


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


def require_piped(argument: str | None, what: str = "the data") -> None:
    """Refuses to wait for what somebody would have to type.

    Raises:
        UsageError: the argument is stdin, and that is a terminal.
    """
    if argument == STDIN and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError(f"stdin is a terminal: pipe {what} in, or name a file")
