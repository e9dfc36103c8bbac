"""What the recurrent cells share: the input's side of a step, states, and walking through time.

A cell is a frozen dataclass of sizes. Its ``forward(params, x, state)`` runs a whole packed sequence and returns
``(y, state, cache)``; its ``backward(params, cache, dy, dstate)`` returns ``(dx, dstate, grads)``. A state is a
tuple of (N, H) arrays in packed order: ``(h,)``, or ``(h, c)`` for the LSTM.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from rnncli.core.gradients import Gradient, RowGradient
from rnncli.core.packed import Array, PackedSequence

Params = dict[str, Any]  # name → array, or name → Params
State = tuple[Array, ...]


class Cell(Protocol):
    """A recurrent layer in one direction."""

    @property
    def input_size(self) -> int: ...
    @property
    def hidden_size(self) -> int: ...
    @property
    def state_count(self) -> int: ...

    def init(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Params: ...
    def forward(self, params: Params, x: PackedSequence, state: State | None = None) -> tuple[Array, State, Any]: ...
    def backward(
        self, params: Params, cache: Any, dy: Array | None, dstate: State | None = None
    ) -> tuple[Array | None, State, dict[str, Any]]: ...


def project(x: PackedSequence, weight_ih: Array, bias: Array | None) -> Array:
    """x·W_i + b for all S rows at once, a fresh (S, G·H) array.

    Token ids stand for one-hot rows, and a one-hot row times W_i *is* a row of W_i: no product is needed.
    """
    if x.data.ndim == 1:
        projected = weight_ih[x.data]
    else:
        projected = x.data @ weight_ih
    if bias is not None:
        projected += bias
    return np.asarray(projected)


def project_backward(x: PackedSequence, weight_ih: Array, da: Array) -> tuple[Array | None, Gradient]:
    """∂L/∂x (None for token ids) and ∂L/∂W_i = Σ_t x_tᵀ · da_t, from the (S, G·H) gradient of the projection."""
    if x.data.ndim == 1:
        return None, RowGradient.from_gather(x.data, da, (weight_ih.shape[0], weight_ih.shape[1]))
    return da @ weight_ih.T, x.data.T @ da


def zero_state(count: int, x: PackedSequence, hidden_size: int, dtype: np.dtype[Any]) -> State:
    """``count`` arrays of zeros (N, H): the o_0 = 0 of the notes."""
    return tuple(np.zeros((len(x.order), hidden_size), dtype) for _ in range(count))


def own_copy(dstate: State | None, count: int, x: PackedSequence, hidden_size: int, dtype: np.dtype[Any]) -> State:
    """The gradient of the last state as arrays that a backward loop may write into."""
    if dstate is None:
        return zero_state(count, x, hidden_size, dtype)
    return tuple(np.array(part, dtype=dtype) for part in dstate)


def last_rows(x: PackedSequence) -> Array:
    """(N,) the row of each sequence's last timestep."""
    return np.asarray(x.offsets[x.lengths - 1] + np.arange(len(x.order)))


def previous(x: PackedSequence, initial: Array, values: Array) -> Array:
    """(S, H) the value one timestep earlier for every row; ``initial`` (N, H) for the first step."""
    return np.concatenate((initial, values))[x.previous_row]


# A block of rows small enough that its gates and their gradients stay in the L2 cache between two passes.
BLOCK_BYTES = 256 * 1024


def blocks_backward(x: PackedSequence, row_bytes: int) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Cuts time into blocks, last first: ``(first row, end row, steps last first)``.

    What the backward pass can compute for a whole block at once it does before it walks the block's steps.
    """
    steps = x.steps()
    target = max(1, BLOCK_BYTES // row_bytes)
    end = len(steps)
    while end > 0:
        begin = end - 1
        last_row = steps[end - 1][0] + steps[end - 1][1]
        while begin > 0 and last_row - steps[begin - 1][0] <= target:
            begin -= 1
        yield steps[begin][0], last_row, steps[begin:end][::-1]
        end = begin
