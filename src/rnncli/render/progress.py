"""A training as it runs, on stderr: a live table on a terminal, lines for its epochs elsewhere."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rnncli.render.console import Output, as_text
from rnncli.render.sparkline import sparkline
from rnncli.results import format_number
from rnncli.stopping import undone_when_stopped

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from rnncli.results import EpochDone, StepDone

# Without a terminal, a training has at most so many lines for its epochs, and one for the first and the last.
LINES = 20
# The live display is redrawn no more often than this.
REDRAW_SECONDS = 0.1
SHOWN_EPOCHS = 12


class TrainingDisplay:
    """Shows the events of a training; used as ``with display.live(): …``."""

    def __init__(
        self,
        output: Output,
        epochs: int,
        metric: str,
        score: Callable[[EpochDone], float | None],
        unit: str = "word",
    ) -> None:
        """Shows nothing yet.

        Args:
            epochs: how many there will be.
            metric: the name of the score.
            score: that of an epoch; None where nothing was validated.
            unit: what a timestep is.
        """
        self._output, self._epochs, self._metric, self._score, self._unit = output, epochs, metric, score, unit
        self._every = max(1, -(-epochs // LINES))  # epochs that share a line
        self._done: list[EpochDone] = []
        self._printed = 0  # epochs up to the last line
        self._step: StepDone | None = None
        self._drawn = 0.0
        self._live: Live | None = None

    @contextmanager
    def live(self) -> Iterator[None]:
        """Uses the lower part of the terminal while the training runs."""
        if self._output.quiet or not self._output.err.is_terminal:
            if self._every > 1:
                self._output.note(f"a line for every {self._every} epochs; metrics.jsonl has them all", "dim")
            try:
                yield
            finally:
                self._print_last()
            return
        from rich.live import Live

        def give_back() -> None:
            """Does what Live does at its end: shows the cursor again, below the table."""
            os.write(2, b"\x1b[?25h\n")

        with undone_when_stopped(give_back), Live(console=self._output.err, auto_refresh=False) as live:
            self._live = live
            yield
            self._step = None
            self._draw()

    def step(self, event: StepDone) -> None:
        self._step = event
        if self._live and time.monotonic() - self._drawn > REDRAW_SECONDS:
            self._draw()

    def epoch(self, event: EpochDone) -> None:
        self._done.append(event)
        self._step = None
        if self._live:
            self._draw()
        elif len(self._done) == 1 or event.record.epoch % self._every == 0:
            self._print_last()

    def _print_last(self) -> None:
        """Prints the line of the last epoch, unless it has been printed."""
        if self._live is None and len(self._done) > self._printed:
            self._output.note(self._line(self._done[-1], self._done[self._printed : -1]))
            self._printed = len(self._done)

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        if self._live:
            self._live.update(self._table(), refresh=True)

    def _table(self) -> RenderableType:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for name in ("epoch", "loss", f"validation {self._metric}", f"{self._unit}s/s", "time", ""):
            table.add_column(as_text(name), justify="right" if name else "left", no_wrap=True)
        for event in self._done[-SHOWN_EPOCHS:]:
            r, score, speed = event.record, self._score(event), f"{event.words_per_second:,.0f}"
            cells = [f"{r.epoch}/{self._epochs}", f"{r.loss:.4f}", "" if score is None else format_number(score), speed]
            table.add_row(*map(as_text, (*cells, duration(event.seconds), "best" if r.best else "")))
        if self._step:
            s = self._step
            cells = [f"{s.epoch}/{self._epochs}", f"{s.loss:.4f}", bar(s.step, s.steps), f"{s.words_per_second:,.0f}"]
            table.add_row(*map(as_text, (*cells, "", f"{duration(s.seconds_left)} left")))
        if len(self._done) > 1:
            curves = [event.record.loss for event in self._done], [self._score(event) for event in self._done]
            table.add_row("", *(as_text(self._output.drawable(sparkline(curve, 12)), "cyan") for curve in curves))
        return table

    def _line(self, event: EpochDone, unprinted: Sequence[EpochDone]) -> str:
        """An epoch; with the best of those before it that have no line, if that is the best so far."""
        r, score = event.record, self._score(event)
        validation = "" if score is None else f", validation {self._metric} {format_number(score)}"
        best = " (best)" if r.best else ""
        better = [earlier for earlier in unprinted if earlier.record.best]
        if better and not r.best:
            number = self._score(better[-1])
            best = f" (best: epoch {better[-1].record.epoch}{'' if number is None else f', {format_number(number)}'})"
        speed = f"{event.words_per_second:,.0f} {self._unit}s/s"
        return (
            f"epoch {r.epoch}/{self._epochs}: loss {r.loss:.4f}{validation}{best}, {duration(event.seconds)}, {speed}"
        )


def bar(done: int, total: int, width: int = 10) -> str:
    """A bar in ASCII."""
    filled = done * width // max(1, total)
    return "[" + "#" * filled + "." * (width - filled) + "]"


def duration(seconds: float) -> str:
    """``8.2 s``, ``3:05`` (minutes) or ``1:02:05``."""
    if not math.isfinite(seconds) or seconds > 360_000:
        return "?"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
