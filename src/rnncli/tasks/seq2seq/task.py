"""Many-to-many with another length: a sequence to the sequence that belongs to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.config import Settings
from rnncli.data.dataset import Dataset
from rnncli.data.ragged import joined, rows_of
from rnncli.data.text.vocabulary import Corpus
from rnncli.errors import DataError
from rnncli.tasks.comparison import Baseline, RowScores
from rnncli.tasks.decoder import without_too_long
from rnncli.tasks.inputs import shortened
from rnncli.tasks.prepare import Prepared, require_memory, split, vocabulary_of
from rnncli.tasks.report import Report, Spread, skipped_warning, spread, spread_words
from rnncli.tasks.seq2seq.model import Seq2SeqModel, without_empty
from rnncli.tasks.seq2seq.network import Pairs
from rnncli.tasks.symbols import likely_unit, symbols_of
from rnncli.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class PairReport(Report):
    """What a data set of pairs is like.

    Attributes:
        source_lengths, target_lengths: symbols: smallest, median, largest.
        source_symbols, target_symbols: known ones.
        unknown_rate: share of the validation sources' symbols (of the training ones' if there are none) not known.
        on_both_sides: validation sources that stand in training too.
    """

    unit: str
    source_lengths: Spread
    target_lengths: Spread
    source_symbols: int
    target_symbols: int
    unknown_rate: float
    on_both_sides: int

    what = "An encoder-decoder from sequences to sequences"

    def _lines(self) -> Iterator[tuple[str, str]]:
        known = "different ones are known"
        yield "source", f"{spread_words(self.source_lengths, self.unit)}; {self.source_symbols:,} {known}"
        yield "target", f"{spread_words(self.target_lengths, self.unit)}; {self.target_symbols:,} {known}"
        yield "unknown", f"{self.unknown_rate:.2%} of the sources' {self.unit}s"
        if self.on_both_sides:
            yield "both sides", f"{self.on_both_sides:,} validation sources stand in training too"

    def summary(self) -> tuple[str, str]:
        return "Symbols", f"{self.source_symbols:,} in sources, {self.target_symbols:,} in targets ({self.unit}s)"


class Seq2Seq(Task):
    """The task of columns named source and target."""

    model = Seq2SeqModel
    effort = 4.0

    def fits(self, dataset: Dataset) -> bool:
        return ((dataset.source.text or "").lower(), (dataset.source.label or "").lower()) == ("source", "target")

    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        return {
            "hidden": 192,
            "embedding": 64,
            "batch": 64,
            "lr": 0.003,
            "dropout": 0.2,
            "lowercase": False,
            "validation": 0.05,
            "min_count": 1,
        }

    def prepare(self, dataset: Dataset, settings: Settings) -> Prepared:
        settings = settings.replace(tokens=likely_unit(dataset.texts[:200], settings.tokens))
        dataset = without_too_long(without_empty(dataset, settings), settings.tokens)
        if len(dataset.texts) < 2:
            raise DataError(f"{dataset.name}: an encoder-decoder needs at least 2 pairs, and this file has 1")
        sources, targets = Corpus(), Corpus()
        for text, answer in zip(dataset.texts, dataset.labels, strict=True):
            sources.add_tokens(symbols_of(text.lower() if settings.lowercase else text, settings.tokens))
            targets.add_tokens(symbols_of(answer, settings.tokens))
        rows = split(dataset, settings)
        source, target = (vocabulary_of(side.counts(rows.train), settings) for side in (sources, targets))
        untrained = Seq2SeqModel(
            settings=settings,
            source=source,
            target=target,
            longest=int(targets.lengths.max()),
            params={},
            example=dataset.texts[int(rows.looked_at[0])],
        )
        require_memory(untrained.network, int(sources.lengths.max()) + untrained.longest)
        whole = Pairs(shortened(sources.encode(source), settings.max_length), targets.encode(target))
        looked_at = joined(rows_of(whole.sources, rows.looked_at))
        known = {dataset.texts[row] for row in rows.train.tolist()}
        report = PairReport(
            **rows.sizes,
            unit=settings.tokens,
            source_lengths=spread(sources.lengths),
            target_lengths=spread(targets.lengths),
            source_symbols=len(source.tokens),
            target_symbols=len(target.tokens),
            unknown_rate=float((looked_at == source.unknown).mean()),
            on_both_sides=sum(dataset.texts[row] in known for row in rows.validation.tolist()),
            warnings=skipped_warning(dataset),
        )
        sides = zip(sources.tokens(rows.looked_at), targets.tokens(rows.looked_at), strict=True)
        copied = RowScores.of_answers(np.array([symbols == wanted for symbols, wanted in sides]))
        words = {"embedding/weight": source.tokens, "decoder/embedding/weight": target.tokens}
        return Prepared(
            untrained=untrained,
            train=whole.take(rows.train),
            validation=whole.take(rows.validation),
            report=report,
            baselines=lambda: (Baseline("copied_source", copied),),
            word_tables=words if settings.tokens != "char" else {},
        )


TASK = Seq2Seq()
