"""All parameters of a model: nested by layer for computing, by stable flat names for files and optimizers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from rnncli.core.gradients import Gradient, RowGradient, as_dense
from rnncli.core.packed import Array, Params


def flatten(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """``("encoder/0/forward/weight_hh", array)`` for every leaf, in the order of definition."""
    for name, value in nested.items():
        if isinstance(value, dict):  # the check against an abstract class takes ten times as long
            yield from flatten(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value


def nest(flat: Mapping[str, Any]) -> Params:
    """The opposite of :func:`flatten`."""
    nested: Params = {}
    for name, value in flat.items():
        *path, leaf = name.split("/")
        level = nested
        for part in path:
            level = level.setdefault(part, {})
        level[leaf] = value
    return nested


Empty = Callable[[Any, Any], Array]


class ParameterStore:
    """The parameters as views into one vector, beside the tables of which a step changes only some rows.

    Clipping and an optimizer's update then take a few NumPy calls for the whole model, whatever its depth, and as many
    for each table.

    Attributes:
        params: nested, as the layers read them. Updating :attr:`dense` or a table in place updates it.
        dense: (P,) all parameters that are not tables.
        tables: flat name → (V, D).
        spans: flat name → where it stands in :attr:`dense`.
        frozen: table → (V,) 1 for each row that no step changes, else 0; without an entry, all rows of a table change.

    Args:
        params: nested.
        tables: flat names of those that are tables.
        empty: makes the arrays, ``np.empty`` or another that takes (shape, dtype).
    """

    def __init__(self, params: Params, tables: frozenset[str], empty: Empty = np.empty) -> None:
        flat = dict(flatten(params))
        self._dense_names = [name for name in flat if name not in tables]
        dtype = next(iter(flat.values())).dtype
        self.tables: dict[str, Array] = {name: empty(flat[name].shape, dtype) for name in flat if name in tables}
        self.dense: Array = empty(sum(flat[name].size for name in self._dense_names), dtype)
        views: dict[str, Array] = {}
        self.spans: dict[str, slice] = {}
        position = 0
        for name, value in flat.items():
            if name in tables:
                self.tables[name][...] = value
                views[name] = self.tables[name]
                continue
            span = self.spans[name] = slice(position, position + value.size)
            self.dense[span] = value.ravel()
            views[name] = self.dense[span].reshape(value.shape)
            position += value.size
        self.flat: dict[str, Array] = views
        self.params: Params = nest(views)
        self.frozen: dict[str, Array] = {}

    def moving(self, table: str, rows: Array) -> Array:
        """Which of these rows of a table may change, as a mask."""
        if table not in self.frozen:
            return np.ones(len(rows), np.bool_)
        return np.asarray(self.frozen[table][rows] == 0)

    def gather(self, grads: Mapping[str, Any]) -> Gradients:
        """The nested gradients that a backward pass returns, laid out like this store.

        Raises:
            ValueError: they are not those of all parameters.
        """
        flat: dict[str, Gradient] = dict(flatten(grads))
        if flat.keys() != self.flat.keys():
            raise ValueError(f"gradients for {sorted(flat.keys() ^ self.flat.keys())} are missing or too many")
        dense = np.empty_like(self.dense)
        for name in self._dense_names:
            dense[self.spans[name]] = as_dense(flat[name]).ravel()
        rows = {name: self._without_frozen(name, _as_rows(flat[name])) for name in self.tables}
        return Gradients(dense, rows, self.spans)

    def no_gradients(self) -> Gradients:
        """Zeros: the gradient of a batch without rows."""
        tables = {
            name: RowGradient(np.empty(0, np.int64), np.empty((0, table.shape[1]), table.dtype), table.shape)
            for name, table in self.tables.items()
        }
        return Gradients(np.zeros_like(self.dense), tables, self.spans)

    def _without_frozen(self, table: str, gradient: RowGradient) -> RowGradient:
        if table not in self.frozen:
            return gradient
        moving = self.moving(table, gradient.rows)
        return RowGradient(gradient.rows[moving], gradient.values[moving], gradient.shape)


class Gradients(NamedTuple):
    """A gradient for everything in a :class:`ParameterStore`, or for a part of it.

    Attributes:
        dense: (P,), or the numbers of ``part``.
        tables: name → rows.
        spans: where each name stands in the dense vector.
        part: which part of the dense vector ``dense`` is for.
    """

    dense: Array
    tables: dict[str, RowGradient]
    spans: dict[str, slice]
    part: slice = slice(None)

    def span_of(self, index: int, count: int) -> slice:
        """The ``index``-th of ``count`` slices of the dense vector, whose lengths differ by one at most."""
        size = len(self.dense)
        return slice(size * index // count, size * (index + 1) // count)

    def every(self, index: int, count: int) -> Gradients:
        """The ``index``-th of ``count`` parts of the whole: a slice, and every ``count``-th row of each table."""
        span = self.span_of(index, count)
        tables = {name: rows.every(index, count) for name, rows in self.tables.items()}
        return Gradients(self.dense[span], tables, self.spans, span)

    def square(self) -> float:
        """The square of the Euclidean norm over all of it."""
        parts = [self.dense, *(rows.values for rows in self.tables.values())]
        return sum(float(np.vdot(part, part)) for part in parts)

    def norm(self) -> float:
        """The Euclidean norm over all of it."""
        return float(np.sqrt(self.square()))

    def first_not_finite(self) -> str | None:
        """The name of the first parameter whose gradient holds a NaN or an infinity."""
        begin = self.part.start or 0
        for name, span in self.spans.items():
            if not np.isfinite(self.dense[max(0, span.start - begin) : max(0, span.stop - begin)]).all():
                return name
        return next((name for name, rows in self.tables.items() if not np.isfinite(rows.values).all()), None)

    def scale(self, factor: float) -> None:
        np.multiply(self.dense, factor, out=self.dense)
        for rows in self.tables.values():
            np.multiply(rows.values, factor, out=rows.values)


def _as_rows(gradient: Gradient) -> RowGradient:
    """A layer that uses a whole table has a dense gradient for it."""
    if isinstance(gradient, RowGradient):
        return gradient
    rows, columns = gradient.shape
    return RowGradient(np.arange(rows), gradient, (rows, columns))


class NotFiniteError(FloatingPointError):
    """A loss or gradient is NaN or infinite; ``where`` names it."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} is not a finite number")
        self.where = where


def clip_by_norm(
    gradients: Gradients,
    limit: float | None,
    square: float | None = None,
    first_not_finite: Callable[[], str | None] | None = None,
) -> float:
    """Scales the gradient down to norm ``limit`` if it is longer (Pascanu et al. 2013) and returns its norm before.

    ``min(1, limit / nan)`` is 1, so that clipping alone would let a NaN pass: the norm is checked first, whether there
    is a limit or not.

    Args:
        gradients: all of them, or a part.
        limit: longer gradients are scaled.
        square: the squared norm of all gradients; of ``gradients``, if None.
        first_not_finite: names the first parameter of all whose gradient is not finite; of ``gradients``, if None.

    Raises:
        NotFiniteError: the norm is not finite; nothing has been changed.
    """
    norm = float(np.sqrt(gradients.square() if square is None else square))
    if not np.isfinite(norm):
        culprit = (first_not_finite or gradients.first_not_finite)()
        raise NotFiniteError(f"the gradient of {culprit}" if culprit else "the gradient's norm")
    if limit is not None and norm > limit:
        gradients.scale(limit / norm)
    return norm


# With no parameter beyond it, sums of products do not overflow even in float32: a thousand products of two such
# parameters are 1e33. Only a training that has diverged comes this far.
LARGEST = 1e15


def within_bounds(values: Array) -> bool:
    """Whether all values are numbers that a network can compute with: none is NaN, or beyond ``LARGEST``."""
    return not values.size or bool(values.min() >= -LARGEST and values.max() <= LARGEST)
