"""The loop itself: a text, and how it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.data.short_repr import ShortRepr
from rnncli.data.text.vocabulary import Corpus, Vocabulary, build_vocabulary
from rnncli.errors import DataError, UsageError
from rnncli.record import Record
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.language_model.model import JUDGED_STREAMS, LanguageModel
from rnncli.tasks.language_model.network import LanguageModelNetwork, Streams
from rnncli.tasks.language_model.tokens import _tokens, joined
from rnncli.tasks.prepare import require_memory
from rnncli.tasks.task import Baseline

# A short text is cut into fewer streams than are asked for, so that there are so many steps in an epoch.
LEAST_STEPS = 20


@dataclass(frozen=True)
class TextReport:
    """What a text is like.

    Attributes:
        rows: tokens.
        training_rows, validation_rows: tokens to learn from, and the last ones, which are to be foretold.
        streams, window: how many places of the text are read at once, and how many tokens at a time.
        unknown_rate: share of the validation tokens (of the training tokens if there are none) outside the vocabulary.
    """

    rows: int
    training_rows: int
    validation_rows: int
    unit: str
    vocabulary: int
    streams: int
    window: int
    unknown_rate: float
    warnings: tuple[str, ...] = ()

    labels: ClassVar[dict[str, int]] = {}
    what = "A model of a text"

    def lines(self) -> list[tuple[str, str]]:
        side = "validation" if self.validation_rows else "training"
        return [
            (f"{self.unit}s", f"{self.rows:,}: {self.training_rows:,} to train, {self.validation_rows:,} to validate"),
            ("vocabulary", f"{self.vocabulary:,} {self.unit}s are known"),
            ("unknown", f"{self.unknown_rate:.2%} of the {side} {self.unit}s"),
            ("streams", f"{self.streams:,}, read {self.window:,} {self.unit}s at a time"),
        ]

    def summary(self) -> list[str]:
        return [f"Tokens: {self.vocabulary:,} different {self.unit}s"]


@dataclass(frozen=True, repr=False)
class PreparedText(ShortRepr):
    """Everything a training on a text starts from."""

    settings: Settings
    vocabulary: Vocabulary
    train: Streams
    validation: Streams
    example: str
    report: TextReport

    @property
    def network(self) -> LanguageModelNetwork:
        return LanguageModelNetwork(self.settings, self.vocabulary.size)

    def with_settings(self, settings: Settings) -> PreparedText:
        return replace(self, settings=settings)

    def baselines(self) -> tuple[Baseline, ...]:
        found = counting_losses(self.train.text, self.validation.text, self.vocabulary.size)
        windows, lengths = self.validation.places(), self.validation.lengths * 1.0
        unit = self.settings.tokens
        pairs, single = (RowScores(np.array([losses[window].sum() for window in windows]), lengths) for losses in found)
        return Baseline(f"pairs_of_{unit}s", pairs), Baseline(f"single_{unit}s", single)

    def model(self, params: Params, record: Record) -> LanguageModel:
        return LanguageModel(self.settings, self.vocabulary, params, self.example, record)

    def word_tables(self) -> Mapping[str, Sequence[str]]:
        words = self.settings.tokens == "word" and self.network.embedding is not None
        return {"embedding/weight": self.vocabulary.tokens} if words else {}


def counting_losses(train: Array, validation: Array, size: int) -> tuple[Array, Array]:
    """(tokens − 1,) losses of the validation tokens after the first, by how often each followed the one before it in
    training, and by how often it stood there at all.

    One is added to every count of a token; a pair's probability is its count, with the token's own probability in
    place of 10 more (Dirichlet smoothing, MacKay & Peto 1995).
    """
    single = (np.bincount(train, minlength=size) + 1) / (len(train) + size)
    before, after = validation[:-1].astype(np.int64), validation[1:].astype(np.int64)
    seen, counts = np.unique(train[:-1].astype(np.int64) * size + train[1:], return_counts=True)
    wanted = before * size + after
    place = np.minimum(np.searchsorted(seen, wanted), len(seen) - 1)
    followed = np.where(seen[place] == wanted, counts[place], 0)
    total = np.bincount(train[:-1], minlength=size)[before]
    pairs = (followed + 10 * single[after]) / (total + 10)
    return -np.log(pairs), -np.log(single[after])


class LanguageModeling:
    """The task of a text that nobody has labelled."""

    name = "lm"
    model = LanguageModel
    effort = 1.0

    def fits(self, dataset: Dataset) -> bool:
        return dataset.source.label is None

    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        return {
            **{"bidirectional": False, "lowercase": False, "min_count": 1, "hidden": 256},
            "input": "onehot" if settings.vectors is None else "embedding",
            **{"max_length": 100, "batch": 32, "dropout": 0.25, "lr": 0.004},
        }

    def prepare(self, dataset: Dataset, settings: Settings) -> PreparedText:
        if settings.bidirectional:
            raise UsageError("a text is foretold from its beginning on: --bidirectional is not possible")
        if settings.tokens == "symbol":
            raise UsageError("a text is foretold by words or chars: --tokens symbol would lose its white space")
        settings = settings.replace(tokens="word" if settings.tokens == "word" else "char")
        text = joined(dataset)
        corpus = Corpus()
        count = corpus.add_tokens(_tokens(text.lower() if settings.lowercase else text, settings.tokens))
        held_out = int(count * settings.validation)
        if count < 20 or (settings.validation and held_out < 2):
            raise DataError(f"{dataset.name}: a text of {count:,} {settings.tokens}s is too short to learn from")
        learned = count - held_out
        counts = corpus.counts_up_to(learned)
        vocabulary = build_vocabulary(counts, min_count=settings.min_count, max_size=settings.max_vocabulary)
        if not vocabulary.tokens:
            said = f"no {settings.tokens} stands {settings.min_count} times or more: nothing is left to foretell"
            raise DataError(f"{dataset.name}: {said}", "lower --min-count")
        (ids,) = corpus.encode(vocabulary)
        streams = min(settings.batch, max(1, learned // (LEAST_STEPS * settings.max_length)))
        train = Streams.of(ids[:learned], streams, settings.max_length)
        validation = Streams.of(ids[learned:], JUDGED_STREAMS, settings.max_length)
        if not held_out:
            validation = validation._replace(rows=np.arange(0))
        settings = settings.replace(batch=train.streams)
        require_memory(LanguageModelNetwork(settings, vocabulary.size), settings, settings.max_length)
        judged = ids[learned:] if held_out else ids
        report = TextReport(
            *(count, learned, held_out, settings.tokens, len(vocabulary.tokens)),
            *(train.streams, train.window, float((judged == vocabulary.unknown).mean())),
        )
        ending = (dataset.texts[row] for row in range(len(dataset.texts) * 9 // 10, len(dataset.texts)))
        line = next((line for line in ending if len(line) > 10), text)
        return PreparedText(settings, vocabulary, train, validation, line[:40], report)


TASK = LanguageModeling()
