"""``python -m rnncli``, and the console script.

What the commands need is imported here, inside the ``try``: Ctrl-C may come before there is a command to stop.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Runs the command line, and ends the process with its exit code."""
    try:
        import signal

        from rnncli.cli.main import main as run

        code = run()
        # All is said and done: Ctrl-C would only bring a traceback of the interpreter's on its way out.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        from contextlib import suppress

        code = 130
        with suppress(OSError):  # stderr may be closed
            os.write(2, b"rnncli: stopped\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
