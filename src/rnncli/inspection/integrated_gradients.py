"""Integrated gradients: how much of a score's difference each part of an input makes, along a straight path to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np

from rnncli.core.gradients import as_dense
from rnncli.core.optim.parameters import flatten, nest
from rnncli.core.packed import Array, Params

GAP = 0.01  # share of the score's difference that the integral may miss
STRETCHES, NODES = 8, 2  # of the path at first, and points on each of them at which gradients are taken
MOST_STEPS = 1_024
BUDGET = 20_000  # timesteps of all steps together, after which the integral has not converged
AT_ONCE = 1_500_000  # numbers of the inputs that go through the network together

N = TypeVar("N")  # a network


@dataclass(frozen=True, eq=False)
class GradientPath:
    """The straight path through a network's inputs from the baseline, with every part replaced, to the input itself.

    Attributes:
        input, baseline: (parts, D) its ends, as the numbers that the recurrent layers read.
        scores: (n, parts, D) inputs → (n,) F.
        gradients: (n, parts, D) inputs → ∂F/∂x of the same shape.
    """

    input: Array
    baseline: Array
    scores: Callable[[Array], Array]
    gradients: Callable[[Array], Array]

    def at(self, alphas: Array) -> Array:
        """(n, parts, D) the inputs baseline + α (input − baseline)."""
        return np.asarray(self.baseline + alphas[:, None, None] * (self.input - self.baseline))


@dataclass(frozen=True, eq=False)
class Integral:
    """Integrated gradients.

    Attributes:
        values: (parts,), which add up to the score's difference but for ``gap``.
        steps: gradients that were taken along the path.
        gap: what the sum misses of the difference, as a share of it.
    """

    values: Array
    steps: int
    gap: float


class _Stretch(NamedTuple):
    """A piece of the path, its part of the integral, and what that misses of the difference of its ends' scores."""

    begin: float
    end: float
    values: Array
    missing: float


def integrate(path: GradientPath, difference: float) -> Integral:
    """(parts,) ∫ ∂F/∂x · (x − b) dα along x(α) = b + α (x − b), b the baseline (Sundararajan et al. 2017).

    Uses Gauss and Legendre's rule on stretches of the path. The scores of its ends say how much the rule misses on
    each; those that miss most are halved until the sum is right to within 1%: a score often turns within a small part
    of the path, and a maximum over time has a kink wherever another timestep takes over.

    Args:
        difference: F(input) − F(baseline).
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)  # on −1 to 1
    length = len(path.input)
    most = max(STRETCHES * NODES, min(MOST_STEPS, BUDGET // length))
    at_once = max(1, AT_ONCE // path.input.size)
    known: dict[float, float] = {}

    def in_turns(of: Callable[[Array], Array], alphas: Array) -> Array:
        turns = range(0, len(alphas), at_once)
        return np.concatenate([of(path.at(alphas[first : first + at_once])) for first in turns])

    def measured(ends: Sequence[tuple[float, float]]) -> list[_Stretch]:
        unknown = [alpha for alpha in dict.fromkeys(alpha for pair in ends for alpha in pair) if alpha not in known]
        known.update(zip(unknown, in_turns(path.scores, np.array(unknown)).tolist(), strict=True))
        alphas = np.concatenate([begin + (end - begin) * (nodes + 1) / 2 for begin, end in ends])
        away = path.input - path.baseline
        along = in_turns(lambda x: (path.gradients(x) * away).sum(axis=2), alphas).reshape(len(ends), NODES, length)
        found = []
        for (begin, end), values in zip(ends, along, strict=True):
            part = (end - begin) / 2 * (weights @ values)
            found.append(_Stretch(begin, end, part, known[end] - known[begin] - float(part.sum())))
        return found

    stretches: list[_Stretch] = []
    ends, steps = list(pairwise(np.linspace(0, 1, STRETCHES + 1).tolist())), 0
    while True:
        stretches += measured(ends)
        steps += NODES * len(ends)
        values = np.sum([one.values for one in stretches], axis=0)
        gap = abs(float(values.sum()) - difference) / max(abs(difference), 1e-12)
        if gap < GAP or steps >= most:
            return Integral(values, steps, gap)
        stretches.sort(key=lambda one: -abs(one.missing))
        count = max(2, len(stretches) // 4)
        worst, stretches = stretches[:count], stretches[count:]
        middles = [(one.begin + one.end) / 2 for one in worst]
        ends = [(one.begin, middle) for one, middle in zip(worst, middles, strict=True)]
        ends += [(middle, one.end) for one, middle in zip(worst, middles, strict=True)]


def through_tables(
    params: Params,
    tables: Mapping[str, tuple[Array, Array]],
    widened: Callable[[int], N],
    scores: Callable[[N, Params, list[Array]], Array],
    gradients: Callable[[N, Params, list[Array]], Params],
) -> GradientPath:
    """The path of a network that looks its timesteps up in tables: an embedding, or the weights of one-hot rows.

    Every timestep of every input on the path gets a row of its own, so that training's own gradient of a table is that
    of the inputs, row for row.

    Args:
        tables: flat name of a table → (T,) the rows that the input reads of it, and those that the baseline reads.
        widened: the network with so many rows in its tables.
        scores: that network, its parameters, and (T,) the rows that each of n inputs reads → (n,) F.
        gradients: of the same → the gradient of the sum of these F.
    """
    flat = dict(flatten(params))
    input, baseline = (np.concatenate([flat[name][rows[k]] for name, rows in tables.items()], axis=1) for k in (0, 1))
    ends = np.cumsum([flat[name].shape[1] for name in tables])[:-1]

    def filled(x: Array) -> tuple[N, Params, list[Array]]:
        parts = map(np.ascontiguousarray, np.split(x.reshape(-1, x.shape[-1]), ends, axis=1))
        rows = np.arange(x.shape[0] * x.shape[1])
        return widened(len(rows)), nest(flat | dict(zip(tables, parts, strict=True))), list(rows.reshape(x.shape[:2]))

    def at_tables(x: Array) -> Array:
        found = dict(flatten(gradients(*filled(x))))
        return np.concatenate([as_dense(found[name]) for name in tables], axis=1).reshape(x.shape)

    return GradientPath(input, baseline, lambda x: scores(*filled(x)), at_tables)


def through_loss(
    params: Params,
    tables: Mapping[str, tuple[Array, Array]],
    widened: Callable[[int], Any],
    examples: Callable[[list[Array]], Any],
) -> GradientPath:
    """The same where F is the log probability of the whole answer: training's loss and its gradient, with other signs.

    Args:
        examples: (T,) the rows that each of n inputs reads → these inputs with their answers.
    """

    def scores(network: Any, own: Params, rows: list[Array]) -> Array:
        return np.asarray(network.log_probabilities(own, examples(rows)))

    def gradients(network: Any, own: Params, rows: list[Array]) -> Params:
        batch = examples(rows)
        found: Params = network.loss_and_gradients(own, batch, share=-batch.weight)[1]
        return found

    return through_tables(params, tables, widened, scores, gradients)
