"""Many-to-many, aligned: a tag for every word."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params
from rnncli.core.packed import Array, PackedSequence
from rnncli.data.dataset import Dataset, left_out
from rnncli.data.ragged import joined
from rnncli.data.short_repr import ShortRepr
from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.vocabulary import Corpus, Vocabulary
from rnncli.data.text.word_features import SIDES, WordFeatures
from rnncli.errors import DataError, UsageError
from rnncli.inspection.flow import Opened
from rnncli.inspection.integrated_gradients import GradientPath
from rnncli.inspection.states import States, unit_names
from rnncli.inspection.why import BLANK, Parts
from rnncli.parallel.spread import shared_out
from rnncli.record import Record
from rnncli.results import Column, TableCell, TableView
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.metrics import score
from rnncli.tasks.model import CHUNK, Labels, Manifest, Model, chunks_of, distinct
from rnncli.tasks.prepare import label_counts, label_shares, numbered, require_memory, split_at_random
from rnncli.tasks.tag.network import TagExamples, Tagger
from rnncli.tasks.tag.results import TagEvaluation, TagMistake, TagPrediction, span_f1
from rnncli.tasks.task import Baseline

# A text that is not given as a list of words is split into them like this.
TOKENIZER = Tokenizer("word", lowercase=False)
UNREADABLE = "sentence that cannot be read"
_CONTEXT = 4  # words shown on either side of a mistake


@dataclass(frozen=True)
class TagStates(States):
    """One sentence, word by word.

    Attributes:
        probabilities: (T, K) of each tag at each word, the whole sentence read.
    """

    probabilities: Array

    answers_are = "the word's tag"

    def answers(self) -> Array:
        return self.probabilities


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
    def network(self) -> Tagger:
        return Tagger(self.settings, self.views.sizes, len(self.tags))

    def _predict_stream(self, texts: Iterable[str], first: int) -> Iterator[TagPrediction]:
        for chunk in chunks_of(texts):
            sentences = [words_of(text) for text in chunk]
            for text, words, of_words in zip(chunk, sentences, self._probabilities(sentences), strict=True):
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

    def trace(self, text: str | None = None) -> TagStates:
        words = self._words_of(text)
        (forms,), rows = self._forms([words])
        hidden = self.network.forward(self.params, PackedSequence.pack([forms]), rows)[1]
        known = tuple(self.views.knows(word) for word in words)
        units = unit_names(self.settings.hidden, self.settings.bidirectional)
        (probabilities,) = self._probabilities([words])
        norm = np.linalg.norm(hidden, axis=1)
        return TagStates(tuple(words), known, hidden, units, norm, self.tags, probabilities)

    def _opened(self, text: str, answer: str | None) -> Opened:
        words = self._words_of(text)
        model = self.in_double()
        (forms,), rows = self._forms([words])
        if answer is None:
            (probabilities,) = model._probabilities([words])
            tags = probabilities.argmax(axis=1)
        else:
            named = listed(answer) or answer.split()
            if len(named) != len(words) or not set(named) <= set(self.tags):
                raise UsageError(f"'{answer}' is not a known tag for each of the {len(words):,} words")
            tags = self._numbered(named)
        said = " ".join(self.tags[k] for k in tags.tolist())
        batch = TagExamples([forms], [tags], rows)
        return Opened(model.network, model.params, batch, {"": tuple(words)}, f"the tags {said}")

    def examples(self, texts: Sequence[str], answer: str) -> TagExamples:
        forms, rows = self._forms([words_of(text) for text in texts])
        return TagExamples(forms, [self._numbered(listed(answer) or answer.split())] * len(forms), rows)

    def way(self, text: str, blank: str, answer: str) -> tuple[GradientPath, None]:
        from rnncli.inspection.adapters.gradient_paths import of_tags

        both = self.examples([text, blank], answer)
        return of_tags(self.network, self.params, both.take(np.array([0])), both.views[both.inputs[1]]), None

    def _numbered(self, tags: Sequence[str]) -> Array:
        return np.array([self.tags.index(tag) for tag in tags])

    def parts(self, text: str) -> Parts:
        words = tuple(words_of(text))
        # A tag for each word: with a word less there is another answer.
        return Parts(words, words, BLANK, lambda left: json.dumps(left, ensure_ascii=False), deletable=False)

    def told(self, texts: Sequence[str]) -> list[str]:
        spaced = any(any(map(str.isspace, tag)) for tag in self.tags)
        join = partial(json.dumps, ensure_ascii=False) if spaced else " ".join
        return [join(list(prediction.tags)) for prediction in self.predict(texts)]

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> TagEvaluation:
        sentences, tags, dataset = read_sentences(dataset)
        names = [*self.tags, *sorted({tag for of in tags for tag in of} - set(self.tags))]
        number = {name: k for k, name in enumerate(names)}
        answered = shared_out(self._answer_some, sentences, workers)
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

    def _words_of(self, text: str | None) -> list[str]:
        """Raises UsageError: there are none."""
        text = self.text(text)
        words = words_of(text)
        if not words:
            raise UsageError(f"the text {'has no words' if text.strip() else 'is empty'}: there is no timestep to show")
        return words

    def _forms(self, sentences: Sequence[Sequence[str]]) -> tuple[list[Array], Array]:
        return encode_words(self.views, sentences)

    def _answer_some(self, sentences: Sequence[Sequence[str]]) -> list[tuple[Array, Array]]:
        """For each sentence the number of the most probable tag of each word, and its probability."""
        found = []
        for first in range(0, len(sentences), CHUNK):  # not the probabilities of all tags for all words at once
            answered = self._probabilities(sentences[first : first + CHUNK])
            found += [(of_words.argmax(axis=1), of_words.max(axis=1)) for of_words in answered]
        return found

    def _probabilities(self, sentences: Sequence[Sequence[str]]) -> list[Array]:
        """(T, K) of each sentence; (0, K) of one without words."""
        filled = [row for row, words in enumerate(sentences) if words]
        result: list[Array] = [np.empty((0, len(self.tags)))] * len(sentences)
        if filled:
            forms, rows = self._forms([sentences[row] for row in filled])
            for row, of_row in zip(filled, self.network.probabilities(self.params, forms, rows), strict=True):
                result[row] = of_row
        return result


def words_of(text: str) -> list[str]:
    """The words of a sentence: a JSON list of them, or a text to be split."""
    words = listed(text)
    return TOKENIZER.tokens(text) if words is None else words


def listed(text: str) -> list[str] | None:
    """The texts of a JSON list; None if it is something else."""
    if not text.lstrip().startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and all(isinstance(item, str) for item in found) else None


def encode_words(views: WordFeatures, sentences: Sequence[Sequence[str]]) -> tuple[list[Array], Array]:
    """Each sentence as numbers of its words' forms, and (forms, sides) what is known of each form."""
    number: dict[str, int] = {}
    forms = [np.array([number.setdefault(word, len(number)) for word in words], np.int32) for words in sentences]
    return forms, views.rows(number)


def read_sentences(dataset: Dataset) -> tuple[list[list[str]], list[list[str]], Dataset]:
    """The words and the tags of each record, and the records that could be read.

    Raises:
        DataError: one could not be, and bad records are not to be left out.
    """
    found = [_sentence(text, tags) for text, tags in zip(dataset.texts, dataset.labels, strict=True)]
    dataset = dataset.without([one if isinstance(one, str) else None for one in found], UNREADABLE)
    pairs = [one for one in found if not isinstance(one, str)]
    return [words for words, _ in pairs], [tags for _, tags in pairs], dataset


def _add(text: str, tagged: str, words: Corpus, tags: Corpus) -> str | None:
    """Takes a record into both; what is wrong with one that cannot be read."""
    found = _sentence(text, tagged)
    if isinstance(found, str):
        return found
    words.add_tokens(found[0])
    tags.add_tokens(found[1])
    return None


def _sentence(text: str, tagged: str) -> tuple[list[str], list[str]] | str:
    """Words and tags, or what is wrong with them."""
    words, tags = listed(text), listed(tagged)
    words = text.split() if words is None else words
    tags = tagged.split() if tags is None else tags
    if len(words) != len(tags):
        return f"{len(words):,} words and {len(tags):,} tags; there is a tag for each word"
    if not words:
        return "the sentence has no words"
    if not all(tag.strip() for tag in tags):
        return f"the tag of word {next(k for k, tag in enumerate(tags, 1) if not tag.strip())} is empty"
    return words, tags


@dataclass(frozen=True)
class TagReport:
    """What a data set of tagged sentences is like.

    Attributes:
        labels: tag → words, by falling count.
        lengths: words of a sentence: smallest, median, largest.
        words, distinct: all words, and the different ones among them.
        known: words in the vocabulary.
        unknown_rate: share of the validation words (of the training words if there are none) outside of it.
    """

    rows: int
    training_rows: int
    validation_rows: int
    labels: dict[str, int]
    lengths: tuple[int, int, int]
    words: int
    distinct: int
    known: int
    unknown_rate: float
    warnings: tuple[str, ...]

    what = "A tagger"

    def lines(self) -> list[tuple[str, str]]:
        low, middle, high = self.lengths
        side = "validation" if self.validation_rows else "training"
        return [
            ("sentences", f"{self.rows:,}: {self.training_rows:,} to train, {self.validation_rows:,} to validate"),
            ("tags", label_shares(self.labels)),
            ("lengths", f"{low:,} to {high:,} words, median {middle:,}"),
            ("vocabulary", f"{self.known:,} of {self.distinct:,} distinct words are known"),
            ("unknown", f"{self.unknown_rate:.2%} of the {side} words; told by ending, beginning and shape"),
        ]

    def summary(self) -> list[str]:
        return [label_counts(self.labels).replace("Labels", "Tags", 1)]


@dataclass(frozen=True, repr=False)
class PreparedTags(ShortRepr):
    """Everything a training of a tagger starts from."""

    settings: Settings
    views: WordFeatures
    tags: tuple[str, ...]
    train: TagExamples
    validation: TagExamples
    example: str
    report: TagReport

    @property
    def network(self) -> Tagger:
        return Tagger(self.settings, self.views.sizes, len(self.tags))

    def with_settings(self, settings: Settings) -> PreparedTags:
        return replace(self, settings=settings)

    def baselines(self) -> tuple[Baseline, ...]:
        rows = commonest_tags(self.train, self.validation, len(self.tags))
        return (Baseline("commonest_tag_of_each_word", rows),)

    def model(self, params: Params, record: Record) -> TaggerModel:
        return TaggerModel(self.settings, self.views, self.tags, params, self.example, record)

    def word_tables(self) -> Mapping[str, Sequence[str]]:
        return {f"views/{SIDES[0]}": self.views.known[0].tokens}


def commonest_tags(train: TagExamples, validation: TagExamples, tag_count: int) -> RowScores:
    """The right tags of each sentence, where each word gets the tag it has most often in training.

    A word that is not there gets the commonest tag of all.
    """
    words, tags = joined(train.inputs), joined(train.targets)
    answers = np.full(len(train.views), np.bincount(tags, minlength=tag_count).argmax())
    # Each word with each of its tags, by word, the least frequent tag first and of equally frequent ones the last.
    pairs, counts = np.unique(words.astype(np.int64) * tag_count + tags, return_counts=True)
    of_pairs, tag_of_pair = np.divmod(pairs, tag_count)
    order = np.lexsort((-tag_of_pair, counts, of_pairs))
    answers[of_pairs[order]] = tag_of_pair[order]  # the last one stays
    right = answers[joined(validation.inputs)] == joined(validation.targets)
    counts = validation.lengths
    return RowScores(np.add.reduceat(right.astype(np.float64), np.cumsum(counts) - counts), counts.astype(np.float64))


class Tag:
    """The task of records that hold as many tags as words."""

    name = "tag"
    model = TaggerModel
    effort = 1.0

    def fits(self, dataset: Dataset) -> bool:
        sample = islice(zip(dataset.texts, dataset.labels, strict=True), 20)
        pairs = [(listed(text), listed(tags)) for text, tags in sample]
        fitting = [words is not None and tags is not None and len(words) == len(tags) for words, tags in pairs]
        return 2 * sum(fitting) > len(fitting)  # what is wrong with the others is told with their lines

    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        return {"bidirectional": True}

    def prepare(self, dataset: Dataset, settings: Settings) -> PreparedTags:
        words, tagged = Corpus(), Corpus()
        problems = [_add(text, tags, words, tagged) for text, tags in zip(dataset.texts, dataset.labels, strict=True)]
        dataset = dataset.without(problems, UNREADABLE)
        tags, number = numbered(tagged.distinct)
        if len(tags) < 2:
            raise DataError(f"{dataset.name}: a tagger needs at least 2 tags, and every word here has '{tags[0]}'")
        count, lengths = len(dataset.texts), words.lengths
        if count < 2:
            raise DataError(f"{dataset.name}: a tagger needs at least 2 sentences, and this file has 1")
        train_rows, validation_rows = split_at_random(count, dataset, settings)
        counts = {word: times for word, times in words.counts(train_rows).items() if times}
        views = WordFeatures.of(counts, min_count=settings.min_count, max_size=settings.max_vocabulary)
        require_memory(Tagger(settings, views.sizes, len(tags)), settings, int(lengths.max()))
        # A form of a word has the number that the corpus gave it.
        forms, targets = words.texts(), tagged.texts()
        targets = targets.with_flat(number[targets.flat])
        whole = TagExamples(forms, targets, views.rows(words.distinct))
        looked_at = validation_rows if len(validation_rows) else train_rows
        known = np.array([views.knows(word) for word in words.distinct])
        numbers_of_tags = np.bincount(targets.flat, minlength=len(tags)).tolist()
        by_count = dict(sorted(zip(tags, numbers_of_tags, strict=True), key=lambda item: (-item[1], item[0])))
        report = TagReport(
            *(count, len(train_rows), len(validation_rows), by_count),
            (int(lengths.min()), int(np.median(lengths)), int(lengths.max())),
            *(int(lengths.sum()), len(counts), len(views.known[0].tokens)),
            float((~known[forms.take(looked_at).joined()]).mean()),
            (left_out(dataset.skipped, dataset.skipped_because),) if dataset.skipped else (),
        )
        short = looked_at[(lengths[looked_at] >= 5) & (lengths[looked_at] <= 12)]
        (shown,) = words.tokens((short if len(short) else looked_at)[:1])
        example = json.dumps(shown, ensure_ascii=False)
        return PreparedTags(settings, views, tags, whole.take(train_rows), whole.take(validation_rows), example, report)


TASK = Tag()
