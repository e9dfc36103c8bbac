"""Calls the cells' walks through time: the structures of ``source/run.h``, filled from arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.core.engine.library import Library

Array = npt.NDArray[Any]

PLANES = 7
LANES_OF_A_PANEL = 32  # float32 numbers at most; a row of scratch is filled up to whole panels


class _Forward(ctypes.Structure):
    _fields_ = (
        ("hidden", ctypes.c_int64),
        ("steps", ctypes.c_int64),
        ("batch_sizes", ctypes.c_void_p),
        ("sums", ctypes.c_void_p),
        ("sums_row", ctypes.c_int64),
        ("index", ctypes.c_void_p),
        ("weight", ctypes.c_void_p),
        ("bias", ctypes.c_void_p),
        ("state", ctypes.c_void_p * 2),
        ("kept", ctypes.c_void_p * PLANES),
        ("scratch", ctypes.c_void_p),
    )


class _Backward(ctypes.Structure):
    _fields_ = (
        ("hidden", ctypes.c_int64),
        ("steps", ctypes.c_int64),
        ("batch_sizes", ctypes.c_void_p),
        ("dy", ctypes.c_void_p),
        ("dy_row", ctypes.c_int64),
        ("weight", ctypes.c_void_p),
        ("first", ctypes.c_void_p * 2),
        ("kept", ctypes.c_void_p * PLANES),
        ("dstate", ctypes.c_void_p * 2),
        ("dsums", ctypes.c_void_p),
        ("scratch", ctypes.c_void_p),
    )


def address(array: Array) -> int:
    """Where an array's numbers begin that lie together, row after row.

    Raises:
        ValueError: they do not; C would read others.
    """
    if not array.flags.c_contiguous:
        raise ValueError("the compiled engine reads numbers that lie together")
    return begin(array)


_Nothing = ctypes.c_char * 0


def begin(array: Array) -> int:
    """Where an array's numbers begin, for a function that is told how far they lie apart."""
    try:  # a quarter of the time that the other line takes
        return ctypes.addressof(_Nothing.from_buffer(array))  # type: ignore[arg-type]
    except (TypeError, ValueError):  # read-only, or not together
        return int(array.__array_interface__["data"][0])


class _Pointer(ctypes.c_void_p):
    """Where an array begins; it lives as long."""

    array: Array


def arguments(*values: int | Array | None) -> list[Any]:
    """For C: integers, and where arrays begin. The arrays live as long as the list."""
    return [ctypes.c_int64(one) if isinstance(one, int) else _pointer(one) for one in values]


def _pointer(array: Array | None) -> ctypes.c_void_p | None:
    if array is None:
        return None
    pointer = _Pointer(begin(array))
    pointer.array = array
    return pointer


def pack(library: Library, weight: Array) -> Array:
    """(K, M) a right factor in the order in which the kernels read it; it may be a transposed view."""
    depth, columns = weight.shape
    packed = np.empty(depth * _whole_panels(columns), weight.dtype)
    row, column = (stride // weight.itemsize for stride in weight.strides)
    library.function("pack", weight.dtype)(*arguments(weight, depth, columns, row, column, packed))
    return packed


def product(library: Library, values: Array, packed: Array, columns: int) -> Array:
    """(n, M) values (n, K) times a right factor of M columns that :func:`pack` has packed; the rows of C may be longer.

    A row has the same bits whatever the number of rows.
    """
    (n, depth), width = values.shape, _whole_panels(columns)
    found = np.empty((n, width), values.dtype)
    sizes, arrays = (
        map(ctypes.c_int64, (n, depth, columns)),
        map(ctypes.c_void_p, map(address, (values, packed, found))),
    )
    library.function("product", values.dtype)(*sizes, *arrays, ctypes.c_int64(width))
    return found[:, :columns]


def scratch(rows: int, columns: int, dtype: np.dtype[Any]) -> Array:
    """What a walk needs for the products of a step."""
    return np.empty(rows * _whole_panels(columns), dtype)


# So many rows that their gradients for a panel stay in the fastest cache. (128 to 320 differ by less than 3%.)
ROWS_AT_ONCE = 256


def weight_gradient(
    library: Library, batch_sizes: Array, first: Array, past: Array | None, d: Array
) -> tuple[Array, Array]:
    """The gradients of a weight that multiplies the left and of a bias: the sums over all rows of a packed batch.

    Returns:
        (K, M) leftᵀ · d, and (M,) Σ d.

    Args:
        batch_sizes: (T,) int64; of a plain product, (1,) how many rows there are.
        first: (N, K) the left side of the first step.
        past: (S, K) values of which each later step reads those of the step before; None if there is no later one.
        d: (S, M), whose rows may be apart.
    """
    K, M, row = first.shape[1], d.shape[1], _whole_panels(d.shape[1])
    first, past = np.ascontiguousarray(first, d.dtype), None if past is None else np.ascontiguousarray(past, d.dtype)
    out = np.empty((K + 1, row), d.dtype) if len(d) else np.zeros((K + 1, row), d.dtype)
    held = np.empty(ROWS_AT_ONCE * (K + 2 * LANES_OF_A_PANEL), d.dtype)
    library.function("weight_gradient", d.dtype)(
        *arguments(len(batch_sizes), K, M, batch_sizes, first, past, d, d.strides[0] // d.itemsize),
        *arguments(out, row, ROWS_AT_ONCE, held),
    )
    return out[:K, :M], out[K, :M]


def _whole_panels(columns: int) -> int:
    return -(-columns // LANES_OF_A_PANEL) * LANES_OF_A_PANEL


class Forward:
    """Walks a cell forwards, some timesteps at a call.

    Args:
        weight: W_h as :func:`pack` leaves it; None for a cell without.
        bias: inside of the recurrent side, or None.
        state: (N, H) each; overwritten by the last state of every sequence.
        kept: (K, S, H) the last K planes of the cell's cache, of which h is the last; the others are not kept.
        planes: of the cache.
        columns: of W_h.
    """

    def __init__(
        self,
        library: Library,
        name: str,
        *,
        weight: Array | None,
        bias: Array | None,
        state: Sequence[Array],
        kept: Array,
        planes: int,
        columns: int,
    ) -> None:
        h = state[0]
        self._function = library.function(f"{name}_forward", h.dtype)
        self._scratch = scratch(len(h), columns, h.dtype)
        self._held = (weight, bias, state, kept)  # what C has the addresses of
        self._unkept, self._row_bytes = [None] * (planes - len(kept)), kept.strides[1]
        self._kept = [address(kept) + k * kept.strides[0] for k in range(len(kept))]
        run = self._run = _Forward(hidden=h.shape[1], scratch=address(self._scratch))
        run.weight, run.bias = (None if one is None else address(one) for one in (weight, bias))
        run.state[: len(state)] = [address(one) for one in state]

    def __call__(self, batch_sizes: Array, sums: Array, index: Array | None = None, first_row: int = 0) -> None:
        """Walks on.

        Args:
            batch_sizes: (T,) int64, of these steps.
            sums: x·W_i + b, (S, G·H) of these steps' rows, or the table that ``index`` reads; rows may be apart.
            index: (S,) intp.
            first_row: of these steps.
        """
        run = self._run
        run.steps, run.batch_sizes = len(batch_sizes), address(batch_sizes)
        run.sums, run.sums_row = begin(sums), sums.strides[0] // sums.itemsize
        run.index = None if index is None else address(index)
        at = first_row * self._row_bytes
        run.kept[: len(self._unkept) + len(self._kept)] = [*self._unkept, *[plane + at for plane in self._kept]]
        self._function(ctypes.byref(run))


def backward(
    library: Library,
    name: str,
    *,
    batch_sizes: Array,
    dy: Array | None,
    weight: Array | None,
    first: Sequence[Array],
    kept: Sequence[Array],
    dstate: Sequence[Array],
    dsums: Array,
) -> None:
    """Walks a cell backwards through all steps.

    Args:
        batch_sizes: (T,) int64.
        dy: (S, H), whose rows may be apart; or None.
        weight: W_h transposed, as :func:`pack` leaves it; None for a cell without.
        first: (N, H) each, the state that the first step read.
        kept: (S, H) each, in the order of the cell's cache.
        dstate: (N, H) each, ∂L/∂ the last state; overwritten by ∂L/∂ the first.
        dsums: (S, A·H), where ∂L/∂ the sums go.
    """
    h = kept[-1]
    space = scratch(len(first[0]), h.shape[1], h.dtype)
    run = _Backward(hidden=h.shape[1], steps=len(batch_sizes), batch_sizes=address(batch_sizes))
    run.dsums, run.scratch = address(dsums), address(space)
    run.weight = None if weight is None else address(weight)
    if dy is not None:
        run.dy, run.dy_row = begin(dy), dy.strides[0] // dy.itemsize
    run.first[: len(first)] = [address(one) for one in first]
    run.kept[: len(kept)] = [address(one) for one in kept]
    run.dstate[: len(dstate)] = [address(one) for one in dstate]
    library.function(f"{name}_backward", h.dtype)(ctypes.byref(run))
