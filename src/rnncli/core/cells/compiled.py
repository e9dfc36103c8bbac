"""Runs a cell's loops through time on the compiled engine, where there is one for it; else as the cell itself does.

What comes out has the same names, shapes and meaning: a cache of either can go into a backward pass of the other. Here
the gradients of the sums of a step lie side by side, (S, A·H), so that one product serves all gates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, TypeVar

import numpy as np

from rnncli.core import backward_trace
from rnncli.core.cells.cell import Cell
from rnncli.core.cells.specification import PAST_H, X
from rnncli.core.engine import rows, steps
from rnncli.core.engine.library import Library, Status, library, status, using
from rnncli.core.engine.trials import TOLERANCES
from rnncli.core.gradients import Gradient, RowGradient
from rnncli.core.packed import Array, DistinctTokens, Lookup, PackedSequence, Params, State

Made = TypeVar("Made")

# Numbers that are not looked up are multiplied by W_i a block of steps at a time, which is then still in the cache.
BLOCK_BYTES = 1024 * 1024
# What a table's rows give is kept where all of them take no more than this.
KEPT_BYTES = 64 * 1024 * 1024


@dataclass
class _KnownSums:
    """x·W_i + b of the rows of a table, as far as they were read."""

    sums: Array  # (V, G·H)
    known: Array  # (V,)


class _AtRest:
    """What is made of weights that do not change. They are held, so that no other array has their ids."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, ...], tuple[Any, Any]] = {}

    def made(self, weights: tuple[Array, ...], make: Callable[[], Made]) -> Made:
        key = tuple(map(id, weights))
        if key not in self._made:
            self._made[key] = weights, make()
        made: Made = self._made[key][1]
        return made


_at_rest: ContextVar[_AtRest | None] = ContextVar("weights at rest", default=None)


@contextmanager
def weights_at_rest() -> Iterator[None]:
    """Inside, no weight may change: each is packed once, and each row of a table multiplied once, not at every call.

    For what is generated step by step, where packing would take longer than the step, and for many inputs.
    """
    token = _at_rest.set(_at_rest.get() or _AtRest())
    try:
        yield
    finally:
        _at_rest.reset(token)


def _packed(engine: Library, weight: Array) -> Array:
    at_rest = _at_rest.get()
    if at_rest is None:
        return steps.pack(engine, weight)
    return at_rest.made((weight,), lambda: steps.pack(engine, weight))


def _sums_of_lookup(engine: Library, x: Lookup, weight_ih: Array, bias: Array | None) -> tuple[Array, Array]:
    """x·W_i + b of rows of a table, and (S,) which of them each timestep has."""

    def sums(rows: Array) -> Array:
        found = steps.product(engine, rows, _packed(engine, weight_ih), weight_ih.shape[1])
        if bias is not None:
            found += bias
        return found

    at_rest, whole, distinct = _at_rest.get(), x.whole, x.distinct
    if at_rest is None or whole is None or len(whole) * weight_ih.shape[1] * whole.itemsize > KEPT_BYTES:
        return sums(x.table), distinct.inverse

    def nothing_known() -> _KnownSums:
        return _KnownSums(np.empty((len(whole), weight_ih.shape[1]), whole.dtype), np.zeros(len(whole), np.bool_))

    kept = at_rest.made((whole, weight_ih), nothing_known)
    new = np.flatnonzero(~kept.known[distinct.rows])
    if len(new):
        rows = distinct.rows[new]
        kept.sums[rows], kept.known[rows] = sums(x.table[new]), True
    return kept.sums, distinct.rows.astype(np.intp)[distinct.inverse]


def tested(cells: Iterable[Cell]) -> Status:
    """Which engine computes in this process, after a test of each of these cells, and of the passes over rows, in both
    types."""
    rows.tested()
    for cell in cells:
        for dtype in TOLERANCES:
            for keep in (True, False):
                _engine(cell, np.dtype(dtype), keep)
    return status()


def _engine(cell: Cell, dtype: np.dtype[Any], keep: bool = True) -> Library | None:
    """What computes a cell, tested on a small one of its kind the first time; None for NumPy.

    Args:
        keep: as of :meth:`Cell.forward`. Where no backward pass follows, none is tested: a third of the time of a first
            prediction's test.
    """
    engine = library()
    if engine is None or cell.usable_compiled is None or backward_trace.is_recording():
        return None
    small = _small(cell)
    return engine if engine.agrees((small, dtype, keep), lambda: _agrees(engine, small, dtype, keep)) else None


@cache
def _small(cell: Cell) -> Cell:
    """One of its kind. 37 units are whole vectors and a part of one, at every level."""
    return replace(cell, input_size=2, hidden_size=37)


def _agrees(engine: Library, cell: Cell, dtype: np.dtype[Any], keep: bool = True) -> bool:
    """Whether a cell's outputs, states and, with ``keep``, gradients are those of its own loops.

    It reads rows that are looked up, of 9 sequences down to one: a product has a function for each number of rows up
    to 8.
    """

    def numbers(*shape: int) -> Array:
        values: Array = np.sin(np.arange(1, math.prod(shape) + 1, dtype=dtype) * len(shape))
        return values.reshape(shape)

    H = cell.hidden_size
    params = {name: numbers(*shape) / 8 for name, shape in cell.shapes().items()}  # larger, and rounding would grow
    with using("numpy"):
        x = PackedSequence.pack([np.arange(steps) % 5 for steps in (3, 9, 4, 1, 7, 2, 8, 5, 6)])
        x = x.with_data(Lookup(numbers(5, cell.input_size), DistinctTokens.of(x.data)))
    state, dstate = (tuple(scale * numbers(9, H) for _ in range(cell.state_count)) for scale in (0.5, -0.5))

    def all_of(forwards: Any, backwards: Any) -> list[Array]:
        y, last, cache = forwards(params, x, state, keep)
        if not keep:
            return [y, *last]
        dx, dfirst, grads = backwards(params, cache, numbers(len(y), 2 * H)[:, H:], dstate)  # as two directions give it
        return [y, *last, dx, *dfirst, *(grads[name] for name in params)]

    with using("numpy"):
        theirs = all_of(cell.forward, cell.backward)
    ours = all_of(partial(_forward, engine, cell), partial(_backward, engine, cell))
    return all(
        bool(np.linalg.norm(one - other) <= TOLERANCES[dtype.name] * np.linalg.norm(other))
        for one, other in zip(ours, theirs, strict=True)
    )


def forward(
    cell: Cell, params: Params, x: PackedSequence, state: State | None = None, keep: bool = True
) -> tuple[Array, State, Any]:
    """What :meth:`Cell.forward` returns; while gradients are recorded, the cell's own does it."""
    engine = _engine(cell, params["weight_ih"].dtype, keep)
    if engine is None:
        return cell.forward(params, x, state, keep)
    return _forward(engine, cell, params, x, state, keep)


def _forward(
    engine: Library, cell: Cell, params: Params, x: PackedSequence, state: State | None, keep: bool
) -> tuple[Array, State, Any]:
    compiled = cell.compiled
    assert compiled is not None
    H, S, dtype = cell.hidden_size, len(x.data), params["weight_ih"].dtype
    first = cell.first_state(state, x, dtype)
    last = tuple(np.array(part, dtype, order="C") for part in first)
    names = compiled.planes(cell.state_count)
    kept = np.empty((len(names) if keep else 1, S, H), dtype)
    weight_hh = params.get("weight_hh")
    walk = steps.Forward(
        engine,
        compiled.name,
        weight=None if weight_hh is None else _packed(engine, weight_hh),
        bias=_inner_bias(cell, params),
        state=last,
        kept=kept,
        planes=len(names),
        columns=0 if weight_hh is None else weight_hh.shape[1],
    )
    batch_sizes = _sizes(x)
    weight_ih, bias = params["weight_ih"], params.get("bias")

    def plus_bias(sums: Array) -> Array:
        if bias is not None:
            sums += bias
        return sums

    if not keep and len(batch_sizes) == 1 and isinstance(x.data, np.ndarray) and x.data.ndim == 1:
        walk(batch_sizes, plus_bias(weight_ih[x.data]))  # which of the few are distinct takes longer to find
    elif isinstance(x.data, Lookup) and keep:  # OpenBLAS is quicker for the few rows of a small batch
        walk(batch_sizes, plus_bias(x.data.table @ weight_ih), x.data.distinct.inverse)
    elif isinstance(x.data, Lookup):
        walk(batch_sizes, *_sums_of_lookup(engine, x.data, weight_ih, bias))
    elif x.data.ndim == 1:
        walk(batch_sizes, plus_bias(weight_ih[x.distinct_tokens.rows]), x.distinct_tokens.inverse)
    else:
        for begin, end in _blocks(x, BLOCK_BYTES // (weight_ih.shape[1] * dtype.itemsize)):
            rows = slice(int(x.offsets[begin]), int(x.offsets[end]))
            walk(batch_sizes[begin:end], plus_bias(x.data[rows] @ weight_ih), first_row=rows.start)
    return kept[-1], last, compiled.cache(x, *first, *kept) if keep else None


def backward(
    cell: Cell, params: Params, cache: Any, dy: Array | None, dstate: State | None = None
) -> tuple[Array | None, State, dict[str, Any]]:
    """What :meth:`Cell.backward` returns; while gradients are recorded, the cell's own does it."""
    engine = _engine(cell, params["weight_ih"].dtype)
    if engine is None:
        return cell.backward(params, cache, dy, dstate)
    return _backward(engine, cell, params, cache, dy, dstate)


def _backward(
    engine: Library, cell: Cell, params: Params, cache: Any, dy: Array | None, dstate: State | None
) -> tuple[Array | None, State, dict[str, Any]]:
    compiled = cell.compiled
    assert compiled is not None
    x, first, kept = cache.x, cache[1 : 1 + cell.state_count], cache[1 + cell.state_count :]
    h = cache.h
    if dy is not None and (dy.dtype != h.dtype or dy.strides[1] != h.itemsize):
        dy = np.ascontiguousarray(dy, h.dtype)
    # States and their gradients may be columns of something wider, or in another order.
    first, dfirst = (
        tuple(np.ascontiguousarray(part, h.dtype) for part in parts)
        for parts in (first, cell.own_gradient(dstate, x, h.dtype))
    )
    weight_hh = params.get("weight_hh")
    dsums = np.empty((len(h), len(cell.specification.sums) * cell.hidden_size), h.dtype)
    steps.backward(
        engine,
        compiled.name,
        batch_sizes=_sizes(x),
        dy=dy,
        weight=None if weight_hh is None else steps.pack(engine, _in_order_of_sums(cell, weight_hh).T),
        first=first,
        kept=kept,
        dstate=dfirst,
        dsums=dsums,
    )
    dx, grads = _gradients(engine, cell, params, cache, dsums)
    return dx, dfirst, grads


def _gradients(
    engine: Library, cell: Cell, params: Params, cache: Any, dsums: Array
) -> tuple[Array | None, dict[str, Gradient]]:
    """What :meth:`Cell.gradients` returns, from (S, A·H) the gradients of the sums side by side."""
    H = cell.hidden_size
    dx, totals, grads = None, dsums[0], dict[str, Gradient]()
    for one, span, order, read in cell.sums_of_each:
        d = dsums[:, span.start * H : span.stop * H]
        if one.factor is None:
            total = (d.sum(axis=0) if read is None else totals).reshape(-1, H)
            grads[one.name] = total[order if read is None else read].ravel()
        elif one.factor == X:
            dx, grads[one.name], totals = _input_gradients(engine, cache.x, params[one.name], _in_order(d, order, H))
        else:
            assert one.factor == PAST_H
            of_past, _ = steps.weight_gradient(engine, _sizes(cache.x), cache.h0, cache.h, d)
            grads[one.name] = _in_order(of_past, order, H)
    return dx, grads


def _inner_bias(cell: Cell, params: Params) -> Array | None:
    """The bias of a sum that x does not go into: it cannot be added to x·W_i."""
    return next(
        (params[one.name] for one, _, _, read in cell.sums_of_each if one.factor is None and read is None), None
    )


def _in_order_of_sums(cell: Cell, weight_hh: Array) -> Array:
    """W_h with its blocks in the order in which the sums that they go into lie side by side."""
    order = next(order for one, _, order, _ in cell.sums_of_each if one.factor == PAST_H)
    return weight_hh if isinstance(order, slice) else _in_order(weight_hh, np.argsort(order).tolist(), cell.hidden_size)


def _in_order(columns: Array, order: Any, H: int) -> Array:
    """Blocks of H columns put in another order."""
    if order == slice(None):
        return columns
    return columns.reshape(len(columns), -1, H)[:, order].reshape(len(columns), -1)


def _input_gradients(
    engine: Library, x: PackedSequence, weight_ih: Array, d: Array
) -> tuple[Array | None, Gradient, Array]:
    """From d (S, G·H) to those of x, W_i and b, as :func:`recurrence.input_gradients` has them."""
    if x.looks_up:
        distinct = x.distinct_tokens
        d = distinct.sums(d)  # (U, G·H)
        if not isinstance(x.data, Lookup):
            return None, RowGradient(distinct.rows, d, (weight_ih.shape[0], weight_ih.shape[1])), d.sum(axis=0)
        values = x.data.table
    else:
        values = x.data
    d_weight, d_bias = steps.weight_gradient(engine, np.array([len(d)]), values, None, d)
    return d @ weight_ih.T if x.learned else None, d_weight, d_bias


def _sizes(x: PackedSequence) -> Array:
    return np.ascontiguousarray(x.batch_sizes, np.int64)


def _blocks(x: PackedSequence, rows: int) -> list[tuple[int, int]]:
    """Cuts time into blocks of whole steps, about so many rows each: (first step, end step)."""
    found, begin, T = [], 0, len(x.batch_sizes)
    while begin < T:
        last = int(np.searchsorted(x.offsets, x.offsets[begin] + rows, side="right")) - 1
        found.append((begin, max(begin + 1, last)))
        begin = found[-1][1]
    return found
