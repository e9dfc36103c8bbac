"""What a network made of one text of a file: the topmost layer's outputs, and the labels that they are set beside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rnncli.core.packed import Array

BATCH = 128  # texts that go through the network together


@dataclass(frozen=True, kw_only=True, eq=False)
class TextActivations:
    """A text as the network read it.

    Where a model has no labels, its units are set beside symbols: those that an encoder reads, or those that come next
    where a text goes on or is generated.

    Attributes:
        line: of the file.
        tokens: all of the text's.
        places: (T,) of the tokens that were read, among all.
        hidden: (T, K) the topmost layer's outputs.
        known: the labels that the model knows.
        labels: one for the text, or one for each step; none where there are none.
        label_is: what a label is: ``label``, ``next char``.
        statistics: name → (rows, K) of the units, a row for each label; none where there are none.
    """

    line: int
    tokens: Sequence[str]
    places: Array
    hidden: Array
    known: tuple[str, ...]
    labels: tuple[str, ...]
    statistics: dict[str, Array]
    label_is: str


def batches_by_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows that go through the network together, like lengths together: a batch takes as long as its longest text.

    Those of length 0 are left out.
    """
    order = sorted((row for row, length in enumerate(lengths) if length), key=lambda row: -lengths[row])
    for begin in range(0, len(order), BATCH):
        yield order[begin : begin + BATCH]
