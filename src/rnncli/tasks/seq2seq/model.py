"""The trained model: from an input to an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params
from rnncli.core.layers.attention import alignment
from rnncli.core.losses import softmax
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.data.text.vocabulary import UNKNOWN, Vocabulary
from rnncli.errors import UsageError
from rnncli.inspection.flow import Opened
from rnncli.inspection.integrated_gradients import GradientPath
from rnncli.inspection.states import GeneratedStates, unit_names, visible
from rnncli.inspection.why import BLANK, Parts
from rnncli.parallel.spread import shared_out
from rnncli.record import Record
from rnncli.results import Column, TableCell, TableView
from rnncli.tasks.decoder import BEAM, Beam, Longest
from rnncli.tasks.inputs import shorten
from rnncli.tasks.model import Manifest, Metric, Model, chunks_of
from rnncli.tasks.seq2seq.network import EncoderDecoder, Pairs
from rnncli.tasks.symbols import END, START, joined_symbols, require_unit, symbols_of
from rnncli.tasks.text_results import PairEvaluation, Transduction, compared


@dataclass(frozen=True)
class DecoderStates(GeneratedStates):
    """The decoder, step by step, as it tells a target.

    Attributes:
        source: (S,) the symbols that were read.
        alignment: (T, S) where attention looks at each step; None without attention.
    """

    source: tuple[str, ...]
    alignment: Array | None

    def view(self, units: list[int]) -> TableView:
        """One row a step: what is told, the next best ones, where attention looks, and the chosen units."""
        rows: list[tuple[TableCell, ...]] = []
        for t, places in enumerate(self.best(3).tolist()):
            chances = self.step_probabilities[t]
            others = ", ".join(f"{visible(self.labels[k])} {chances[k]:.2f}" for k in places[1:])
            looked: tuple[TableCell, ...] = ()
            if self.alignment is not None:
                s = int(self.alignment[t].argmax())
                looked = (f"{visible(self.source[s])} ({s + 1})", float(self.alignment[t, s]))
            told = (t + 1, visible(self.labels[places[0]]), float(chances[places[0]]), others)
            rows.append((*told, *looked, *(float(value) for value in self.hidden[t, units])))
        columns = [Column("t", True), Column("told", style="bold"), Column("p", True), Column("else")]
        if self.alignment is not None:
            columns += [Column("looks at"), Column("weight", True)]
        columns += [Column(f"h{self.units[unit]}", True) for unit in units]
        caption = f"p: {self.answers_are}{self.note}; {len(units)} of {len(self.units)} units of the decoder, "
        caption += "choose with --units or --top"
        return TableView(
            f"The decoder's steps for {' '.join(map(visible, self.source))}", tuple(columns), tuple(rows), caption
        )


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
    def network(self) -> EncoderDecoder:
        return EncoderDecoder(self.settings, self.source.size, self.target.size)

    def _predict_stream(self, texts: Iterable[str], first: int) -> Iterator[Transduction]:
        for chunk in chunks_of(texts):
            sources = [self._symbols(text) for text in chunk]
            for text, symbols, (told, log_probability) in zip(chunk, sources, self._tell(sources), strict=True):
                unknown = tuple(dict.fromkeys(symbol for symbol in symbols if symbol not in self.source))
                if not symbols:
                    yield Transduction(text, None, None, (), 0)
                    continue
                cut = max(0, len(symbols) - self.settings.max_length)
                yield Transduction(text, joined_symbols(told, self.unit), float(np.exp(log_probability)), unknown, cut)

    def trace(self, text: str | None = None) -> DecoderStates:
        symbols = self._symbols_of(text)
        network, source = self.network, self._encoded(symbols)
        (told,) = network.decode(self.params, [source], self._limit, self.beam)
        memory, states, _ = network.encode(self.params, [source])
        each = network.decoder.steps(told)
        given = network.decoder.given([each[:-1]])
        looking = self.settings.attention
        logits, hidden, _, cache = network.decoder.forward(
            self.params["decoder"], given, states, memory if looking else None
        )
        names = (*self.target.tokens, UNKNOWN, END)
        shown = tuple(symbols[place] for place in shorten(np.arange(len(symbols)), self.settings.max_length).tolist())
        steps = tuple(names[k] for k in each.tolist())
        looked = alignment(cache.attention)[0] if cache.attention is not None else None
        units, norm = unit_names(network.decoder.hidden, bidirectional=False), np.linalg.norm(hidden, axis=1)
        known = (True,) * len(steps)
        told_by = (each, softmax(logits), self.target.unknown)
        return DecoderStates(steps, known, hidden, units, norm, names, *told_by, shown, looked)

    def _opened(self, text: str, answer: str | None) -> Opened:
        symbols = self._symbols_of(text)
        model = self.in_double()
        source = self._encoded(symbols)
        if answer is None:
            (told,) = model.network.decode(model.params, [source], self._limit, self.beam)
            target = told.ids
        else:
            target = self.target.encode(symbols_of(answer, self.unit))
        said = [self.target.token(k) for k in target.tolist()]
        shown = tuple(symbols[place] for place in shorten(np.arange(len(symbols)), self.settings.max_length).tolist())
        steps = {"": shown, "decoder/": (START, *said)}
        answered = f"the target {joined_symbols(said, self.unit)}" if said else "the empty target"
        return Opened(model.network, model.params, Pairs([source], [target]), steps, answered)

    def tells_its_end(self, text: str) -> bool:
        (told,) = self.network.decode(self.params, [self._encoded(self._symbols(text))], self._limit, self.beam)
        return told.ended

    def examples(self, texts: Sequence[str], answer: str) -> Pairs:
        sources = [self._encoded(self._symbols(text)) for text in texts]
        return Pairs(sources, [self.target.encode(symbols_of(answer, self.unit))] * len(sources))

    def way(self, text: str, blank: str, answer: str) -> tuple[GradientPath | None, Array]:
        from rnncli.inspection.adapters.gradient_paths import of_target

        both, count = self.examples([text, blank], answer), len(self._symbols(text))
        read = shorten(np.arange(count), self.settings.max_length)
        if len(self._symbols(blank)) != count:
            return None, read
        return of_target(self.network, self.params, both.take(np.array([0])), both.sources[1]), read

    def parts(self, text: str) -> Parts:
        symbols = tuple(self._symbols(text))
        return Parts(symbols, symbols, BLANK, lambda left: joined_symbols(left, self.unit))

    def cut(self, text: str) -> int:
        return max(0, len(self.parts(text).names) - self.settings.max_length)

    def told(self, texts: Sequence[str]) -> list[str]:
        return [prediction.target or "" for prediction in self.predict(texts)]

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> PairEvaluation:
        dataset = without_empty(dataset, self.settings)
        return compared(
            dataset, lambda sources: shared_out(self._tell, sources, workers), self._symbols, self.unit, worst
        )

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
    def _limit(self) -> int:
        return 2 * self.longest + 10

    def _symbols_of(self, text: str | None) -> list[str]:
        """Raises UsageError: there are none."""
        text = self.text(text)
        symbols = self._symbols(text)
        if not symbols:
            raise UsageError(f"the text {'has no symbols' if text.strip() else 'is empty'}: there is nothing to show")
        return symbols

    def _symbols(self, text: str) -> list[str]:
        return symbols_of(text.lower() if self.settings.lowercase else text, self.unit)

    def _encoded(self, symbols: Sequence[str]) -> Array:
        return shorten(self.source.encode(symbols), self.settings.max_length)

    def _tell(self, sources: Sequence[Sequence[str]]) -> list[tuple[list[str], float]]:
        """The target's symbols and its log probability; nothing for a source without symbols."""
        filled = [row for row, symbols in enumerate(sources) if symbols]
        result: list[tuple[list[str], float]] = [([], 0.0)] * len(sources)
        encoded = [self._encoded(sources[row]) for row in filled]
        for row, told in zip(filled, self.network.decode(self.params, encoded, self._limit, self.beam), strict=True):
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
