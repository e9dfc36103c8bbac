"""A text, and its next token."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.data.arrangement import Part
from rnncli.data.text.vocabulary import Corpus
from rnncli.errors import DataError, UsageError, counted
from rnncli.tasks import token_counts
from rnncli.tasks.comparison import Baseline
from rnncli.tasks.language_model.model import JUDGED_STREAMS, LanguageModel, all_tokens, holds_documents, joined
from rnncli.tasks.language_model.network import Streams
from rnncli.tasks.prepare import Prepared, require_memory, vocabulary_of
from rnncli.tasks.report import Report
from rnncli.tasks.symbols import END
from rnncli.tasks.task import Task

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset

# A short text is cut into fewer streams than the settings ask for, so that an epoch has so many steps.
LEAST_STEPS = 20


def baselines(train: Streams, validation: Streams, size: int, unit: str) -> tuple[Baseline, ...]:
    """Losses of the windows by counts of tokens in the training text."""
    windows = validation.windows()

    def sums(losses: Array) -> Array:
        return np.array([losses[window].sum() for window in windows])

    return token_counts.baselines(train.text, validation.text, size, unit, validation.lengths, sums)


def _cut(dataset: Dataset) -> bool:
    """Whether the end of the text that is learned is set aside for validation."""
    return dataset.arrangement is None or not len(dataset.arrangement.rows(Part.VALIDATION))


def _sides(dataset: Dataset) -> tuple[Dataset, Dataset | None]:
    """The text to learn from, and that to be judged on; None where that is the end of the former.

    Raises:
        UsageError: the lines have groups.
        DataError: there are fewer lines than folds.
    """
    arrangement = dataset.arrangement
    if arrangement is None:
        return dataset, None
    if arrangement.groups is not None:
        raise UsageError("--group is for records with labels or targets: a text is read as one", "leave it out")
    learned, validation, test = (arrangement.rows(part) for part in Part)
    if arrangement.folds:  # folds of a text are pieces of it
        if len(learned) < arrangement.folds:
            lines = counted(len(learned), "line")
            raise DataError(f"{dataset.name}: a text of {lines} cannot be divided into {arrangement.folds} folds")
        pieces = np.array_split(learned, arrangement.folds)
        test = pieces.pop(arrangement.fold)
        learned = np.concatenate(pieces)
    judged = test if arrangement.tested else validation
    return dataset.take(learned.tolist()), dataset.take(judged.tolist()) if len(judged) else None


class LanguageModeling(Task):
    """The task of a text without labels."""

    model = LanguageModel
    continues = True
    recognized_by = "a text without labels"

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

    def prepare(self, dataset: Dataset, settings: Settings, begin: LanguageModel | None = None) -> Prepared:
        if settings.bidirectional:
            raise UsageError("a text is predicted from its beginning on: --bidirectional is not possible")
        if settings.tokens == "symbol":
            raise UsageError("a text is predicted by words or chars: --tokens symbol would lose its white space")
        unit = "word" if settings.tokens == "word" else "char"
        settings = settings.replace(tokens=unit)
        read, judged = _sides(dataset)
        ended = holds_documents(dataset)
        corpus = Corpus()
        count = corpus.add(all_tokens(read, settings, ended))
        held_out = 0 if judged is not None and not _cut(dataset) else int(count * settings.validation_share)
        alone = begin is not None and not read.lines  # nothing is to be learned, only judged
        if (count < 20 and not alone) or (settings.validation_share and judged is None and held_out < 2):
            raise DataError(f"{dataset.name}: a text of {counted(count, unit)} is too short to learn from")
        learned = count - held_out
        counts = corpus.counts_up_to(learned)
        if ended:  # it is known, however few documents there are
            counts[END] = max(settings.min_count, *counts.values()) + 1
        vocabulary = vocabulary_of(counts, settings, None if begin is None else begin.vocabulary)
        if not vocabulary.tokens:
            said = f"no {unit} occurs {counted(settings.min_count, 'time')} or more: nothing is left to predict"
            raise DataError(f"{dataset.name}: {said}", "lower --min-count")
        (ids,) = corpus.encode(vocabulary)
        looked_at = ids[learned:]
        if judged is not None:
            looked_at = vocabulary.encode(all_tokens(judged, settings, ended))
            held_out = len(looked_at)
            if held_out < 2:
                raise DataError(f"{judged.place(0)}: a text of {counted(held_out, unit)} is too short to be predicted")
        streams = min(settings.batch, max(1, learned // (LEAST_STEPS * settings.max_length)))
        train = Streams.of(ids[:learned], streams, settings.max_length)
        validation = Streams.of(looked_at, JUDGED_STREAMS, settings.max_length)
        if not held_out:
            validation = validation.take(np.arange(0))
        settings = settings.replace(batch=train.streams)
        ending = (read.texts[row] for row in range(len(read.texts) * 9 // 10, len(read.texts)))
        example = next((line for line in ending if len(line) > 10), joined(read))[:40]
        untrained = LanguageModel(settings=settings, vocabulary=vocabulary, example=example)
        require_memory(untrained.network, settings.max_length)
        unknown_rate = float(((looked_at if held_out else ids) == vocabulary.unknown).mean())
        documents = sum(map(bool, read.texts))
        known, looked_at_are = len(vocabulary.tokens), "validation" if held_out else "training"
        report = Report(
            what="A model of a text",
            training_rows=learned,
            validation_rows=held_out,
            row=unit,
            figures={
                "unit": unit,
                "vocabulary": known,
                "streams": train.streams,
                "window": train.window,
                "unknown_rate": unknown_rate,
                **({"documents": documents} if ended else {}),
            },
            own_lines=[
                *([("documents", f"{documents:,}, with a symbol for the end of each")] if ended else []),
                ("vocabulary", counted(known, f"{unit} is known", f"{unit}s are known")),
                ("unknown", f"{unknown_rate:.2%} of the {looked_at_are} {unit}s"),
                ("streams", f"{train.streams:,}, read {counted(train.window, unit)} at a time"),
            ],
            summary=("Tokens", counted(known, f"different {unit}")),
        )
        judge = partial(baselines, train, validation, vocabulary.size, unit)
        words = {"embedding/weight": vocabulary.tokens} if unit == "word" and untrained.network.reader.embeds else {}
        return Prepared(untrained, train, validation, report, baselines=judge, word_tables=words)


TASK = LanguageModeling()
