"""The network that predicts the next token at every timestep of one long text.

Truncated backpropagation through time (Williams & Peng 1990), with state: the text is cut into N streams that run side
by side; a step takes the next T tokens of each, begins with the last states of the step before, and sends gradients
back to the beginning of its own T tokens only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from rnncli.core.layers.dropout import dropout, dropout_backward
from rnncli.core.layers.linear import Linear
from rnncli.core.layers.named import NamedLayers
from rnncli.core.packed import Array, PackedSequence, Params, State
from rnncli.tasks.network import Carried, Reader, ReaderCache, Rng, SequenceNetwork
from rnncli.tasks.rows import EncodedRows


@dataclass(frozen=True, eq=False)
class Streams(EncodedRows):
    """Windows of a text; window k·N + n is the k-th of stream n.

    Attributes:
        text: (L,) ids.
        streams: N.
        length: tokens read in each stream; the one after each of them is to be predicted.
        window: T tokens of a step; the last window of a stream may have fewer.
        rows: windows of this choice.
    """

    text: Array
    streams: int
    length: int
    window: int
    rows: Array
    by_row = ("rows",)

    @classmethod
    def of(cls, text: Array, count: int, window: int) -> Streams:
        """All windows of a text of at least 2 tokens; fewer streams where it is too short for so many."""
        streams = int(min(count, max(1, (len(text) - 1) // window)))
        length = (len(text) - 1) // streams
        return cls(text, streams, length, window, np.arange(streams * -(-length // window)))

    @property
    def lengths(self) -> Array:
        begins = self.rows // self.streams * self.window
        return np.asarray(np.minimum(self.length - begins, self.window))

    @property
    def stream(self) -> Array:
        """(rows,) which stream each is a part of."""
        return self.rows % self.streams

    def tokens(self, shift: int = 0) -> list[Array]:
        """The tokens of each window; with ``shift`` 1 those that follow them."""
        return [self.text[window] for window in self.windows(shift)]

    def windows(self, shift: int = 0) -> list[slice]:
        """The parts of the text that are :meth:`tokens`."""
        begins = self.stream * self.length + self.rows // self.streams * self.window + shift
        return [slice(b, b + n) for b, n in zip(begins.tolist(), self.lengths.tolist(), strict=True)]

    def batches(self, size: int, seed: int, epoch: int) -> list[Array]:
        """In the order of the text in every epoch: each step continues where the one before ended."""
        return np.split(np.arange(self.size), np.arange(self.streams, self.size, self.streams))


class LanguageModelCache(NamedTuple):
    """What each layer keeps for the backward pass, from the input up."""

    reader: ReaderCache
    output_mask: Array | None
    output: Array
    chosen: Array | None
    steps: int


@dataclass(frozen=True)
class LanguageModelNetwork(SequenceNetwork):
    """Embedding or one-hot → dropout → recurrent stack → dropout → linear → softmax over the next token.

    Args:
        settings: sizes and choices; ``batch`` is N.
        size: V.
    """

    size: int
    judged_by: ClassVar[Literal["accuracy", "loss"]] = "loss"

    @cached_property
    def reader(self) -> Reader:
        return Reader(self.settings, self.size, "decoder", self.settings.input == "embedding", bidirectional=False)

    @cached_property
    def output(self) -> Linear:
        return Linear(self.settings.hidden, self.size, self.settings.bias)

    @property
    def tables(self) -> frozenset[str]:
        return self.reader.tables

    def rows_read(self, batch: Streams) -> dict[str, Array]:
        return self.reader.rows_read(np.concatenate(batch.tokens()))

    @cached_property
    def _states(self) -> list[list[str]]:
        """The names of the states of each layer, among those that are carried."""
        parts = range(self.reader.stack.layers[0].cell.state_count)
        return [[f"{layer}/{part}" for part in parts] for layer in range(self.settings.layers)]

    def carried_shapes(self) -> dict[str, tuple[int, ...]]:
        shape = (self.settings.batch, self.settings.hidden)
        return {name: shape for names in self._states for name in names}

    @property
    def layers(self) -> NamedLayers:
        return NamedLayers(self.reader.layers | {"output": self.output})

    def zero_states(self, count: int) -> list[State]:
        """The states of each layer in which ``count`` texts begin."""
        zero = np.zeros((count, self.settings.hidden), self.settings.dtype)
        return [(zero,) * len(names) for names in self._states]

    def forward(
        self,
        params: Params,
        packed: PackedSequence,
        states: list[State],
        rng: Rng = None,
        keep: bool = True,
        chosen: Array | None = None,
    ) -> tuple[Array, Array, list[State], LanguageModelCache]:
        """Ids (S,) to logits (S, V) of the token after each.

        Args:
            packed: the ids.
            states: of each layer, in packed order.
            rng: for dropout; None when predicting.
            keep: whether :meth:`backward` will be called.
            chosen: the rows that get logits; None for all.

        Returns:
            The logits, the topmost layer's outputs (S, H), the last states, and the cache.
        """
        _, y, last, of_reader = self.reader.forward(params, packed, states, rng, keep)
        dropped, output_mask = dropout(y if chosen is None else y[chosen], self.settings.dropout, rng)
        logits, of_output = self.output.forward(params["output"], dropped)
        return logits, y, last, LanguageModelCache(of_reader, output_mask, of_output, chosen, len(y))

    def forward_batch(
        self, params: Params, batch: Streams, rng: Rng = None, keep: bool = True, carried: Carried = None
    ) -> tuple[Array, PackedSequence, LanguageModelCache]:
        packed = PackedSequence.pack(batch.tokens())
        streams = batch.stream[packed.order]
        if carried is None:
            states = self.zero_states(batch.size)
        else:
            states = [tuple(carried[name][streams] for name in names) for names in self._states]
        logits, _, last, cache = self.forward(params, packed, states, rng, keep)
        if carried is not None:
            for names, state in zip(self._states, last, strict=True):
                for name, values in zip(names, state, strict=True):
                    carried[name][streams] = values
        return logits, packed, cache

    def backward(self, params: Params, cache: LanguageModelCache, d_logits: Array) -> dict[str, Any]:
        """The gradient of every parameter; none goes into the states that the step began with."""
        dy, of_output = self.output.backward(params["output"], cache.output, d_logits)
        dy = dropout_backward(dy, cache.output_mask)
        if cache.chosen is not None:
            of_chosen, dy = dy, np.zeros((cache.steps, dy.shape[1]), dy.dtype)
            dy[cache.chosen] = of_chosen
        return self.reader.backward(params, cache.reader, dy)[1] | {"output": of_output}

    def wanted(self, batch: Streams) -> Array:
        return np.asarray(PackedSequence.pack(batch.tokens(1)).data)

    def without_unknown(self, logits: Array) -> Array:
        """(S, V) logits without the unknown token, which is never generated, though it has a share in the loss."""
        if self.size > 1:
            logits[:, self.size - 1] = -np.inf
        return logits

    def right(self, logits: Array, steps: PackedSequence, wanted: Array) -> Array:
        return super().right(self.without_unknown(logits), steps, wanted)

    def scored_batches(
        self, params: Params, examples: Streams, rank: int = 0, count: int = 1
    ) -> Iterator[tuple[Array, Array, PackedSequence, Array]]:
        """As for all sequence networks, by streams: each window begins with the last states of the one before."""
        own = np.arange(rank, examples.streams, count)
        states = self.zero_states(len(own))
        for first in range(0, examples.size if len(own) else 0, examples.streams):
            batch = examples.take(first + own)
            packed = PackedSequence.pack(batch.tokens())
            logits, _, states, _ = self.forward(params, packed, states, keep=False)
            yield first + own, logits, packed, self.wanted(batch)
