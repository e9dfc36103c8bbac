"""The network of many-to-many with another length: an encoder whose last states start a decoder.

(Sutskever, Vinyals & Le 2014; with attention, Bahdanau, Cho & Bengio 2015 in the form of Luong, Pham & Manning 2015.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rnncli.core.layers.named import NamedLayers
from rnncli.core.packed import Array, PackedSequence, Params, State
from rnncli.data.records.ragged import joined, lengths_of
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.decoder import Decoder, DecoderStart, GeneratingNetwork
from rnncli.tasks.network import Reader, ReaderCache, Rng
from rnncli.tasks.rows import EncodedRows


@dataclass(frozen=True, eq=False)
class Pairs(EncodedRows):
    """Encoded sources and targets.

    Attributes:
        inputs: each (T_n,) ids of a source.
        targets: each (U_n,) ids, without an end.
    """

    inputs: Sequence[Array]
    targets: Sequence[Array]
    by_row = ("inputs", "targets")

    @property
    def lengths(self) -> Array:
        """(rows,) timesteps of encoder and decoder together, the target's end among them."""
        return lengths_of(self.inputs) + lengths_of(self.targets) + 1

    @property
    def weight(self) -> float:
        return float(lengths_of(self.targets).sum() + len(self.targets))


class EncoderCache(NamedTuple):
    """What the encoder keeps for the backward pass, and where each row of the decoder is among its packed sources."""

    encoder: ReaderCache
    places: Array


@dataclass(frozen=True)
class EncoderDecoder(GeneratingNetwork):
    """Embedding → dropout → recurrent stack (the encoder); its last states, →h and ←h side by side, start a decoder.

    Args:
        settings: sizes and choices; ``hidden`` is that of one direction of the encoder.
        source_size, target_size: symbols, the unknown one included.
    """

    source_size: int
    target_size: int

    @cached_property
    def encoder(self) -> Reader:
        return Reader(self.settings, self.source_size, "encoder", by_token=True)

    @cached_property
    def decoder(self) -> Decoder:
        width = self.encoder.stack.output_size
        return Decoder(self.settings, self.target_size, width, width if self.settings.attention else None)

    @property
    def tables(self) -> frozenset[str]:
        return self.encoder.tables | super().tables

    def rows_read(self, batch: Pairs) -> dict[str, Array]:
        return self.encoder.rows_read(joined(batch.inputs)) | super().rows_read(batch)

    @property
    def layers(self) -> NamedLayers:
        return NamedLayers(self.encoder.layers | {"decoder": self.decoder.layers})

    def start(
        self, params: Params, inputs: Any, order: Array | slice = slice(None), rng: Rng = None, keep: bool = True
    ) -> DecoderStart:
        """Ids to the topmost layer's outputs and the last states of all layers."""
        source = PackedSequence.pack(inputs)
        _, y, last, of_encoder = self.encoder.forward(params, source, rng=rng, keep=keep)
        places = source.to_caller_order(np.arange(len(inputs)))[order]
        states = [tuple(part[places] for part in self._side_by_side(state)) for state in last]
        return DecoderStart(states, source.with_data(y), cache=EncoderCache(of_encoder, places))

    def start_backward(
        self, params: Params, cache: EncoderCache, d_states: list[State], d_memory: Array | None
    ) -> dict[str, Any]:
        rows = np.argsort(cache.places)  # of the decoder, in the order of the packed sources
        d_last = [self._apart(tuple(part[rows] for part in state)) for state in d_states]
        return self.encoder.backward(params, cache.encoder, d_memory, d_last)[1]

    def _side_by_side(self, state: State) -> State:
        """(→h, →c, ←h, ←c) as (h, c)."""
        k = self.decoder.state_count
        return tuple(np.concatenate((state[j], state[k + j]), axis=1) for j in range(k)) if len(state) > k else state

    def _apart(self, state: State) -> State:
        if not self.settings.bidirectional:
            return state
        H = self.settings.hidden
        return (*(part[:, :H] for part in state), *(part[:, H:] for part in state))

    def row_scores(self, params: Params, examples: Pairs) -> RowScores:
        """Whether each target is generated without a fault."""
        return RowScores.of_answers(self.of_each_row(params, examples, self.right))
