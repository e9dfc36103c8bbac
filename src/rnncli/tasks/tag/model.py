"""The trained model: from an input to an answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.data.formats.values import Value, as_text
from rnncli.data.records import TokenLists
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.data.text.word_features import SIDES, WordFeatures
from rnncli.parallel.chunks import map_rows
from rnncli.results import Column, TableCell, TableView
from rnncli.tasks.metrics import judge
from rnncli.tasks.model import OF_TEXTS, Labels, Manifest, Model, distinct
from rnncli.tasks.network import BATCH, network_in_words
from rnncli.tasks.tag.network import Tagger
from rnncli.tasks.tag.results import TagEvaluation, TagMistake, TagPrediction, span_f1
from rnncli.tasks.tag.sentences import encode_words, words_of

_CONTEXT = 4  # words shown on either side of a mistake


@dataclass(frozen=True, kw_only=True)
class TaggerManifest(Manifest):
    """A tagger's own part of its file."""

    tags: Labels
    views: dict[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        if self.views.keys() != set(SIDES):
            raise ValueError("the views of a word are not those of this version")

    def parts(self) -> dict[str, Any]:
        views = WordFeatures(tuple(Vocabulary(self.views[side]) for side in SIDES))
        return {"views": views, "tags": distinct(self.tags, "tag")}


@dataclass(frozen=True, kw_only=True, repr=False)
class TaggerModel(Model):
    """A tagger with everything that a sentence needs on its way to its tags.

    Attributes:
        views: what is known of words.
        tags: in the order of the probabilities.
    """

    task = "tag"
    columns = (Column("words"), Column("tags", style="bold"))
    stored = TaggerManifest
    unit = "word"
    inputs = TokenLists
    unused = OF_TEXTS | {"readout", "initializer", "attention", "inject", "class_weights"}
    unused_sizes = frozenset({"max_length"})
    views: WordFeatures
    tags: tuple[str, ...]

    @property
    def network(self) -> Tagger:
        return Tagger(self.settings, self.views.sizes, len(self.tags))

    def _predict_chunk(self, texts: list[Value], first: int) -> Iterator[TagPrediction]:
        sentences = [words_of(text) for text in texts]
        for text, words, of_words in zip(texts, sentences, self.probabilities(sentences), strict=True):
            tags = tuple(self.tags[k] for k in of_words.argmax(axis=1).tolist())
            unknown = tuple(dict.fromkeys(word for word in words if not self.views.knows(word)))
            probabilities = tuple(of_words.max(axis=1, initial=0).tolist())
            yield TagPrediction(
                text=as_text(text), tokens=tuple(words), tags=tags, probabilities=probabilities, unknown=unknown
            )

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
        sentences, tags = list(dataset.inputs), list(dataset.labels)
        sizes = list(map(len, sentences))
        answered = map_rows(lambda rows: self._answer_some([sentences[row] for row in rows]), sizes, BATCH, workers)
        predicted, confidence = (np.concatenate(of_words) for of_words in zip(*answered, strict=True))
        judged = judge([tag for of_sentence in tags for tag in of_sentence], predicted, confidence, self.tags, worst)
        unknown = np.array([not self.views.knows(word) for words in sentences for word in words])
        ends = np.cumsum([len(words) for words in sentences])
        mistakes = []
        for place in judged.worst:
            row = int(np.searchsorted(ends, place, side="right"))
            words = sentences[row]
            at = place - (int(ends[row]) - len(words))
            mistakes.append(
                TagMistake(
                    line=dataset.lines[row],
                    word=words[at],
                    truth=tags[row][at],
                    predicted=judged.names[predicted[place]],
                    probability=float(confidence[place]),
                    context=" ".join(words[max(0, at - _CONTEXT) : at + _CONTEXT + 1]),
                )
            )
        named = iter([judged.names[k] for k in predicted.tolist()])
        return TagEvaluation(
            scores=judged.scores,
            sentences=len(sentences),
            unknown_words=int(unknown.sum()),
            unknown_accuracy=float(judged.right[unknown].mean()) if unknown.any() else None,
            span_f1=span_f1(tags, [list(islice(named, len(words))) for words in sentences]),
            mistakes=tuple(mistakes),
            unseen=judged.unseen,
            skipped=dataset.skipped,
            skipped_because=dataset.skipped_because,
        )

    def describe(self) -> list[tuple[str, TableCell]]:
        words = len(self.views.known[0].tokens)
        return [
            ("tags", ", ".join(self.tags)),
            ("network", network_in_words(self.settings)),
            ("input", f"words, {words:,} of them known, with endings, beginnings and shapes"),
        ]

    def facts(self) -> dict[str, Any]:
        return {"tags": self.tags, "entries": dict(zip(SIDES, self.views.sizes, strict=True))}

    def own_manifest(self) -> dict[str, Any]:
        return {"tags": list(self.tags), "views": self.views.manifest}

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
