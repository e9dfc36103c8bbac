"""``python -m rnncli``, and the console script.

What the commands need is imported here, inside the ``try``: a signal may come before there is a command to stop.
"""

import gc
import os
import sys


def main() -> None:
    """Runs the command line, and ends the process with its exit code."""
    try:
        from rnncli import stopping

        stopping.end_on_signals()
        from rnncli.cli.main import main as run

        code = run()
        # All is said and done: a signal would only turn a success into a failure on the interpreter's way out.
        stopping.ignore_signals()
    except KeyboardInterrupt:  # before the signals were ours
        os.write(2, b"rnncli: stopped\n")
        os._exit(130)
    # What is left ends with the process: searching all of it for cycles takes longer than a short command itself.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
