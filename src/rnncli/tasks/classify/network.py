"""The network of many-to-one: a sequence of tokens or of numbers in, one of K labels out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rnncli.core.activations import sigmoid
from rnncli.core.initializers import fill_uniform
from rnncli.core.layers.dropout import dropout, dropout_backward
from rnncli.core.layers.linear import Linear
from rnncli.core.layers.named import NamedLayers
from rnncli.core.layers.readout import READOUTS, Readout, ReadoutCache
from rnncli.core.losses import sigmoid_cross_entropy, softmax, softmax_cross_entropy
from rnncli.core.packed import Array, PackedSequence, Params
from rnncli.data.ragged import joined
from rnncli.data.splits import in_length_order
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.network import BATCH, Carried, MetricSums, Network, Reader, ReaderCache, Rng, packed_batches
from rnncli.tasks.rows import EncodedRows

MOST_SCORES = 2**21  # logits that are scored at a time


@dataclass(frozen=True, eq=False)
class Examples(EncodedRows):
    """Encoded inputs with their labels.

    Attributes:
        inputs: each (T_n,) ids, or (T_n, D) numbers.
        targets: (rows,) label numbers.
        weights: (rows,) how much each counts in the loss.
    """

    inputs: Sequence[Array]
    targets: Array
    weights: Array | None = None
    by_row = ("inputs", "targets", "weights")

    @property
    def weight(self) -> float:
        return self.size if self.weights is None else float(self.weights.sum())


class ClassifierCache(NamedTuple):
    """What each layer keeps for the backward pass, from the input up."""

    reader: ReaderCache
    readout: ReadoutCache
    pooled_mask: Array | None
    output: Array


@dataclass(frozen=True)
class Classifier(Network):
    """Embedding (or one-hot) → dropout → recurrent stack → read-out → dropout → linear → sigmoid or softmax.

    Two labels have one logit, the log odds of the second; K > 2 labels have K.

    Args:
        settings: sizes and choices.
        input_size: V, the unknown token included; D, if the input is numbers.
        label_count: K, at least 2.
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
        return 1 if self.label_count == 2 else self.label_count

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
    ) -> tuple[Array, Array, ClassifierCache]:
        """Ids (S,), or numbers (S, D), to logits (N, K or 1) in packed order.

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
        return logits, y, ClassifierCache(of_reader, of_readout, pooled_mask, of_output)

    def backward(self, params: Params, cache: ClassifierCache, d_logits: Array) -> dict[str, Any]:
        return self.backward_to_input(params, cache, d_logits)[1]

    def backward_to_input(
        self, params: Params, cache: ClassifierCache, d_logits: Array
    ) -> tuple[Array | None, dict[str, Any]]:
        """The gradient of numbers that are learned (None for ids and other numbers), and of every parameter."""
        d_pooled, of_output = self.output.backward(params["output"], cache.output, d_logits)
        dy, d_last = self.readout.backward(cache.readout, dropout_backward(d_pooled, cache.pooled_mask))
        # Of last states only the topmost layer's is read, if any.
        d_states = None if d_last is None else [*[None] * (self.settings.layers - 1), d_last]
        dx, grads = self.reader.backward(params, cache.reader, dy, d_states)
        return dx, grads | {"output": of_output}

    def loss(self, logits: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        """The mean loss of a batch and ∂L/∂logits."""
        if self.logit_count == 1:
            return sigmoid_cross_entropy(logits, targets, weights)
        return softmax_cross_entropy(logits, targets, weights)

    def forward_batch(
        self, params: Params, batch: Examples, rng: Rng = None, keep: bool = True, carried: Carried = None
    ) -> tuple[Array, PackedSequence, ClassifierCache]:
        packed = PackedSequence.pack(batch.inputs, learned=not self.numbers)
        logits, _, cache = self.forward(params, packed, rng, keep)
        return logits, packed, cache

    def loss_of(self, logits: Array, steps: PackedSequence, batch: Examples) -> tuple[float, Array]:
        weights = None if batch.weights is None else batch.weights[steps.order]
        return self.loss(logits, batch.targets[steps.order], weights)

    def logits(self, params: Params, inputs: Sequence[Array], batch: int = BATCH) -> Array:
        """(rows, K or 1) logits of any number of sequences, in their order."""
        result = np.empty((len(inputs), self.logit_count), np.dtype(self.settings.dtype))
        for rows, packed in packed_batches(inputs, batch):
            result[rows] = self.forward(params, packed, keep=False)[0]
        return result

    def metric_sums(self, params: Params, examples: Examples, rank: int = 0, count: int = 1) -> MetricSums:
        """The sums over every ``count``-th batch."""
        parts = in_length_order(examples.lengths, BATCH)[rank::count]
        if not parts:
            return MetricSums(0, 0, 0, 0)
        own = examples.take(np.concatenate(parts))
        step = max(BATCH, MOST_SCORES // self.logit_count)
        right = losses = 0.0
        for first in range(0, own.size, step):
            some = own.take(np.arange(first, min(first + step, own.size)))
            logits = self.logits(params, some.inputs)
            right += float((self.probabilities(logits).argmax(axis=1) == some.targets).sum())
            losses += self.loss(logits, some.targets)[0] * some.size
        return MetricSums(right, own.size, losses, own.size)

    def row_scores(self, params: Params, examples: Examples) -> RowScores:
        """Whether each predicted label is right."""
        answered = self.probabilities(self.logits(params, examples.inputs)).argmax(axis=1)
        return RowScores.of_answers(answered == examples.targets)

    def log_odds(self, logits: Array, label: int) -> Array:
        """(rows,) log p/(1 − p) of a label, from (rows, K or 1) logits: its logit, less log Σ exp of the others."""
        if self.logit_count == 1:
            return np.asarray(logits[:, 0] if label else -logits[:, 0])
        others = np.delete(logits, label, axis=1)
        top = others.max(axis=1)
        return np.asarray(logits[:, label] - top - np.log(np.exp(others - top[:, None]).sum(axis=1)))

    def log_odds_gradient(self, logits: Array, label: int) -> Array:
        """(rows, K or 1) ∂ log odds / ∂ logits."""
        if self.logit_count == 1:
            return np.full_like(logits, 1 if label else -1)
        others = logits.copy()
        others[:, label] = -np.inf
        gradient = -softmax(others)
        gradient[:, label] = 1
        return np.asarray(gradient)

    def probabilities(self, logits: Array) -> Array:
        """(rows, K) probabilities from (rows, K or 1) logits."""
        if self.logit_count == 1:
            second = sigmoid(logits)
            return np.concatenate((1 - second, second), axis=1)
        return softmax(logits)
