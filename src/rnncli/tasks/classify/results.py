"""The predictions and scores of a classifier."""

from __future__ import annotations

from dataclasses import dataclass

from rnncli.clean import or_empty
from rnncli.errors import counted
from rnncli.results import Column, HeatMap, TableCell, TableView, place_of
from rnncli.tasks.many_to_one.results import ShownPrediction
from rnncli.tasks.metrics import Scores, accuracy_pairs, confusion_map, confusion_table, label_table, never_trained
from rnncli.tasks.model import Evaluation


@dataclass(frozen=True, kw_only=True)
class Prediction(ShownPrediction):
    """The label of one input.

    Attributes:
        text: as it was given.
        label: the most probable label; None for an input without timesteps.
        probability: of that label.
        probabilities: label → probability, in the model's order.
        tokens: how many timesteps the input has.
        unknown: tokens that the model does not know, each once.
        cut: how many timesteps in the middle of a long input were not read.
    """

    text: str
    label: str | None
    probability: float | None
    probabilities: dict[str, float]
    tokens: int
    unknown: tuple[str, ...]
    cut: int

    @property
    def answer(self) -> str:
        return or_empty(self.label)

    @property
    def certainty(self) -> float | None:
        return self.probability


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A wrong answer, with its line, and its file where there are several."""

    line: int
    text: str
    truth: str
    predicted: str
    probability: float
    file: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class ClassifierEvaluation(Evaluation):
    """Scores on labelled inputs, and the most confident mistakes.

    Attributes:
        unseen: label that the model does not have → its rows, which are always counted wrong.
        skipped: bad records that were left out; ``skipped_because`` says why for the first of them.
    """

    scores: Scores
    mistakes: tuple[Mistake, ...]
    unseen: dict[str, int]
    skipped: int
    skipped_because: tuple[str, ...]

    def pictures(self) -> list[HeatMap]:
        return [confusion_map(self.scores)]

    def pairs(self) -> list[tuple[str, TableCell]]:
        unseen = (f"label '{label}', {counted(count, 'row')}" for label, count in self.unseen.items())
        return [("rows", self.scores.rows), *accuracy_pairs(self.scores), *never_trained(unseen)]

    def tables(self) -> list[TableView]:
        rows = tuple((place_of(m), m.truth, m.predicted, m.probability, m.text) for m in self.mistakes)
        named = Column("line", True), Column("truth"), Column("prediction"), Column("probability", True), Column("text")
        mistakes = TableView("Most confident mistakes", named, rows)
        return [label_table(self.scores, "rows"), confusion_table(self.scores), mistakes]
