"""The network of one-to-many: numbers in, once; a text out, symbol by symbol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rnncli.core.layers.linear import Linear
from rnncli.core.layers.named import NamedLayers
from rnncli.core.packed import Array, PackedSequence, Params, State
from rnncli.tasks.decoder import Decoder, DecoderCache, Generated, GeneratingNetwork
from rnncli.tasks.network import BATCH, Carried, Rng
from rnncli.tasks.rows import EncodedRows


@dataclass(frozen=True, eq=False)
class Described(EncodedRows):
    """Numbers and the texts that describe them.

    Attributes:
        features: (U, D) standardised numbers, those of each input once.
        targets: each (U_n,) ids, without an end.
        index: (rows,) which of ``features`` each row reads; None where each row has its own.
    """

    features: Array
    targets: Sequence[Array]
    index: Array | None = None

    @property
    def by_row(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("targets", "features" if self.index is None else "index")

    @property
    def lengths(self) -> Array:
        return super().lengths + 1

    def numbers(self, rows: Array) -> Array:
        """(n, D) the numbers of these rows."""
        return np.asarray(self.features[rows if self.index is None else self.index[rows]])


class BridgeCache(NamedTuple):
    """What the layers between the numbers and the first states keep for the backward pass."""

    features: Array
    hidden: Array
    states: Array


@dataclass(frozen=True)
class Captioner(GeneratingNetwork):
    """Linear → tanh → linear → tanh: the first states of a decoder, each of whose steps may be given the numbers too.

    Args:
        settings: sizes and choices.
        feature_count: D.
        size: symbols, the unknown one included.
    """

    feature_count: int
    size: int

    @cached_property
    def decoder(self) -> Decoder:
        beside = self.feature_count if self.settings.inject == "every" else 0
        return Decoder(self.settings, self.size, self.settings.hidden, beside=beside)

    @cached_property
    def first(self) -> Linear:
        return Linear(self.feature_count, self.settings.hidden)

    @cached_property
    def second(self) -> Linear:
        s = self.settings
        return Linear(s.hidden, s.layers * self.decoder.state_count * s.hidden)

    @property
    def tables(self) -> frozenset[str]:
        return frozenset({"decoder/embedding/weight"})

    @property
    def layers(self) -> NamedLayers:
        bridge = NamedLayers({"first": self.first, "second": self.second})
        return NamedLayers({"bridge": bridge, "decoder": self.decoder.layers})

    def states(self, params: Params, features: Array) -> tuple[list[State], BridgeCache]:
        """(N, D) numbers to the first states of each layer, and the cache."""
        bridge = params["bridge"]
        hidden = np.tanh(self.first.forward(bridge["first"], features)[0])
        all_states = np.tanh(self.second.forward(bridge["second"], hidden)[0])
        k = self.decoder.state_count
        parts = np.split(all_states, self.settings.layers * k, axis=1)
        apart = [tuple(parts[layer * k : (layer + 1) * k]) for layer in range(self.settings.layers)]
        return apart, BridgeCache(features, hidden, all_states)

    def beside(self, features: Array) -> Array | None:
        """The (N, D) numbers that every step is given; None where steps are given none."""
        return features if self.decoder.beside else None

    def states_backward(self, params: Params, cache: BridgeCache, d_states: list[State]) -> dict[str, Any]:
        bridge = params["bridge"]
        d_all = np.concatenate([part for state in d_states for part in state], axis=1) * (1 - cache.states**2)
        d_hidden, of_second = self.second.backward(bridge["second"], cache.hidden, d_all)
        d_hidden *= 1 - cache.hidden**2
        _, of_first = self.first.backward(bridge["first"], cache.features, d_hidden)
        return {"first": of_first, "second": of_second}

    def forward_batch(
        self, params: Params, batch: Described, rng: Rng = None, keep: bool = True, carried: Carried = None
    ) -> tuple[Array, PackedSequence, tuple[BridgeCache, DecoderCache]]:
        given = self.decoder.given(batch.targets)
        features = batch.numbers(given.order)
        states, of_bridge = self.states(params, features)
        logits, _, _, of_decoder = self.decoder.forward(
            params["decoder"], given, states, None, rng, keep, self.beside(features)
        )
        return logits, given, (of_bridge, of_decoder)

    def backward(self, params: Params, cache: tuple[BridgeCache, DecoderCache], d_logits: Array) -> dict[str, Any]:
        of_bridge, of_decoder = cache
        d_states, _, grads = self.decoder.backward(params["decoder"], of_decoder, d_logits)
        return {"bridge": self.states_backward(params, of_bridge, d_states), "decoder": grads}

    def decode(self, params: Params, features: Array, limit: int, beam: int = 1) -> list[Generated]:
        """The text for each row of (N, D) numbers, of at most ``limit`` symbols."""
        generated: list[Generated] = []
        step = max(1, BATCH // beam)
        for begin in range(0, len(features), step):
            part = features[begin : begin + step]
            states, _ = self.states(params, part)
            generated += self.decoder.decode(params["decoder"], states, None, limit, beam, self.beside(part))
        return generated
