"""How this process prints: results to stdout, progress, notes and errors to stderr.

Rich is imported when a console is first asked for: `--json`, a piped `predict` and notes in a log never pay for it.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO, cast

from rnncli.clean import clean
from rnncli.errors import OutputError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

MIN_WIDTH = 20  # a narrower terminal (COLUMNS=1) gets lines of this width, which it has to fold itself


def as_text(value: object, style: str | None = None) -> Text:
    """Return ``str(value)`` cleaned, as Rich text in which nothing is taken for markup."""
    from rich.text import Text

    return Text(clean(str(value)), style=style or "")


class _Nowhere(io.TextIOBase):
    """Stands in for a stream that was closed before we started (``>&-``), where Python has None."""

    def write(self, text: str) -> int:
        return len(text)


class _Stdout:
    """Standard output, whose errors are OutputErrors."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Raises OutputError."""
        try:
            return self._stream.write(text)
        except OSError as error:
            raise OutputError(error) from error

    def flush(self) -> None:
        """Raises OutputError."""
        try:
            self._stream.flush()
        except OSError as error:
            raise OutputError(error) from error


@contextlib.contextmanager
def output_errors_told_apart() -> Iterator[None]:
    """Makes errors of ``sys.stdout`` OutputErrors, and flushes it at the end.

    Raises:
        OutputError: it cannot be written to.
    """
    before = sys.stdout
    sys.stdout = cast(TextIO, _Stdout(before))
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        finally:
            sys.stdout = before


WARNING = "yellow"  # the style of a note that something may be wrong


@dataclass(frozen=True)
class Output:
    """The two streams of one command, as they are when it begins.

    Attributes:
        quiet: whether notes that are no warnings, and the progress of a training, are left out.
    """

    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)
    quiet: bool = False

    def __post_init__(self) -> None:
        for name in ("stdout", "stderr"):
            stream = getattr(self, name)
            if stream is None:
                object.__setattr__(self, name, cast(TextIO, _Nowhere()))
            elif hasattr(stream, "reconfigure"):
                # Under LC_ALL=C an é becomes \xe9 instead of a crash.
                stream.reconfigure(errors="backslashreplace")

    @cached_property
    def is_terminal(self) -> bool:
        """Whether a person reads the results; else they go, whole and without colour, to a file or a pipe."""
        return _is_terminal(self.stdout)

    @cached_property
    def out(self) -> Console:
        """The console of results, for a terminal. Piped results go through :meth:`write`, which wraps nothing."""
        return _console(self.stdout)

    @cached_property
    def err(self) -> Console:
        """The console of progress, notes and errors."""
        return _console(self.stderr)

    @property
    def width(self) -> int:
        """Cells in a line of stdout, now; a window can change its size."""
        return max(MIN_WIDTH, self.out.width)

    @property
    def speaks_unicode(self) -> bool:
        """Whether stdout can take any character: false under LC_ALL=C."""
        return (getattr(self.stdout, "encoding", None) or "utf-8").lower().startswith("utf")

    def write(self, text: str) -> None:
        """Write ``text``, cleaned by the caller, to stdout as it is."""
        self.stdout.write(text)

    def note(self, message: str, style: str | None = None, wrapped: bool = True) -> None:
        """Print a sentence to stderr: on one line of a log, on a terminal wrapped between words.

        If stderr is closed, as after ``2>&1 | head -1``, the note is lost and the work continues.

        Args:
            wrapped: else the terminal itself wraps it, so that a command in it can be copied whole.
        """
        if self.quiet and style != WARNING:
            return
        self._print(message, style, wrapped)

    def line(self, message: str, style: str | None = None) -> None:
        """As :meth:`note`, but never left out, and wrapped by the terminal itself."""
        self._print(message, style, wrapped=False)

    def _print(self, message: str, style: str | None, wrapped: bool) -> None:
        try:
            if _is_terminal(self.stderr):
                self.err.print(as_text(message, style), soft_wrap=not wrapped)
            else:  # which has no colours and wraps nothing
                self.stderr.write(f"{clean(message)}\n")
                self.stderr.flush()
        except (OSError, SystemExit):  # Rich ends the program where it meets a broken pipe
            discard(self.stderr)

    def drawable(self, picture: str) -> str:
        """A picture made of block characters, if stderr can show them; else nothing, as escapes would be no picture."""
        encoding = getattr(self.stderr, "encoding", None) or "utf-8"
        return picture if encoding.lower().startswith("utf") else ""

    def encodable(self, text: str) -> str:
        """Return ``text`` in characters that stdout can take. Call it before the layout: escapes are wider."""
        if self.speaks_unicode or text.isascii():
            return text
        encoding = self.stdout.encoding
        return text.replace("…", "...").encode(encoding, "backslashreplace").decode(encoding)


def discard(stream: TextIO) -> None:
    """Drop what a stream still holds, and all that comes: the interpreter flushes it at exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed since
        return False


def _console(stream: TextIO) -> Console:
    """Return a console that takes text as text, and uses colours only on a terminal.

    Rich itself honours NO_COLOR. It ignores COLUMNS under TERM=dumb and fails at COLUMNS=²; otherwise it follows the
    size of the window.
    """
    from rich.console import Console

    fixed = (
        "COLUMNS" in os.environ or "LINES" in os.environ or os.environ.get("TERM", "").lower() in ("dumb", "unknown")
    )
    size = shutil.get_terminal_size((80, 25))
    console = Console(
        file=stream,
        markup=False,
        emoji=False,
        highlight=False,
        # Not FORCE_COLOR's choice: a pipe never holds an escape sequence.
        force_terminal=_is_terminal(stream),
        force_jupyter=False,
        width=max(MIN_WIDTH, size.columns) if fixed else None,
        height=size.lines if fixed else None,
    )
    if console.width < MIN_WIDTH:
        console.width = MIN_WIDTH
    return console
