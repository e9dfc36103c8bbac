"""Many-to-many with another length: a sequence to the sequence that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset, left_out
from rnncli.data.ragged import joined, rows_of
from rnncli.data.short_repr import ShortRepr
from rnncli.data.text.vocabulary import Corpus, Vocabulary, build_vocabulary
from rnncli.errors import DataError
from rnncli.record import Record
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.decoder import without_too_long
from rnncli.tasks.inputs import shortened
from rnncli.tasks.prepare import require_memory, split_at_random
from rnncli.tasks.seq2seq.model import Seq2SeqModel, without_empty
from rnncli.tasks.seq2seq.network import EncoderDecoder, Pairs
from rnncli.tasks.symbols import likely_unit, symbols_of
from rnncli.tasks.task import Baseline


@dataclass(frozen=True)
class PairReport:
    """What a data set of pairs is like.

    Attributes:
        source_lengths, target_lengths: symbols: smallest, median, largest.
        source_symbols, target_symbols: known ones.
        unknown_rate: share of the validation sources' symbols (of the training ones' if there are none) not known.
        on_both_sides: validation sources that stand in training too.
    """

    rows: int
    training_rows: int
    validation_rows: int
    unit: str
    source_lengths: tuple[int, int, int]
    target_lengths: tuple[int, int, int]
    source_symbols: int
    target_symbols: int
    unknown_rate: float
    on_both_sides: int
    warnings: tuple[str, ...]

    labels: ClassVar[dict[str, int]] = {}
    what = "An encoder-decoder from sequences to sequences"

    def lines(self) -> list[tuple[str, str]]:
        def side(lengths: tuple[int, int, int], known: int) -> str:
            low, middle, high = lengths
            return f"{low:,} to {high:,} {self.unit}s, median {middle:,}; {known:,} different ones are known"

        lines = [
            ("rows", f"{self.rows:,}: {self.training_rows:,} to train, {self.validation_rows:,} to validate"),
            ("source", side(self.source_lengths, self.source_symbols)),
            ("target", side(self.target_lengths, self.target_symbols)),
            ("unknown", f"{self.unknown_rate:.2%} of the sources' {self.unit}s"),
        ]
        if self.on_both_sides:
            lines.append(("both sides", f"{self.on_both_sides:,} validation sources stand in training too"))
        return lines

    def summary(self) -> list[str]:
        return [f"Symbols: {self.source_symbols:,} in sources, {self.target_symbols:,} in targets ({self.unit}s)"]


@dataclass(frozen=True, repr=False)
class PreparedPairs(ShortRepr):
    """Everything a training of an encoder-decoder starts from."""

    settings: Settings
    source: Vocabulary
    target: Vocabulary
    longest: int
    train: Pairs
    validation: Pairs
    copied: RowScores
    example: str
    report: PairReport

    @property
    def network(self) -> EncoderDecoder:
        return EncoderDecoder(self.settings, self.source.size, self.target.size)

    def with_settings(self, settings: Settings) -> PreparedPairs:
        return replace(self, settings=settings)

    def baselines(self) -> tuple[Baseline, ...]:
        return (Baseline("copied_source", self.copied),)

    def model(self, params: Params, record: Record) -> Seq2SeqModel:
        return Seq2SeqModel(self.settings, self.source, self.target, self.longest, params, self.example, record)

    def word_tables(self) -> Mapping[str, Sequence[str]]:
        sides = {"embedding/weight": self.source.tokens, "decoder/embedding/weight": self.target.tokens}
        return sides if self.settings.tokens != "char" else {}


def _spread(lengths: Array) -> tuple[int, int, int]:
    return int(lengths.min()), int(np.median(lengths)), int(lengths.max())


class Seq2Seq:
    """The task of columns named source and target."""

    name = "seq2seq"
    model = Seq2SeqModel
    effort = 4.0

    def fits(self, dataset: Dataset) -> bool:
        return ((dataset.source.text or "").lower(), (dataset.source.label or "").lower()) == ("source", "target")

    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        return {
            **{"hidden": 192, "embedding": 64, "batch": 64, "lr": 0.003, "dropout": 0.2, "lowercase": False},
            **{"validation": 0.05, "min_count": 1},
        }

    def prepare(self, dataset: Dataset, settings: Settings) -> PreparedPairs:
        settings = settings.replace(tokens=likely_unit(dataset.texts[:200], settings.tokens))
        dataset = without_too_long(without_empty(dataset, settings), settings.tokens)
        if len(dataset.texts) < 2:
            raise DataError(f"{dataset.name}: an encoder-decoder needs at least 2 pairs, and this file has 1")
        sources, targets = Corpus(), Corpus()
        for text, answer in zip(dataset.texts, dataset.labels, strict=True):
            sources.add_tokens(symbols_of(text.lower() if settings.lowercase else text, settings.tokens))
            targets.add_tokens(symbols_of(answer, settings.tokens))
        train_rows, validation_rows = split_at_random(len(dataset.texts), dataset, settings)
        source, target = (
            build_vocabulary(side.counts(train_rows), min_count=settings.min_count, max_size=settings.max_vocabulary)
            for side in (sources, targets)
        )
        lengths = sources.lengths, targets.lengths
        longest = int(lengths[1].max())
        network = EncoderDecoder(settings, source.size, target.size)
        require_memory(network, settings, int(lengths[0].max()) + longest)
        whole = Pairs(
            shortened(sources.encode(source), settings.max_length),
            targets.encode(target),
        )
        looked_at = validation_rows if len(validation_rows) else train_rows
        seen = joined(rows_of(whole.sources, looked_at))
        known = {dataset.texts[row] for row in train_rows.tolist()}
        report = PairReport(
            rows=len(dataset.texts),
            training_rows=len(train_rows),
            validation_rows=len(validation_rows),
            unit=settings.tokens,
            source_lengths=_spread(lengths[0]),
            target_lengths=_spread(lengths[1]),
            source_symbols=len(source.tokens),
            target_symbols=len(target.tokens),
            unknown_rate=float((seen == source.unknown).mean()),
            on_both_sides=sum(dataset.texts[row] in known for row in validation_rows.tolist()),
            warnings=(left_out(dataset.skipped, dataset.skipped_because),) if dataset.skipped else (),
        )
        sides = (sources.tokens(looked_at), targets.tokens(looked_at))
        copied = RowScores.of_answers(np.array([symbols == answer for symbols, answer in zip(*sides, strict=True)]))
        return PreparedPairs(
            *(settings, source, target, longest, whole.take(train_rows), whole.take(validation_rows), copied),
            *(dataset.texts[int(looked_at[0])], report),
        )


TASK = Seq2Seq()
