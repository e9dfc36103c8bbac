"""The trained encoder-decoder: from a source to its target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.errors import counted
from rnncli.results import Column, TableCell
from rnncli.tasks.generation import GeneratingManifest, GeneratingModel
from rnncli.tasks.inputs import shorten
from rnncli.tasks.model import Axis, Metric, token_axis
from rnncli.tasks.network import network_in_words
from rnncli.tasks.seq2seq.network import EncoderDecoder
from rnncli.tasks.symbols import symbols_of
from rnncli.tasks.text_results import PairEvaluation, Transduction

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Seq2SeqManifest(GeneratingManifest):
    """What the file of an encoder-decoder adds."""

    source: tuple[str, ...]
    target_unit: Literal["symbol"] | None = None

    def parts(self) -> dict[str, Any]:
        return {"source": Vocabulary(self.source), "target_unit": self.target_unit, **super().parts()}


@dataclass(frozen=True, kw_only=True, repr=False)
class Seq2SeqModel(GeneratingModel):
    """An encoder-decoder, and what turns texts into its sources.

    Attributes:
        source: the known symbols of sources.
        target_unit: what a symbol of a target is, where it is something else than in a source.
    """

    task = "seq2seq"
    metric = Metric("exact match", "validation_accuracy")
    columns = (Column("target", style="bold"), Column("probability", True), Column("unknown"), Column("source"))
    stored = Seq2SeqManifest
    unused = frozenset({"input", "normalize", "readout", "initializer", "inject", "class_weights"})
    source: Vocabulary
    target_unit: Literal["symbol"] | None = None

    @property
    def generated_unit(self) -> str:
        return self.target_unit or self.unit

    @property
    def axes(self) -> Mapping[str, Axis]:
        rows = token_axis(0, self.source, f"source {self.unit}")
        return dict.fromkeys(self.network.encoder.tables, rows) | dict(super().axes)

    @property
    def network(self) -> EncoderDecoder:
        return EncoderDecoder(self.settings, self.source.size, self.target.size)

    def _predict_chunk(self, texts: list[str], first: int) -> Iterator[Transduction]:
        sources = [self.symbols(text) for text in texts]
        generated = self.generate(list(map(self.encode, sources)), first)
        for text, symbols, (target, log_probability) in zip(texts, sources, generated, strict=True):
            if not symbols:
                yield Transduction(text=text, target=None, probability=None, unknown=(), cut=0)
                continue
            unknown = tuple(dict.fromkeys(symbol for symbol in symbols if symbol not in self.source))
            cut = max(0, len(symbols) - self.settings.max_length)
            yield self.transduction(text, target, log_probability, unknown, cut)

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> PairEvaluation:
        return self.compared(without_empty(dataset, self.settings), worst, workers)

    def describe(self) -> list[tuple[str, TableCell]]:
        looking = "attention" if self.settings.attention else "no attention"
        return [
            ("network", f"{network_in_words(self.settings)}, {looking}"),
            ("source", counted(len(self.source.tokens), f"known {self.unit}")),
            *super().describe(),
        ]

    def facts(self) -> dict[str, Any]:
        return {"source_size": self.source.size, **super().facts()}

    def own_manifest(self) -> dict[str, Any]:
        unit = {} if self.target_unit is None else {"target_unit": self.target_unit}
        return {"source": list(self.source.tokens), **unit, **super().own_manifest()}

    def encode(self, symbols: Sequence[str]) -> Array:
        """(T,) ids of a source's symbols that are read."""
        return shorten(self.source.encode(symbols), self.settings.max_length)

    def read(self, text: str) -> Array:
        return self.encode(self.symbols(text))


def without_empty(dataset: Dataset, settings: Settings) -> Dataset:
    """The records with symbols on both sides.

    Raises:
        DataError: one has none, and bad records are not to be left out.
    """
    filled = (
        symbols_of(source, settings.tokens) and symbols_of(target, settings.tokens)
        for source, target in zip(dataset.texts, dataset.labels, strict=True)
    )
    return dataset.without([None if both else "a side has no symbols" for both in filled], "pair without symbols")
