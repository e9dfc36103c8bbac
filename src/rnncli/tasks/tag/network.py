"""The network of aligned many-to-many: a word at every timestep in, one of K tags out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from rnncli.config import Settings
from rnncli.core import backward_trace
from rnncli.core.cells.recurrence import Params
from rnncli.core.distinct_tokens import DistinctTokens, Lookup
from rnncli.core.gradients import RowGradient
from rnncli.core.initializers import normal
from rnncli.core.layers.dropout import dropout
from rnncli.core.layers.linear import Linear
from rnncli.core.layers.stack import Stack, StackCache
from rnncli.core.losses import log_softmax, softmax, softmax_cross_entropy
from rnncli.core.packed import Array, PackedSequence
from rnncli.data.ragged import joined, lengths_of, rows_of
from rnncli.data.splits import batches, in_length_order
from rnncli.data.text.word_features import SIDES
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.metric_sums import MetricSums
from rnncli.tasks.recurrent_stack import shapes_of, stack_of

# Sentences that are tagged together.
BATCH = 128


class TagExamples(NamedTuple):
    """Encoded sentences.

    Attributes:
        inputs: each (T_n,) numbers of word forms.
        targets: each (T_n,) numbers of tags.
        views: (forms, sides) the entry of each form in the table of each side; one for all examples.
    """

    inputs: Sequence[Array]
    targets: Sequence[Array]
    views: Array

    @property
    def size(self) -> int:
        return len(self.inputs)

    @property
    def lengths(self) -> Array:
        return lengths_of(self.inputs)

    @property
    def weight(self) -> float:
        return float(self.lengths.sum())

    def take(self, rows: Array) -> TagExamples:
        return TagExamples(rows_of(self.inputs, rows), rows_of(self.targets, rows), self.views)

    def batches(self, size: int, seed: int, epoch: int) -> list[Array]:
        return batches(self.lengths, size, seed, epoch)


class TaggerCache(NamedTuple):
    """What each part keeps for the way back, from the input up."""

    forms: DistinctTokens
    entries: list[DistinctTokens]  # of each side, among the batch's distinct forms
    input_mask: Array | None
    stack: StackCache
    output_mask: Array | None
    output: Array


@dataclass(frozen=True)
class Tagger:
    """Views of a word, side by side → dropout → recurrent stack → dropout → linear → softmax, at every timestep.

    Args:
        settings: sizes and choices; ``embedding`` is the size of the word's own view, the others have a quarter.
        sizes: entries in the table of each side.
        tag_count: K.
    """

    settings: Settings
    sizes: tuple[int, ...]
    tag_count: int

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers in the view of each side."""
        whole = self.settings.embedding
        return (whole, *[max(1, whole // 4)] * (len(self.sizes) - 1))

    @cached_property
    def stack(self) -> Stack:
        return stack_of(self.settings, sum(self.widths))

    @cached_property
    def output(self) -> Linear:
        return Linear(self.stack.output_size, self.tag_count, self.settings.bias)

    @property
    def tables(self) -> frozenset[str]:
        return frozenset(f"views/{side}" for side in SIDES)

    def rows_read(self, batch: TagExamples) -> dict[str, Array]:
        views = batch.views[np.unique(joined(batch.inputs))]
        return {f"views/{side}": np.unique(views[:, k]) for k, side in enumerate(SIDES)}

    judged_by: ClassVar[Literal["accuracy", "loss"]] = "accuracy"

    def carried_shapes(self) -> dict[str, tuple[int, ...]]:
        return {}  # every row stands for itself

    def init(self, rng: np.random.Generator) -> Params:
        dtype = np.dtype(self.settings.dtype)
        scale = self.settings.embedding_scale
        views = {
            side: normal(rng, (size, width), scale, dtype)
            for side, size, width in zip(SIDES, self.sizes, self.widths, strict=True)
        }
        return {"views": views, "encoder": self.stack.init(rng, dtype), "output": self.output.init(rng, dtype)}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        s = self.settings
        shapes: dict[str, tuple[int, ...]] = {
            f"views/{side}": (size, width) for side, size, width in zip(SIDES, self.sizes, self.widths, strict=True)
        }
        shapes |= shapes_of(s, "encoder", sum(self.widths))
        shapes["output/weight"] = (self.stack.output_size, self.tag_count)
        if s.bias:
            shapes["output/bias"] = (self.tag_count,)
        return shapes

    def forward(
        self,
        params: Params,
        packed: PackedSequence,
        views: Array,
        rng: np.random.Generator | None = None,
        keep: bool = True,
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
        of_forms = views[packed.distinct_tokens.rows]  # (U, sides)
        entries = [DistinctTokens.of(of_forms[:, k]) for k in range(len(SIDES))]
        parts = [
            params["views"][side].take(places.rows, axis=0).take(places.inverse, axis=0)
            for side, places in zip(SIDES, entries, strict=True)
        ]
        # One mask for all places of a form in the batch: the form's vector is then still multiplied only once.
        seen, input_mask = dropout(np.concatenate(parts, axis=1), self.settings.dropout, rng)
        x = packed.with_data(Lookup(seen, packed.distinct_tokens))
        y, _, of_stack = self.stack.forward(params["encoder"], x, rng=rng, keep=keep)
        dropped, output_mask = dropout(y, self.settings.dropout, rng)
        logits, of_output = self.output.forward(params["output"], dropped)
        return logits, y, TaggerCache(packed.distinct_tokens, entries, input_mask, of_stack, output_mask, of_output)

    def backward(self, params: Params, cache: TaggerCache, d_logits: Array) -> dict[str, Any]:
        """The gradient of every parameter, nested like ``params``."""
        dy, of_output = self.output.backward(params["output"], cache.output, d_logits)
        if cache.output_mask is not None:
            dy *= cache.output_mask
        d_seen, _, of_stack = self.stack.backward(params["encoder"], cache.stack, dy)
        assert d_seen is not None  # (U, D): the input is a lookup
        if cache.input_mask is not None:
            d_seen *= cache.input_mask
        ends = np.cumsum(self.widths).tolist()
        if backward_trace.is_recording():
            read = {
                side: (places.rows[places.inverse][cache.forms.inverse], slice(end - width, end))
                for side, places, width, end in zip(SIDES, cache.entries, self.widths, ends, strict=True)
            }
            backward_trace.record(self, params["views"], cache, None, looked_up=read, distinct=cache.forms)
        parts = np.split(d_seen, ends[:-1], axis=1)
        of_views = {
            side: RowGradient(places.rows, places.sums(part), (size, width))
            for side, places, part, size, width in zip(
                SIDES, cache.entries, parts, self.sizes, self.widths, strict=True
            )
        }
        return {"views": of_views, "encoder": of_stack, "output": of_output}

    def loss_and_gradients(
        self,
        params: Params,
        batch: TagExamples,
        rng: np.random.Generator | None = None,
        share: float = 1.0,
        carried: dict[str, Array] | None = None,
    ) -> tuple[float, dict[str, Any]]:
        packed = PackedSequence.pack(batch.inputs)
        logits, _, cache = self.forward(params, packed, batch.views, rng)
        loss, d_logits = softmax_cross_entropy(logits, self._packed_targets(packed, batch))
        if share != 1:
            loss *= share
            d_logits *= share
        return loss, self.backward(params, cache, d_logits)

    def metric_sums(self, params: Params, examples: TagExamples, rank: int = 0, count: int = 1) -> MetricSums:
        right = answers = losses = 0.0
        for rows in in_length_order(examples.lengths, BATCH)[rank::count]:
            batch = examples.take(rows)
            packed = PackedSequence.pack(batch.inputs)
            logits = self.forward(params, packed, batch.views, keep=False)[0]
            targets = self._packed_targets(packed, batch)
            loss, _ = softmax_cross_entropy(logits, targets)
            right += float((logits.argmax(axis=1) == targets).sum())
            answers += len(targets)
            losses += loss * len(targets)
        return MetricSums(right, answers, losses, answers)

    def row_scores(self, params: Params, examples: TagExamples) -> RowScores:
        """The right tags of each sentence."""
        found = self.probabilities(params, examples.inputs, examples.views)
        pairs = zip(found, examples.targets, strict=True)
        right = [float((of_words.argmax(axis=1) == tags).sum()) for of_words, tags in pairs]
        return RowScores(np.array(right), examples.lengths.astype(np.float64))

    def log_probabilities(self, params: Params, examples: TagExamples) -> Array:
        """(rows,) of all tags of each example together."""
        found = np.empty(examples.size)
        for rows in in_length_order(examples.lengths, BATCH):
            batch = examples.take(rows)
            packed = PackedSequence.pack(batch.inputs)
            targets = self._packed_targets(packed, batch)
            logits = self.forward(params, packed, batch.views, keep=False)[0]
            of_words = log_softmax(logits)[np.arange(len(targets)), targets]
            found[rows] = packed.to_caller_order(np.bincount(packed.sequence_of_row, of_words))
        return found

    def probabilities(self, params: Params, inputs: Sequence[Array], views: Array) -> list[Array]:
        """(T_n, K) for each of the sentences, in their order."""
        result: list[Array] = [np.empty((0, self.tag_count))] * len(inputs)
        lengths = np.array([len(forms) for forms in inputs], np.int64)
        for rows in in_length_order(lengths, BATCH):
            packed = PackedSequence.pack([inputs[row] for row in rows.tolist()])
            of_rows = packed.with_data(softmax(self.forward(params, packed, views, keep=False)[0])).unpack()
            for row, of_row in zip(rows.tolist(), of_rows, strict=True):
                result[row] = of_row
        return result

    @staticmethod
    def _packed_targets(packed: PackedSequence, batch: TagExamples) -> Array:
        return np.asarray(PackedSequence.pack(batch.targets).data)
