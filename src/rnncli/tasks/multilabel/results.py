"""The predictions and scores of a model that predicts several labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rnncli.clean import or_empty
from rnncli.data.formats.values import as_text
from rnncli.data.records.label_sets import shown_labels
from rnncli.errors import counted
from rnncli.results import Column, FileCell, Several, TableCell, TableView, place_of
from rnncli.tasks.many_to_one.results import ShownPrediction
from rnncli.tasks.metrics import LabelScore, never_trained, score_table
from rnncli.tasks.model import Evaluation

_BETWEEN = "|"  # labels in a cell


@dataclass(frozen=True, kw_only=True)
class LabelsPrediction(ShownPrediction):
    """The labels of one input.

    Attributes:
        labels: those whose probabilities are above their thresholds; maybe none.
        probabilities: label → probability, in the model's order; none for an input without timesteps.
    """

    text: str
    labels: tuple[str, ...]
    probabilities: dict[str, float]
    tokens: int
    unknown: tuple[str, ...]
    cut: int

    @property
    def answer(self) -> str:
        return shown_labels(self.labels) if self.tokens else or_empty(None)

    @property
    def certainty(self) -> str | None:
        return ", ".join(f"{self.probabilities[label]:.4f}" for label in self.labels) or None

    def values(self) -> tuple[FileCell, ...]:
        if not self.tokens:
            return None, None
        found = tuple(self.probabilities[label] for label in self.labels)
        text = (
            as_text(list(self.labels))
            if any(_BETWEEN in label for label in self.labels)
            else _BETWEEN.join(self.labels)
        )
        return Several(self.labels, text), Several(found, _BETWEEN.join(map(str, found)))


@dataclass(frozen=True, kw_only=True)
class WrongLabels:
    """A record with wrong labels, with its line, and its file where there are several.

    Attributes:
        surest: the wrong decision on a label of which the model was surest: a label that it predicted, or missed.
        probability: of that label.
    """

    line: int
    text: str
    truth: tuple[str, ...]
    predicted: tuple[str, ...]
    surest: str
    probability: float
    file: str | None = None


@dataclass(frozen=True, kw_only=True)
class LabelSetScores:
    """Scores of predicted label sets against the right ones.

    Attributes:
        micro_f1: of all decisions together, 2·TP / (2·TP + FP + FN); so are ``micro_precision`` and ``micro_recall``.
        interval: (low, high), the central 95% of the micro F1, a ratio of sums over independent rows.
        macro_f1: mean F1 over the labels that occur in the truth or in the predictions.
        exact_match: share of the rows with all labels right and no other (subset accuracy).
        hamming_loss: share of all decisions, one for each row and label, that are wrong.
    """

    rows: int
    micro_f1: float
    interval: tuple[float, float]
    micro_precision: float
    micro_recall: float
    macro_f1: float
    exact_match: float
    hamming_loss: float
    labels: tuple[LabelScore, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class LabelsEvaluation(Evaluation):
    """Scores on labelled inputs, and the surest mistakes.

    Attributes:
        thresholds: label → the probability above which it is predicted.
        unseen: label that the model does not have → its rows, in which it is always missed.
        skipped: bad records that were left out; ``skipped_because`` says why for the first of them.
    """

    scores: LabelSetScores
    thresholds: dict[str, float]
    mistakes: tuple[WrongLabels, ...]
    unseen: dict[str, int]
    skipped: int
    skipped_because: tuple[str, ...]

    def pairs(self) -> list[tuple[str, TableCell]]:
        s, (low, high) = self.scores, self.scores.interval
        unseen = (f"label '{label}', {counted(count, 'row')}" for label, count in self.unseen.items())
        return [
            ("rows", s.rows),
            ("micro F1", f"{s.micro_f1:.4f} (95% interval {low:.4f} to {high:.4f})"),
            ("precision", f"{s.micro_precision:.4f}, recall {s.micro_recall:.4f} (micro)"),
            ("macro F1", f"{s.macro_f1:.4f}"),
            ("exact match", f"{s.exact_match:.4f} of the rows"),
            ("hamming loss", f"{s.hamming_loss:.4f}"),
            *never_trained(unseen),
        ]

    def tables(self) -> list[TableView]:
        by_label = score_table(self.scores.labels, "label", "rows")
        thresholds = (Column("threshold", True),)
        with_thresholds = tuple((*row, self.thresholds.get(str(row[0]))) for row in by_label.rows)
        rows = tuple(
            (place_of(m), shown_labels(m.truth), shown_labels(m.predicted), m.surest, m.probability, m.text)
            for m in self.mistakes
        )
        columns = Column("line", True), Column("truth"), Column("prediction"), Column("wrong"), Column("p", True)
        return [
            replace(by_label, columns=by_label.columns + thresholds, rows=with_thresholds),
            TableView("Surest mistakes", (*columns, Column("text")), rows),
        ]
