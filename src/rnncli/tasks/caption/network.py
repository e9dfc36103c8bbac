"""The network of one-to-many: numbers in, once; a text out, symbol by symbol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rnncli.core.layers.linear import Linear
from rnncli.core.layers.named import NamedLayers
from rnncli.core.packed import Array, Params, State
from rnncli.tasks.decoder import Decoder, DecoderStart, GeneratingNetwork
from rnncli.tasks.network import Rng
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

    @property
    def inputs(self) -> Array:
        """(rows, D) the numbers of each row."""
        return self.features if self.index is None else np.asarray(self.features[self.index])


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
    def layers(self) -> NamedLayers:
        bridge = NamedLayers({"first": self.first, "second": self.second})
        return NamedLayers({"bridge": bridge, "decoder": self.decoder.layers})

    def start(
        self, params: Params, inputs: Any, order: Array | slice = slice(None), rng: Rng = None, keep: bool = True
    ) -> DecoderStart:
        """(N, D) numbers to the first states of each layer."""
        bridge, features = params["bridge"], np.asarray(inputs)[order]
        hidden = np.tanh(self.first.forward(bridge["first"], features)[0])
        all_states = np.tanh(self.second.forward(bridge["second"], hidden)[0])
        k = self.decoder.state_count
        parts = np.split(all_states, self.settings.layers * k, axis=1)
        states = [tuple(parts[first : first + k]) for first in range(0, len(parts), k)]
        return DecoderStart(states, beside=features, cache=BridgeCache(features, hidden, all_states))

    def start_backward(
        self, params: Params, cache: BridgeCache, d_states: list[State], d_memory: Array | None
    ) -> dict[str, Any]:
        bridge = params["bridge"]
        d_all = np.concatenate([part for state in d_states for part in state], axis=1) * (1 - cache.states**2)
        d_hidden, of_second = self.second.backward(bridge["second"], cache.hidden, d_all)
        d_hidden *= 1 - cache.hidden**2
        _, of_first = self.first.backward(bridge["first"], cache.features, d_hidden)
        return {"bridge": {"first": of_first, "second": of_second}}
