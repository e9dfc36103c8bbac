"""One class for each kind of failure, with the exit code that the command line gives it.

Every message is one sentence that names the place (``reviews.csv:41``); ``hint`` says what to do about it.
Only :mod:`rnncli.cli` prints these or exits.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable, Sequence
from itertools import islice


class RnncliError(Exception):
    """The base of all. ``exit_code`` 1 means a bug of ours."""

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(RnncliError):
    """An option, a setting or a combination of them is not possible."""

    exit_code = 2


class DataError(RnncliError):
    """A data file can be read but what it holds cannot be used."""

    exit_code = 3


class ModelFileError(RnncliError):
    """A model file is damaged, hostile, or made for another version."""

    exit_code = 4


class StorageError(RnncliError):
    """A file cannot be read or written, or memory does not suffice."""

    exit_code = 5


class OutputError(StorageError):
    """Standard output cannot be written; ``reader_gone`` if it is a pipe whose reader has closed it."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"the output cannot be written: {error.strerror or error}")
        self.reader_gone = error.errno == errno.EPIPE


class DivergedError(RnncliError):
    """The loss or a gradient stopped being a finite number; nothing was updated with it."""

    exit_code = 6


class CheckFailedError(RnncliError):
    """A check has failed: one of our gradients is wrong."""

    exit_code = 1


class TrainingInterrupted(RnncliError):
    """A signal stopped the training after a step, which was finished and saved."""

    def __init__(self, message: str, hint: str | None = None, exit_code: int = 130) -> None:
        super().__init__(message, hint)
        self.exit_code = exit_code


_LONGEST_COMPARED, _MOST_COMPARED = 100, 2000


def quoted(name: str) -> str:
    """``name`` in quotes for a message, cut where it is long."""
    return f"'{name}'" if len(name) <= 60 else f"'{name[:59]}…'"


def counted(count: int, one: str, many: str | None = None) -> str:
    """``1 row``, ``2,000 rows``; ``many`` is the plural where it is not ``one`` with an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(parts: Sequence[str], joint: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``; ``joint`` is the word before the last."""
    return f" {joint} ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def first_listed(parts: Sequence[str], most: int) -> str:
    """As :func:`listed`, the first ones and how many more there are: ``a, b and 7 more``."""
    more = len(parts) - most
    return listed([*parts[:most], *([f"{more:,} more"] if more > 0 else [])])


def closest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """``"; did you mean 'lstm'?"`` for a mistyped ``name``, or an empty string when nothing is near.

    All names begin with ``prefix``, which says nothing about how near two of them are.
    Comparing two names takes up to the cube of their length: only short ones are compared, and not too many.
    """
    if len(name) > _LONGEST_COMPARED:
        return ""
    short = (one.removeprefix(prefix) for one in known if len(one) <= _LONGEST_COMPARED)
    matches = difflib.get_close_matches(name.removeprefix(prefix), list(islice(short, _MOST_COMPARED)), n=1, cutoff=0.5)
    return f"; did you mean '{prefix}{matches[0]}'?" if matches else ""
