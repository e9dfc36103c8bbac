"""The gradient that training uses, held against differences of the loss, on the user's own model and input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.core.gradient_check import difference
from rnncli.core.gradients import as_dense
from rnncli.core.optim.parameters import flatten
from rnncli.inspection.loss import Loss, Opened
from rnncli.results import Column, TableCell, TableView

STEP = 1e-5  # ε of (L(v + ε) − L(v − ε)) / 2ε; its error is about ε², and what rounding adds 1e-16 · L / ε
# Two numbers agree if they differ by no more than this share of the larger, plus what differences cannot resolve.
RELATIVE, ABSOLUTE = 1e-5, 1e-9
ENTRIES = 24  # compared of each parameter, half of them those with the largest gradient
BUDGET = 7_000  # timesteps of all differences together, so that a long text takes a second: it has fewer entries
LEAST = 2  # entries: the largest, and another one


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One parameter.

    Attributes:
        entries: how many were compared, of ``size``.
        worst: the entry that differs most for its size: ``lstm/0/forward/weight_hh[12,3]``.
        analytic, numeric: the gradient there, by backpropagation and by differences.
        excess: the difference of the two over the allowed one; above 1 the check fails.
    """

    parameter: str
    entries: int
    size: int
    worst: str
    analytic: float
    numeric: float
    excess: float


@dataclass(frozen=True)
class GradientCheck:
    """All parameters of a model on one example."""

    loss: Loss
    parameters: tuple[Checked, ...]

    @property
    def worst(self) -> Checked:
        return max(self.parameters, key=lambda one: one.excess)

    @property
    def passed(self) -> bool:
        return all(one.excess <= 1 for one in self.parameters)

    @property
    def sentence(self) -> str:
        entries, worst = sum(one.entries for one in self.parameters), self.worst
        apart = f"{worst.worst}: {worst.analytic:.10g} by backpropagation, {worst.numeric:.10g} by differences"
        return (
            f"All {entries:,} entries agree; the worst is {apart}" if self.passed else f"The gradient is wrong: {apart}"
        )

    @property
    def document(self) -> dict[str, Any]:
        """For JSON."""
        loss = self.loss
        found = {"answer": loss.answer, "loss": loss.nats, "parameters": self.parameters}
        found |= {"label_from": loss.origin, "label_remark": loss.remark}
        return {"passed": self.passed, "worst": self.worst, "check": found}

    def view(self) -> TableView:
        rows: list[tuple[TableCell, ...]] = [
            (p.worst, p.entries, p.analytic, p.numeric, abs(p.analytic - p.numeric)) for p in self.parameters
        ]
        numbers = (Column(name, True) for name in ("of n", "analytic", "numeric", "apart"))
        title = f"Gradients against differences, float64; the loss is {self.loss}"
        caption = f"{self.sentence}; of n entries of each parameter, the largest among them, the row is the worst"
        return TableView(title, (Column("entry"), *numbers), tuple(rows), caption)


def check_gradients(opened: Opened, entries: int | None = ENTRIES, seed: int = 0) -> GradientCheck:
    """Compares entries of every parameter's gradient with differences of the loss.

    Args:
        entries: of each parameter at most, fewer for a long input; None for all.
        seed: of the random choice of the entries that are not the largest.
    """
    network, params, batch = opened.network, opened.params, opened.batch
    loss, grads = network.loss_and_gradients(params, batch)
    analytic = {name: as_dense(gradient) for name, gradient in flatten(grads)}
    if entries is not None:
        differences = 2 * int(batch.lengths.sum()) * len(analytic)
        entries = max(LEAST, min(entries, BUDGET // differences))
    rng = np.random.default_rng(seed)
    loss_now = _loss_of(opened, float(loss))
    found = []
    for name, value in flatten(params):
        flat, gradient = value.reshape(-1), analytic[name].reshape(-1)
        if entries is None or flat.size <= entries:
            chosen = np.arange(flat.size)
        else:
            largest = np.argpartition(-np.abs(gradient), entries // 2)[: entries // 2]
            drawn = rng.choice(flat.size, entries, replace=False)
            others = drawn[~np.isin(drawn, largest)][: entries - len(largest)]
            chosen = np.concatenate((largest, others))
        by_differences = np.array([difference(loss_now, flat, entry, STEP) for entry in chosen.tolist()])
        largest_of_both = np.maximum(np.abs(gradient[chosen]), np.abs(by_differences))
        excess = np.abs(gradient[chosen] - by_differences) / (RELATIVE * largest_of_both + ABSOLUTE)
        worst = int(np.argmax(excess))
        position = ",".join(map(str, np.unravel_index(int(chosen[worst]), value.shape)))
        found.append(
            Checked(
                parameter=name,
                entries=len(chosen),
                size=flat.size,
                worst=f"{name}[{position}]",
                analytic=float(gradient[chosen[worst]]),
                numeric=float(by_differences[worst]),
                excess=float(excess[worst]),
            )
        )
    return GradientCheck(opened.loss(float(loss)), tuple(found))


def _loss_of(opened: Opened, loss: float) -> Callable[[], float]:
    """The loss of the present parameters, by a forward pass alone if that gives the same as training's ``loss``."""

    def forwards() -> float:
        sums = opened.network.metric_sums(opened.params, opened.batch)
        return float(sums.losses / sums.counted)

    def whole() -> float:
        return float(opened.network.loss_and_gradients(opened.params, opened.batch)[0])

    return forwards if abs(forwards() - loss) <= 1e-12 * max(1.0, abs(loss)) else whole
