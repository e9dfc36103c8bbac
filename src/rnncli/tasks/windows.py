"""Series cut into windows: the last timesteps as an input, and the numbers that follow it as what is right."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.formats.places import LINE
from rnncli.data.records import Amounts, NumberArrays, SeriesArrays
from rnncli.errors import DataError, counted

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset

# Windows have two seasons, or this many timesteps where there is no season; and no more than a share of the series, of
# which there must remain enough to be forecast.
SEASONS, USUAL, SHARE = 2, 24, 4
LONGEST = 256


def usual_window(steps: int, season: int = 1, horizon: int = 0) -> int:
    """W for a series of so many timesteps."""
    if season > 1:
        return max(1, min(SEASONS * season, LONGEST, (steps - horizon) // 2))
    return max(1, min(USUAL, (steps - horizon) // SHARE))


@dataclass(frozen=True)
class Windows:
    """How a series becomes examples.

    Attributes:
        length: W, timesteps of an input.
        horizon: H, how many numbers follow it; 0 where the number stands in the input's own last row, and an input
            begins with the series where that has not so many timesteps yet.
        target: the column to be predicted, among those of the series; an input has its past only if numbers follow.
    """

    length: int
    horizon: int
    target: int = 0

    def cut(self, dataset: Dataset, *, chosen: bool = False) -> Cut:
        """Every window of every series, in the order of the series and of time; a series that is too short has none.

        Args:
            chosen: whether the lengths are still to be chosen; a trained model has them.

        Raises:
            DataError: none has a window.
        """
        series = dataset.inputs
        assert isinstance(series, SeriesArrays)
        flat = series.ragged(int(series.widths[0]))
        steps = flat.lengths
        counts = np.maximum(0, steps - self.length - self.horizon + 1) if self.horizon else steps
        if not counts.any():
            raise DataError(
                f"{dataset.name}: {_longest(steps)}, and no window of {counted(self.length, 'timestep')} with "
                f"{counted(self.horizon, 'value')} after it",
                f"take {'a shorter --window, a smaller --horizon or ' if chosen else ''}a longer series",
            )
        rows = np.repeat(np.arange(len(series)), counts)
        number = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)  # of the window in its series
        if self.horizon:
            read: NumberArrays = series
            first, lengths = number, np.full(len(rows), self.length, np.int64)
            wanted = number[:, None] + self.length + np.arange(self.horizon)
        else:
            read = _without(series, self.target)
            first = np.maximum(0, number - self.length + 1)
            lengths, wanted = number - first + 1, number[:, None]
        lines, begins = np.concatenate(series.lines), np.cumsum(steps) - steps
        return Cut(
            replace(
                dataset,
                inputs=read.windows(rows, first, lengths),
                labels=Amounts(flat.flat[flat.starts[rows][:, None] + wanted, self.target]),
                lines=array("q", (lines[begins[rows] + wanted[:, 0]] & LINE).tolist()),
                file_of=array("i", np.array(dataset.file_of)[rows].tolist() if dataset.files else ()),
                shown=_names(dataset, rows),
                arrangement=None,
            ),
            rows,
        )


class Cut(NamedTuple):
    """Windows as a data set of their own, and (rows,) the series of each."""

    dataset: Dataset
    series: Array


def _without(series: SeriesArrays, column: int) -> NumberArrays:
    """The series without one of their columns."""
    return NumberArrays((np.delete(one, column, axis=1) for one in series), whole=True)


def _names(dataset: Dataset, rows: Array) -> Sequence[str]:
    """The name of the series of each window, where there are several with names."""
    if len(dataset.shown) < 2:
        return ()
    names = list(dataset.shown)
    return [names[row] for row in rows.tolist()]


def _longest(lengths: Array) -> str:
    if len(lengths) == 1:
        return f"the series has {counted(int(lengths[0]), 'timestep')}"
    return f"the longest of {len(lengths):,} series has {counted(int(lengths.max()), 'timestep')}"
