"""What the model answers, and how it scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rnncli.errors import counted
from rnncli.results import FileCell, TableCell, TableView
from rnncli.tasks.model import Evaluation


@dataclass(frozen=True, kw_only=True)
class Continuation:
    """How a text goes on.

    Attributes:
        text: as it was given.
        continuation: what follows.
        probability: geometric mean of the probabilities of the tokens that follow.
        unknown: tokens of the text that the model does not know, each once.
        ended: whether the end of the document was reached; never by a model of a single text.
    """

    text: str
    continuation: str
    probability: float
    unknown: tuple[str, ...]
    ended: bool = False
    cut: ClassVar[int] = 0

    @property
    def problem(self) -> None:
        return None

    def values(self) -> tuple[FileCell, ...]:
        return self.continuation, self.probability

    def cells(self) -> tuple[TableCell, ...]:
        return self.text, self.continuation

    def fields(self) -> tuple[str, ...]:
        return self.text, self.continuation

    def brief(self) -> tuple[tuple[str, ...], str, str]:
        return (), self.text + self.continuation, ""


@dataclass(frozen=True, kw_only=True, repr=False)
class TextEvaluation(Evaluation):
    """How well a model predicts a text, token by token.

    Attributes:
        tokens: predicted ones.
        documents: whose ends are tokens too; 0 where the data are one text.
        not_scored: the first, before which there is nothing, and those left at the end, fewer than there are streams.
        nats, bits: mean loss of a token.
        perplexity: e^nats: among how many equally likely tokens it is as hard to choose.
        accuracy: how often the most probable token is the right one.
        unknown_rate: share of the tokens outside the vocabulary.
    """

    unit: str
    tokens: int
    not_scored: int
    nats: float
    bits: float
    perplexity: float
    accuracy: float
    unknown_rate: float
    documents: int = 0
    skipped: ClassVar[int] = 0  # type: ignore[misc]  # a text has no rows to skip, and its document none of these
    skipped_because: ClassVar[tuple[str, ...]] = ()  # type: ignore[misc]

    def pairs(self) -> list[tuple[str, TableCell]]:
        last, ends = self.not_scored - 1, counted(self.documents, "document")
        return [
            (f"{self.unit}s", f"{self.tokens:,}, the ends of {ends} among them" if self.documents else self.tokens),
            ("not scored", f"the first {self.unit}" + (f" and the last {last:,}" if last else "")),
            (f"nats per {self.unit}", f"{self.nats:.4f}"),
            (f"bits per {self.unit}", f"{self.bits:.4f}"),
            ("perplexity", f"{self.perplexity:.2f}"),
            ("accuracy", f"{self.accuracy:.4f}"),
            ("unknown", f"{self.unknown_rate:.2%}"),
        ]

    def tables(self) -> list[TableView]:
        return []
