"""Classifying texts: from labelled texts to encoded examples, and the report that is worth reading before training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnncli.clean import clean
from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset, label_warnings, left_out
from rnncli.data.ragged import Ragged, joined
from rnncli.data.short_repr import ShortRepr
from rnncli.data.splits import stratified_split
from rnncli.data.text.tokenizer import Tokenizer, looks_like_characters
from rnncli.data.text.vocabulary import Corpus, Vocabulary, build_vocabulary
from rnncli.errors import DataError, UsageError, counted, quoted
from rnncli.machine import available_memory
from rnncli.memory import require_room, size_words
from rnncli.record import Record
from rnncli.tasks.baselines import bag_of_words_memory, bag_of_words_problem, baselines
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.classify.network import Classifier, Examples
from rnncli.tasks.inputs import TextInput, shortened
from rnncli.tasks.network import Network
from rnncli.tasks.task import Baseline

# Labels are uneven enough to speak of when the largest has this many times the rows of the smallest.
UNEVEN = 3
# More distinct labels than this are most likely not labels.
MAX_LABELS = 10_000


@dataclass(frozen=True)
class Report:
    """What a data set is like.

    Attributes:
        labels: label → rows, by falling count.
        lengths: tokens of a text: smallest, median, largest.
        cut: texts longer than the ``max_length`` that is read of them.
        unknown_rate: share of the validation tokens (of the training tokens if there are none) outside the vocabulary.
        on_both_sides: distinct texts that stand in training and in validation.
        warnings: sentences.
    """

    rows: int
    training_rows: int
    validation_rows: int
    labels: dict[str, int]
    tokens: str
    lengths: tuple[int, int, int]
    cut: int
    words: int
    vocabulary: int
    distinct_tokens: int
    unknown_rate: float
    on_both_sides: int
    warnings: tuple[str, ...]

    what = "A classifier of text"

    def lines(self) -> list[tuple[str, str]]:
        low, middle, high = self.lengths
        lengths = f"{low:,} to {high:,} {self.tokens}s, median {middle:,}"
        if self.cut:
            longer = counted(self.cut, "longer text is read without its", "longer texts are read without their")
            lengths += f"; {longer} middle (--max-length)"
        side = "validation" if self.validation_rows else "training"
        lines = [
            ("rows", f"{self.rows:,}: {self.training_rows:,} to train, {self.validation_rows:,} to validate"),
            ("labels", label_shares(self.labels)),
            ("lengths", lengths),
            ("vocabulary", f"{self.vocabulary:,} of {self.distinct_tokens:,} distinct {self.tokens}s are known"),
            ("unknown", f"{self.unknown_rate:.2%} of the {side} tokens"),
        ]
        if self.on_both_sides:
            texts = counted(self.on_both_sides, "text stands", "texts stand")
            lines.append(("both sides", f"{texts} in training and in validation"))
        return lines

    def summary(self) -> list[str]:
        return [label_counts(self.labels)]


# Labels named in the report and on the card; the other ones are counted.
LABELS_IN_REPORT, LABELS_ON_CARD = 8, 20
LABEL_WIDTH = 40  # characters of a label in a line of text


def label_shares(labels: Mapping[str, int]) -> str:
    """``pos 60 (50%), neg 60 (50%)``, the commonest labels first."""
    whole = sum(labels.values())
    shown = [f"{clean(label, LABEL_WIDTH)} {n:,} ({n / whole:.0%})" for label, n in labels.items()][:LABELS_IN_REPORT]
    if len(labels) > len(shown):
        shown.append(f"and {len(labels) - len(shown)} more")
    return ", ".join(shown)


def label_counts(labels: Mapping[str, int]) -> str:
    """``Labels: pos (60), neg (60)``."""
    shown = [f"{clean(label, LABEL_WIDTH)} ({rows:,})" for label, rows in labels.items()]
    return f"Labels: {', '.join(shown[:LABELS_ON_CARD])}"


@dataclass(frozen=True, repr=False)
class Prepared(ShortRepr):
    """Everything a training of a classifier of text starts from; ``settings`` has no open choices left.

    ``whole_train`` and ``whole_validation`` are the same rows with their texts uncut, over a vocabulary (of
    ``whole_size``) without a limit: a bag of words reads all of a text, and is to be compared with at its best.
    """

    settings: Settings
    tokenizer: Tokenizer
    vocabulary: Vocabulary
    labels: tuple[str, ...]
    train: Examples
    validation: Examples
    whole_train: Examples
    whole_validation: Examples
    whole_size: int
    example: str
    report: Report

    @property
    def network(self) -> Classifier:
        return Classifier(self.settings, self.vocabulary.size, len(self.labels))

    def with_settings(self, settings: Settings) -> Prepared:
        return replace(self, settings=settings)

    def baselines(self) -> tuple[Baseline, ...]:
        found = baselines(self.whole_train, self.whole_validation, self.whole_size, len(self.labels))
        commonest = Baseline("commonest_label", found.of_majority)
        return (commonest,) if found.of_bag is None else (Baseline("bag_of_words", found.of_bag), commonest)

    def model(self, params: Params, record: Record) -> ClassifierModel:
        text = TextInput(self.tokenizer, self.vocabulary)
        return ClassifierModel(self.settings, text, self.labels, params, self.example, record)

    def word_tables(self) -> Mapping[str, Sequence[str]]:
        words = self.settings.tokens != "char" and self.network.embedding is not None
        return {"embedding/weight": self.vocabulary.tokens} if words else {}


def build_tokenizer(settings: Settings, sample: Sequence[str]) -> Tokenizer:
    """The tokenizer that the settings ask for; ``sample`` decides between words and characters if they do not."""
    unit = settings.tokens
    if unit == "auto":
        unit = "char" if looks_like_characters(sample) else "word"
    return Tokenizer(unit, settings.lowercase, settings.normalize)


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
    train_rows, validation_rows = split(dataset, targets, settings)
    counts = corpus.counts(train_rows)
    # Ids go by falling count, so those of the network's vocabulary are the first of them all.
    unlimited = build_vocabulary(counts, min_count=settings.min_count)
    vocabulary = Vocabulary(unlimited.tokens[: settings.max_vocabulary])
    of_words = int(corpus.lengths[train_rows].sum()), unlimited.size, len(labels)
    no_bag_of_words = bag_of_words_problem(*of_words) if len(validation_rows) else None
    data = 12 * int(corpus.lengths.sum()) + 64 * len(targets)  # ids as they are and in order, and their places
    if len(validation_rows) and no_bag_of_words is None:
        data += bag_of_words_memory(*of_words)
    require_memory(Classifier(settings, vocabulary.size, len(labels)), settings, int(corpus.lengths.max()), data)
    weights = row_weights(targets[train_rows], targets, len(labels), settings)
    whole = Examples(corpus.encode(unlimited), targets, weights)
    whole_train, whole_validation = whole.take(train_rows), whole.take(validation_rows)
    read = _cut(whole, settings.max_length, vocabulary.unknown)
    train, validation = whole_train, whole_validation
    if read is not whole:
        train, validation = read.take(train_rows), read.take(validation_rows)
    shared = _on_both_sides(corpus, train_rows, validation_rows)
    distinct = sum(count > 0 for count in counts.values())
    report = _report(dataset, corpus, settings, train, validation, vocabulary, distinct, shared)
    if no_bag_of_words is not None:
        report = replace(report, warnings=(*report.warnings, no_bag_of_words))
    example = _example(dataset, corpus, validation_rows)
    return Prepared(
        *(settings, tokenizer, vocabulary, labels, train, validation),
        *(whole_train, whole_validation, unlimited.size, example, report),
    )


def _cut(examples: Examples, limit: int, unknown: int) -> Examples:
    """At most ``limit`` tokens of each text; those from ``unknown`` on are one and the same."""
    assert isinstance(examples.inputs, Ragged)
    inputs = shortened(examples.inputs, limit)
    if int(inputs.flat.max(initial=0)) > unknown:
        inputs = inputs.with_flat(np.minimum(inputs.flat, np.int32(unknown)))
    return examples if inputs is examples.inputs else examples._replace(inputs=inputs)


def numbered(labels: Sequence[str]) -> tuple[tuple[str, ...], Array]:
    """The distinct labels in their order, and (rows,) the number of each row's."""
    distinct = tuple(sorted(set(labels)))
    number = {label: k for k, label in enumerate(distinct)}
    return distinct, np.fromiter((number[label] for label in labels), np.int64, len(labels))


def require_labels(dataset: Dataset) -> None:
    name, labels = dataset.name, set(dataset.labels)
    if len(dataset.texts) < 2:
        raise DataError(f"{name}: a classifier needs at least 2 records, and this file has 1")
    if len(labels) < 2:
        raise DataError(
            f"{name}: a classifier needs at least 2 labels, and every record here is {quoted(dataset.labels[0])}"
        )
    if len(labels) > MAX_LABELS or (len(labels) > 50 and len(labels) > len(dataset.texts) / 2):
        raise DataError(
            f"{name}: column {quoted(dataset.source.label or '')} has {len(labels):,} different labels in "
            f"{len(dataset.texts):,} records",
            "name the label's column with --label",
        )


def split(dataset: Dataset, targets: Array, settings: Settings) -> tuple[Array, Array]:
    if settings.validation == 0:
        return np.arange(len(targets)), np.arange(0)
    train_rows, validation_rows = stratified_split(targets, settings.validation, settings.seed)
    if len(validation_rows) == 0:
        needed = int(np.ceil(0.5 / settings.validation)) + (settings.validation >= 0.5)
        raise DataError(
            f"{dataset.name}: {len(targets)} records are too few to set {settings.validation:.0%} aside for "
            f"validation; some label needs at least {needed}",
            "train without validation (--validation 0), or set more aside",
        )
    return train_rows, validation_rows


def split_at_random(count: int, dataset: Dataset, settings: Settings) -> tuple[Array, Array]:
    """Row numbers for training and for validation, whatever the rows hold.

    Raises:
        DataError: there are too few rows to set any aside.
    """
    if settings.validation == 0:
        return np.arange(count), np.arange(0)
    train_rows, validation_rows = stratified_split(np.zeros(count, np.int64), settings.validation, settings.seed)
    if len(validation_rows) == 0:
        raise DataError(
            f"{dataset.name}: {count} records are too few to set {settings.validation:.0%} aside for validation",
            "train without validation (--validation 0), or set more aside",
        )
    return train_rows, validation_rows


def row_weights(train_targets: Array, targets: Array, label_count: int, settings: Settings) -> Array | None:
    """(rows,) weight of each row by its label: none, 1/count, or 1/√count, with mean 1 over the training rows."""
    if settings.class_weights == "none":
        return None
    counts = np.maximum(np.bincount(train_targets, minlength=label_count), 1).astype(np.float64)
    by_label = 1 / counts if settings.class_weights == "balanced" else 1 / np.sqrt(counts)
    return np.asarray((by_label / by_label[train_targets].mean())[targets])


def require_memory(network: Network, settings: Settings, longest: int, data: int = 0) -> None:
    """Refuses a network before it is made when it cannot fit, alone or beside the data that were read.

    Args:
        data: bytes that encoding the data, and what the network is compared with, will take.

    Raises:
        UsageError: the network is too large for the machine.
        StorageError: it is too large for what the data leave.
    """
    item = np.dtype(settings.dtype).itemsize
    parameters = sum(int(np.prod(shape, dtype=object)) for shape in network.shapes().values())
    # Parameters, their gradient, two moments; for each timestep of a batch about 24 numbers a unit and layer.
    steps = settings.batch * min(longest, settings.max_length)
    per_step = 24 * settings.hidden * settings.layers * (2 if settings.bidirectional else 1) + 4 * settings.embedding
    needed = item * (4 * parameters + steps * per_step)
    there = available_memory()
    if needed > there:
        raise UsageError(
            f"this network needs about {size_words(needed)} of memory ({parameters:,} parameters), "
            f"and there is room for {size_words(there)}",
            "lower --hidden, --layers, --batch or --max-length",
        )
    require_room(
        needed + data,
        f"a network of {counted(parameters, 'parameter')} beside these data",
        "take fewer records, or lower --hidden, --batch, --max-length or --max-vocabulary",
    )


def _example(dataset: Dataset, corpus: Corpus, validation_rows: Array) -> str:
    """A text to show what the model does: the first of 5 to 12 tokens, from the validation rows if there are any."""
    lengths = corpus.lengths
    rows = validation_rows if len(validation_rows) else np.arange(len(lengths))
    fitting = rows[(lengths[rows] >= 5) & (lengths[rows] <= 12)]
    row = fitting[0] if len(fitting) else rows[np.argmin(np.abs(lengths[rows] - 8))]
    return dataset.texts[int(row)][:1000]


def _on_both_sides(corpus: Corpus, train_rows: Array, validation_rows: Array) -> int:
    """Distinct texts in training and in validation, all of their tokens compared, unknown and unread ones too."""
    texts = corpus.texts()
    validation = {text.tobytes() for text in texts.take(validation_rows)}
    found = {known for text in texts.take(train_rows) if (known := text.tobytes()) in validation}
    return len(found)


def _report(
    dataset: Dataset,
    corpus: Corpus,
    settings: Settings,
    train: Examples,
    validation: Examples,
    vocabulary: Vocabulary,
    distinct_tokens: int,
    on_both_sides: int,
) -> Report:
    lengths = corpus.lengths
    seen = joined(validation.inputs or train.inputs)
    by_count = dict(sorted(Counter(dataset.labels).items(), key=lambda item: (-item[1], item[0])))
    return Report(
        len(dataset.texts),
        len(train.inputs),
        len(validation.inputs),
        by_count,
        settings.tokens,
        (int(lengths.min()), int(np.median(lengths)), int(lengths.max())),
        int((lengths > settings.max_length).sum()),
        int(lengths.sum()),
        len(vocabulary.tokens),
        distinct_tokens,
        float((seen == vocabulary.unknown).mean()),
        on_both_sides,
        tuple(_warnings(dataset, by_count, settings)),
    )


def _warnings(dataset: Dataset, by_count: dict[str, int], settings: Settings) -> list[str]:
    warnings = [*label_warnings(dataset.labels), *uneven_warning(by_count, settings)]
    if dataset.skipped:
        warnings.append(left_out(dataset.skipped, dataset.skipped_because))
    return warnings


def uneven_warning(by_count: Mapping[str, int], settings: Settings) -> list[str]:
    """A sentence on labels that are uneven enough to speak of."""
    counts = list(by_count.values())
    if counts[0] < UNEVEN * counts[-1] or settings.class_weights != "none":
        return []
    times = counts[0] / counts[-1]
    return [
        f"labels are uneven (the commonest has {times:,.0f} times the rows of the rarest); "
        "--class-weights balanced makes rare ones count more"
    ]
