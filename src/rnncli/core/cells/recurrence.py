"""What the recurrent cells share: the input's side of a step, states, and walking through time.

``G`` is the number of gates. Weights are kept (D, G·H), gate beside gate; the loops work on (G, n, H), gate after
gate, where everything that is done to one gate of a step is done to numbers that lie together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rnncli.core.gradients import Gradient, RowGradient
from rnncli.core.packed import Array, Lookup, PackedSequence

# A block of rows small enough that its gates and their gradients stay in the L2 cache between two passes.
BLOCK_BYTES = 256 * 1024
# Vanished gradients are dropped once in so many steps: one that falls to a tenth at each is not subnormal before.
STEPS_BETWEEN_DROPS = 8
# 1e8 times the smallest number that is not subnormal, over what a rounding is of a number.
_MUCH_LARGER = {
    np.dtype(kind).char: np.dtype(kind).type(1e8 * float(np.finfo(kind).tiny) / float(np.finfo(kind).eps))
    for kind in (np.float32, np.float64)
}


def by_gate(weight: Array, gates: int, scale: Array | float = 1.0) -> Array:
    """(D, G·H) as (G, D, H), contiguous: each gate's own matrix; a bias (G·H,) as (G, 1, H). All times ``scale``."""
    apart = np.atleast_2d(weight).reshape(-1, gates, weight.shape[-1] // gates).transpose(1, 0, 2)
    own: Array = np.empty(apart.shape, weight.dtype)
    np.multiply(apart, scale, out=own)
    return own


def by_gate_transposed(weight: Array, gates: int) -> Array:
    """(H, G·H) as (G, H, H), contiguous: each gate's own matrix, transposed for the backward pass.

    Rows whose length is a power of two share a few cache lines when they are read column by column; four unused numbers
    after each row make it four times as fast.
    """
    H = len(weight)
    apart = np.empty((H, gates, H + 4), weight.dtype)[:, :, :H]
    apart[...] = weight.reshape(H, gates, H)
    return np.ascontiguousarray(apart.transpose(1, 2, 0))


def side_by_side_gates(weight: Array) -> Array:
    """The opposite of :func:`by_gate`: (G, D, H) as (D, G·H)."""
    return weight.transpose(1, 0, 2).reshape(weight.shape[1], -1)


class InputSums:
    """x_t·W_i + b, one step after the other.

    Token ids stand for one-hot rows, and a one-hot row times W_i *is* a row of W_i: no product is needed. Rows of a
    table are multiplied once each, however often they occur. Other input is multiplied a few steps at a time, in blocks
    that are still in the cache when their steps come.

    Args:
        x: ids (S,), a :class:`Lookup` or numbers (S, D).
        weight_ih: (D or V, G·H).
        bias: (G·H,), or None.
        scale: (G, 1, 1) what every sum is multiplied by.
    """

    def __init__(self, x: PackedSequence, weight_ih: Array, bias: Array | None, scale: Array) -> None:
        gates = len(scale)
        self._bias = None if bias is None else by_gate(bias, gates, scale)
        self._index: Array | None = None
        if x.looks_up:
            self._index = x.distinct_tokens.inverse
            if isinstance(x.data, Lookup):
                self._ready = np.matmul(x.data.table, by_gate(weight_ih, gates, scale))
            else:
                self._ready = by_gate(weight_ih[x.distinct_tokens.rows], gates, scale)
        else:
            self._x, self._offsets, self._weight = x.data, x.offsets, by_gate(weight_ih, gates, scale)
            self._begin = self._end = 0
            row_bytes = gates * self._weight.shape[2] * self._weight.itemsize
            self._rows = min(len(x.data), max(len(x.order), BLOCK_BYTES // row_bytes))
            self._ready = np.empty((gates, self._rows, self._weight.shape[2]), self._weight.dtype)
        if self._index is not None and self._bias is not None:
            self._ready += self._bias

    def of_all_steps(self) -> Array:
        """(G, S, H) all at once, for a cell whose sums need no earlier step."""
        if self._index is not None:
            return np.asarray(self._ready.take(self._index, axis=1))
        sums: Array = np.matmul(self._x, self._weight)
        if self._bias is not None:
            sums += self._bias
        return sums

    def walk(self, sums: Array, start: int, steps: int) -> Iterator[None]:
        """Writes the sums of one step after the other into (G, n, H), from the one that begins at row ``start``."""
        n = sums.shape[1]
        if self._index is not None:
            take = self._ready.take
            for index in self._index[start : start + n * steps].reshape(steps, n):
                take(index, 1, sums, "clip")
                yield
            return
        for row in range(start, start + n * steps, n):
            if row + n > self._end:
                self._project_from(row)
            sums[...] = self._ready[:, row - self._begin : row - self._begin + n]
            yield

    def _project_from(self, start: int) -> None:
        """Multiplies the block of whole steps that begins at row ``start``."""
        last = int(np.searchsorted(self._offsets, start + self._rows, side="right")) - 1
        self._begin, self._end = start, int(self._offsets[last])
        block = self._ready[:, : self._end - start]
        np.matmul(self._x[start : self._end], self._weight, out=block)
        if self._bias is not None:
            block += self._bias


def input_gradients(x: PackedSequence, weight_ih: Array, da: Array) -> tuple[Array | None, Gradient, Array]:
    """From da (G, S, H), the gradient of the sums, to those of x, W_i = Σ_t x_tᵀ · da_t, and b = Σ_t da_t, (G, H).

    That of x is (S, D) for numbers, (U, D) for the table of a lookup, and None for ids and for numbers that are not
    learned.
    """
    gates = len(da)
    if x.looks_up:
        distinct = x.distinct_tokens
        da = distinct.sums(da)  # (G, U, H)
        d_bias = da.sum(axis=1)
        if not isinstance(x.data, Lookup):
            rows = side_by_side_gates(da)
            return None, RowGradient(distinct.rows, rows, (weight_ih.shape[0], weight_ih.shape[1])), d_bias
        values = x.data.table
    else:
        values, d_bias = x.data, da.sum(axis=1)
    d_weight = side_by_side_gates(np.matmul(values.T, da))
    if not x.learned:
        return None, d_weight, d_bias
    weight = by_gate(weight_ih, gates)
    dx = da[0] @ weight[0].T
    for gate in range(1, gates):
        dx += da[gate] @ weight[gate].T
    return dx, d_weight, d_bias


class StepBuffer:
    """A buffer for B values of one step, (B, n, H), contiguous for every n up to N.

    It holds together what a step computes, in the cache; a step's values are then copied to their place all at once.
    """

    def __init__(self, values: int, sequences: int, hidden_size: int, dtype: np.dtype[Any]) -> None:
        self._buffer = np.empty(values * sequences * hidden_size, dtype)
        self._values, self._hidden_size = values, hidden_size

    def of(self, n: int) -> Array:
        return self._buffer[: self._values * n * self._hidden_size].reshape(self._values, n, self._hidden_size)


def by_step(values: Array, start: int, n: int, steps: int) -> Array:
    """The rows of a stretch of steps (see :attr:`PackedSequence.stretches`) as a view to walk: (B, S, H) to
    (steps, B, n, H)."""
    rows = values[:, start : start + n * steps]
    return rows.reshape(len(values), steps, n, values.shape[2]).transpose(1, 0, 2, 3)


def previous(x: PackedSequence, initial: Array, values: Array) -> Array:
    """(S, H) the value one timestep earlier for every row; ``initial`` (N, H) for the first step."""
    shifted = np.empty_like(values)
    before = initial  # the values of the step before a stretch
    for start, n, steps in x.stretches:
        second, end = start + n, start + n * steps
        shifted[start:second] = before[:n]
        shifted[second:end] = values[start : end - n]
        before = values[end - n : end]
    return shifted


def drop_vanished(*gradients: Array) -> None:
    """Sets to 0, in place, what has all but vanished of the gradients: less than 1e-30 in float32.

    Slightly smaller numbers are subnormal, and some processors take a hundred times as long for those: five times as
    long for the backward pass of a GRU through 200 steps. Adding a number and subtracting it again costs next to
    nothing; what is smaller than a rounding of that number is then 0, and nothing that could move a weight has changed.
    """
    for gradient in gradients:
        much_larger = _MUCH_LARGER[gradient.dtype.char]
        gradient += much_larger
        gradient -= much_larger


def dropping_vanished(steps: list[tuple[int, int]], *gradients: Array) -> Iterator[tuple[int, int]]:
    """The steps of a backward pass; drops vanished gradients between them now and then."""
    for k, step in enumerate(steps):
        if k % STEPS_BETWEEN_DROPS == 0:
            drop_vanished(*gradients)
        yield step


def blocks_backward(x: PackedSequence, row_bytes: int) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Cuts time into blocks, last first: ``(first row, end row, steps last first)``.

    A backward pass computes what it can for a whole block at once before it walks through the block's steps.
    """
    steps = x.steps
    target = max(1, BLOCK_BYTES // row_bytes)
    end = len(steps)
    while end > 0:
        begin = end - 1
        last_row = steps[end - 1][0] + steps[end - 1][1]
        while begin > 0 and last_row - steps[begin - 1][0] <= target:
            begin -= 1
        yield steps[begin][0], last_row, steps[begin:end][::-1]
        end = begin
