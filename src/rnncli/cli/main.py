"""Runs a command, and turns a failure into one sentence and an exit code.

Nothing here, nor in the commands' signatures, imports NumPy: ``rnncli --help`` has to be quick.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
from collections.abc import Iterator
from typing import Any, NamedTuple, TextIO

from rnncli import blas
from rnncli.clean import clean
from rnncli.cli.arguments.command import Call
from rnncli.errors import OutputError, RnncliError, StorageError, UsageError
from rnncli.render.console import Output, discard, output_errors_told_apart

COMPLETION = "_RNNCLI_COMPLETE"  # the variable by which a shell asks for completions


class Streams(NamedTuple):
    """Standard input, output and error of a command; None for one that is closed."""

    stdin: TextIO | None
    stdout: TextIO | None
    stderr: TextIO | None


def main(arguments: list[str] | None = None, streams: Streams | None = None) -> int:
    """Runs the command line and returns the exit code.

    0 is success, also when the reader of a pipe closes it; 1 a bug of ours, or gradients that a check finds
    wrong; 2 usage; 3 bad data; 4 a bad model file; 5 input, output or memory; 6 diverged; 130 Ctrl-C. (The signals
    that end a command before it returns are those of :mod:`rnncli.stopping`.)

    Args:
        arguments: the words after ``rnncli``; those of this process if None.
        streams: to read and print on; those of this process if None.
    """
    if streams is not None:
        with _standing_in(streams):
            return main(arguments)
    blas.set_up()
    call = None
    try:
        if sys.stdout is None:
            raise StorageError("standard output is closed", "send it to a file, or to /dev/null")
        with output_errors_told_apart():
            call = Call(Output())  # from here on stdout takes every character, under LC_ALL=C too: --help holds some
            return _run(sys.argv[1:] if arguments is None else arguments, call)
    except RnncliError as error:
        if isinstance(error, OutputError):
            discard(sys.stdout)  # first: to prepare stdout for a message flushes it, which would fail again
            if error.reader_gone:
                return 0
        _say(error.message, error.hint, call)
        return error.exit_code
    except KeyboardInterrupt:
        _say("stopped", None, call)
        return 130
    except SystemExit:  # Rich ends the program where it meets a broken pipe
        discard(sys.stdout)
        return 0
    except MemoryError:
        _say(*_NO_MEMORY, call)
        return 5
    except OSError as error:
        _say(*_cause(error), call)
        return 5
    except Exception as error:
        said = f"this is a bug in rnncli ({type(error).__name__}: {error})"
        _say(said, "see where with --debug; please report it", call)
        return 1


@contextlib.contextmanager
def _standing_in(streams: Streams) -> Iterator[None]:
    """Typer's help and the readers of ``-`` know only the streams of the process: these take their place."""
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = streams
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before


def _run(arguments: list[str], call: Call) -> int:
    """Runs the command that ``arguments`` name, and returns the exit code it asks for.

    Typer's own way to run a command gives Ctrl-C and closed pipes exit codes that are not ours, and draws a box of 80
    columns around what is one sentence here.
    """
    import typer

    from rnncli.cli.app import app

    command = typer.main.get_command(app)
    if COMPLETION in os.environ:  # set by the script of a shell that completes a command line
        from typer.completion import completion_init  # type: ignore[attr-defined]  # its docs name it

        completion_init()
        command.main(prog_name="rnncli", complete_var=COMPLETION)
    try:
        with command.make_context("rnncli", [*arguments] or ["--help"], obj=call) as context:
            command.invoke(context)
    except typer.Exit as end:
        # Without a command the help is shown, but nothing was done that one could have meant.
        return end.exit_code if arguments else UsageError.exit_code
    except Exception as error:
        # All of Typer's errors about a command line have this method; the class is public in no version of it.
        if hasattr(error, "format_message"):
            raise _usage_error(error) from error
        raise
    return 0


_NO_MEMORY = ("there is not enough memory", "lower --hidden, --batch or --max-length")


def _cause(error: OSError) -> tuple[str, str | None]:
    """What the system refused, and what to do about it."""
    if error.errno == errno.ENOMEM:
        return _NO_MEMORY
    what = clean(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else "the system refuses"
    hint = None
    if error.errno in (errno.EMFILE, errno.ENFILE):
        hint = "a process may open more files after: ulimit -n 1024"
    return f"{what}: {error.strerror or error}", hint or "see where with --debug"


def _usage_error(error: Any) -> UsageError:
    path = error.ctx.command_path if getattr(error, "ctx", None) else "rnncli"
    return UsageError(str(error.format_message()).removesuffix("."), f"see: {path} --help")


def _say(message: str, hint: str | None, call: Call | None) -> None:
    """Prints the one sentence on stderr, after the traceback if the call asked for it."""
    # Where stderr is closed too, nobody is left to read it.
    with contextlib.suppress(OSError, ValueError):
        if call is not None and call.debug:
            traceback.print_exc()
        try:
            output = Output()
            output.err  # noqa: B018  # which imports what prints
        except (OSError, ImportError):  # files that cannot be opened any more
            os.write(2, "".join(f"{line}\n" for line in (f"rnncli: {message}", hint and f"  {hint}") if line).encode())
            return
        output.line(f"rnncli: {message}", "bold red")
        if hint:
            output.line(f"  {hint}")
