"""Series cut into windows: the last timesteps as an input, and the numbers that follow it as what is right."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.data.records import Amounts, NumberArrays, SeriesArrays
from rnncli.errors import DataError, counted


@dataclass(frozen=True)
class Windows:
    """How a series becomes examples.

    Attributes:
        length: W, timesteps of an input.
        horizon: H, how many numbers follow it; 0 where the number stands in the input's own last row.
        target: the column to be predicted, among those of the series.
        reads_target: whether an input has that column too.
    """

    length: int
    horizon: int
    target: int
    reads_target: bool = True

    @property
    def span(self) -> int:
        """Timesteps of a series that the shortest one must have."""
        return self.length + self.horizon

    def cut(self, dataset: Dataset) -> Cut:
        """Every window of every series, in the order of the series and of time; a series that is too short has none.

        Raises:
            DataError: none has a window.
        """
        series = dataset.inputs
        assert isinstance(series, SeriesArrays)
        width = int(series.widths[0])
        flat, lengths = series.ragged(width), np.array([len(one) for one in series], np.int64)
        counts = np.maximum(0, lengths - self.span + 1)
        if not counts.any():
            raise DataError(
                f"{dataset.name}: {_steps(lengths)} and no window of {counted(self.length, 'timestep')} with "
                f"{counted(max(1, self.horizon), 'number')} after it",
                "take a shorter --window, a smaller --horizon or a longer series",
            )
        rows = np.repeat(np.arange(len(series)), counts)
        first = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        ahead = self.length - 1 + np.arange(min(1, self.horizon), self.horizon + 1)  # of the window's first timestep
        at = flat.starts[rows][:, None] + first[:, None] + ahead
        read = series if self.reads_target else _without(series, self.target)
        lines, begins = np.concatenate(series.lines), np.cumsum(lengths) - lengths
        return Cut(
            replace(
                dataset,
                inputs=read.windows(rows, first, self.length),
                labels=Amounts(flat.flat[at, self.target]),
                lines=array("q", lines[begins[rows] + first + ahead[0]].tolist()),
                shown=_names(dataset, rows),
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


def _steps(lengths: Array) -> str:
    if len(lengths) == 1:
        return f"the series has {counted(int(lengths[0]), 'timestep')}"
    return f"the longest of {len(lengths):,} series has {counted(int(lengths.max()), 'timestep')}"
