"""Results as values: tables, heat maps, lines of arithmetic, events of a training. ``render`` draws them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from rnncli.record import EpochRecord

TableCell = str | int | float | None


class OfLine(Protocol):
    """Something that was found in a line of a file.

    Attributes:
        file: its name, where there are several.
    """

    @property
    def line(self) -> int: ...
    @property
    def file(self) -> str | None: ...


def place_of(found: OfLine) -> TableCell:
    """The line of a file, after its name where there are several: ``may.csv:41``."""
    return found.line if found.file is None else f"{found.file}:{found.line}"


class Several(NamedTuple):
    """Several values in one cell of a file: a list, and the text for a format that has no lists."""

    values: tuple[str | float, ...]
    text: str


FileCell = TableCell | Several


def format_number(x: float) -> str:
    """Return four decimals, ``0.8571``; if these say too little, four digits, ``1.234e-05``; ``-`` if not finite."""
    if not math.isfinite(x):
        return "-"
    if x == 0 or 0.001 <= abs(x) < 1e6:
        return f"{x:z.4f}"
    return f"{x:.4g}"


class Column(NamedTuple):
    """A numeric column is aligned to the right."""

    name: str
    numeric: bool = False
    style: str | None = None


@dataclass(frozen=True)
class TableView:
    """A table as values; each row has one cell for each column."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    caption: str | None = None


@dataclass(frozen=True)
class HeatMap:
    """Numbers as a picture; ``rows`` and ``columns`` are names, and each row of values has one for each column."""

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Curves:
    """Lines over the epochs.

    Attributes:
        lines: the name of each and its points, at least one: an epoch and a finite number.
        best: the epoch to mark, if any.
    """

    title: str
    lines: tuple[tuple[str, tuple[tuple[int, float], ...]], ...]
    best: int | None = None


@dataclass(frozen=True, eq=False)
class Step:
    """A line of arithmetic. All values are matrices: vectors are rows (1, n), numbers are (1, 1).

    Attributes:
        label: in words; it may contain a token of the data.
        name: of the result, in later lines.
        formula: ``a_2 = x_2·W_i + o_1·W_h``; the name alone for what is given.
        operands: name in the formula → its values; those of ``x_2ᵀ`` are transposed already.
        rows: names of the result's rows, such as tokens; may be empty.
    """

    label: str
    name: str
    formula: str
    operands: Mapping[str, Any]
    result: Any
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Section:
    """Lines of arithmetic that belong together, perhaps about one quantity, ``symbol``, or one ``token``."""

    title: str
    symbol: str
    token: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class ByHand:
    """One example with every number, forward and backward, and one step of gradient descent.

    Attributes:
        text: the input.
        label: that the loss is computed for; ``answer`` is the same in words, ``the label 1``, ``label_from`` where it
            comes from, and ``label_remark`` what else the reader should know of it.
        tokens: (T,) as the model reads them.
        equations: of the network, for any t.
        notes: sentences on what is shown and what is left out.
        loss: as training's own code computes it.
        residual: the largest difference between a number here and the same one of that code, of loss and gradients.
        sections: in the order of the work.
        vanished: a sentence where the loss is too small for its gradient to mean anything; else empty.
    """

    text: str
    label: str
    answer: str
    label_from: str
    label_remark: str
    tokens: tuple[str, ...]
    equations: tuple[str, ...]
    notes: tuple[str, ...]
    loss: float
    residual: float
    sections: tuple[Section, ...]
    vanished: str = ""

    @property
    def steps(self) -> tuple[Step, ...]:
        """All lines in their order."""
        return tuple(step for section in self.sections for step in section.steps)


class StepDone(NamedTuple):
    """An event after each step of a training."""

    epoch: int  # counts from 1
    step: int  # in the epoch, counts from 1
    steps: int
    loss: float  # mean of the epoch's steps so far
    words_per_second: float
    seconds_left: float  # until the last epoch ends, at the speed so far; validation not counted


class EpochDone(NamedTuple):
    """An event after each epoch and its validation; ``record.best`` says whether it is the best so far."""

    record: EpochRecord
    seconds: float
    words_per_second: float


class Finished(NamedTuple):
    """The last event of a training, with the reason why no further epoch follows."""

    reason: str


Event = StepDone | EpochDone | Finished
