"""The rows of a table that a batch does not use, brought up to date when they are next read.

Under momentum a parameter goes on moving while its gradient is zero, and under weight decay it goes on shrinking; doing
that to every row of a table at every step would be most of the work of a step. It can wait, because a step without
gradient has a simple form: j steps after a row's last gradient,

    W ← keep · W − push · rʲ · d        and each moment ← decay · moment,

where d is fixed by the row's moments at that last gradient. So k such steps in a row come to

    W ← K · W − P · d                   and each moment ← decayᵏ · moment.

K and P depend only on when the row was last up to date: two short vectors serve all rows of all tables.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

import numpy as np

from rnncli.core.engine import rows as compiled_rows
from rnncli.core.optim.parameters import Empty
from rnncli.core.packed import Array

# After so many steps every row is brought up to date, and the count starts again.
CAPACITY = 4096
# So many rows are brought up to date at a time.
CHUNK = 4096


@cache
def _rising_powers(ratio: float) -> Array:
    """(CAPACITY + 1,) 1, r, r² …"""
    with np.errstate(under="ignore"):
        return np.asarray(ratio ** np.arange(CAPACITY + 1))


@cache
def _falling_powers(ratio: float, count: int) -> Array:
    """(count,) … r³, r², r."""
    with np.errstate(under="ignore"):
        return np.asarray(ratio ** np.arange(count, 0, -1))


class Optimizer(ABC):
    """What a step does to parameters with a gradient, and in the letters above to rows without one: nothing, if it
    does not say otherwise.

    Attributes:
        moment_names: of the arrays that it keeps beside the parameters; without any, such a row stays as it is.
    """

    moment_names: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def update(self, values: Array, gradient: Array, moments: tuple[Array, ...], rate: float, step: int) -> None:
        """Moves ``values`` and ``moments`` in place; ``step`` counts from 1."""

    def compiled_update(self, rate: float, step: int) -> tuple[str, tuple[float, ...]] | None:
        """The function in C that does what :meth:`update` does, and its constants; None if there is none."""
        return None

    def compiled_catch_up(self) -> tuple[str, tuple[float, ...]] | None:
        """The function in C that brings rows up to date, and its constants; None if there is none."""
        return None

    @property
    def decays(self) -> tuple[float, ...]:
        """Of its moments, at each step."""
        return ()

    @property
    def ratio(self) -> float:
        """r: what is left of a push at each step."""
        return 0.0

    def step_without_gradient(self, rate: float, step: int) -> tuple[float, float]:
        """keep and push."""
        return 1.0, 0.0

    def direction(self, moments: tuple[Array, ...]) -> Array:
        """d."""
        return np.zeros_like(moments[0])


class LazyRows:
    """How far behind each row of each table is.

    Attributes:
        now: steps since counting began.
        since: table → (V,) the step after which each row was last up to date.
        kept, pushed: (CAPACITY + 1,) K and P for a row that was last up to date after the step of that number.
    """

    def __init__(self, table_rows: Mapping[str, int], empty: Empty = np.empty) -> None:
        self.now = 0
        self.since: dict[str, Array] = {name: empty(rows, np.int64) for name, rows in table_rows.items()}
        for rows in self.since.values():
            rows[...] = 0
        self.kept: Array = np.ones(CAPACITY + 1)
        self.pushed: Array = np.zeros(CAPACITY + 1)

    @property
    def full(self) -> bool:
        """Whether every row has to be brought up to date before another step is counted."""
        return self.now == len(self.kept) - 1

    def arrays(self) -> dict[str, Array]:
        """The arrays of a checkpoint, which also holds :attr:`now`."""
        return {"kept": self.kept, "pushed": self.pushed} | {f"since/{name}": rows for name, rows in self.since.items()}

    def resume_at(self, now: Any) -> None:
        """Sets :attr:`now` after the arrays have been read from a file.

        Raises:
            ValueError: it is not a number of steps, or does not fit the arrays.
        """
        if type(now) is not int or not 0 <= now < len(self.kept) - 1:
            raise ValueError("no count of steps")
        if any(rows.size and not 0 <= rows.min() <= rows.max() <= now for rows in self.since.values()):
            raise ValueError("a row is ahead of its time")
        self.now = now

    def count_step(self, optimizer: Optimizer, rate: float, step: int) -> None:
        """Counts a step for every row."""
        keep, push = optimizer.step_without_gradient(rate, step)
        end = self.now + 1
        kept, pushed = self.kept[:end], self.pushed[:end]
        with np.errstate(under="ignore"):  # after hundreds of steps nothing is left of the momentum
            kept *= keep
            pushed *= keep
            pushed += push * _falling_powers(optimizer.ratio, len(self.kept) - 1)[-end:]
        self.now = end

    def catch_up(self, optimizer: Optimizer, name: str, table: Array, moments: tuple[Array, ...], rows: Array) -> None:
        """Applies to rows of a table the steps that they have missed."""
        since, compiled = self.since[name], optimizer.compiled_catch_up()
        late = rows[since[rows] < self.now]
        if compiled is not None and len(late):
            tables = [self.kept, self.pushed, *map(_rising_powers, optimizer.decays)]
            if compiled_rows.catch_up(*compiled, table, moments, late, since, self.now, tables):
                return
        for chunk in (late[start : start + CHUNK] for start in range(0, len(late), CHUNK)):
            missed = self.now - since[chunk]
            then = [moment.take(chunk, axis=0) for moment in moments]
            values = table.take(chunk, axis=0)
            # A saved state can hold any number; the caller checks the result.
            with np.errstate(under="ignore", over="ignore", invalid="ignore"):
                push = optimizer.direction(tuple(then))
                push *= self.pushed[since[chunk], None].astype(table.dtype)
                values *= self.kept[since[chunk], None].astype(table.dtype)
                values -= push
                for moment, value, decay in zip(moments, then, optimizer.decays, strict=True):
                    value *= (decay**missed)[:, None].astype(table.dtype)
                    moment[chunk] = value
            table[chunk] = values
            since[chunk] = self.now

    def start_over(self, rank: int = 0, count: int = 1) -> None:
        """Starts the count again, for every row or every ``count``-th; they have to be up to date."""
        self.now = 0
        self.kept[:], self.pushed[:] = 1, 0
        for rows in self.since.values():
            rows[rank::count] = 0
