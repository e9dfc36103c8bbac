"""What the library logs, shown to the user."""

from __future__ import annotations

import logging

from rnncli.clean import clean
from rnncli.render.console import Output


class _Notes(logging.Handler):
    def __init__(self, output: Output) -> None:
        super().__init__(logging.WARNING)
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        self._output.note(clean(record.getMessage()), "yellow")


def say_what_is_logged(output: Output) -> None:
    """Shows the warnings of rnncli, as why one process does all the work, on this output until the command ends."""
    logging.getLogger("rnncli").handlers = [_Notes(output)]


def say_no_more() -> None:
    """Ends what :func:`say_what_is_logged` began: the output may be gone when something else is logged."""
    logging.getLogger("rnncli").handlers = []
