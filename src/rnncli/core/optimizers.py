"""Gradient descent and its relatives, each over one dense vector and the touched rows of tables.

An optimizer is a frozen dataclass of settings; its moments live in an :class:`OptimizerState`, so that a checkpoint
can hold them. For a table only the rows a batch has used are read and written, their moments too: 500 rows instead
of 30,000. For plain gradient descent that is exact; for the others a row's moments decay only at the steps that
touch it (as in PyTorch's SparseAdam).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from rnncli.core.packed import Array
from rnncli.core.parameters import Gradients, ParameterStore


@dataclass
class OptimizerState:
    """The step count and one array per moment and parameter group: ``moments["velocity"]["dense"]``."""

    step: int = 0
    moments: dict[str, dict[str, Array]] = field(default_factory=dict)


class Optimizer(Protocol):
    @property
    def moment_names(self) -> tuple[str, ...]: ...
    def update(self, values: Array, gradient: Array, moments: tuple[Array, ...], rate: float, step: int) -> None: ...


def start(optimizer: Optimizer, store: ParameterStore) -> OptimizerState:
    """Zero moments for every parameter."""
    groups = {"dense": store.dense, **store.tables}
    return OptimizerState(
        0, {moment: {name: np.zeros_like(a) for name, a in groups.items()} for moment in optimizer.moment_names}
    )


def apply(
    optimizer: Optimizer, store: ParameterStore, gradients: Gradients, state: OptimizerState, rate: float
) -> None:
    """One step down the gradient, in place, with learning rate ``rate``."""
    state.step += 1
    names = optimizer.moment_names
    dense_moments = tuple(state.moments[name]["dense"] for name in names)
    optimizer.update(store.dense, gradients.dense, dense_moments, rate, state.step)
    for table, gradient in gradients.tables.items():
        rows = gradient.rows
        values = store.tables[table][rows]
        moments = tuple(state.moments[name][table][rows] for name in names)
        optimizer.update(values, gradient.values, moments, rate, state.step)
        store.tables[table][rows] = values
        for name, moment in zip(names, moments, strict=True):
            state.moments[name][table][rows] = moment


@dataclass(frozen=True)
class SGD:
    """W ← W − η ∂L/∂W: the plain gradient descent of the notes."""

    moment_names = ()

    def update(self, values: Array, gradient: Array, moments: tuple[Array, ...], rate: float, step: int) -> None:
        values -= rate * gradient


@dataclass(frozen=True)
class Momentum:
    """v ← μ v + ∂L/∂W;  W ← W − η v (Polyak 1964, in Sutskever et al. 2013's form without their (1 − μ))."""

    momentum: float = 0.9
    moment_names = ("velocity",)

    def update(self, values: Array, gradient: Array, moments: tuple[Array, ...], rate: float, step: int) -> None:
        (velocity,) = moments
        velocity *= self.momentum
        velocity += gradient
        values -= rate * velocity


@dataclass(frozen=True)
class RMSprop:
    """s ← ρ s + (1 − ρ) g²;  W ← W − η g / (√s + ε) (Tieleman & Hinton 2012)."""

    decay: float = 0.99
    epsilon: float = 1e-8
    moment_names = ("square",)

    def update(self, values: Array, gradient: Array, moments: tuple[Array, ...], rate: float, step: int) -> None:
        (square,) = moments
        square *= self.decay
        square += (1 - self.decay) * gradient**2
        values -= rate * gradient / (np.sqrt(square) + self.epsilon)


@dataclass(frozen=True)
class Adam:
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


OPTIMIZERS: dict[str, Callable[..., Any]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": Adam,
}
