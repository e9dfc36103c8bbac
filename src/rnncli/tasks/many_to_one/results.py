"""How the prediction for a whole input is shown."""

from __future__ import annotations

from abc import ABC, abstractmethod

from rnncli.results import TableCell


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

    def cells(self) -> tuple[TableCell, ...]:
        unknown = ", ".join(self.unknown) or ("-" if self.tokens else "no tokens")
        return self.text, self.answer, self.certainty, unknown

    def fields(self) -> tuple[str, ...]:
        return self.answer, _written(self.certainty), " ".join(self.unknown) or "-", self.text

    def brief(self) -> tuple[tuple[str, ...], str, str]:
        note = f"unknown: {', '.join(self.unknown)}" if self.unknown else ""
        return (self.answer, _written(self.certainty)), self.text, note


def _written(certainty: TableCell) -> str:
    if isinstance(certainty, float):
        return f"{certainty:.4f}"
    return "-" if certainty is None else str(certainty)
