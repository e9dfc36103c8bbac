"""The network of the loop itself: at every timestep the next token out, through one long text.

Truncated backpropagation through time (Williams & Peng 1990), with state: the text is cut into N streams that run side
by side; a step takes the next T tokens of each, begins with the state that the step before left, and sends gradients
back to the beginning of its own T tokens only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params, State
from rnncli.core.layers.dropout import dropout
from rnncli.core.layers.embedding import Embedding
from rnncli.core.layers.linear import Linear
from rnncli.core.layers.stack import Stack
from rnncli.core.losses import log_softmax, softmax_cross_entropy
from rnncli.core.packed import Array, PackedSequence
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.metric_sums import MetricSums
from rnncli.tasks.recurrent_stack import shapes_of, stack_of


class Streams(NamedTuple):
    """Windows of a text; window k·N + n is the k-th of stream n.

    Attributes:
        text: (L,) ids.
        streams: N.
        length: tokens to be told in each stream; the one after each token is what is to be told.
        window: T tokens of a step; the last window of a stream may have fewer.
        rows: windows of this choice.
    """

    text: Array
    streams: int
    length: int
    window: int
    rows: Array

    @classmethod
    def of(cls, text: Array, count: int, window: int) -> Streams:
        """All windows of a text of at least 2 tokens; fewer streams where it is too short for so many."""
        streams = int(min(count, max(1, (len(text) - 1) // window)))
        length = (len(text) - 1) // streams
        return cls(text, streams, length, window, np.arange(streams * -(-length // window)))

    @property
    def size(self) -> int:
        return len(self.rows)

    @property
    def lengths(self) -> Array:
        begins = self.rows // self.streams * self.window
        return np.asarray(np.minimum(self.length - begins, self.window))

    @property
    def weight(self) -> float:
        return float(self.lengths.sum())

    @property
    def stream(self) -> Array:
        """(rows,) which stream each is a part of."""
        return self.rows % self.streams

    def tokens(self, shift: int = 0) -> list[Array]:
        """The tokens of each window; with ``shift`` 1 those that follow them."""
        return [self.text[places] for places in self.places(shift)]

    def places(self, shift: int = 0) -> list[slice]:
        """Where in the text :meth:`tokens` stand."""
        begins = self.stream * self.length + self.rows // self.streams * self.window + shift
        return [slice(b, b + n) for b, n in zip(begins.tolist(), self.lengths.tolist(), strict=True)]

    def take(self, rows: Array) -> Streams:
        return self._replace(rows=self.rows[rows])

    def batches(self, size: int, seed: int, epoch: int) -> list[Array]:
        """In the order of the text, whatever the epoch: each step goes on where the one before ended."""
        return np.split(np.arange(self.size), np.arange(self.streams, self.size, self.streams))


class LanguageModelCache(NamedTuple):
    """What each part keeps for the way back, from the input up."""

    embedding: Any
    input_mask: Array | None
    stack: Any
    output_mask: Array | None
    output: Array
    told: Array | None
    steps: int


@dataclass(frozen=True)
class LanguageModelNetwork:
    """Embedding or one-hot → dropout → recurrent stack → dropout → linear → softmax over the next token.

    Args:
        settings: sizes and choices; ``batch`` is N.
        size: V.
    """

    settings: Settings
    size: int
    judged_by: ClassVar[Literal["accuracy", "loss"]] = "loss"

    @cached_property
    def embedding(self) -> Embedding | None:
        s = self.settings
        return Embedding(self.size, s.embedding, s.embedding_scale) if s.input == "embedding" else None

    @cached_property
    def stack(self) -> Stack:
        return stack_of(self.settings, self.settings.embedding if self.embedding else self.size, bidirectional=False)

    @cached_property
    def output(self) -> Linear:
        return Linear(self.settings.hidden, self.size, self.settings.bias)

    @property
    def tables(self) -> frozenset[str]:
        return frozenset({"embedding/weight"}) if self.embedding else frozenset({"decoder/0/forward/weight_ih"})

    def rows_read(self, batch: Streams) -> dict[str, Array]:
        return dict.fromkeys(self.tables, np.unique(np.concatenate(batch.tokens())))

    def carried_shapes(self) -> dict[str, tuple[int, ...]]:
        shape = (self.settings.batch, self.settings.hidden)
        return {f"{layer}/{part}": shape for layer in range(self.settings.layers) for part in self._parts}

    @property
    def _parts(self) -> range:
        return range(self.stack.layers[0].cell.state_count)

    def init(self, rng: np.random.Generator) -> Params:
        dtype = np.dtype(self.settings.dtype)
        params: Params = {"embedding": self.embedding.init(rng, dtype)} if self.embedding else {}
        return params | {"decoder": self.stack.init(rng, dtype), "output": self.output.init(rng, dtype)}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        s = self.settings
        shapes: dict[str, tuple[int, ...]] = {}
        if self.embedding:
            shapes["embedding/weight"] = (self.size, s.embedding)
        width = s.embedding if self.embedding else self.size
        shapes |= shapes_of(s, "decoder", width, bidirectional=False)
        shapes["output/weight"] = (s.hidden, self.size)
        if s.bias:
            shapes["output/bias"] = (self.size,)
        return shapes

    def zero_states(self, count: int) -> list[State]:
        """The states in which ``count`` texts begin."""
        zero = np.zeros((count, self.settings.hidden), self.settings.dtype)
        return [tuple(zero for _ in self._parts) for _ in range(self.settings.layers)]

    def forward(
        self,
        params: Params,
        packed: PackedSequence,
        states: list[State],
        rng: np.random.Generator | None = None,
        keep: bool = True,
        told: Array | None = None,
    ) -> tuple[Array, Array, list[State], LanguageModelCache]:
        """Ids (S,) to logits (S, V) of the token after each.

        Args:
            packed: the ids.
            states: of each layer, in packed order.
            rng: for dropout; None when predicting.
            keep: whether :meth:`backward` will be called.
            told: the rows whose next token is asked for, where not all are; then there are so many logits.

        Returns:
            The logits, the topmost layer's outputs (S, H), the states that are left, and the cache.
        """
        x, of_embedding, input_mask = packed, None, None
        if self.embedding:
            dropping = rng is not None and self.settings.dropout > 0
            x, of_embedding = self.embedding.forward(params["embedding"], packed, gather=dropping)
            if dropping:
                dropped, input_mask = dropout(x.data, self.settings.dropout, rng)
                x = x.with_data(dropped)
        y, last, of_stack = self.stack.forward(params["decoder"], x, states, rng, keep)
        asked = y if told is None else y[told]
        dropped, output_mask = dropout(asked, self.settings.dropout, rng)
        logits, of_output = self.output.forward(params["output"], dropped)
        return (
            logits,
            y,
            last,
            LanguageModelCache(*(of_embedding, input_mask, of_stack, output_mask, of_output, told, len(y))),
        )

    def backward(self, params: Params, cache: LanguageModelCache, d_logits: Array) -> dict[str, Any]:
        """The gradient of every parameter; none goes into the states that the step began with."""
        grads: dict[str, Any] = {}
        dy, of_output = self.output.backward(params["output"], cache.output, d_logits)
        if cache.output_mask is not None:
            dy *= cache.output_mask
        if cache.told is not None:
            asked, dy = dy, np.zeros((cache.steps, dy.shape[1]), dy.dtype)
            dy[cache.told] = asked
        dx, _, of_stack = self.stack.backward(params["decoder"], cache.stack, dy)
        if self.embedding and dx is not None:
            if cache.input_mask is not None:
                dx *= cache.input_mask
            grads["embedding"] = self.embedding.backward(cache.embedding, dx)
        return grads | {"decoder": of_stack, "output": of_output}

    def loss_and_gradients(
        self,
        params: Params,
        batch: Streams,
        rng: np.random.Generator | None = None,
        share: float = 1.0,
        carried: dict[str, Array] | None = None,
    ) -> tuple[float, dict[str, Any]]:
        packed, followers = PackedSequence.pack(batch.tokens()), PackedSequence.pack(batch.tokens(1)).data
        streams = batch.stream[packed.order]
        states = self.zero_states(batch.size) if carried is None else self._carried(carried, streams)
        logits, _, last, cache = self.forward(params, packed, states, rng)
        loss, d_logits = softmax_cross_entropy(logits, followers)
        if share != 1:
            loss *= share
            d_logits *= share
        if carried is not None:
            for layer, state in enumerate(last):
                for part, values in enumerate(state):
                    carried[f"{layer}/{part}"][streams] = values
        return loss, self.backward(params, cache, d_logits)

    def _carried(self, carried: dict[str, Array], streams: Array) -> list[State]:
        layers = range(self.settings.layers)
        return [tuple(carried[f"{layer}/{part}"][streams] for part in self._parts) for layer in layers]

    def tellable(self, logits: Array) -> Array:
        """(S, V) logits without the unknown token, which is never told: the known ones share all of the probability.

        Training counts it as a token like others: the loss is of other probabilities than these.
        """
        if self.size > 1:
            logits[:, self.size - 1] = -np.inf
        return logits

    def row_scores(self, params: Params, examples: Streams) -> RowScores:
        """The losses of the tokens of each window."""
        sums = np.empty(examples.size)
        states = self.zero_states(examples.streams)
        for rows in examples.batches(0, 0, 0):
            batch = examples.take(rows)
            packed, followers = PackedSequence.pack(batch.tokens()), PackedSequence.pack(batch.tokens(1)).data
            logits, _, states, _ = self.forward(params, packed, states, keep=False)
            losses = -log_softmax(logits)[np.arange(len(followers)), followers]
            sums[rows] = packed.to_caller_order(np.bincount(packed.sequence_of_row, losses))
        return RowScores(sums, examples.lengths.astype(np.float64))

    def metric_sums(self, params: Params, examples: Streams, rank: int = 0, count: int = 1) -> MetricSums:
        own = np.arange(rank, examples.streams, count)
        right = answers = losses = 0.0
        states = self.zero_states(len(own))
        for first in range(0, examples.size if len(own) else 0, examples.streams):
            batch = examples.take(first + own)
            packed, followers = PackedSequence.pack(batch.tokens()), PackedSequence.pack(batch.tokens(1)).data
            logits, _, states, _ = self.forward(params, packed, states, keep=False)
            loss, _ = softmax_cross_entropy(logits, followers)
            right += float((self.tellable(logits).argmax(axis=1) == followers).sum())
            answers += len(followers)
            losses += loss * len(followers)
        return MetricSums(right, answers, losses, answers)
