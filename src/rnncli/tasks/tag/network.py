"""The network of aligned many-to-many: a word in and one of K tags out at every timestep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rnncli.core import backward_trace
from rnncli.core.gradients import RowGradient
from rnncli.core.initializers import normal
from rnncli.core.layers.dropout import dropout, dropout_backward
from rnncli.core.layers.linear import Linear
from rnncli.core.layers.named import NamedLayers
from rnncli.core.layers.stack import Stack, StackCache
from rnncli.core.losses import softmax
from rnncli.core.packed import Array, DistinctTokens, Lookup, PackedSequence, Params
from rnncli.data.records.ragged import joined
from rnncli.data.text.word_features import SIDES
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.network import Carried, Rng, SequenceNetwork, packed_batches, stack_of, sums_by_sequence
from rnncli.tasks.rows import EncodedRows


@dataclass(frozen=True, eq=False)
class TagExamples(EncodedRows):
    """Encoded sentences.

    Attributes:
        inputs: each (T_n,) numbers of word forms.
        targets: each (T_n,) numbers of tags.
        views: (forms, sides) the entry of each form in the table of each side; one for all examples.
    """

    inputs: Sequence[Array]
    targets: Sequence[Array]
    views: Array
    by_row = ("inputs", "targets")


class FeatureCache(NamedTuple):
    """Where the features of the words of a batch were looked up."""

    forms: DistinctTokens
    entries: list[DistinctTokens]  # of each side, among the batch's distinct forms


@dataclass(frozen=True)
class FeatureTables:
    """The learned features of a word, side by side, a table for each of :data:`SIDES`.

    Args:
        sizes: entries of each table.
        widths: numbers in a row of each.
        scale: standard deviation of the initial rows.
    """

    sizes: tuple[int, ...]
    widths: tuple[int, ...]
    scale: float

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params:
        return {side: normal(rng, shape, self.scale, dtype) for side, shape in self.shapes().items()}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {side: (size, width) for side, size, width in zip(SIDES, self.sizes, self.widths, strict=True)}

    def forward(self, params: Params, forms: DistinctTokens, views: Array) -> tuple[Array, FeatureCache]:
        """(U, sum of widths) of the distinct forms of a batch, whose entries are rows of ``views`` (forms, sides)."""
        of_forms = views[forms.rows]
        entries = [DistinctTokens.of(of_forms[:, k]) for k in range(len(SIDES))]
        parts = [
            params[side].take(distinct.rows, axis=0).take(distinct.inverse, axis=0)
            for side, distinct in zip(SIDES, entries, strict=True)
        ]
        return np.concatenate(parts, axis=1), FeatureCache(forms, entries)

    def backward(self, params: Params, cache: FeatureCache, dy: Array) -> dict[str, RowGradient]:
        ends = np.cumsum(self.widths).tolist()
        if backward_trace.is_recording():
            read = {
                side: (distinct.rows[distinct.inverse][cache.forms.inverse], slice(end - width, end))
                for side, distinct, width, end in zip(SIDES, cache.entries, self.widths, ends, strict=True)
            }
            backward_trace.record(self, params, cache, None, looked_up=read, distinct=cache.forms)
        parts = np.split(dy, ends[:-1], axis=1)
        return {
            side: RowGradient(distinct.rows, distinct.sums(part), (size, part.shape[1]))
            for side, distinct, part, size in zip(SIDES, cache.entries, parts, self.sizes, strict=True)
        }


class TaggerCache(NamedTuple):
    """What each layer keeps for the backward pass, from the input up."""

    features: FeatureCache
    input_mask: Array | None
    stack: StackCache
    output_mask: Array | None
    output: Array


@dataclass(frozen=True)
class Tagger(SequenceNetwork):
    """Features of a word, side by side → dropout → recurrent stack → dropout → linear → softmax, at every timestep.

    Args:
        settings: sizes and choices; ``embedding`` is the size of the word's own features, the others have a quarter.
        sizes: entries in the table of each side.
        tag_count: K.
    """

    sizes: tuple[int, ...]
    tag_count: int

    @property
    def widths(self) -> tuple[int, ...]:
        """How many numbers a row of each table has."""
        whole = self.settings.embedding
        return (whole, *[max(1, whole // 4)] * (len(self.sizes) - 1))

    @cached_property
    def features(self) -> FeatureTables:
        return FeatureTables(self.sizes, self.widths, self.settings.embedding_scale)

    @cached_property
    def stack(self) -> Stack:
        return stack_of(self.settings, sum(self.widths))

    @cached_property
    def output(self) -> Linear:
        return Linear(self.stack.output_size, self.tag_count, self.settings.bias)

    @property
    def layers(self) -> NamedLayers:
        return NamedLayers({"views": self.features, "encoder": self.stack, "output": self.output})

    @property
    def tables(self) -> frozenset[str]:
        return frozenset(f"views/{side}" for side in SIDES)

    def rows_read(self, batch: TagExamples) -> dict[str, Array]:
        views = batch.views[np.unique(joined(batch.inputs))]
        return {f"views/{side}": np.unique(views[:, k]) for k, side in enumerate(SIDES)}

    def forward(
        self, params: Params, packed: PackedSequence, views: Array, rng: Rng = None, keep: bool = True
    ) -> tuple[Array, Array, TaggerCache]:
        """Forms (S,) to logits (S, K).

        Args:
            packed: the numbers of the word forms.
            views: (forms, sides).
            rng: for dropout; None when predicting.
            keep: whether :meth:`backward` will be called.

        Returns:
            The logits, the topmost layer's outputs (S, H or 2H), and the cache.
        """
        features, of_features = self.features.forward(params["views"], packed.distinct_tokens, views)
        # One mask for all places of a form in the batch, whose row is then still multiplied only once.
        dropped, input_mask = dropout(features, self.settings.dropout, rng)
        x = packed.with_data(Lookup(dropped, packed.distinct_tokens))
        y, _, of_stack = self.stack.forward(params["encoder"], x, rng=rng, keep=keep)
        dropped, output_mask = dropout(y, self.settings.dropout, rng)
        logits, of_output = self.output.forward(params["output"], dropped)
        return logits, y, TaggerCache(of_features, input_mask, of_stack, output_mask, of_output)

    def forward_batch(
        self, params: Params, batch: TagExamples, rng: Rng = None, keep: bool = True, carried: Carried = None
    ) -> tuple[Array, PackedSequence, TaggerCache]:
        packed = PackedSequence.pack(batch.inputs)
        logits, _, cache = self.forward(params, packed, batch.views, rng, keep)
        return logits, packed, cache

    def backward(self, params: Params, cache: TaggerCache, d_logits: Array) -> dict[str, Any]:
        dy, of_output = self.output.backward(params["output"], cache.output, d_logits)
        dy = dropout_backward(dy, cache.output_mask)
        d_features, _, of_stack = self.stack.backward(params["encoder"], cache.stack, dy)
        assert d_features is not None  # (U, D): the input is a lookup
        d_features = dropout_backward(d_features, cache.input_mask)
        of_features = self.features.backward(params["views"], cache.features, d_features)
        return {"views": of_features, "encoder": of_stack, "output": of_output}

    def wanted(self, batch: TagExamples) -> Array:
        return np.asarray(PackedSequence.pack(batch.targets).data)

    def row_scores(self, params: Params, examples: TagExamples) -> RowScores:
        """The right tags of each sentence."""

        def right_tags(logits: Array, steps: PackedSequence, wanted: Array) -> Array:
            return sums_by_sequence(steps, self.right(logits, steps, wanted))

        return RowScores(self.of_each_row(params, examples, right_tags), examples.lengths.astype(np.float64))

    def probabilities(self, params: Params, inputs: Sequence[Array], views: Array) -> list[Array]:
        """(T_n, K) for each of the sentences, in their order."""
        result: list[Array] = [np.empty((0, self.tag_count))] * len(inputs)
        for rows, packed in packed_batches(inputs):
            probabilities = softmax(self.forward(params, packed, views, keep=False)[0])
            for row, of_row in zip(rows.tolist(), packed.with_data(probabilities).unpack(), strict=True):
                result[row] = of_row
        return result

    def vectors(self, params: Params, inputs: Sequence[Array], views: Array) -> Array:
        """(rows, H) the mean over each sentence of the topmost layer's outputs."""
        result = np.empty((len(inputs), self.stack.output_size), np.dtype(self.settings.dtype))
        for rows, packed in packed_batches(inputs):
            outputs = packed.with_data(self.forward(params, packed, views, keep=False)[1])
            result[rows] = [of_row.mean(axis=0) for of_row in outputs.unpack()]
        return result
