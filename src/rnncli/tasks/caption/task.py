"""One-to-many: a text for a vector of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.data.records import FeatureRows
from rnncli.data.tables.described import ArrayColumn
from rnncli.data.text.vocabulary import Corpus
from rnncli.errors import DataError, UsageError, counted
from rnncli.tasks import token_counts
from rnncli.tasks.caption.model import CaptionModel
from rnncli.tasks.caption.network import Described
from rnncli.tasks.comparison import Baseline
from rnncli.tasks.decoder import without_too_long
from rnncli.tasks.inputs import NumberInput
from rnncli.tasks.prepare import Prepared, require_memory, split, vocabulary_of
from rnncli.tasks.report import Report, numbers_words, skipped_warning, spread, spread_words
from rnncli.tasks.symbols import likely_unit, symbols_of
from rnncli.tasks.task import Task

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


def baselines(train: Described, validation: Described, end: int, unit: str) -> tuple[Baseline, ...]:
    """Losses of the texts by counts of symbols, ends included, in those of training."""
    joined, judged = (
        np.concatenate([np.append(target, end) for target in part.targets]).astype(np.int64)
        for part in (train, validation)
    )
    counts = validation.lengths
    firsts = np.cumsum(counts) - counts - 1  # of the losses, of which the first symbol of all has none
    firsts[0], counts[0] = 0, counts[0] - 1

    def sums(losses: Array) -> Array:
        ends = np.concatenate(([0.0], np.cumsum(losses)))
        return np.asarray(ends[firsts + counts] - ends[firsts])

    return token_counts.baselines(joined, judged, end + 1, unit, counts, sums)


class Caption(Task):
    """The task of numeric columns, or a column of .npy files, beside a text."""

    model = CaptionModel
    continues = True
    recognized_by = "a text for each row of numbers"

    def fits(self, dataset: Dataset) -> bool:
        return bool(dataset.features)

    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        return {
            "hidden": 128,
            "embedding": 32,
            "bidirectional": False,
            "attention": False,
            "lowercase": False,
            "min_count": 1,
            "dropout": 0.3,
            "lr": 0.003,
        }

    def prepare(self, dataset: Dataset, settings: Settings, begin: CaptionModel | None = None) -> Prepared:
        if not dataset.features:
            raise DataError(f"{dataset.name}: there are no numeric columns beside a text")
        if len(dataset.inputs) < 2 and begin is None:
            raise DataError(f"{dataset.name}: at least 2 records are needed, and this file has 1")
        unit = likely_unit(dataset.labels[:200], settings.tokens)
        settings, dataset = settings.replace(tokens=unit), without_too_long(dataset, unit)
        assert isinstance(dataset.inputs, FeatureRows)
        texts = [text.lower() if settings.lowercase else text for text in dataset.labels]
        unique, index = dataset.inputs.rows()
        rows = split(dataset, settings)
        if begin is None:
            numbers, constant = _figures(unique, index[rows.train])
        else:
            numbers, constant = _numbers_of(begin, dataset), 0
        features, problems = _standardised(numbers, unique, settings.dtype)
        del unique
        kept = dataset.without([problems[k] for k in index.tolist()], "record that cannot be read")
        if kept is not dataset:  # numbers that are out of all bounds, among the validation rows
            return self.prepare(kept, settings, begin)
        corpus = Corpus()
        lengths = np.array([corpus.add(symbols_of(text, unit)) for text in texts])
        target = vocabulary_of(corpus.counts(rows.train), settings, None if begin is None else begin.target)
        untrained = CaptionModel(
            settings=settings,
            names=dataset.features,
            numbers=numbers,
            target=target,
            longest=max(int(lengths.max()), 0 if begin is None else begin.longest),
            example=dataset.inputs.text(int(rows.looked_at[0])),
            arrays=isinstance(dataset.reads, ArrayColumn),
        )
        require_memory(untrained.network, untrained.longest)
        whole = Described(features, corpus.encode(target), index)
        train, validation = whole.take(rows.train), whole.take(rows.validation)
        distinct, length = len(set(texts)), spread(lengths)
        report = Report(
            what="A network that says what numbers are",
            figures={
                "features": numbers.size,
                "constant": constant,
                "unit": unit,
                "lengths": length,
                "symbols": len(target.tokens),
                "distinct": distinct,
            },
            own_lines=[
                ("numbers", numbers_words(numbers.size, constant, "row")),
                ("texts", f"{distinct:,} different ones, {spread_words(length, unit)}"),
                ("vocabulary", counted(len(target.tokens), f"{unit} is known", f"{unit}s are known")),
            ],
            summary=("Texts", f"{distinct:,} different ones"),
            warnings=skipped_warning(dataset),
            **rows.sizes,
        )
        judge = partial(baselines, train, validation, untrained.network.decoder.end, unit)
        words = {"decoder/embedding/weight": target.tokens} if unit != "char" else {}
        return Prepared(untrained, train, validation, report, baselines=judge, word_tables=words)


def _numbers_of(model: CaptionModel, dataset: Dataset) -> NumberInput:
    """How a model standardises its numbers.

    Raises:
        UsageError: it reads other columns than these data have.
    """
    if model.names != dataset.features:
        raise UsageError(
            f"the model to begin with reads the columns {', '.join(model.names)}, and these data have "
            f"{', '.join(dataset.features)}"
        )
    return model.numbers


_COLUMNS_AT_A_TIME = 1024


def _figures(unique: Array, index: Array) -> tuple[NumberInput, int]:
    """Mean and spread over the rows ``unique[index]``, and how many columns are constant.

    Some columns at a time, since rows that many records share are copied for each of them.
    """
    parts = np.array_split(np.arange(unique.shape[1]), -(-unique.shape[1] // _COLUMNS_AT_A_TIME))
    found = [NumberInput.of(unique[:, part[0] : part[-1] + 1][index]) for part in parts]
    mean, spread = (np.concatenate([getattr(one, what) for one, _ in found]) for what in ("mean", "spread"))
    return NumberInput(mean, spread), sum(constant for _, constant in found)


def _standardised(numbers: NumberInput, rows: Array, dtype: str) -> tuple[Array, list[str | None]]:
    """(U, D) standardised, and for each row its problem, if any."""
    made = np.zeros(rows.shape, dtype)
    problems: list[str | None] = [None] * len(rows)
    for k, row in enumerate(rows):
        try:
            made[k] = numbers.standardised(row[None])[0]
        except ValueError as error:
            problems[k] = f"the input {error}"
    return made, problems


TASK = Caption()
