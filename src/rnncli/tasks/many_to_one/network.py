"""The network of many-to-one: a sequence of tokens or of numbers in, an answer for all of it out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rnncli.core.initializers import fill_uniform
from rnncli.core.layers.dropout import dropout, dropout_backward
from rnncli.core.layers.linear import Linear
from rnncli.core.layers.named import NamedLayers
from rnncli.core.layers.readout import READOUTS, Readout, ReadoutCache
from rnncli.core.packed import Array, PackedSequence, Params
from rnncli.data.records.ragged import joined
from rnncli.data.splits import in_length_order
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.network import BATCH, Carried, MetricSums, Network, Reader, ReaderCache, Rng, packed_batches
from rnncli.tasks.rows import EncodedRows

MOST_SCORES = 2**21  # logits that are scored at a time


@dataclass(frozen=True, eq=False)
class Examples(EncodedRows):
    """Encoded inputs with their answers.

    Attributes:
        inputs: each (T_n,) ids, or (T_n, D) numbers.
        targets: (rows,) or (rows, K), what the loss of the network takes.
        weights: (rows,) how much each counts in the loss.
    """

    inputs: Sequence[Array]
    targets: Array
    weights: Array | None = None
    by_row = ("inputs", "targets", "weights")

    @property
    def weight(self) -> float:
        return self.size if self.weights is None else float(self.weights.sum())


class ManyToOneCache(NamedTuple):
    """What each layer keeps for the backward pass, from the input up."""

    reader: ReaderCache
    readout: ReadoutCache
    pooled_mask: Array | None
    output: Array


@dataclass(frozen=True)
class ManyToOne(Network):
    """Embedding (or one-hot) → dropout → recurrent stack → read-out → dropout → linear; the loss is the task's.

    Args:
        settings: sizes and choices.
        input_size: V, the unknown token included; D, if the input is numbers.
        label_count: K, of labels or of other answers.
        numbers: whether the input is numbers, which go into the stack as they are.
    """

    input_size: int
    label_count: int
    numbers: bool = False

    @cached_property
    def reader(self) -> Reader:
        embeds = not self.numbers and self.settings.input == "embedding"
        return Reader(self.settings, self.input_size, "encoder", embeds)

    @cached_property
    def output(self) -> Linear:
        return Linear(self.reader.stack.output_size, self.logit_count, self.settings.bias)

    @property
    def logit_count(self) -> int:
        """How many numbers come out."""
        return self.label_count

    @property
    @abstractmethod
    def curvature(self) -> float:
        """The largest second derivative of a row's loss by a logit."""

    @property
    def terms(self) -> int:
        """How many losses a row's loss is the mean of."""
        return 1

    @property
    def readout(self) -> Readout:
        return READOUTS[self.settings.readout]

    @property
    def tables(self) -> frozenset[str]:
        return frozenset() if self.numbers else self.reader.tables

    def rows_read(self, batch: Examples) -> dict[str, Array]:
        return {} if self.numbers else self.reader.rows_read(joined(batch.inputs))

    @property
    def layers(self) -> NamedLayers:
        return NamedLayers(self.reader.layers | {"output": self.output})

    def init(self, rng: np.random.Generator) -> Params:
        params = super().init(rng)
        if self.settings.initializer == "uniform":
            fill_uniform(rng, params["encoder"], self.settings.hidden)
            fill_uniform(rng, params["output"], self.reader.stack.output_size)
        return params

    def forward(
        self, params: Params, packed: PackedSequence, rng: Rng = None, keep: bool = True
    ) -> tuple[Array, Array, ManyToOneCache]:
        """Ids (S,), or numbers (S, D), to (N, logits) in packed order.

        Args:
            rng: for dropout; None when predicting.
            keep: whether :meth:`backward` will be called.

        Returns:
            The logits, the topmost layer's outputs (S, H or 2H), and the cache.
        """
        x, y, last, of_reader = self.reader.forward(params, packed, rng=rng, keep=keep)
        pooled, of_readout = self.readout.forward(y, x, last[-1])
        pooled, pooled_mask = dropout(pooled, self.settings.dropout, rng)
        logits, of_output = self.output.forward(params["output"], pooled)
        return logits, y, ManyToOneCache(of_reader, of_readout, pooled_mask, of_output)

    def backward(self, params: Params, cache: ManyToOneCache, d_logits: Array) -> dict[str, Any]:
        return self.backward_to_input(params, cache, d_logits)[1]

    def backward_to_input(
        self, params: Params, cache: ManyToOneCache, d_logits: Array
    ) -> tuple[Array | None, dict[str, Any]]:
        """The gradient of numbers that are learned (None for ids and other numbers), and of every parameter."""
        d_pooled, of_output = self.output.backward(params["output"], cache.output, d_logits)
        dy, d_last = self.readout.backward(cache.readout, dropout_backward(d_pooled, cache.pooled_mask))
        # Of last states only the topmost layer's is read, if any.
        d_states = None if d_last is None else [*[None] * (self.settings.layers - 1), d_last]
        dx, grads = self.reader.backward(params, cache.reader, dy, d_states)
        return dx, grads | {"output": of_output}

    @abstractmethod
    def loss(self, logits: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        """The mean loss of (N, logits), each row weighted, and ∂L/∂logits."""

    @abstractmethod
    def outputs(self, logits: Array) -> Array:
        """(rows, K) what the logits mean: probabilities of labels, or numbers."""

    @abstractmethod
    def judged(self, logits: Array, targets: Array) -> RowScores:
        """The score of each row; all together give the model's metric."""

    @abstractmethod
    def answer_score(self, logits: Array, answer: Any) -> Array:
        """(rows,) the score of an answer, which attributions explain."""

    @abstractmethod
    def answer_score_gradient(self, logits: Array, answer: Any) -> Array:
        """(rows, logits) the gradient of :meth:`answer_score`."""

    def forward_batch(
        self, params: Params, batch: Examples, rng: Rng = None, keep: bool = True, carried: Carried = None
    ) -> tuple[Array, PackedSequence, ManyToOneCache]:
        packed = PackedSequence.pack(batch.inputs, learned=not self.numbers)
        logits, _, cache = self.forward(params, packed, rng, keep)
        return logits, packed, cache

    def loss_of(self, logits: Array, steps: PackedSequence, batch: Examples) -> tuple[float, Array]:
        weights = None if batch.weights is None else batch.weights[steps.order]
        return self.loss(logits, batch.targets[steps.order], weights)

    def logits(self, params: Params, inputs: Sequence[Array], batch: int = BATCH) -> Array:
        """(rows, logits) of any number of sequences, in their order."""
        result = np.empty((len(inputs), self.logit_count), np.dtype(self.settings.dtype))
        for rows, packed in packed_batches(inputs, batch):
            result[rows] = self.forward(params, packed, keep=False)[0]
        return result

    def vectors(self, params: Params, inputs: Sequence[Array]) -> Array:
        """(rows, H) what goes into the last layer for each sequence, in their order."""
        result = np.empty((len(inputs), self.reader.stack.output_size), np.dtype(self.settings.dtype))
        for rows, packed in packed_batches(inputs):
            result[rows] = self.forward(params, packed, keep=False)[2].output
        return result

    def metric_sums(self, params: Params, examples: Examples, rank: int = 0, count: int = 1) -> MetricSums:
        """The sums over every ``count``-th batch."""
        parts = in_length_order(examples.lengths, BATCH)[rank::count]
        if not parts:
            return MetricSums(0, 0, 0, 0)
        own = examples.take(np.concatenate(parts))
        step = max(BATCH, MOST_SCORES // self.logit_count)
        right = answers = losses = 0.0
        for first in range(0, own.size, step):
            some = own.take(np.arange(first, min(first + step, own.size)))
            logits = self.logits(params, some.inputs)
            scores = self.judged(logits, some.targets)
            right, answers = right + float(scores.sums.sum()), answers + float(scores.weights.sum())
            losses += self.loss(logits, some.targets)[0] * some.size
        return MetricSums(right, answers, losses, own.size)

    def row_scores(self, params: Params, examples: Examples) -> RowScores:
        return self.judged(self.logits(params, examples.inputs), examples.targets)
