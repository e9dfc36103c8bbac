"""The whole of one example as lines of arithmetic: forward, backward, and one step downhill.

What the work starts from, x, weights and the right answer, is what training's own code reads; each further line is
computed from lines above it; and loss and gradients are held against that code's in the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnncli.core.packed import Array
from rnncli.core.parameters import flatten
from rnncli.inspection.by_hand_cells import Cell, Weight, by_hand_cell
from rnncli.inspection.by_hand_lines import Term, Worksheet, added, diagonal, exp, log, sigmoid, total
from rnncli.inspection.flow import Flow
from rnncli.inspection.states import visible

if TYPE_CHECKING:
    from rnncli.config import Settings

# The factors of ∂L/∂z are worked out from 1 − ŷ, of which nothing is left to write where it is smaller than this.
NEAR_ONE = 1e-9


@dataclass(frozen=True, eq=False)
class Task:
    """What an example's task has to say of it.

    Attributes:
        settings: of the model.
        x: (T,) ids of one-hot rows, or (T, D) numbers.
        x_is: what a row of it is, in words.
        rows: a name for each id; empty for numbers.
        unknown: the id of what is unknown.
        embeds: whether x are ids of rows of an embedding.
        labels: a name for each answer.
        targets: the right answers' numbers: one, or one for each timestep; none of what only reads.
        layer: name of its recurrent layer.
        within: what the flat names of its embedding and its output weights begin with.
        source: whether it is what a decoder is told of.
    """

    settings: Settings
    x: Array
    x_is: str
    rows: tuple[str, ...]
    unknown: int | None
    embeds: bool
    labels: tuple[str, ...]
    targets: Array
    layer: str
    within: str = ""
    source: bool = False


class Work:
    """The lines of one example, in their order; how answers come is for those who inherit from it."""

    def __init__(self, flow: Flow, task: Task) -> None:
        self.flow, self.task = flow, task
        self.sheet = Worksheet()
        of_cell = flow.cell(task.layer)
        self.cell: Cell = by_hand_cell(of_cell.cell, of_cell.name)
        self.steps = of_cell.steps
        self.T = len(self.steps)
        self.values = dict(flatten(flow.opened.params))
        letter, every, begin = self.cell.output, slice(None), task.within
        self.of_output = [Weight(f"W_{letter}", f"{begin}output/weight", every, "past", "", "output weights")]
        if task.settings.bias:
            self.of_output.append(Weight(f"b_{letter}", f"{begin}output/bias", every, "", "", "output bias"))
        embedding = Weight("E", f"{begin}embedding/weight", every, "x", "", "embedding")
        self.of_embedding = [embedding] if task.embeds else []

    @property
    def weights(self) -> list[Weight]:
        return [*self.of_embedding, *self.cell.weights, *self.of_output]

    def equations(self) -> tuple[str, ...]:
        read = ("x_t = e_t·E",) if self.task.embeds else ()
        return (*read, *self.cell.equations, f"{self.cell.state}_0 = 0", *self._answer_equations(), "W ← W − η·∂L/∂W")

    def run(self) -> None:
        self.given()
        self.forward()
        self._loss()
        self.backward()
        self.gradients()
        self.sheet.section("One step of gradient descent")
        self.update()

    def forward(self) -> None:
        for t in range(1, self.T + 1):
            self.sheet.section(f"Forward, {self._timestep} {t}", token=self._token(t))
            if self.task.embeds:
                self.sheet.line(f"x_{t}", self.sheet[f"e_{t}"] @ self.sheet["E"], "its row of the embedding")
            self.cell.forward(self.sheet, t)
            self._answer_at(t)

    def backward(self, to_memory: Term | None = None) -> None:
        """Back through all timesteps; ``to_memory`` is what comes to an LSTM's last memory from elsewhere."""
        for t in range(self.T, 0, -1):
            self.sheet.section(f"Backward, {self._timestep} {t}", token=self._token(t))
            here = self._back_from_the_answer(t)
            if t < self.T:
                self.cell.from_next(self.sheet, t, here)
            elif here is not None:
                self.sheet.line(f"∂L/∂{self.cell.state}_{t}", here)
            self.cell.backward(self.sheet, t, t == self.T, to_memory)

    def update(self) -> None:
        s = self.sheet
        for weight in self.weights:
            name = weight.name
            s.update(name, s[name] - s["η"] @ s[f"∂L/∂{name}"], f"new {weight.label}", self._rows(weight))

    def residual(self) -> float:
        """The largest difference between what was worked out here and what training's code gives."""
        return max(abs(float(self.sheet["L"].value[0, 0]) - self.flow.loss), self.residual_of_weights())

    def residual_of_weights(self) -> float:
        found = []
        for weight in self.weights:
            own = self.sheet[f"∂L/∂{weight.name}"].value
            found.append(float(np.abs(own - self.flow.gradients[weight.parameter][..., weight.columns]).max()))
        return max(found)

    def _answer_equations(self) -> tuple[str, ...]:
        raise NotImplementedError

    def _give_targets(self) -> None:
        """The right answers, among what is given."""
        raise NotImplementedError

    def _answer_at(self, t: int) -> None:
        """What is answered at a timestep, forward."""

    def _loss(self) -> None:
        """The loss, and back from it as far as it goes without a timestep."""
        raise NotImplementedError

    def _back_from_the_answer(self, t: int) -> Term | None:
        """∂L/∂ the state of t by what is answered from it; None where nothing is."""
        raise NotImplementedError

    def _output_gradient(self, weight: Weight) -> None:
        raise NotImplementedError

    @property
    def _timestep(self) -> str:
        return "source timestep" if self.task.source else "timestep"

    def _token(self, t: int) -> str:
        return visible(self.steps[t - 1])

    def _rows(self, weight: Weight) -> tuple[str, ...]:
        """A token for each row of what one-hot rows are multiplied by."""
        first = weight.name == "E" if self.task.embeds else weight.left == "x"
        return self.task.rows if first else ()

    def given(self) -> None:
        s, task = self.sheet, self.task
        s.section("What is given" + (" of the source" if task.source else ""))
        ids = task.x.ndim == 1
        x: Array = np.eye(len(task.rows))[task.x] if ids else task.x
        for t in range(1, self.T + 1):
            unknown = ", which is unknown" if ids and task.x[t - 1] == task.unknown else ""
            name = f"{'e' if task.embeds else 'x'}_{t}"
            s.given(name, x[t - 1 : t], f"{self._token(t)}{unknown}: {task.x_is}")
        self._begin()
        for weight in self.weights:
            value = np.atleast_2d(self.values[weight.parameter][..., weight.columns])
            s.given(weight.name, value, weight.label, self._rows(weight))
        if not task.source:  # a decoder gives it for both
            s.given("η", np.array([[task.settings.lr]]), "learning rate")
        self._give_targets()

    def _begin(self) -> None:
        """The state before the first timestep, where it is given."""
        self.cell.begin(self.sheet)

    def _logit(self, name: str, t: int, words: str) -> Term:
        s, letter = self.sheet, self.cell.output
        return s.line(name, s.plus(s[f"{self.cell.state}_{t}"] @ s[f"W_{letter}"], f"b_{letter}"), words)

    def _logit_equation(self, logit: str, t: str) -> str:
        letter = self.cell.output
        return f"{logit} = {self.cell.state}_{t}·W_{letter}" + (f" + b_{letter}" if self.task.settings.bias else "")

    def gradients(self) -> None:
        """Of a matrix that serves every timestep, one term for each, and their sum."""
        s, every = self.sheet, range(1, self.T + 1)
        for weight in (*self.of_embedding, *self.cell.weights, *self.of_output):
            s.section("Gradient of the " + weight.label, symbol=f"∂L/∂{weight.name}")
            if weight in self.of_output:
                self._output_gradient(weight)
            elif weight in self.of_embedding:
                self._terms(weight, [s.line(f"∂L/∂x_{t}", self.cell.to_input(s, t)) for t in every])
            else:
                self._terms(weight, [s[f"∂L/∂{weight.sums}_{t}"] for t in every])

    def _terms(self, weight: Weight, rights: list[Term]) -> None:
        """A weight's gradient as a sum over all timesteps, of whose sums the gradients are ``rights``."""
        s, name, rows, every = self.sheet, f"∂L/∂{weight.name}", self._rows(weight), range(1, self.T + 1)
        if not weight.left:
            s.line(name, added(rights), "a term for each timestep, and their sum")
            return
        lefts = [s[self._multiplied(weight, t)] for t in every]
        terms = [
            s.line(f"{name}({t})", left.T @ right, f"by timestep {t}", rows)
            for t, left, right in zip(every, lefts, rights, strict=True)
        ]
        s.line(name, added(terms), "their sum", rows)

    def _multiplied(self, weight: Weight, t: int) -> str:
        if weight in self.of_output:
            return f"{self.cell.state}_{t}"
        if weight.left == "past":
            return f"{self.cell.state}_{t - 1}"
        return f"{'e' if weight in self.of_embedding else 'x'}_{t}"


class OneAnswer(Work):
    """A label for the whole, by the last output."""

    def __init__(self, flow: Flow, task: Task) -> None:
        super().__init__(flow, task)
        self.binary = len(task.labels) == 2
        self.target = int(task.targets[0])

    def _answer_equations(self) -> tuple[str, ...]:
        z = self.cell.logit
        if self.binary:
            return (self._logit_equation(z, "T"), f"ŷ = σ({z})", "L = −y·log(ŷ) − (1 − y)·log(1 − ŷ)")
        return (self._logit_equation(z, "T"), f"ŷ = exp({z})/sum(exp({z}))", "L = −y·log(ŷ)ᵀ")

    def _give_targets(self) -> None:
        labels, s = self.task.labels, self.sheet
        if self.binary:
            s.given("y", np.array([[float(self.target)]]), f"1 for the label {labels[1]}, 0 for {labels[0]}")
        else:
            right = labels[self.target]
            s.given("y", np.eye(len(labels))[[self.target]], f"the label {right}, of {', '.join(labels)}")

    def _loss(self) -> None:
        self._answer()
        self._back_to_the_logit()

    def _answer(self) -> None:
        s, z = self.sheet, self.cell.logit
        s.section("Answer and loss")
        logit = self._logit(z, self.T, "the score" if self.binary else "the scores")
        y = s["y"]
        if not self.binary:
            odds = s.line("q", exp(logit))
            answer = s.line("ŷ", odds / total(odds), "the probability of each label")
            s.line("L", -(y @ log(answer).T), "the loss")
            return
        answer = s.line("ŷ", sigmoid(logit), f"the probability of {self.task.labels[1]}")
        if self._is_near_one():
            s.line(
                "L",
                log(1 + exp(-logit if self.target else logit)),
                "the loss, by the score: the probability is too near 1",
            )
        else:
            s.line("L", -(y @ log(answer)) - (1 - y) @ log(1 - answer), "the loss")

    def _is_near_one(self) -> bool:
        return self.binary and 1 - self.sheet["ŷ"].value.item() < NEAR_ONE

    def _back_to_the_logit(self) -> None:
        s, z, y, answer = self.sheet, self.cell.logit, self.sheet["y"], self.sheet["ŷ"]
        s.section("Backward, from the loss to the " + ("score" if self.binary else "scores"))
        if self._is_near_one():
            s.line(f"∂L/∂{z}", answer - y, "both factors in one: the probability is too near 1")
            return
        if self.binary:
            d = s.line("∂L/∂ŷ", -(y / answer) + (1 - y) / (1 - answer))
            through = s.line(f"∂ŷ/∂{z}", answer @ (1 - answer), "the slope of the sigmoid")
        else:
            d = s.line("∂L/∂ŷ", -(y / answer))
            through = s.line(f"∂ŷ/∂{z}", diagonal(answer) - answer.T @ answer)
        s.line(f"∂L/∂{z}", d @ through, "in all, the probability minus the right answer")

    def _back_from_the_answer(self, t: int) -> Term | None:
        if t < self.T:
            return None
        s, z = self.sheet, self.cell.logit
        through = s.line(f"∂{z}/∂{self.cell.state}_{t}", s[f"W_{self.cell.output}"].T)
        return s[f"∂L/∂{z}"] @ through

    def _output_gradient(self, weight: Weight) -> None:
        s, d = self.sheet, self.sheet[f"∂L/∂{self.cell.logit}"]
        s.line(f"∂L/∂{weight.name}", s[f"{self.cell.state}_{self.T}"].T @ d if weight.left else d)


class EveryAnswer(Work):
    """An answer at every timestep, one of K; the loss is their mean."""

    def _answer_equations(self) -> tuple[str, ...]:
        z = f"{self.cell.logit}_t"
        losses = " + ".join(f"L_{t}" for t in range(1, self.T + 1))
        of_all = f"L = ({losses})/T" if self.T > 1 else "L = L_1/T"
        return (self._logit_equation(z, "t"), f"ŷ_t = exp({z})/sum(exp({z}))", "L_t = −y_t·log(ŷ_t)ᵀ", of_all)

    def _give_targets(self) -> None:
        labels, s = self.task.labels, self.sheet
        for t, target in enumerate(self.task.targets.tolist(), 1):
            s.given(f"y_{t}", np.eye(len(labels))[[target]], f"the right answer {labels[target]}")
        s.given("T", np.array([[float(self.T)]]), "timesteps")

    def _answer_at(self, t: int) -> None:
        s = self.sheet
        odds = s.line(f"q_{t}", exp(self._logit(f"{self.cell.logit}_{t}", t, "the scores")))
        answer = s.line(f"ŷ_{t}", odds / total(odds), f"the probability of each of {', '.join(self.task.labels)}")
        s.line(f"L_{t}", -(s[f"y_{t}"] @ log(answer).T), "the loss of this timestep")

    def _loss(self) -> None:
        s = self.sheet
        s.section("The loss")
        s.line("L", added([s[f"L_{t}"] for t in range(1, self.T + 1)]) / s["T"], "the mean of all timesteps")

    def _back_from_the_answer(self, t: int) -> Term:
        s, answer, z = self.sheet, self.sheet[f"ŷ_{t}"], f"{self.cell.logit}_{t}"
        d = s.line(f"∂L/∂ŷ_{t}", -(s[f"y_{t}"] / answer / s["T"]), "of the mean")
        through = s.line(f"∂ŷ_{t}/∂{z}", diagonal(answer) - answer.T @ answer)
        d_logit = s.line(f"∂L/∂{z}", d @ through, "in all, the probability minus the right answer, over T")
        return d_logit @ s[f"W_{self.cell.output}"].T

    def _output_gradient(self, weight: Weight) -> None:
        self._terms(weight, [self.sheet[f"∂L/∂{self.cell.logit}_{t}"] for t in range(1, self.T + 1)])
