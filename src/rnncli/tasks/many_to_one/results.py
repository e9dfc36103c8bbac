"""How the prediction for a whole input is shown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from rnncli.results import FileCell, TableCell

NOTHING_READ = "the input is empty"


def shown_unknown(unknown: Sequence[str], tokens: int) -> str:
    """The unknown tokens among so many, in a table."""
    return ", ".join(unknown) or ("-" if tokens else "no tokens")


class ShownPrediction(ABC):
    """A prediction in a table, in a pipe and on a line."""

    text: str
    tokens: int
    unknown: tuple[str, ...]

    @property
    @abstractmethod
    def answer(self) -> str:
        """What is predicted, in words."""

    @property
    @abstractmethod
    def certainty(self) -> TableCell:
        """Its probability; those of several labels in their order."""

    @property
    def problem(self) -> str | None:
        return None if self.tokens else NOTHING_READ

    def values(self) -> tuple[FileCell, ...]:
        return (self.answer, self.certainty) if self.tokens else (None, None)

    def cells(self) -> tuple[TableCell, ...]:
        return self.answer, self.certainty, shown_unknown(self.unknown, self.tokens), self.text

    def fields(self) -> tuple[str, ...]:
        return self.answer, _written(self.certainty), " ".join(self.unknown) or "-", self.text

    def brief(self) -> tuple[tuple[str, ...], str, str]:
        unknown = shown_unknown(self.unknown, self.tokens)
        return (self.answer, _written(self.certainty), unknown), self.text, ""


def _written(certainty: TableCell) -> str:
    if isinstance(certainty, float):
        return f"{certainty:.4f}"
    return "-" if certainty is None else str(certainty)
