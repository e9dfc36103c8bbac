"""An encoder and a decoder: from a source to its target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.errors import UsageError
from rnncli.inspection.activation_states import TextActivations, batches_by_length
from rnncli.inspection.adapters.generation import GenerationAdapter
from rnncli.inspection.adapters.seq2seq_by_hand import Seq2SeqExample
from rnncli.inspection.integrated_gradients import GradientPath, rows_of, through_loss
from rnncli.inspection.question import UNWRITTEN, InputParts
from rnncli.inspection.states import DecoderStates
from rnncli.tasks.decoder import DecoderCache
from rnncli.tasks.inputs import shorten
from rnncli.tasks.seq2seq.model import Seq2SeqModel
from rnncli.tasks.seq2seq.network import EncoderDecoder, Pairs
from rnncli.tasks.symbols import joined_symbols, symbols_of


class Seq2SeqAdapter(GenerationAdapter[Seq2SeqModel]):
    model: Seq2SeqModel
    cuts = True
    generates = "target"
    states: ClassVar = DecoderStates
    batch: ClassVar = Pairs

    @property
    def worked_example(self) -> Seq2SeqExample:
        return Seq2SeqExample(self.model)

    def parts(self, text: str) -> InputParts:
        symbols, unit = tuple(self.model.symbols(text)), self.model.unit
        return InputParts(symbols, symbols, UNWRITTEN, lambda left: joined_symbols(left, unit), unit)

    def inputs(self, texts: Sequence[str]) -> list[Array]:
        return [self.model.encode(self.model.symbols(text)) for text in texts]

    def steps(self, text: str) -> tuple[str, ...]:
        symbols = self.model.symbols(text)
        if not symbols:
            raise UsageError(f"the text {'has no symbols' if text.strip() else 'is empty'}: there is nothing to show")
        return tuple(symbols[place] for place in self._read(len(symbols)).tolist())

    def _read(self, count: int) -> Array:
        """Places of the symbols that are read, of so many."""
        return shorten(np.arange(count), self.model.settings.max_length)

    def symbols(self, answer: str) -> list[str]:
        return symbols_of(answer, self.model.unit)

    def decoder(self, inputs: Any, targets: Sequence[Array], keep: bool = True) -> tuple[Array, Array, DecoderCache]:
        network, params = self.model.network, self.model.params
        memory, states, _ = network.encode(params, inputs)
        looked_at = memory if self.model.settings.attention else None
        given = network.decoder.given(targets)
        logits, hidden, _, cache = network.decoder.forward(params["decoder"], given, states, looked_at, keep=keep)
        return logits, hidden, cache

    def path(self, parts: InputParts, answer: str) -> tuple[GradientPath | None, Array]:
        network, target, read = self.model.network, self.ids(answer), self._read(len(parts.names))
        ends = parts.whole_and_baseline()
        if any(len(self.model.symbols(end)) != len(parts.names) for end in ends):
            return None, read

        def copies(n: int) -> tuple[EncoderDecoder, Pairs]:
            return replace(network, source_size=n * len(read)), Pairs(rows_of(n, len(read)), [target] * n)

        source, baseline = self.inputs(ends)
        return through_loss(self.model.params, {"embedding/weight": (source, baseline)}, copies), read

    def activations(self, records: Dataset) -> Iterator[TextActivations]:
        """The encoder's units, beside the symbol that is read."""
        model = self.model
        symbols = [model.symbols(text) for text in records.texts]
        for rows in batches_by_length([len(of) for of in symbols]):
            sources = [model.encode(symbols[row]) for row in rows]
            outputs = model.network.encode(model.params, sources, keep=False)[0].unpack()
            for row, hidden in zip(rows, outputs, strict=True):
                places = self._read(len(symbols[row]))
                yield TextActivations(
                    line=records.lines[row],
                    tokens=symbols[row],
                    hidden=hidden,
                    labels=[symbols[row][place] for place in places.tolist()],
                    known=model.source.tokens,
                    label_is=model.unit,
                    places=places,
                )


ADAPTER = Seq2SeqAdapter
