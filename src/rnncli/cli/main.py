"""The way in: runs a command, and turns what goes wrong into one sentence and an exit code.

Nothing here, nor in the commands' signatures, imports NumPy: ``rnncli --help`` has to be quick.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback

from rnncli.cli import options
from rnncli.errors import RnncliError
from rnncli.render.console import Output


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line and returns the exit code.

    0 is success, also when the reader of a pipe has had enough; 1 a bug of ours; 2 usage; 3 bad data; 4 a bad model
    file; 5 input, output or memory; 6 diverged; 130 Ctrl-C; 143 SIGTERM.
    """
    try:
        try:
            code = _run(arguments)
        finally:
            sys.stdout.flush() if sys.stdout else None
        return code
    except RnncliError as error:
        _say(error.message, error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        _say("stopped", None)
        return 130
    except BrokenPipeError:
        _discard_stdout()
        return 0
    except MemoryError:
        _say("there is not enough memory", "lower --hidden, --batch or --max-length")
        return 5
    except OSError as error:
        if error.errno == errno.EPIPE:
            _discard_stdout()
            return 0
        _say(f"the output cannot be written: {error.strerror or error}", None)
        _discard_stdout()
        return 5
    except Exception as error:
        _say(f"this is a bug in rnncli ({type(error).__name__}: {error})", "see where with --debug; please report it")
        return 1


def _run(arguments: list[str] | None) -> int:
    from rnncli.cli.app import app

    try:
        app(args=arguments, prog_name="rnncli")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


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


def _discard_stdout() -> None:
    """Keeps the interpreter from flushing into a closed pipe once more on its way out."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
