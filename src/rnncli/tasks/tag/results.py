"""Results of tagging: the tags of a sentence, and how many of them are right, by word and by span."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rnncli.clean import or_empty
from rnncli.errors import counted
from rnncli.results import Column, FileCell, HeatMap, Several, TableCell, TableView, place_of
from rnncli.tasks.metrics import (
    Scores,
    accuracy_pairs,
    confusion_map,
    confusion_table,
    label_table,
    never_trained,
    score_table,
)
from rnncli.tasks.model import Evaluation
from rnncli.tasks.tag.spans import SpanScores


def in_a_row(names: Sequence[str]) -> str:
    """Words or tags with spaces between them; as JSON has them if one holds white space itself, as "B-Job title" does.

    :func:`~rnncli.data.formats.values.split_words` reads either.
    """
    spaced = any(len(name.split()) != 1 for name in names)
    return json.dumps(list(names), ensure_ascii=False) if spaced else " ".join(names)


@dataclass(frozen=True, kw_only=True)
class TagPrediction:
    """The tags of one sentence.

    Attributes:
        text: as it was given.
        tokens: its words.
        tags: the most probable tag of each.
        probabilities: of these tags.
        unknown: words outside the vocabulary, each once; they are tagged by their endings, beginnings and shapes.
    """

    text: str
    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    probabilities: tuple[float, ...]
    unknown: tuple[str, ...]
    cut: ClassVar[int] = 0

    @property
    def problem(self) -> str | None:
        return None if self.tokens else "the sentence has no words"

    def values(self) -> tuple[FileCell, ...]:
        if not self.tokens:
            return None, None, None
        of_tags = Several(self.probabilities, " ".join(map(str, self.probabilities)))
        return Several(self.tags, in_a_row(self.tags)), of_tags, Several(self.tokens, in_a_row(self.tokens))

    def cells(self) -> tuple[TableCell, ...]:
        return or_empty(in_a_row(self.tags)), in_a_row(self.tokens)

    def fields(self) -> tuple[str, ...]:
        return or_empty(in_a_row(self.tags)), in_a_row(self.tokens)

    def brief(self) -> tuple[tuple[str, ...], str, str]:
        words = " ".join(f"{word}/{tag}" for word, tag in zip(self.tokens, self.tags, strict=True))
        return (), or_empty(words), ""


@dataclass(frozen=True, kw_only=True)
class TagMistake:
    """A wrong tag, with the line of its sentence, and its file where there are several."""

    line: int
    word: str
    truth: str
    predicted: str
    probability: float
    context: str
    file: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class TagEvaluation(Evaluation):
    """Scores over all words.

    Attributes:
        scores: by tag; "rows" are words.
        unknown_words, unknown_accuracy: words outside the vocabulary, and how many of them are tagged rightly.
        span_f1: of whole spans, as CoNLL counts, where the tags mark some; else None.
        spans: the other scores of spans, of all and of each type.
        unseen: tag that the model does not have → its words, which are always counted wrong.
    """

    scores: Scores
    sentences: int
    unknown_words: int
    unknown_accuracy: float | None
    span_f1: float | None
    mistakes: tuple[TagMistake, ...]
    unseen: dict[str, int]
    skipped: int
    skipped_because: tuple[str, ...]
    spans: SpanScores | None = None

    def pictures(self) -> list[HeatMap]:
        return [confusion_map(self.scores)]

    def pairs(self) -> list[tuple[str, TableCell]]:
        pairs = [("sentences", self.sentences), ("words", self.scores.rows), *accuracy_pairs(self.scores)]
        if self.unknown_accuracy is not None:
            pairs.append(("unknown words", f"{self.unknown_words:,}, accuracy {self.unknown_accuracy:.4f}"))
        if self.spans is not None:
            of = self.spans.all
            figures = f"{of.f1:.4f} (precision {of.precision:.4f}, recall {of.recall:.4f}; {self.spans.scheme} tags)"
            pairs.append(("span F1", figures))
        return pairs + never_trained(f"tag '{tag}', {counted(count, 'word')}" for tag, count in self.unseen.items())

    def tables(self) -> list[TableView]:
        rows = tuple((place_of(m), m.word, m.truth, m.predicted, m.probability, m.context) for m in self.mistakes)
        named = Column("line", True), Column("word", style="bold"), Column("truth"), Column("prediction")
        columns = (*named, Column("probability", True), Column("context"))
        mistakes = TableView("Most confident mistakes", columns, rows)
        by_type = [] if self.spans is None else [score_table(self.spans.by_type, "type of span", "spans")]
        return [label_table(self.scores, "words"), *by_type, confusion_table(self.scores), mistakes]
