"""The trained model: from an input to an answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.parallel.chunks import map_rows
from rnncli.results import Column, TableCell
from rnncli.tasks.generation import GeneratingManifest, GeneratingModel
from rnncli.tasks.inputs import shorten
from rnncli.tasks.model import Metric
from rnncli.tasks.network import BATCH, network_in_words
from rnncli.tasks.seq2seq.network import EncoderDecoder
from rnncli.tasks.symbols import symbols_of
from rnncli.tasks.text_results import PairEvaluation, Transduction, compared


@dataclass(frozen=True, kw_only=True)
class Seq2SeqManifest(GeneratingManifest):
    """An encoder-decoder's own part of its file."""

    source: tuple[str, ...]

    def parts(self) -> dict[str, Any]:
        return {"source": Vocabulary(self.source), **super().parts()}


@dataclass(frozen=True, kw_only=True, repr=False)
class Seq2SeqModel(GeneratingModel):
    """An encoder-decoder with everything that a source needs on its way to its target.

    Attributes:
        source: the known symbols of sources.
    """

    task = "seq2seq"
    metric = Metric("exact match", "validation_accuracy")
    columns = (Column("source"), Column("target", style="bold"), Column("probability", True), Column("unknown"))
    source: Vocabulary
    stored = Seq2SeqManifest

    @property
    def unused(self) -> frozenset[str]:
        return frozenset({"input", "normalize", "readout", "initializer", "inject", "class_weights"})

    @property
    def network(self) -> EncoderDecoder:
        return EncoderDecoder(self.settings, self.source.size, self.target.size)

    def _predict_chunk(self, texts: list[str], first: int) -> Iterator[Transduction]:
        sources = [self.symbols(text) for text in texts]
        for text, symbols, (target, log_probability) in zip(texts, sources, self._generate(sources), strict=True):
            if not symbols:
                yield Transduction(text=text, target=None, probability=None, unknown=(), cut=0)
                continue
            unknown = tuple(dict.fromkeys(symbol for symbol in symbols if symbol not in self.source))
            cut = max(0, len(symbols) - self.settings.max_length)
            yield self.transduction(text, target, log_probability, unknown, cut)

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> PairEvaluation:
        dataset = without_empty(dataset, self.settings)

        def generate(sources: Sequence[Sequence[str]]) -> list[tuple[list[str], float]]:
            lengths = [min(len(symbols), self.settings.max_length) for symbols in sources]
            count = max(1, BATCH // self.beam)
            return map_rows(lambda rows: self._generate([sources[row] for row in rows]), lengths, count, workers)

        return compared(dataset, generate, self.symbols, self.unit, worst)

    def describe(self) -> list[tuple[str, TableCell]]:
        looking = "attention" if self.settings.attention else "no attention"
        return [
            ("network", f"{network_in_words(self.settings)}, {looking}"),
            ("source", f"{len(self.source.tokens):,} known {self.unit}s"),
            ("target", f"{len(self.target.tokens):,} known {self.unit}s"),
        ]

    def facts(self) -> dict[str, Any]:
        return {"source_size": self.source.size, "target_size": self.target.size, "longest": self.longest}

    def own_manifest(self) -> dict[str, Any]:
        sides = {"source": list(self.source.tokens), "target": list(self.target.tokens)}
        return {**sides, "longest": self.longest}

    def encode(self, symbols: Sequence[str]) -> Array:
        """The symbols of a source that are read, as numbers."""
        return shorten(self.source.encode(symbols), self.settings.max_length)

    def _generate(self, sources: Sequence[Sequence[str]]) -> list[tuple[list[str], float]]:
        """The target's symbols and its log probability; nothing for a source without symbols."""
        filled = [row for row, symbols in enumerate(sources) if symbols]
        result: list[tuple[list[str], float]] = [([], 0.0)] * len(sources)
        generated = self.network.decode(
            self.params, [self.encode(sources[row]) for row in filled], self.limit, self.beam
        )
        for row, one in zip(filled, self.with_symbols(generated), strict=True):
            result[row] = one
        return result


def without_empty(dataset: Dataset, settings: Settings) -> Dataset:
    """The records with symbols on both sides.

    Raises:
        DataError: one has none, and bad records are not to be left out.
    """
    problems = [
        None if symbols_of(source, settings.tokens) and symbols_of(target, settings.tokens) else "a side has no symbols"
        for source, target in zip(dataset.texts, dataset.labels, strict=True)
    ]
    return dataset.without(problems, "pair without symbols")
