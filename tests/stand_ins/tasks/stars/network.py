"""Embedding → recurrent stack → mean over time → one number; the loss is its squared error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rnncli.core.layers.linear import Linear
from rnncli.core.layers.named import NamedLayers
from rnncli.core.layers.readout import READOUTS
from rnncli.core.packed import Array, PackedSequence, Params
from rnncli.data.records.ragged import joined
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.network import MetricSums, Network, Reader, packed_batches
from rnncli.tasks.rows import EncodedRows

CLOSE = 0.5  # a prediction that is no further off counts as right


@dataclass(frozen=True, eq=False)
class Rated(EncodedRows):
    """Texts with their numbers."""

    inputs: Sequence[Array]  # each (T_n,) ids
    targets: Array  # (rows,) float64
    by_row = ("inputs", "targets")

    @property
    def weight(self) -> float:
        return float(self.size)


class Cache(NamedTuple):
    reader: Any
    mean: Any
    number: Any


@dataclass(frozen=True)
class Regression(Network):
    input_size: int
    judged_by = "loss"

    @cached_property
    def reader(self) -> Reader:
        return Reader(self.settings, self.input_size, "reader")

    @cached_property
    def number(self) -> Linear:
        return Linear(self.reader.stack.output_size, 1, self.settings.bias)

    @property
    def layers(self) -> NamedLayers:
        return NamedLayers(self.reader.layers | {"number": self.number})

    @property
    def tables(self) -> frozenset[str]:
        return self.reader.tables

    def rows_read(self, batch: Rated) -> dict[str, Array]:
        return self.reader.rows_read(joined(batch.inputs))

    def forward(
        self, params: Params, packed: PackedSequence, rng: np.random.Generator | None = None, keep: bool = True
    ) -> tuple[Array, Array, Cache]:
        """(N,) numbers in packed order, (S, H) outputs of the topmost layer, and the cache."""
        x, y, last, of_reader = self.reader.forward(params, packed, rng=rng, keep=keep)
        pooled, of_mean = READOUTS["mean"].forward(y, x, last[-1])
        numbers, of_number = self.number.forward(params["number"], pooled)
        return numbers[:, 0], y, Cache(of_reader, of_mean, of_number)

    def forward_batch(
        self,
        params: Params,
        batch: Rated,
        rng: np.random.Generator | None = None,
        keep: bool = True,
        carried: dict[str, Array] | None = None,
    ) -> tuple[Array, PackedSequence, Cache]:
        packed = PackedSequence.pack(batch.inputs)
        numbers, _, cache = self.forward(params, packed, rng, keep)
        return numbers, packed, cache

    def loss_of(self, logits: Array, steps: PackedSequence, batch: Rated) -> tuple[float, Array]:
        off = logits - batch.targets[steps.order]
        return float((off**2).mean()), np.asarray(2 * off / len(off), logits.dtype)

    def backward(self, params: Params, cache: Cache, d_logits: Array) -> dict[str, Any]:
        d_pooled, of_number = self.number.backward(params["number"], cache.number, d_logits[:, None])
        dy, _ = READOUTS["mean"].backward(cache.mean, d_pooled)
        return self.reader.backward(params, cache.reader, dy)[1] | {"number": of_number}

    def numbers(self, params: Params, inputs: Sequence[Array]) -> Array:
        """(rows,) one for each of any number of texts, in their order."""
        found = np.empty(len(inputs), np.dtype(self.settings.dtype))
        for rows, packed in packed_batches(inputs):
            found[rows] = self.forward(params, packed, keep=False)[0]
        return found

    def vector(self, params: Params, one: Array) -> Array:
        """(H,) the mean over time that the number is read from."""
        return np.asarray(self.forward(params, PackedSequence.pack([one]), keep=False)[2].number[0])

    def _off(self, params: Params, examples: Rated) -> Array:
        return np.abs(self.numbers(params, examples.inputs) - examples.targets)

    def metric_sums(self, params: Params, examples: Rated, rank: int = 0, count: int = 1) -> MetricSums:
        own = examples.take(np.arange(rank, examples.size, count))
        off = self._off(params, own)
        return MetricSums(float((off <= CLOSE).sum()), own.size, float((off**2).sum()), own.size)

    def row_scores(self, params: Params, examples: Rated) -> RowScores:
        return RowScores(self._off(params, examples) ** 2, np.ones(examples.size))
