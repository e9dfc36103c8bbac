"""``python -m rnncli``."""

from __future__ import annotations

import sys

from rnncli.cli.main import main as run


def main() -> None:
    """The console script."""
    sys.exit(run())


if __name__ == "__main__":
    main()
