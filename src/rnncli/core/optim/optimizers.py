"""Gradient descent and its relatives, each over one dense vector and the touched rows of tables.

An optimizer is a frozen dataclass of settings; its moments are in an :class:`OptimizerState`, so that a checkpoint can
hold them. Of a table a step reads and writes the rows that its batch uses, 500 instead of 30,000; what it would do to
the others (momentum goes on, moments and weights decay) is done when they are next read, so that the numbers are still
those of the formulas. See :mod:`rnncli.core.optim.lazy_rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from rnncli.core.engine import rows as compiled_rows
from rnncli.core.optim.lazy_rows import LazyRows, Optimizer
from rnncli.core.optim.parameters import Empty, Gradients, ParameterStore
from rnncli.core.packed import Array


@dataclass
class OptimizerState:
    """The step count and one array per moment and parameter group: ``moments["velocity"]["dense"]``."""

    step: int = 0
    moments: dict[str, dict[str, Array]] = field(default_factory=dict)
    lazy: LazyRows = field(default_factory=lambda: LazyRows({}))

    def moments_of(self, group: str) -> tuple[Array, ...]:
        return tuple(groups[group] for groups in self.moments.values())


def start(optimizer: Optimizer, store: ParameterStore, empty: Empty = np.empty) -> OptimizerState:
    """Zero moments for every parameter, in arrays that ``empty`` makes."""
    groups = {"dense": store.dense, **store.tables}
    moments = {
        moment: {name: empty(a.shape, a.dtype) for name, a in groups.items()} for moment in optimizer.moment_names
    }
    for arrays in moments.values():
        for array in arrays.values():
            array[...] = 0
    return OptimizerState(0, moments, LazyRows({name: len(table) for name, table in store.tables.items()}, empty))


def catch_up(optimizer: Optimizer, store: ParameterStore, state: OptimizerState, rows: Mapping[str, Array]) -> None:
    """Brings rows of tables up to date, as they have to be before a batch reads them.

    Args:
        rows: table → distinct row numbers.
    """
    if optimizer.moment_names:
        for table, values in store.tables.items():
            moving = rows[table][store.moving(table, rows[table])] if store.frozen else rows[table]
            state.lazy.catch_up(optimizer, table, values, state.moments_of(table), moving)


def settle(
    optimizer: Optimizer,
    store: ParameterStore,
    state: OptimizerState,
    rank: int = 0,
    count: int = 1,
    barrier: Callable[[], None] = lambda: None,
) -> None:
    """Brings every row of every table up to date, and begins to count anew.

    Args:
        rank, count: this process is the ``rank``-th of those that share the arrays; each has every ``count``-th row.
        barrier: waits for the other processes.
    """
    own = {table: np.arange(rank, len(values), count) for table, values in store.tables.items()}
    catch_up(optimizer, store, state, own)
    barrier()
    state.lazy.start_over(rank, count)
    barrier()


@np.errstate(over="ignore", invalid="ignore")  # a saved state can hold any number; the caller checks
def apply(
    optimizer: Optimizer, store: ParameterStore, gradients: Gradients, state: OptimizerState, rate: float
) -> None:
    """One step down the gradient, in place, with learning rate ``rate``.

    Rows with a gradient have to be up to date; and when ``state.lazy`` is full, :func:`settle` has to come first.
    """
    state.step += 1
    part = gradients.part
    moments = tuple(moment[part] for moment in state.moments_of("dense"))
    dense, compiled = store.dense[part], optimizer.compiled_update(rate, state.step)
    if compiled is None or not compiled_rows.update(*compiled, dense, gradients.dense, moments, None):
        optimizer.update(dense, gradients.dense, moments, rate, state.step)
    if optimizer.moment_names:
        state.lazy.count_step(optimizer, rate, state.step)
    for table, gradient in gradients.tables.items():
        rows, whole = gradient.rows, state.moments_of(table)
        state.lazy.since[table][rows] = state.lazy.now
        if compiled is not None and compiled_rows.update(*compiled, store.tables[table], gradient.values, whole, rows):
            continue
        values = store.tables[table].take(rows, axis=0)
        moments = tuple(moment.take(rows, axis=0) for moment in whole)
        optimizer.update(values, gradient.values, moments, rate, state.step)
        store.tables[table][rows] = values
        for target, moment in zip(whole, moments, strict=True):
            target[rows] = moment


@dataclass(frozen=True)
class SGD(Optimizer):
    """W ← W − η ∂L/∂W: the plain gradient descent of the notes."""

    def update(self, values: Array, gradient: Array, moments: tuple[Array, ...], rate: float, step: int) -> None:
        values -= rate * gradient


@dataclass(frozen=True)
class Momentum(Optimizer):
    """v ← μ v + ∂L/∂W;  W ← W − η v (Polyak 1964, in Sutskever et al. 2013's form without their (1 − μ))."""

    momentum: float = 0.9
    moment_names = ("velocity",)

    def update(self, values: Array, gradient: Array, moments: tuple[Array, ...], rate: float, step: int) -> None:
        (velocity,) = moments
        velocity *= self.momentum
        velocity += gradient
        values -= rate * velocity

    @property
    def decays(self) -> tuple[float, ...]:
        return (self.momentum,)

    @property
    def ratio(self) -> float:
        return self.momentum

    def step_without_gradient(self, rate: float, step: int) -> tuple[float, float]:
        return 1.0, rate

    def direction(self, moments: tuple[Array, ...]) -> Array:
        return moments[0].copy()


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """s ← ρ s + (1 − ρ) g²;  W ← W − η g / (√s + ε) (Tieleman & Hinton 2012)."""

    decay: float = 0.99
    epsilon: float = 1e-8
    moment_names = ("square",)

    def update(self, values: Array, gradient: Array, moments: tuple[Array, ...], rate: float, step: int) -> None:
        (square,) = moments
        square *= self.decay
        square += (1 - self.decay) * gradient**2
        values -= rate * gradient / (np.sqrt(square) + self.epsilon)

    @property
    def decays(self) -> tuple[float, ...]:
        return (self.decay,)


@dataclass(frozen=True)
class Adam(Optimizer):
    """m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  W ← W − η m̂ / (√v̂ + ε) (Kingma & Ba 2015).

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) undo the start from zero. With ``weight_decay`` > 0 it is AdamW: the
    weights also shrink by η · weight_decay, outside of the moments (Loshchilov & Hutter 2019).
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    moment_names = ("mean", "square")

    def update(self, values: Array, gradient: Array, moments: tuple[Array, ...], rate: float, step: int) -> None:
        mean, square = moments
        mean *= self.beta1
        mean += (1 - self.beta1) * gradient
        square *= self.beta2
        scratch = np.square(gradient)
        scratch *= 1 - self.beta2
        square += scratch
        if self.weight_decay:
            values *= 1 - rate * self.weight_decay
        np.sqrt(square, out=scratch)
        scratch /= (1 - self.beta2**step) ** 0.5
        scratch += self.epsilon
        np.divide(mean, scratch, out=scratch)
        scratch *= rate / (1 - self.beta1**step)
        values -= scratch

    def compiled_update(self, rate: float, step: int) -> tuple[str, tuple[float, ...]]:
        root, pace = (1 - self.beta2**step) ** 0.5, rate / (1 - self.beta1**step)
        keep = 1 - rate * self.weight_decay
        return "adam", (self.beta1, 1 - self.beta1, self.beta2, 1 - self.beta2, root, self.epsilon, pace, keep)

    def compiled_catch_up(self) -> tuple[str, tuple[float, ...]]:
        return "adam_catch_up", (self.epsilon,)

    @property
    def decays(self) -> tuple[float, ...]:
        return self.beta1, self.beta2

    @property
    def ratio(self) -> float:
        return float(self.beta1 / self.beta2**0.5)

    def step_without_gradient(self, rate: float, step: int) -> tuple[float, float]:
        push = rate * (1 - self.beta2**step) ** 0.5 / (1 - self.beta1**step)
        return 1 - rate * self.weight_decay, push

    def direction(self, moments: tuple[Array, ...]) -> Array:
        """m / (√v + ε). The ε here does not grow beside a √v̂ that falls from step to step, as Adam's own would."""
        mean, square = moments
        return np.asarray(mean / (np.sqrt(square) + self.epsilon))


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": Adam,
}
