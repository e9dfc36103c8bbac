"""One text of a file as a network read it: the topmost layer's outputs, and the labels that they are compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rnncli.core.packed import Array

BATCH = 128  # texts that go through the network together


@dataclass(frozen=True, kw_only=True, eq=False)
class TextActivations:
    """A text as the network read it.

    Where a model has no labels, its units are compared with symbols: those that an encoder reads, or those that come
    next where a text goes on or is generated.

    Attributes:
        line: of the file.
        tokens: all of the text's.
        hidden: (T, K) the topmost layer's outputs.
        labels: one for each step, or one for the text; none where there are none.
        known: the labels that the model knows.
        label_is: what a label is: ``label``, ``next char``.
        places: (T,) of the tokens that were read, among all; None where all were.
        pooled: name → (1, K) of the units over the whole text, where one label is for all of it.
    """

    line: int
    tokens: Sequence[str]
    hidden: Array
    labels: Sequence[str] = ()
    known: tuple[str, ...] = ()
    label_is: str = "label"
    places: Array | None = None
    pooled: Mapping[str, Array] = field(default_factory=dict)

    @property
    def statistics(self) -> Mapping[str, Array]:
        """Name → (labels, K) of the units, a row for each label; nothing where there are none."""
        if not self.labels:
            return {}
        return self.pooled or {"value": self.hidden}

    def place(self, t: int) -> int:
        """Of the token that step ``t`` read."""
        return t if self.places is None else int(self.places[t])


def batches_by_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows that go through the network together, like lengths together: a batch takes as long as its longest text.

    Those of length 0 are left out.
    """
    order = sorted((row for row, length in enumerate(lengths) if length), key=lambda row: -lengths[row])
    for begin in range(0, len(order), BATCH):
        yield order[begin : begin + BATCH]
