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
from rnncli.data.ragged import joined, lengths_of
from rnncli.data.splits import in_length_order
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.decoder import Decoder, DecoderCache, Generated, GeneratingNetwork
from rnncli.tasks.network import BATCH, Carried, Reader, ReaderCache, Rng
from rnncli.tasks.rows import EncodedRows


@dataclass(frozen=True, eq=False)
class Pairs(EncodedRows):
    """Encoded sources and targets.

    Attributes:
        sources: each (T_n,) ids.
        targets: each (U_n,) ids, without an end.
    """

    sources: Sequence[Array]
    targets: Sequence[Array]
    by_row = ("sources", "targets")

    @property
    def lengths(self) -> Array:
        """(rows,) timesteps of encoder and decoder together, the target's end among them."""
        return lengths_of(self.sources) + lengths_of(self.targets) + 1

    @property
    def weight(self) -> float:
        return float(lengths_of(self.targets).sum() + len(self.targets))


class EncoderDecoderCache(NamedTuple):
    """What both halves keep for the backward pass, and the timesteps of each."""

    source: PackedSequence
    encoder: ReaderCache
    given: PackedSequence
    decoder: DecoderCache


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
        return self.encoder.tables | {"decoder/embedding/weight"}

    def rows_read(self, batch: Pairs) -> dict[str, Array]:
        return self.encoder.rows_read(joined(batch.sources)) | super().rows_read(batch)

    @property
    def layers(self) -> NamedLayers:
        return NamedLayers(self.encoder.layers | {"decoder": self.decoder.layers})

    def encode(
        self, params: Params, sources: Sequence[Array], rng: Rng = None, keep: bool = True
    ) -> tuple[PackedSequence, list[State], ReaderCache]:
        """Ids to the topmost layer's outputs, the states that start the decoder (caller's order), and the cache."""
        source = PackedSequence.pack(sources)
        _, y, last, cache = self.encoder.forward(params, source, rng=rng, keep=keep)
        states = [tuple(map(source.to_caller_order, self._side_by_side(state))) for state in last]
        return source.with_data(y), states, cache

    def _side_by_side(self, state: State) -> State:
        """(→h, →c, ←h, ←c) as (h, c)."""
        k = self.decoder.state_count
        return tuple(np.concatenate((state[j], state[k + j]), axis=1) for j in range(k)) if len(state) > k else state

    def _apart(self, state: State) -> State:
        if not self.settings.bidirectional:
            return state
        H = self.settings.hidden
        return (*(part[:, :H] for part in state), *(part[:, H:] for part in state))

    def forward_batch(
        self, params: Params, batch: Pairs, rng: Rng = None, keep: bool = True, carried: Carried = None
    ) -> tuple[Array, PackedSequence, EncoderDecoderCache]:
        memory, states, of_encoder = self.encode(params, batch.sources, rng, keep)
        given = self.decoder.given(batch.targets)
        starts = [tuple(part[given.order] for part in state) for state in states]
        logits, _, _, of_decoder = self.decoder.forward(
            params["decoder"], given, starts, memory if self.settings.attention else None, rng, keep
        )
        return logits, given, EncoderDecoderCache(memory, of_encoder, given, of_decoder)

    def backward(self, params: Params, cache: EncoderDecoderCache, d_logits: Array) -> dict[str, Any]:
        d_starts, d_memory, grads = self.decoder.backward(params["decoder"], cache.decoder, d_logits)
        d_states = [tuple(cache.given.to_caller_order(part)[cache.source.order] for part in of) for of in d_starts]
        _, of_encoder = self.encoder.backward(params, cache.encoder, d_memory, list(map(self._apart, d_states)))
        return of_encoder | {"decoder": grads}

    def row_scores(self, params: Params, examples: Pairs) -> RowScores:
        """Whether each target is generated without a fault."""
        return RowScores.of_answers(self.of_each_row(params, examples, self.right))

    def decode(self, params: Params, sources: Sequence[Array], limit: int, beam: int = 1) -> list[Generated]:
        """The target for each of the sources, in their order, of at most ``limit`` symbols."""
        result = [Generated(np.empty(0, np.int32), 0.0, False)] * len(sources)
        for rows in in_length_order(lengths_of(sources), max(1, BATCH // beam)):
            memory, states, _ = self.encode(params, [sources[row] for row in rows.tolist()], keep=False)
            looked_at = memory if self.settings.attention else None
            generated = self.decoder.decode(params["decoder"], states, looked_at, limit, beam)
            for row, one in zip(rows.tolist(), generated, strict=True):
                result[row] = one
        return result
