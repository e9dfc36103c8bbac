"""Many-to-many, aligned: a tag for every word."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params
from rnncli.data.dataset import Dataset, left_out
from rnncli.data.ragged import joined
from rnncli.data.short_repr import ShortRepr
from rnncli.data.text.vocabulary import Corpus
from rnncli.data.text.word_features import SIDES, WordFeatures
from rnncli.errors import DataError
from rnncli.record import Record
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.prepare import label_counts, label_shares, numbered, require_memory, split_at_random
from rnncli.tasks.tag.model import TaggerModel
from rnncli.tasks.tag.network import TagExamples, Tagger
from rnncli.tasks.tag.sentences import UNREADABLE, _add, listed
from rnncli.tasks.task import Baseline


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
