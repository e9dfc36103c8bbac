"""Many-to-many, aligned: a tag for every word."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.config import Settings
from rnncli.data.records import TokenLists
from rnncli.data.records.ragged import joined
from rnncli.data.text.vocabulary import Corpus
from rnncli.data.text.word_features import SIDES, WordFeatures
from rnncli.errors import DataError, counted
from rnncli.tasks.comparison import Baseline, RowScores
from rnncli.tasks.prepare import MOST_LABELS, Prepared, learned_labels, numbered, require_memory, split
from rnncli.tasks.report import known_in_words, label_report, skipped_warning, spread, spread_words
from rnncli.tasks.tag.model import TaggerModel
from rnncli.tasks.tag.network import TagExamples
from rnncli.tasks.tag.spans import place_and_type, scheme_of
from rnncli.tasks.task import Task

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


def baselines(train: TagExamples, validation: TagExamples, tag_count: int) -> tuple[Baseline, ...]:
    """The right tags of each sentence, where each word gets its most frequent tag in training.

    A word that training does not have gets the most frequent tag of all.
    """
    words, tags = joined(train.inputs), joined(train.targets)
    answers = np.full(len(train.views), np.bincount(tags, minlength=tag_count).argmax())
    # Words with their tags, by word, then by count; the assignment below keeps the last, of equal counts the first tag.
    pairs, counts = np.unique(words.astype(np.int64) * tag_count + tags, return_counts=True)
    of_pairs, tag_of_pair = np.divmod(pairs, tag_count)
    order = np.lexsort((-tag_of_pair, counts, of_pairs))
    answers[of_pairs[order]] = tag_of_pair[order]  # the last one stays
    right = answers[joined(validation.inputs)] == joined(validation.targets)
    counts = validation.lengths
    sums = np.add.reduceat(right.astype(np.float64), np.cumsum(counts) - counts)
    return (Baseline("commonest_tag_of_each_word", RowScores(sums, counts.astype(np.float64))),)


class Tag(Task):
    """The task of records that hold as many tags as words."""

    model = TaggerModel
    continues = True
    recognized_by = "a tag for each word"

    def fits(self, dataset: Dataset) -> bool:
        return isinstance(dataset.inputs, TokenLists)

    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        return {"bidirectional": True}

    def prepare(self, dataset: Dataset, settings: Settings, begin: TaggerModel | None = None) -> Prepared:
        words, tag_corpus = Corpus(), Corpus()
        for sentence, its_tags in zip(dataset.inputs, dataset.labels, strict=True):
            words.add(sentence)
            tag_corpus.add(its_tags)
        tags, number = numbered(tag_corpus.distinct)
        if len(tags) > MOST_LABELS:
            what = f"{len(tags):,} different tags, and rnncli learns at most {MOST_LABELS:,}"
            raise DataError(f"{dataset.name}: {what}", "name the column of the tags with --label")
        if len(tags) < 2 and begin is None:
            raise DataError(f"{dataset.name}: a tagger needs at least 2 tags, and every word here has '{tags[0]}'")
        lengths = words.lengths
        if len(lengths) < 2 and begin is None:
            raise DataError(f"{dataset.name}: a tagger needs at least 2 sentences, and this file has 1")
        rows = split(dataset, settings)
        targets = tag_corpus.texts()
        known_tags, features = ((), None) if begin is None else (begin.tags, begin.views)
        targets = targets.with_flat(number[targets.flat])
        tags, targets = learned_labels(dataset, rows, tags, targets, known_tags, "tag")
        counts = {word: times for word, times in words.counts(rows.train).items() if times}
        limits = {"min_count": settings.min_count, "max_size": settings.max_vocabulary}
        views = WordFeatures.of(counts, **limits, known=features)
        looked_at = rows.looked_at
        short = looked_at[(lengths[looked_at] >= 5) & (lengths[looked_at] <= 12)]
        (shown,) = words.tokens((short if len(short) else looked_at)[:1])
        example = json.dumps(shown, ensure_ascii=False)
        untrained = TaggerModel(settings=settings, views=views, tags=tags, example=example)
        require_memory(untrained.network, int(lengths.max()))
        forms = words.texts()
        whole = TagExamples(forms, targets, views.rows(words.distinct))
        train, validation = whole.take(rows.train), whole.take(rows.validation)
        known = np.array([views.knows(word) for word in words.distinct])
        known_words, unknown_rate = len(views.known[0].tokens), float((~known[forms.take(looked_at).joined()]).mean())
        unknown = f"{unknown_rate:.2%} of the {rows.looked_at_are}"
        scheme = scheme_of(dataset.labels, tags)
        types = sorted({found[1] for found in map(place_and_type, tags) if found is not None and found[1]})
        report = label_report(
            dict(zip(tags, np.bincount(targets.flat, minlength=len(tags)).tolist(), strict=False)),
            {
                "lengths": spread(lengths),
                "words": int(lengths.sum()),
                "distinct": len(counts),
                "known": known_words,
                "unknown_rate": unknown_rate,
                "scheme": scheme,
            },
            [
                *(
                    []
                    if scheme is None
                    else [("spans", f"{scheme} tags; {counted(len(types), 'type')}: {', '.join(types)}")]
                ),
                ("lengths", spread_words(spread(lengths), "word")),
                ("vocabulary", known_in_words(known_words, len(counts), "word", begin is not None)),
                ("unknown", f"{unknown} words; tagged by ending, beginning and shape"),
            ],
            labels_are="tags",
            what="A tagger",
            warnings=skipped_warning(dataset),
            row=untrained.row,
            **rows.sizes,
        )
        judge = partial(baselines, train, validation, len(tags))
        tables = {f"views/{SIDES[0]}": views.known[0].tokens}
        return Prepared(untrained, train, validation, report, baselines=judge, word_tables=tables)


TASK = Tag()
