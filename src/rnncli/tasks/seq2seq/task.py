"""Many-to-many with another length: a sequence to the sequence that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rnncli.config import Settings
from rnncli.data.records.ragged import joined, rows_of
from rnncli.data.text.tokenizer import looks_like_characters
from rnncli.data.text.vocabulary import Corpus
from rnncli.errors import DataError, counted
from rnncli.tasks.comparison import Baseline, RowScores
from rnncli.tasks.decoder import without_too_long
from rnncli.tasks.inputs import shortened
from rnncli.tasks.prepare import Prepared, require_memory, split, vocabulary_of
from rnncli.tasks.report import Report, skipped_warning, spread, spread_words
from rnncli.tasks.seq2seq.model import Seq2SeqModel, without_empty
from rnncli.tasks.seq2seq.network import Pairs
from rnncli.tasks.symbols import are_rows_of_symbols, likely_unit, symbols_of
from rnncli.tasks.task import Task

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


class Seq2Seq(Task):
    """The task of columns named source and target."""

    model = Seq2SeqModel
    effort = 4.0
    continues = True
    recognized_by = "a source and its target"

    def fits(self, dataset: Dataset) -> bool:
        if dataset.roles is not None and (dataset.roles.features or dataset.roles.layout == "pairs"):
            return not dataset.roles.features  # numbers are no source
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

    def prepare(self, dataset: Dataset, settings: Settings, begin: Seq2SeqModel | None = None) -> Prepared:
        asked, settings = settings.tokens, settings.replace(tokens=likely_unit(dataset.texts[:200], settings.tokens))
        dataset = without_empty(dataset, settings)
        spoken = asked == "auto" and settings.tokens == "char" and _are_spoken(dataset)
        target_unit: Literal["symbol"] | None = "symbol" if spoken else None
        if begin is not None:
            target_unit = begin.target_unit
        of_target = target_unit or settings.tokens
        dataset = without_too_long(dataset, of_target)
        if len(dataset.texts) < 2 and begin is None:
            raise DataError(f"{dataset.name}: an encoder-decoder needs at least 2 pairs, and this file has 1")
        unit, sources, targets = settings.tokens, Corpus(), Corpus()
        for text, answer in zip(dataset.texts, dataset.labels, strict=True):
            sources.add(symbols_of(text.lower() if settings.lowercase else text, unit))
            targets.add(symbols_of(answer, of_target))
        rows = split(dataset, settings)
        before = (None, None) if begin is None else (begin.source, begin.target)
        source, target = (
            vocabulary_of(side.counts(rows.train), settings, known)
            for side, known in zip((sources, targets), before, strict=True)
        )
        untrained = Seq2SeqModel(
            settings=settings,
            source=source,
            target=target,
            target_unit=target_unit,
            longest=max(int(targets.lengths.max()), 0 if begin is None else begin.longest),
            example=dataset.texts[int(rows.looked_at[0])],
        )
        require_memory(untrained.network, int(sources.lengths.max()) + untrained.longest)
        whole = Pairs(shortened(sources.encode(source), settings.max_length), targets.encode(target))
        unknown_rate = float((joined(rows_of(whole.inputs, rows.looked_at)) == source.unknown).mean())
        known = {dataset.texts[row] for row in rows.train.tolist()}
        on_both_sides = sum(dataset.texts[row] in known for row in rows.validation.tolist())
        lengths = [spread(side.lengths) for side in (sources, targets)]
        sizes = [len(side.tokens) for side in (source, target)]
        lines = [
            (side, f"{spread_words(of_side, one)}; {size:,} different ones are known")
            for side, one, of_side, size in zip(("source", "target"), (unit, of_target), lengths, sizes, strict=True)
        ]
        lines.append(("unknown", f"{unknown_rate:.2%} of the sources' {unit}s"))
        if on_both_sides:
            both = counted(on_both_sides, "validation source is", "validation sources are")
            lines.append(("both sides", f"{both} in training too"))
        report = Report(
            what="An encoder-decoder from sequences to sequences",
            figures={
                "unit": unit,
                "source_lengths": lengths[0],
                "target_lengths": lengths[1],
                "source_symbols": sizes[0],
                "target_symbols": sizes[1],
                "unknown_rate": unknown_rate,
                "on_both_sides": on_both_sides,
            },
            own_lines=lines,
            summary=("Symbols", f"{sizes[0]:,} in sources, {sizes[1]:,} in targets ({of_target}s)"),
            warnings=skipped_warning(dataset),
            **rows.sizes,
        )
        sides = zip(sources.tokens(rows.looked_at), targets.tokens(rows.looked_at), strict=True)
        scores = RowScores.of_answers(np.array([symbols == wanted for symbols, wanted in sides]))
        copied = (Baseline("copied_source", scores),)
        words = {} if unit == "char" else {"embedding/weight": source.tokens, "decoder/embedding/weight": target.tokens}
        train, validation = whole.take(rows.train), whole.take(rows.validation)
        return Prepared(untrained, train, validation, report, baselines=lambda: copied, word_tables=words)


def _are_spoken(dataset: Dataset) -> bool:
    """Whether sources are words, and targets the symbols by which each is spoken."""
    return looks_like_characters(dataset.texts[:200]) and are_rows_of_symbols(dataset.labels[:200])


TASK = Seq2Seq()
