"""The loop itself: a text, and how it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.data.text.vocabulary import Corpus
from rnncli.errors import DataError, UsageError
from rnncli.tasks import token_counts
from rnncli.tasks.comparison import Baseline
from rnncli.tasks.language_model.model import JUDGED_STREAMS, LanguageModel
from rnncli.tasks.language_model.network import Streams
from rnncli.tasks.language_model.tokens import _tokens, joined
from rnncli.tasks.prepare import Prepared, require_memory, vocabulary_of
from rnncli.tasks.report import Report
from rnncli.tasks.task import Task

# A short text is cut into fewer streams than are asked for, so that there are so many steps in an epoch.
LEAST_STEPS = 20


@dataclass(frozen=True, kw_only=True)
class TextReport(Report):
    """What a text is like.

    Attributes:
        rows: tokens.
        training_rows, validation_rows: tokens to learn from, and the last ones, which are to be predicted.
        streams, window: how many places of the text are read at once, and how many tokens at a time.
        unknown_rate: share of the validation tokens (of the training tokens if there are none) outside the vocabulary.
    """

    unit: str
    vocabulary: int
    streams: int
    window: int
    unknown_rate: float

    what = "A model of a text"

    @property
    def rows_are(self) -> str:
        return f"{self.unit}s"

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "vocabulary", f"{self.vocabulary:,} {self.unit}s are known"
        yield "unknown", f"{self.unknown_rate:.2%} of the {self.looked_at} {self.unit}s"
        yield "streams", f"{self.streams:,}, read {self.window:,} {self.unit}s at a time"

    def summary(self) -> tuple[str, str]:
        return "Tokens", f"{self.vocabulary:,} different {self.unit}s"


def baselines(train: Streams, validation: Streams, size: int, unit: str) -> tuple[Baseline, ...]:
    """Losses of the windows by how often tokens stand in the training text."""
    windows = validation.places()

    def sums(losses: Array) -> Array:
        return np.array([losses[window].sum() for window in windows])

    return token_counts.baselines(train.text, validation.text, size, unit, validation.lengths, sums)


class LanguageModeling(Task):
    """The task of a text that nobody has labelled."""

    model = LanguageModel

    def fits(self, dataset: Dataset) -> bool:
        return dataset.source.label is None

    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        return {
            "bidirectional": False,
            "lowercase": False,
            "min_count": 1,
            "hidden": 256,
            "input": "onehot" if settings.vectors is None else "embedding",
            "max_length": 100,
            "batch": 32,
            "dropout": 0.25,
            "lr": 0.004,
        }

    def prepare(self, dataset: Dataset, settings: Settings) -> Prepared:
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
        vocabulary = vocabulary_of(corpus.counts_up_to(learned), settings)
        if not vocabulary.tokens:
            said = f"no {settings.tokens} stands {settings.min_count} times or more: nothing is left to foretell"
            raise DataError(f"{dataset.name}: {said}", "lower --min-count")
        (ids,) = corpus.encode(vocabulary)
        streams = min(settings.batch, max(1, learned // (LEAST_STEPS * settings.max_length)))
        train = Streams.of(ids[:learned], streams, settings.max_length)
        validation = Streams.of(ids[learned:], JUDGED_STREAMS, settings.max_length)
        if not held_out:
            validation = validation.take(np.arange(0))
        settings = settings.replace(batch=train.streams)
        ending = (dataset.texts[row] for row in range(len(dataset.texts) * 9 // 10, len(dataset.texts)))
        example = next((line for line in ending if len(line) > 10), text)[:40]
        untrained = LanguageModel(settings=settings, vocabulary=vocabulary, params={}, example=example)
        require_memory(untrained.network, settings.max_length)
        judged = ids[learned:] if held_out else ids
        report = TextReport(
            rows=count,
            training_rows=learned,
            validation_rows=held_out,
            unit=settings.tokens,
            vocabulary=len(vocabulary.tokens),
            streams=train.streams,
            window=train.window,
            unknown_rate=float((judged == vocabulary.unknown).mean()),
        )
        words = settings.tokens == "word" and untrained.network.reader.embeds
        return Prepared(
            untrained=untrained,
            train=train,
            validation=validation,
            report=report,
            baselines=lambda: baselines(train, validation, vocabulary.size, settings.tokens),
            word_tables={"embedding/weight": vocabulary.tokens} if words else {},
        )


TASK = LanguageModeling()
