"""The trained model: from an input to an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.data.text.word_features import SIDES, WordFeatures
from rnncli.parallel.chunks import map_rows
from rnncli.record import Record
from rnncli.results import Column, TableCell, TableView
from rnncli.tasks.metrics import score
from rnncli.tasks.model import OF_TEXTS, Labels, Manifest, Model, chunks_of, distinct
from rnncli.tasks.network import BATCH
from rnncli.tasks.tag.network import Tagger
from rnncli.tasks.tag.results import TagEvaluation, TagMistake, TagPrediction, span_f1
from rnncli.tasks.tag.sentences import encode_words, read_sentences, words_of

_CONTEXT = 4  # words shown on either side of a mistake


@dataclass(frozen=True, kw_only=True)
class TaggerManifest(Manifest):
    """A tagger's own part of its file."""

    tags: Labels
    views: dict[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        if self.views.keys() != set(SIDES):
            raise ValueError("the views of a word are not those of this version")


@dataclass(frozen=True, repr=False)
class TaggerModel(Model):
    """A tagger with everything that a sentence needs on its way to its tags.

    Attributes:
        views: what is known of words.
        tags: in the order of the probabilities.
    """

    task: ClassVar[str] = "tag"
    columns: ClassVar[tuple[Column, ...]] = (Column("words"), Column("tags", style="bold"))
    settings: Settings
    views: WordFeatures
    tags: tuple[str, ...]
    params: Params
    example: str = ""
    record: Record = field(default_factory=Record)
    unit: ClassVar[str] = "word"
    stored: ClassVar = TaggerManifest

    @property
    def unused(self) -> frozenset[str]:
        return OF_TEXTS | {"readout", "initializer", "attention", "inject", "class_weights"}

    @property
    def unused_sizes(self) -> frozenset[str]:
        return frozenset({"max_length"})

    @property
    def network(self) -> Tagger:
        return Tagger(self.settings, self.views.sizes, len(self.tags))

    def _predict_stream(self, texts: Iterable[str], first: int) -> Iterator[TagPrediction]:
        for chunk in chunks_of(texts):
            sentences = [words_of(text) for text in chunk]
            for text, words, of_words in zip(chunk, sentences, self.probabilities(sentences), strict=True):
                tags = tuple(self.tags[k] for k in of_words.argmax(axis=1).tolist())
                unknown = tuple(dict.fromkeys(word for word in words if not self.views.knows(word)))
                probabilities = tuple(of_words.max(axis=1, initial=0).tolist())
                yield TagPrediction(text, tuple(words), tags, probabilities, unknown)

    def shown(self, predictions: Sequence[TagPrediction]) -> list[TableView]:
        """A tag beside each word: one table for each sentence."""
        columns = (Column("word"), Column("tag", style="bold"), Column("probability", True), Column(""))
        return [
            TableView(
                "" if p.tokens else "(empty)",
                columns,
                tuple(
                    (word, tag, probability, "unknown" if word in p.unknown else "")
                    for word, tag, probability in zip(p.tokens, p.tags, p.probabilities, strict=True)
                ),
            )
            for p in predictions
        ]

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> TagEvaluation:
        sentences, tags, dataset = read_sentences(dataset)
        names = [*self.tags, *sorted({tag for of in tags for tag in of} - set(self.tags))]
        number = {name: k for k, name in enumerate(names)}
        sizes = list(map(len, sentences))
        answered = map_rows(lambda rows: self._answer_some([sentences[row] for row in rows]), sizes, BATCH, workers)
        truth = np.array([number[tag] for of in tags for tag in of], np.int64)
        predicted, confidence = (np.concatenate(of_words) for of_words in zip(*answered, strict=True))
        unknown = np.array([not self.views.knows(word) for words in sentences for word in words])
        right = truth == predicted
        wrong = np.flatnonzero(~right)
        wrong = wrong[np.argsort(-confidence[wrong], kind="stable")][:worst]
        counts = np.bincount(truth, minlength=len(names)).tolist()
        ends = np.cumsum([len(words) for words in sentences])
        mistakes = []
        for place in wrong.tolist():
            row = int(np.searchsorted(ends, place, side="right"))
            words = sentences[row]
            at = place - (int(ends[row]) - len(words))
            context = " ".join(words[max(0, at - _CONTEXT) : at + _CONTEXT + 1])
            answer = names[int(predicted[place])]
            mistakes.append(
                TagMistake(dataset.lines[row], words[at], tags[row][at], answer, float(confidence[place]), context)
            )
        tags_told = iter([names[k] for k in predicted.tolist()])
        told = [list(islice(tags_told, len(words))) for words in sentences]
        return TagEvaluation(
            score(truth, predicted, tuple(names)),
            len(sentences),
            int(unknown.sum()),
            float(right[unknown].mean()) if unknown.any() else None,
            span_f1(tags, told),
            tuple(mistakes),
            dict(zip(names[len(self.tags) :], counts[len(self.tags) :], strict=True)),
            dataset.skipped,
            dataset.skipped_because,
        )

    def describe(self) -> list[tuple[str, TableCell]]:
        words = len(self.views.known[0].tokens)
        return [
            ("tags", ", ".join(self.tags)),
            ("network", self.settings.network_words),
            ("input", f"words, {words:,} of them known, with endings, beginnings and shapes"),
        ]

    def facts(self) -> dict[str, Any]:
        return {"tags": self.tags, "entries": dict(zip(SIDES, self.views.sizes, strict=True))}

    def own_manifest(self) -> dict[str, Any]:
        return {"tags": list(self.tags), "views": self.views.manifest}

    @classmethod
    def of_manifest(cls, manifest: TaggerManifest) -> TaggerModel:
        views = WordFeatures(tuple(Vocabulary(manifest.views[side]) for side in SIDES))
        tags = distinct(manifest.tags, "tag")
        return cls(manifest.settings, views, tags, {}, manifest.example, manifest.record)

    def encode(self, sentences: Sequence[Sequence[str]]) -> tuple[list[Array], Array]:
        """Sentences as :func:`rnncli.tasks.tag.sentences.encode_words` has them."""
        return encode_words(self.views, sentences)

    def _answer_some(self, sentences: Sequence[Sequence[str]]) -> list[tuple[Array, Array]]:
        """For each sentence the number of the most probable tag of each word, and its probability."""
        answered = self.probabilities(sentences)
        return [(of_words.argmax(axis=1), of_words.max(axis=1)) for of_words in answered]

    def probabilities(self, sentences: Sequence[Sequence[str]]) -> list[Array]:
        """(T, K) of each sentence; (0, K) of one without words."""
        filled = [row for row, words in enumerate(sentences) if words]
        result: list[Array] = [np.empty((0, len(self.tags)))] * len(sentences)
        if filled:
            forms, rows = self.encode([sentences[row] for row in filled])
            for row, of_row in zip(filled, self.network.probabilities(self.params, forms, rows), strict=True):
                result[row] = of_row
        return result
