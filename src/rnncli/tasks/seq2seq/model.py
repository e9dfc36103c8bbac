"""The trained model: from an input to an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.parallel.chunks import map_rows
from rnncli.record import Record
from rnncli.results import Column, TableCell
from rnncli.tasks.decoder import BEAM, Beam, Longest
from rnncli.tasks.inputs import shorten
from rnncli.tasks.model import Manifest, Metric, Model, chunks_of
from rnncli.tasks.network import BATCH
from rnncli.tasks.seq2seq.network import EncoderDecoder
from rnncli.tasks.symbols import joined_symbols, require_unit, symbols_of
from rnncli.tasks.text_results import PairEvaluation, Transduction, compared


@dataclass(frozen=True, kw_only=True)
class Seq2SeqManifest(Manifest):
    """An encoder-decoder's own part of its file."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    longest: Longest

    def __post_init__(self) -> None:
        require_unit(self.settings)


@dataclass(frozen=True, repr=False)
class Seq2SeqModel(Model):
    """An encoder-decoder with everything that a source needs on its way to its target.

    Attributes:
        kind: what a symbol is: a char, a symbol between white space, or a word.
        source, target: the known symbols of either side.
        longest: symbols of the longest target in training; twice as many and 10 more are told at most.
        beam: partial targets that are gone on with side by side.
    """

    task: ClassVar[str] = "seq2seq"
    metric: ClassVar[Metric] = Metric("exact match", "validation_accuracy")
    options: ClassVar[frozenset[str]] = frozenset({"beam"})
    columns: ClassVar[tuple[Column, ...]] = (
        *(Column("source"), Column("target", style="bold"), Column("probability", True), Column("unknown")),
    )
    settings: Settings
    source: Vocabulary
    target: Vocabulary
    longest: int
    params: Params
    example: str = ""
    record: Record = field(default_factory=Record)
    beam: Beam = BEAM
    stored: ClassVar = Seq2SeqManifest

    @property
    def unit(self) -> str:
        return self.settings.tokens

    @property
    def unused(self) -> frozenset[str]:
        return frozenset({"input", "normalize", "readout", "initializer", "inject", "class_weights"})

    @property
    def network(self) -> EncoderDecoder:
        return EncoderDecoder(self.settings, self.source.size, self.target.size)

    def _predict_stream(self, texts: Iterable[str], first: int) -> Iterator[Transduction]:
        for chunk in chunks_of(texts):
            sources = [self.symbols(text) for text in chunk]
            for text, symbols, (told, log_probability) in zip(chunk, sources, self._tell(sources), strict=True):
                unknown = tuple(dict.fromkeys(symbol for symbol in symbols if symbol not in self.source))
                if not symbols:
                    yield Transduction(text, None, None, (), 0)
                    continue
                cut = max(0, len(symbols) - self.settings.max_length)
                yield Transduction(text, joined_symbols(told, self.unit), float(np.exp(log_probability)), unknown, cut)

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> PairEvaluation:
        dataset = without_empty(dataset, self.settings)

        def tell(sources: Sequence[Sequence[str]]) -> list[tuple[list[str], float]]:
            lengths = [min(len(symbols), self.settings.max_length) for symbols in sources]
            count = max(1, BATCH // self.beam)
            return map_rows(lambda rows: self._tell([sources[row] for row in rows]), lengths, count, workers)

        return compared(dataset, tell, self.symbols, self.unit, worst)

    def describe(self) -> list[tuple[str, TableCell]]:
        looking = "attention" if self.settings.attention else "no attention"
        return [
            ("network", f"{self.settings.network_words}, {looking}"),
            ("source", f"{len(self.source.tokens):,} known {self.unit}s"),
            ("target", f"{len(self.target.tokens):,} known {self.unit}s"),
        ]

    def facts(self) -> dict[str, Any]:
        return {"source_size": self.source.size, "target_size": self.target.size, "longest": self.longest}

    def own_manifest(self) -> dict[str, Any]:
        sides = {"source": list(self.source.tokens), "target": list(self.target.tokens)}
        return {**sides, "longest": self.longest}

    @classmethod
    def of_manifest(cls, manifest: Seq2SeqManifest) -> Seq2SeqModel:
        source, target = Vocabulary(manifest.source), Vocabulary(manifest.target)
        return cls(manifest.settings, source, target, manifest.longest, {}, manifest.example, manifest.record)

    @property
    def limit(self) -> int:
        """How many symbols are generated at most."""
        return 2 * self.longest + 10

    def symbols(self, text: str) -> list[str]:
        """Those of a source."""
        return symbols_of(text.lower() if self.settings.lowercase else text, self.unit)

    def encode(self, symbols: Sequence[str]) -> Array:
        """The symbols of a source that are read, as numbers."""
        return shorten(self.source.encode(symbols), self.settings.max_length)

    def _tell(self, sources: Sequence[Sequence[str]]) -> list[tuple[list[str], float]]:
        """The target's symbols and its log probability; nothing for a source without symbols."""
        filled = [row for row, symbols in enumerate(sources) if symbols]
        result: list[tuple[list[str], float]] = [([], 0.0)] * len(sources)
        encoded = [self.encode(sources[row]) for row in filled]
        for row, told in zip(filled, self.network.decode(self.params, encoded, self.limit, self.beam), strict=True):
            result[row] = [self.target.token(k) for k in told.ids.tolist()], told.log_probability
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
