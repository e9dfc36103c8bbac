"""The trained tagger: from the words of a sentence to their tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.formats.values import Value, as_text
from rnncli.data.formats.values import words as listed_words
from rnncli.data.records import TokenLists
from rnncli.data.text.tokenizer import OF_TAGGED_TEXTS
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.data.text.word_features import SIDES, WordFeatures
from rnncli.errors import UsageError, quoted
from rnncli.parallel.chunks import map_rows
from rnncli.results import Column, TableCell, TableView
from rnncli.tasks.metrics import judge
from rnncli.tasks.model import OF_TEXTS, Axis, Labels, Manifest, Model, distinct, of_filled, token_axis
from rnncli.tasks.network import BATCH, network_in_words
from rnncli.tasks.tag.network import Tagger
from rnncli.tasks.tag.results import TagEvaluation, TagMistake, TagPrediction
from rnncli.tasks.tag.spans import score_spans

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset

_CONTEXT = 4  # words shown on either side of a mistake


def words_of(sentence: Value) -> list[str]:
    """The words of a sentence: a list of them, or a text to be split."""
    found = listed_words(sentence)
    return OF_TAGGED_TEXTS.tokens(as_text(sentence)) if found is None else list(found)


@dataclass(frozen=True, kw_only=True)
class TaggerManifest(Manifest):
    """What the file of a tagger adds."""

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
    """A tagger, and what turns sentences into its inputs.

    Attributes:
        views: the known features of words.
        tags: in the order of the probabilities.
    """

    task = "tag"
    columns = (Column("tags", style="bold"), Column("words"))
    answers = ("prediction", "probability", "words")
    stored = TaggerManifest
    unit = "word"
    inputs = TokenLists
    unused = OF_TEXTS | {"readout", "initializer", "attention", "inject", "class_weights"}
    unused_sizes = frozenset({"max_length"})
    views: WordFeatures
    tags: tuple[str, ...]

    @property
    def row(self) -> str:
        return "sentence"

    @property
    def axes(self) -> Mapping[str, Axis]:
        sides = zip(SIDES, self.views.known, strict=True)
        rows = {f"views/{side}": token_axis(0, known, "word" if side == SIDES[0] else "") for side, known in sides}
        bias = {"output/bias": Axis(0, self.tags)} if self.settings.bias else {}
        return rows | {"output/weight": Axis(1, self.tags, "tag")} | bias

    @property
    def network(self) -> Tagger:
        return Tagger(self.settings, self.views.sizes, len(self.tags))

    def checked_input(self, given: Any, number: int | None = None) -> Any:
        """As in all models; a list has to be one of words.

        Raises:
            UsageError: it is something else.
        """
        found = super().checked_input(given, number)
        problem = self.problem(found)
        if problem is not None:
            raise UsageError(problem if number is None else f"input {number}: {problem}")
        return found

    def problem(self, text: Value) -> str | None:
        if isinstance(text, str) or listed_words(text) is not None:
            return None
        return f"a tagger reads a text or a list of words, and not {quoted(as_text(text))}"

    def _predict_chunk(self, texts: list[Value], first: int) -> Iterator[TagPrediction]:
        sentences = [words_of(text) for text in texts]
        for text, words, of_words in zip(texts, sentences, self.probabilities(sentences), strict=True):
            yield TagPrediction(
                text=as_text(text),
                tokens=tuple(words),
                tags=tuple(self.tags[k] for k in of_words.argmax(axis=1).tolist()),
                probabilities=tuple(of_words.max(axis=1, initial=0).tolist()),
                unknown=tuple(dict.fromkeys(word for word in words if not self.views.knows(word))),
            )

    @property
    def vector_size(self) -> int:
        return self.network.stack.output_size

    def vectors(self, texts: Sequence[Any]) -> Array:
        """(inputs, H) the mean over the words of what the topmost layer gives."""
        network, nothing = self.network, np.full(self.vector_size, np.nan, self.settings.dtype)
        sentences = [words_of(text) for text in texts]
        found = of_filled(lambda some: network.vectors(self.params, *self.encode(some)), sentences, nothing)
        return np.array(found).reshape(len(texts), self.vector_size)

    def shown(self, predictions: Sequence[TagPrediction]) -> list[TableView]:
        """A table for each sentence, with a tag beside each word."""
        columns = (Column("word"), Column("tag", style="bold"), Column("probability", True), Column(""))
        tables = []
        for p in predictions:
            notes = ("unknown" if word in p.unknown else "" for word in p.tokens)
            rows = tuple(zip(p.tokens, p.tags, p.probabilities, notes, strict=True))
            tables.append(TableView("" if p.tokens else "(empty)", columns, rows))
        return tables

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> TagEvaluation:
        sentences, tags = list(dataset.inputs), list(dataset.labels)
        sizes = list(map(len, sentences))

        def answered(rows: list[int]) -> list[tuple[Array, Array]]:
            each = self.probabilities([sentences[row] for row in rows])
            return [(of_words.argmax(axis=1), of_words.max(axis=1)) for of_words in each]

        found = map_rows(answered, sizes, BATCH, workers)
        predicted, confidence = (np.concatenate(of_words) for of_words in zip(*found, strict=True))
        judged = judge(list(chain.from_iterable(tags)), predicted, confidence, self.tags, worst)
        unknown = np.array([not self.views.knows(word) for words in sentences for word in words])
        begins = np.cumsum(sizes) - sizes  # of each sentence, among all words
        mistakes = []
        for place in judged.worst:
            row = int(np.searchsorted(begins, place, side="right")) - 1
            sentence, at = sentences[row], place - int(begins[row])
            mistakes.append(
                TagMistake(
                    line=dataset.lines[row],
                    file=dataset.file(row),
                    word=sentence[at],
                    truth=tags[row][at],
                    predicted=judged.names[predicted[place]],
                    probability=float(confidence[place]),
                    context=" ".join(sentence[max(0, at - _CONTEXT) : at + _CONTEXT + 1]),
                )
            )
        named = iter([judged.names[k] for k in predicted.tolist()])
        of_spans = score_spans(tags, [list(islice(named, size)) for size in sizes])
        return TagEvaluation(
            scores=judged.scores,
            sentences=len(sentences),
            unknown_words=int(unknown.sum()),
            unknown_accuracy=float(judged.right[unknown].mean()) if unknown.any() else None,
            span_f1=None if of_spans is None else of_spans.all.f1,
            mistakes=tuple(mistakes),
            unseen=judged.unseen,
            skipped=dataset.skipped,
            skipped_because=dataset.skipped_because,
            spans=of_spans,
        )

    def describe(self) -> list[tuple[str, TableCell]]:
        known = f"{len(self.views.known[0].tokens):,} of them known"
        return [
            ("tags", ", ".join(self.tags)),
            ("network", network_in_words(self.settings)),
            ("input", f"words, {known}, with endings, beginnings and shapes"),
        ]

    def facts(self) -> dict[str, Any]:
        return {"tags": self.tags, "entries": dict(zip(SIDES, self.views.sizes, strict=True))}

    def own_manifest(self) -> dict[str, Any]:
        return {"tags": list(self.tags), "views": self.views.manifest}

    def encode(self, sentences: Sequence[Sequence[str]]) -> tuple[list[Array], Array]:
        """Each sentence as numbers of its words' forms, and (forms, sides) the features of each form."""
        number: dict[str, int] = {}
        forms = [np.array([number.setdefault(word, len(number)) for word in words], np.int32) for words in sentences]
        return forms, self.views.rows(number)

    def probabilities(self, sentences: Sequence[Sequence[str]]) -> list[Array]:
        """(T, K) of each sentence; (0, K) of one without words."""
        network, nothing = self.network, np.empty((0, len(self.tags)))
        return of_filled(lambda filled: network.probabilities(self.params, *self.encode(filled)), sentences, nothing)
