"""One-to-many: what is said of some numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset, left_out
from rnncli.data.formats.numbers import read_json
from rnncli.data.records import distinct_texts
from rnncli.data.short_repr import ShortRepr
from rnncli.data.tables.described import ArrayColumn
from rnncli.data.text.vocabulary import Corpus, Vocabulary, build_vocabulary
from rnncli.errors import DataError
from rnncli.record import Record
from rnncli.tasks.caption.model import CaptionModel
from rnncli.tasks.caption.network import Captioner, Described
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.decoder import without_too_long
from rnncli.tasks.inputs import NumberInput, constant_columns
from rnncli.tasks.language_model.task import counting_losses
from rnncli.tasks.prepare import require_memory, split_at_random
from rnncli.tasks.symbols import likely_unit, symbols_of
from rnncli.tasks.task import Baseline


@dataclass(frozen=True)
class CaptionReport:
    """What a data set of numbers with texts is like.

    Attributes:
        features: numbers a row; ``constant`` of them never change in the training rows.
        lengths: symbols of a text: smallest, median, largest.
        symbols: known ones.
        distinct: different texts.
    """

    rows: int
    training_rows: int
    validation_rows: int
    features: int
    constant: int
    unit: str
    lengths: tuple[int, int, int]
    symbols: int
    distinct: int
    warnings: tuple[str, ...]

    labels: ClassVar[dict[str, int]] = {}
    what = "A network that says what numbers are"

    def lines(self) -> list[tuple[str, str]]:
        low, middle, high = self.lengths
        constant = f", {self.constant:,} of them always the same" if self.constant else ""
        return [
            ("rows", f"{self.rows:,}: {self.training_rows:,} to train, {self.validation_rows:,} to validate"),
            ("numbers", f"{self.features:,} a row{constant}; standardised"),
            ("texts", f"{self.distinct:,} different ones, {low:,} to {high:,} {self.unit}s, median {middle:,}"),
            ("vocabulary", f"{self.symbols:,} {self.unit}s are known"),
        ]

    def summary(self) -> list[str]:
        return [f"Texts: {self.distinct:,} different ones"]


@dataclass(frozen=True, repr=False)
class PreparedCaptions(ShortRepr):
    """Everything a training on numbers with texts starts from."""

    settings: Settings
    names: tuple[str, ...]
    numbers: NumberInput
    target: Vocabulary
    longest: int
    train: Described
    validation: Described
    example: str
    report: CaptionReport
    arrays: bool = False

    @property
    def network(self) -> Captioner:
        return Captioner(self.settings, self.numbers.size, self.target.size)

    def with_settings(self, settings: Settings) -> PreparedCaptions:
        return replace(self, settings=settings)

    def baselines(self) -> tuple[Baseline, ...]:
        end = self.network.decoder.end
        train, validation = (
            np.concatenate([np.append(target, end) for target in part.targets]).astype(np.int64)
            for part in (self.train, self.validation)
        )
        counts = self.validation.lengths
        firsts = np.cumsum(counts) - counts - 1  # of the losses, of which the first symbol of all has none
        firsts[0], counts[0] = 0, counts[0] - 1
        pairs, single = (
            RowScores(_sums(losses, firsts, counts), counts * 1.0)
            for losses in counting_losses(train, validation, end + 1)
        )
        unit = self.settings.tokens
        return Baseline(f"pairs_of_{unit}s", pairs), Baseline(f"single_{unit}s", single)

    def model(self, params: Params, record: Record) -> CaptionModel:
        known = (self.settings, self.names, self.numbers, self.target, self.longest)
        return CaptionModel(*known, params, self.example, record, arrays=self.arrays)

    def word_tables(self) -> Mapping[str, Sequence[str]]:
        return {"decoder/embedding/weight": self.target.tokens} if self.settings.tokens != "char" else {}


def _sums(values: Array, firsts: Array, counts: Array) -> Array:
    """(rows,) sums of stretches of values."""
    ends = np.concatenate(([0.0], np.cumsum(values)))
    return np.asarray(ends[firsts + counts] - ends[firsts])


class Caption:
    """The task of numeric columns, or a column of .npy files, beside a text."""

    name = "caption"
    model = CaptionModel
    effort = 1.0

    def fits(self, dataset: Dataset) -> bool:
        return bool(dataset.features)

    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        return {
            **{"hidden": 128, "embedding": 32, "bidirectional": False, "attention": False, "lowercase": False},
            **{"min_count": 1, "dropout": 0.3, "lr": 0.003},
        }

    def prepare(self, dataset: Dataset, settings: Settings) -> PreparedCaptions:
        if not dataset.features:
            raise DataError(f"{dataset.name}: there are no numeric columns beside a text")
        if len(dataset.texts) < 2:
            raise DataError(f"{dataset.name}: at least 2 records are needed, and this file has 1")
        settings = settings.replace(tokens=likely_unit(dataset.labels[:200], settings.tokens))
        dataset = without_too_long(dataset, settings.tokens)
        texts = [text.lower() if settings.lowercase else text for text in dataset.labels]
        unique, places = _numbers_of(dataset.texts)
        train_rows, validation_rows = split_at_random(len(texts), dataset, settings)
        numbers, constant = _figures(unique, places[train_rows])
        features, problems = _standardised(numbers, unique, settings.dtype)
        del unique
        kept = dataset.without([problems[place] for place in places.tolist()], "record that cannot be read")
        if kept is not dataset:  # numbers that are out of all bounds, among the validation rows
            return self.prepare(kept, settings)
        corpus = Corpus()
        lengths = np.array([corpus.add_tokens(symbols_of(text, settings.tokens)) for text in texts])
        counts = corpus.counts(train_rows)
        target = build_vocabulary(counts, min_count=settings.min_count, max_size=settings.max_vocabulary)
        longest = int(lengths.max())
        require_memory(Captioner(settings, numbers.size, target.size), settings, longest)
        whole = Described(features, corpus.encode(target), places)
        report = CaptionReport(
            *(len(texts), len(train_rows), len(validation_rows), numbers.size, constant),
            settings.tokens,
            (int(lengths.min()), int(np.median(lengths)), longest),
            *(len(target.tokens), len(set(texts))),
            (left_out(dataset.skipped, dataset.skipped_because),) if dataset.skipped else (),
        )
        example = dataset.texts[int((validation_rows if len(validation_rows) else train_rows)[0])]
        parts = whole.take(train_rows), whole.take(validation_rows)
        known = (settings, dataset.features, numbers, target, longest)
        return PreparedCaptions(*known, *parts, example, report, isinstance(dataset.reads, ArrayColumn))


def _numbers_of(texts: Sequence[str]) -> tuple[Array, Array]:
    """(U, D) the numbers of each distinct text, and (rows,) which of them are each record's."""
    chosen, places = distinct_texts(texts)
    unique = np.empty((len(chosen), len(read_json(texts[0]))))
    for k, row in enumerate(chosen.tolist()):
        unique[k] = read_json(texts[row])
    return unique, places


_COLUMNS_AT_A_TIME = 1024


def _figures(unique: Array, places: Array) -> tuple[NumberInput, int]:
    """Mean and spread over the rows that ``places`` names, and how many columns are constant; some columns at a time,
    for a row that many records share is not to be copied for each."""
    parts = np.array_split(np.arange(unique.shape[1]), -(-unique.shape[1] // _COLUMNS_AT_A_TIME))
    found: list[NumberInput] = []
    constant = 0
    for part in parts:
        rows = unique[:, part[0] : part[-1] + 1][places]
        found.append(NumberInput.of(rows))
        constant += constant_columns(rows)
    mean, spread = (np.concatenate([getattr(one, what) for one in found]) for what in ("mean", "spread"))
    return NumberInput(mean, spread), constant


def _standardised(numbers: NumberInput, rows: Array, dtype: str) -> tuple[Array, list[str | None]]:
    """(U, D) standardised, and for each row what is wrong with it."""
    made = np.zeros(rows.shape, dtype)
    problems: list[str | None] = [None] * len(rows)
    for k, row in enumerate(rows):
        try:
            made[k] = numbers.standardised(row[None])[0]
        except ValueError as error:
            problems[k] = f"the input {error}"
    return made, problems


TASK = Caption()
