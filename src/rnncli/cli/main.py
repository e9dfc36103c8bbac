"""The way in: runs a command, and turns what goes wrong into one sentence and an exit code.

Nothing here, nor in the commands' signatures, imports NumPy: ``rnncli --help`` has to be quick.
"""

from __future__ import annotations

import contextlib
import errno
import sys
import traceback
from typing import Any

from rnncli import blas
from rnncli.cli import options
from rnncli.errors import RnncliError, StorageError, UsageError
from rnncli.render.console import Output, discard


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line and returns the exit code.

    0 is success, also when the reader of a pipe has had enough; 1 a bug of ours; 2 usage; 3 bad data; 4 a bad model
    file; 5 input, output or memory; 6 diverged; 130 Ctrl-C; 143 SIGTERM.
    """
    blas.set_up()
    options.debug_wanted = False  # an earlier call in this process may have asked
    try:
        if sys.stdout is None:
            raise StorageError("standard output is closed", "send it to a file, or to /dev/null")
        Output()  # from here on stdout takes every character, under LC_ALL=C too: --help holds some
        try:
            code = _run(sys.argv[1:] if arguments is None else arguments)
        finally:
            sys.stdout.flush() if sys.stdout else None
        return code
    except RnncliError as error:
        _say(error.message, error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        _say("stopped", None)
        return 130
    except (BrokenPipeError, SystemExit):  # Rich ends the program where it meets a broken pipe
        discard(sys.stdout)
        return 0
    except MemoryError:
        _say("there is not enough memory", "lower --hidden, --batch or --max-length")
        return 5
    except OSError as error:
        if error.errno == errno.EPIPE:
            discard(sys.stdout)
            return 0
        discard(sys.stdout)  # first: to prepare stdout for a message flushes it, which would fail again
        _say(f"the output cannot be written: {error.strerror or error}", None)
        return 5
    except Exception as error:
        _say(f"this is a bug in rnncli ({type(error).__name__}: {error})", "see where with --debug; please report it")
        return 1


def _run(arguments: list[str]) -> int:
    """Runs the command that ``arguments`` name, and returns the exit code it asks for.

    Typer's own way to run a command gives Ctrl-C and closed pipes exit codes that are not ours, and draws a box of 80
    columns around what is one sentence here.
    """
    import typer

    from rnncli.cli.app import app

    command = typer.main.get_command(app)
    try:
        with command.make_context("rnncli", [*arguments] or ["--help"]) as context:
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


def _usage_error(error: Any) -> UsageError:
    path = error.ctx.command_path if getattr(error, "ctx", None) else "rnncli"
    return UsageError(str(error.format_message()).removesuffix("."), f"see: {path} --help")


def _say(message: str, hint: str | None) -> None:
    """The one sentence on stderr, and the traceback for those who asked for it."""
    # With stderr gone as well there is nobody left to tell.
    with contextlib.suppress(OSError, ValueError):
        if options.debug_wanted:
            traceback.print_exc()
        output = Output()
        output.note(f"rnncli: {message}", "bold red")
        if hint:
            output.note(f"  {hint}")
