"""The tokens at which a unit is largest or smallest, one a text, each with the words around it."""

from __future__ import annotations

from dataclasses import dataclass

from rnncli.core.packed import Array
from rnncli.inspection.activation_states import TextActivations
from rnncli.inspection.states import visible

# Neighbours on either side, for a letter says less than a word; and what stands between two of them.
NEIGHBOURS = {"char": 16}
USUAL_NEIGHBOURS = 4
BETWEEN = {"char": "", "timestep": " | "}


@dataclass(frozen=True)
class Context:
    """A token at which a unit is large or small.

    Attributes:
        line: of the file.
        place: of the token in its text, from 1.
        before, after: its neighbours.
        label: of the text, or of the step; empty if there is none, or if it is the token itself.
    """

    value: float
    line: int
    label: str
    place: int
    before: str
    token: str
    after: str

    @property
    def shown(self) -> str:
        """The token in brackets, in its context."""
        return f"{self.before}[{visible(self.token)}]{self.after}"


class Ends:
    """The best contexts of one end."""

    def __init__(self, most: int, sign: int) -> None:
        self.kept: list[Context] = []
        self._most, self._sign = most, sign

    def add(self, read: TextActivations, values: Array, unit: str) -> None:
        """Takes a text in by its best place, if that is among the best so far."""
        t = int((self._sign * values).argmax())
        value = float(values[t])
        if len(self.kept) == self._most and self._key(value, read.line) >= self._key_of(self.kept[-1]):
            return
        self.kept.append(_context(read, t, value, unit))
        self.kept.sort(key=self._key_of)
        del self.kept[self._most :]

    def _key(self, value: float, line: int) -> tuple[float, int]:
        return -self._sign * value, line

    def _key_of(self, context: Context) -> tuple[float, int]:
        return self._key(context.value, context.line)


def _context(read: TextActivations, t: int, value: float, unit: str) -> Context:
    """A step with its neighbours, as they stand in the whole text."""
    place, width, gap = read.place(t), NEIGHBOURS.get(unit, USUAL_NEIGHBOURS), BETWEEN.get(unit, " ")
    before, after = read.tokens[max(0, place - width) : place], read.tokens[place + 1 : place + 1 + width]
    left = ("…" + gap if place > width else "") + "".join(token + gap for token in before)
    right = "".join(gap + token for token in after) + (gap + "…" if place + 1 + width < len(read.tokens) else "")
    label = read.labels[t] if len(read.labels) > 1 else (read.labels[0] if read.labels else "")
    label = "" if read.label_is == unit else label
    return Context(value, read.line, label, place + 1, left, read.tokens[place], right)
