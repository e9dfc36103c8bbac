"""Results as tables, maps of values and events of a training. How they look is up to ``render``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnncli.record import EpochRecord

TableCell = str | int | float | None


@dataclass(frozen=True)
class Column:
    """One column: numeric ones are aligned to the right."""

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
    """Numbers as a picture: a row for each name, a column for each step.

    Attributes:
        rows: names.
        columns: names.
        values: for each row one number for each column.
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, eq=False)
class Step:
    """A line of arithmetic: a formula, the numbers that go into it and the number that comes out.

    Attributes:
        label: what it is, in words; it may hold a token of the data.
        name: what the result is called from here on.
        formula: ``a_2 = x_2·W_i + o_1·W_h``; the name alone for what is given.
        operands: the matrices that the formula names; ``x_2ᵀ`` has its numbers transposed already.
        result: a matrix, like the operands: vectors are rows (1, n), numbers are (1, 1).
        rows: a name for each row of the result: tokens; empty where they have none.
    """

    label: str
    name: str
    formula: str
    operands: Mapping[str, Any]
    result: Any
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Section:
    """Lines of arithmetic that belong together.

    Attributes:
        title: in words.
        symbol: the quantity that it is about, if one.
        token: the token that it is about, if one.
    """

    title: str
    symbol: str
    token: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class ByHand:
    """One example with every number, forward and backward, and one step of gradient descent.

    Attributes:
        text: the input.
        label: what the loss is of; ``answer`` is the same in words, ``the label 1``, ``label_from`` who says so, and
            ``label_remark`` what else is to be known of it.
        tokens: (T,) as the model reads them.
        equations: of the network, for any t.
        notes: sentences on what is shown and what is left out.
        loss: as training's own code computes it.
        residual: how far this arithmetic is from that code: the largest difference of two numbers, over the loss and
            all gradients.
        sections: in the order of the work.
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

    @property
    def steps(self) -> tuple[Step, ...]:
        """All lines in their order."""
        return tuple(step for section in self.sections for step in section.steps)


@dataclass(frozen=True)
class StepDone:
    """What happens after each step of a training."""

    epoch: int  # counts from 1
    step: int  # in the epoch, counts from 1
    steps: int
    loss: float  # mean of the epoch's steps so far
    words_per_second: float
    seconds_left: float  # until the last epoch ends, at the speed so far; validation not counted


@dataclass(frozen=True)
class EpochDone:
    """What happens after each epoch and its validation.

    ``record.best`` says that these parameters are the best so far.
    """

    record: EpochRecord
    seconds: float
    words_per_second: float


@dataclass(frozen=True)
class Finished:
    """The last event of a training: why no further epoch follows."""

    reason: str


Event = StepDone | EpochDone | Finished
