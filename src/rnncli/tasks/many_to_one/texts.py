"""Prepares texts with one answer each for a training, and reports what they are like."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.data.records.ragged import Ragged, joined
from rnncli.data.text.vocabulary import Corpus, Vocabulary, build_vocabulary
from rnncli.errors import UsageError, counted
from rnncli.tasks.inputs import TextInput, build_tokenizer, shortened
from rnncli.tasks.many_to_one.model import ManyToOneModel
from rnncli.tasks.many_to_one.network import Examples
from rnncli.tasks.many_to_one.targets import Targets
from rnncli.tasks.prepare import Prepared, require_memory
from rnncli.tasks.report import known_in_words, spread, spread_words

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


def prepare(task: Targets, dataset: Dataset, settings: Settings, begin: ManyToOneModel | None = None) -> Prepared:
    """Tokenizes, splits, counts and encodes.

    Args:
        begin: the model of texts that the training goes on from.

    Raises:
        DataError: the rows cannot train a model; the message says how many of what are needed.
        UsageError: the network that the settings describe does not fit into memory.
    """
    known = None if begin is None else _vocabulary_of(begin)
    if begin is None:  # before the texts are read, which takes a while
        task.require(dataset)
    tokenizer = build_tokenizer(settings, dataset.texts[:200])
    unit, limit = tokenizer.unit, settings.max_length
    settings = settings.replace(tokens=unit)
    corpus = Corpus()
    for text in dataset.texts:
        corpus.add(tokenizer.tokens(text))
    dataset = dataset.with_tokens(corpus.lengths, unit)
    corpus.drop_empty()
    if begin is None:
        task.require(dataset)

    rows, answers, targets = task.divided(dataset, settings, begin)
    counts, lengths = corpus.counts(rows.train), corpus.lengths
    # Ids go by falling count, so those of the network's vocabulary are the first of them all.
    unlimited = build_vocabulary(counts, min_count=settings.min_count, known=known)
    before = 0 if known is None else len(known.tokens)
    vocabulary = Vocabulary(unlimited.tokens[: max(before, settings.max_vocabulary)])
    untrained = task.untrained(
        settings=settings,
        input=TextInput(tokenizer, vocabulary),
        example=_example(dataset, corpus, rows.looked_at),
        **answers,
    )
    network, words = untrained.network, int(lengths[rows.train].sum())
    left_out: str | None = None
    data = 12 * int(lengths.sum()) + 56 * len(targets) + targets.nbytes  # ids as they are and in order, their places
    if len(rows.validation):
        of_baselines, left_out = task.cost_of_baselines(words, unlimited.size, network)
        data += of_baselines
    require_memory(network, int(lengths.max()), data)
    # The bag of words, at its best, reads all of a text with every word.
    whole = Examples(corpus.encode(unlimited), targets, task.weights(targets[rows.train], targets, settings))
    train, validation = whole_train, whole_validation = whole.take(rows.train), whole.take(rows.validation)
    read = _cut(whole, limit, vocabulary.unknown)
    if read is not whole:
        train, validation = read.take(rows.train), read.take(rows.validation)
    distinct, size = sum(count > 0 for count in counts.values()), len(vocabulary.tokens)
    unknown_rate = float((joined(validation.inputs or train.inputs) == vocabulary.unknown).mean())
    cut, on_both_sides = int((lengths > limit).sum()), _on_both_sides(corpus, rows.train, rows.validation)
    longer = counted(cut, "longer text is read without its", "longer texts are read without their")
    lines = [
        ("lengths", spread_words(spread(lengths), unit) + (f"; {longer} middle (--max-length)" if cut else "")),
        ("vocabulary", known_in_words(size, distinct, unit, begin is not None)),
        ("unknown", f"{unknown_rate:.2%} of the {rows.looked_at_are} tokens"),
    ]
    if on_both_sides:
        both = counted(on_both_sides, "text is", "texts are")
        lines.append(("both sides", f"{both} in both training and validation"))
    report = task.described(
        dataset,
        settings,
        rows,
        "text",
        {
            "tokens": unit,
            "lengths": spread(lengths),
            "cut": cut,
            "words": int(lengths.sum()),
            "vocabulary": size,
            "distinct_tokens": distinct,
            "unknown_rate": unknown_rate,
            "on_both_sides": on_both_sides,
        },
        lines,
        [left_out] if left_out else [],
    )
    judge = partial(task.baselines_of_texts, whole_train, whole_validation, unlimited.size, network)
    tables = {"embedding/weight": vocabulary.tokens} if unit != "char" and network.reader.embeds else {}
    return Prepared(untrained, train, validation, report, baselines=judge, word_tables=tables)


def _vocabulary_of(model: ManyToOneModel) -> Vocabulary:
    """The tokens that a model of texts knows.

    Raises:
        UsageError: it reads numbers.
    """
    if model.text_reading is None:
        raise UsageError("the model to begin with reads numbers, and these are texts")
    return model.text_reading.vocabulary


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
    return len({known for text in texts.take(train_rows) if (known := text.tobytes()) in validation})
