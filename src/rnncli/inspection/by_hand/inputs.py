"""What the first layer reads, as lines of arithmetic: one-hot rows, numbers, or rows of an embedding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.core.packed import Array
from rnncli.inspection.by_hand.sheet import Equations, Sheet
from rnncli.inspection.by_hand.tape import Weight
from rnncli.inspection.by_hand.terms import beside


@dataclass(frozen=True, eq=False)
class Inputs:
    """What is read at every timestep.

    Attributes:
        x: (T,) ids of one-hot rows, or (T, D) numbers.
        words: what a row of it is.
        rows: a name for each id; none for numbers.
        unknown: the id of what is unknown.
        embedding: flat name of the table whose rows the ids are read from, if they are.
        also: name of numbers that stand beside each row, and what they are.
        source: whether it is the source of a decoder, which has timesteps of its own.
    """

    sheet: Sheet
    x: Array
    words: str
    rows: tuple[str, ...] = ()
    unknown: int | None = None
    embedding: str = ""
    also: tuple[str, str] | None = None
    source: bool = False

    @property
    def embeds(self) -> bool:
        return bool(self.embedding)

    def give(self, names: tuple[str, ...]) -> None:
        """A row for each timestep of these names."""
        ids = self.x.ndim == 1
        x: Array = np.eye(len(self.rows))[self.x] if ids else self.x
        for t, name in enumerate(names, 1):
            unknown = ", which is unknown" if ids and self.x[t - 1] == self.unknown else ""
            self.sheet.given(f"{'e' if self.embeds else 'x'}_{t}", x[t - 1 : t], f"{name}{unknown}: {self.words}")

    def learn(self) -> None:
        """Gives the embedding."""
        self.sheet.learn(Weight("E", self.embedding, "embedding"), self.rows)

    def read(self, t: int) -> None:
        """x_t, where it is not given; more than one layer may read it."""
        if f"x_{t}" not in self.sheet:
            self._read(self.sheet, str(t))

    def equations(self) -> None:
        if self.embeds:
            self._read(Equations(self.sheet, {"t": 1}), "t")

    def _read(self, s: Sheet, t: str) -> None:
        row, words = s[f"e_{t}"] @ s["E"], "its row of the embedding"
        if self.also is not None:
            row, words = beside([row, s[self.also[0]]]), f"{words}, and {self.also[1]}"
        s.line(f"x_{t}", row, words)
