"""Classifying texts: from labelled texts to encoded examples, and the report that is worth reading before training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.data.ragged import Ragged, joined
from rnncli.data.text.vocabulary import Corpus, Vocabulary, build_vocabulary
from rnncli.errors import counted
from rnncli.tasks.classify.bag_of_words import baselines, memory, problem
from rnncli.tasks.classify.labels import require_labels, row_weights, warnings_of
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.classify.network import Examples
from rnncli.tasks.inputs import TextInput, build_tokenizer, shortened
from rnncli.tasks.prepare import Prepared, numbered, require_memory, split
from rnncli.tasks.report import LabelReport, Spread, by_falling_count, label_shares, spread, spread_words


@dataclass(frozen=True, kw_only=True)
class TextReport(LabelReport):
    """What a data set of labelled texts is like.

    Attributes:
        lengths: tokens of a text: smallest, median, largest.
        cut: texts longer than the ``max_length`` that is read of them.
        unknown_rate: share of the validation tokens (of the training tokens if there are none) outside the vocabulary.
        on_both_sides: distinct texts that stand in training and in validation.
    """

    tokens: str
    lengths: Spread
    cut: int
    words: int
    vocabulary: int
    distinct_tokens: int
    unknown_rate: float
    on_both_sides: int

    what = "A classifier of text"

    def _lines(self) -> Iterator[tuple[str, str]]:
        lengths = spread_words(self.lengths, self.tokens)
        if self.cut:
            longer = counted(self.cut, "longer text is read without its", "longer texts are read without their")
            lengths += f"; {longer} middle (--max-length)"
        yield "labels", label_shares(self.labels)
        yield "lengths", lengths
        yield "vocabulary", f"{self.vocabulary:,} of {self.distinct_tokens:,} distinct {self.tokens}s are known"
        yield "unknown", f"{self.unknown_rate:.2%} of the {self.looked_at} tokens"
        if self.on_both_sides:
            texts = counted(self.on_both_sides, "text stands", "texts stand")
            yield "both sides", f"{texts} in training and in validation"


def prepare(dataset: Dataset, settings: Settings) -> Prepared:
    """Tokenizes, splits, counts and encodes.

    Raises:
        DataError: the rows cannot train a classifier; the message says how many of what are needed.
        UsageError: the network that the settings describe does not fit into memory.
    """
    require_labels(dataset)  # before the texts are read, which takes a while
    tokenizer = build_tokenizer(settings, dataset.texts[:200])
    settings = settings.replace(tokens=tokenizer.unit)
    corpus = Corpus(tokenizer)
    for text in dataset.texts:
        corpus.add(text)
    dataset = dataset.with_tokens(corpus.lengths, tokenizer.unit)
    corpus.drop_empty()
    require_labels(dataset)

    labels, targets = numbered(dataset.labels)
    rows = split(dataset, settings, targets)
    counts = corpus.counts(rows.train)
    # Ids go by falling count, so those of the network's vocabulary are the first of them all.
    unlimited = build_vocabulary(counts, min_count=settings.min_count)
    vocabulary = Vocabulary(unlimited.tokens[: settings.max_vocabulary])
    untrained = ClassifierModel(
        settings=settings,
        input=TextInput(tokenizer, vocabulary),
        labels=labels,
        params={},
        example=_example(dataset, corpus, rows.looked_at),
    )
    lengths = corpus.lengths
    of_words = int(lengths[rows.train].sum()), unlimited.size, len(labels)
    no_bag_of_words = problem(*of_words) if len(rows.validation) else None
    data = 12 * int(lengths.sum()) + 64 * len(targets)  # ids as they are and in order, and their places
    if len(rows.validation) and no_bag_of_words is None:
        data += memory(*of_words)
    require_memory(untrained.network, int(lengths.max()), data)
    # A bag of words reads all of a text, with every word: it is to be compared with at its best.
    weights = row_weights(targets[rows.train], targets, len(labels), settings)
    whole = Examples(corpus.encode(unlimited), targets, weights)
    whole_train, whole_validation = whole.take(rows.train), whole.take(rows.validation)
    read = _cut(whole, settings.max_length, vocabulary.unknown)
    train, validation = whole_train, whole_validation
    if read is not whole:
        train, validation = read.take(rows.train), read.take(rows.validation)
    by_count = by_falling_count(Counter(dataset.labels))
    warnings = warnings_of(dataset, by_count, settings)
    report = TextReport(
        **rows.sizes,
        labels=by_count,
        tokens=settings.tokens,
        lengths=spread(lengths),
        cut=int((lengths > settings.max_length).sum()),
        words=int(lengths.sum()),
        vocabulary=len(vocabulary.tokens),
        distinct_tokens=sum(count > 0 for count in counts.values()),
        unknown_rate=float((joined(validation.inputs or train.inputs) == vocabulary.unknown).mean()),
        on_both_sides=_on_both_sides(corpus, rows.train, rows.validation),
        warnings=warnings if no_bag_of_words is None else (*warnings, no_bag_of_words),
    )
    words = settings.tokens != "char" and untrained.network.reader.embeds
    return Prepared(
        untrained=untrained,
        train=train,
        validation=validation,
        report=report,
        baselines=partial(baselines, whole_train, whole_validation, unlimited.size, len(labels)),
        word_tables={"embedding/weight": vocabulary.tokens} if words else {},
    )


def _cut(examples: Examples, limit: int, unknown: int) -> Examples:
    """At most ``limit`` tokens of each text; those from ``unknown`` on are one and the same."""
    assert isinstance(examples.inputs, Ragged)
    inputs = shortened(examples.inputs, limit)
    if int(inputs.flat.max(initial=0)) > unknown:
        inputs = inputs.with_flat(np.minimum(inputs.flat, np.int32(unknown)))
    return examples if inputs is examples.inputs else replace(examples, inputs=inputs)


def _example(dataset: Dataset, corpus: Corpus, rows: Array) -> str:
    """A text to show what the model does: the first of 5 to 12 tokens."""
    lengths = corpus.lengths
    fitting = rows[(lengths[rows] >= 5) & (lengths[rows] <= 12)]
    row = fitting[0] if len(fitting) else rows[np.argmin(np.abs(lengths[rows] - 8))]
    return dataset.texts[int(row)][:1000]


def _on_both_sides(corpus: Corpus, train_rows: Array, validation_rows: Array) -> int:
    """Distinct texts in training and in validation, all of their tokens compared, unknown and unread ones too."""
    texts = corpus.texts()
    validation = {text.tobytes() for text in texts.take(validation_rows)}
    found = {known for text in texts.take(train_rows) if (known := text.tobytes()) in validation}
    return len(found)
