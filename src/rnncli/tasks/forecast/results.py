"""Forecasts: the values that follow a series, each with its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rnncli.clean import or_empty
from rnncli.results import FileCell, TableCell


@dataclass(frozen=True, kw_only=True)
class ForecastStep:
    """One value that follows a series.

    Attributes:
        text: the series, or its name.
        step: how many timesteps after its last one.
        time: the time of that timestep, where the series has regular times.
        number: in the units of the series.
        shown: the same as people read it.
    """

    text: str
    step: int
    time: str | None
    number: float
    shown: str
    cut: ClassVar[int] = 0

    @property
    def when(self) -> str:
        return f"+{self.step}" if self.time is None else self.time

    @property
    def problem(self) -> None:
        return None

    def values(self) -> tuple[FileCell, ...]:
        return self.step, self.time, self.number

    def cells(self) -> tuple[TableCell, ...]:
        return self.when, self.shown, self.text

    def fields(self) -> tuple[str, ...]:
        return self.when, self.shown, self.text

    def brief(self) -> tuple[tuple[str, ...], str, str]:
        return (self.when, self.shown), self.text, ""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The values that follow one series.

    Attributes:
        text: the series as it was given, or its name.
        numbers: the next values, the nearest first; none for an input without timesteps.
        shown: the same as people read them.
        times: of these timesteps; empty where the series has no regular times.
    """

    text: str
    numbers: tuple[float, ...]
    shown: tuple[str, ...]
    times: tuple[str, ...] = ()
    unknown: ClassVar[tuple[str, ...]] = ()
    cut: ClassVar[int] = 0

    @property
    def steps(self) -> Sequence[ForecastStep]:
        """Each value for itself."""
        times = self.times or (None,) * len(self.numbers)
        each = zip(times, self.numbers, self.shown, strict=True)
        return [
            ForecastStep(text=self.text, step=step, time=time, number=number, shown=shown)
            for step, (time, number, shown) in enumerate(each, 1)
        ]

    @property
    def answer(self) -> str:
        """All values, as ``inspect --answer`` takes them."""
        return or_empty(self.shown[0] if len(self.shown) == 1 else f"[{', '.join(self.shown)}]" * bool(self.shown))

    def cells(self) -> tuple[TableCell, ...]:
        return self.answer, self.text

    def fields(self) -> tuple[str, ...]:
        return self.answer, self.text

    def brief(self) -> tuple[tuple[str, ...], str, str]:
        return (self.answer,), self.text, ""
