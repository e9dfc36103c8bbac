"""The topmost layer's outputs on one text of a file, and the labels that they are compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rnncli.core.packed import Array

BATCH = 128  # texts that go through the network together


@dataclass(frozen=True, kw_only=True, eq=False)
class TextActivations:
    """A text as the network read it.

    The units of a model without labels are compared with symbols: those that an encoder reads, or the next ones that a
    language model or a decoder predicts.

    Attributes:
        line: of the file, or of ``file`` where there are several.
        tokens: all tokens of the text.
        hidden: (T, K) the topmost layer's outputs.
        labels: one for each step, or those of the text; may be empty.
        known: the labels that the model knows.
        label_is: what a label is: ``label``, ``next char``.
        positions: (T,) of the tokens that were read, among all; None where all were.
        pooled: name → (1, K) of the units over the whole text, where labels are of that.
        labelled: whether the text's labels are known: a text may have none.
    """

    line: int
    tokens: Sequence[str]
    hidden: Array
    labels: Sequence[str] = ()
    known: tuple[str, ...] = ()
    label_is: str = "label"
    positions: Array | None = None
    pooled: Mapping[str, Array] = field(default_factory=dict)
    labelled: bool = False
    file: str | None = None

    @property
    def statistics(self) -> Mapping[str, Array]:
        """Name → (rows, K) of the units, a row for each of :attr:`label_sets`; empty where labels are not known."""
        if not self.labels and not self.labelled:
            return {}
        return self.pooled or {"value": self.hidden}

    @property
    def label_sets(self) -> Sequence[Sequence[str]]:
        """The labels of each row of the statistics."""
        rows = len(next(iter(self.statistics.values()), ()))
        return [self.labels] if rows == 1 else [(label,) for label in self.labels]

    def position(self, t: int) -> int:
        """Which of the tokens step ``t`` read."""
        return t if self.positions is None else int(self.positions[t])


def batches_by_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows for the network to read together, of similar lengths; rows of length 0 are left out."""
    order = sorted((row for row, length in enumerate(lengths) if length), key=lambda row: -lengths[row])
    for begin in range(0, len(order), BATCH):
        yield order[begin : begin + BATCH]
