"""The whole of one example as lines of arithmetic: forward, backward, and one step downhill.

What the work starts from, x, weights and the right answer, is what training's own code reads; each further line is
computed from lines above it; and loss and gradients are held against that code's in the end.
"""

from __future__ import annotations

import numpy as np

from rnncli.core.packed import Array
from rnncli.core.parameters import flatten
from rnncli.inspection.by_hand_cells import Cell, Weight, by_hand_cell
from rnncli.inspection.by_hand_lines import Worksheet, added, diagonal, exp, log, sigmoid, total
from rnncli.inspection.flow import Flow
from rnncli.inspection.states import visible
from rnncli.tasks.classify import ClassifierModel
from rnncli.tasks.inputs import TextInput

# The factors of ∂L/∂z are worked out from 1 − ŷ, of which nothing is left to write where it is smaller than this.
NEAR_ONE = 1e-9


class Work:
    """The lines of one example, in their order."""

    def __init__(self, model: ClassifierModel, flow: Flow) -> None:
        self.flow, self.model = flow, model
        self.sheet = Worksheet()
        (of_cell,) = flow.cells
        self.cell: Cell = by_hand_cell(of_cell.cell)
        self.steps = of_cell.steps
        self.T = len(self.steps)
        self.target = int(flow.opened.batch.targets[0])
        self.binary = len(model.labels) == 2
        self.embeds = flow.opened.network.embedding is not None
        self.values = dict(flatten(flow.opened.params))
        self.tokens: tuple[str, ...] = ()
        self.unknown: int | None = None
        if isinstance(model.input, TextInput):
            vocabulary = model.input.vocabulary
            self.unknown = vocabulary.unknown
            self.tokens = tuple(visible(vocabulary.token(number)) for number in range(vocabulary.size))
        letter, every = self.cell.output, slice(None)
        self.of_output = [Weight(f"W_{letter}", "output/weight", every, "past", "", "output weights")]
        if model.settings.bias:
            self.of_output.append(Weight(f"b_{letter}", "output/bias", every, "", "", "output bias"))
        self.of_embedding = [Weight("E", "embedding/weight", every, "x", "", "embedding")] if self.embeds else []

    @property
    def weights(self) -> list[Weight]:
        return [*self.of_embedding, *self.cell.weights, *self.of_output]

    def equations(self) -> tuple[str, ...]:
        z, letter = self.cell.logit, self.cell.output
        logit = f"{z} = {self.cell.state}_T·W_{letter}" + (f" + b_{letter}" if self.model.settings.bias else "")
        answer = (
            (f"ŷ = σ({z})", "L = −y·log(ŷ) − (1 − y)·log(1 − ŷ)")
            if self.binary
            else (f"ŷ = exp({z})/sum(exp({z}))", "L = −y·log(ŷ)ᵀ")
        )
        read = ("x_t = e_t·E",) if self.embeds else ()
        return (*read, *self.cell.equations, f"{self.cell.state}_0 = 0", logit, *answer, "W ← W − η·∂L/∂W")

    def run(self) -> None:
        self._given()
        for t in range(1, self.T + 1):
            self.sheet.section(f"Forward, timestep {t}", token=self._token(t))
            if self.embeds:
                self.sheet.line(f"x_{t}", self.sheet[f"e_{t}"] @ self.sheet["E"], "its row of the embedding")
            self.cell.forward(self.sheet, t)
        self._answer()
        self._back_to_the_logit()
        for t in range(self.T, 0, -1):
            self.sheet.section(f"Backward, timestep {t}", token=self._token(t))
            if t < self.T:
                self.cell.from_next(self.sheet, t)
            else:
                self._back_to_the_last_state()
            self.cell.backward(self.sheet, t, t == self.T)
        self._gradients()
        self.sheet.section("One step of gradient descent")
        for weight in self.weights:
            s, name = self.sheet, weight.name
            s.update(name, s[name] - s["η"] @ s[f"∂L/∂{name}"], f"new {weight.label}", self._rows(weight))

    def residual(self) -> float:
        """The largest difference between what was worked out here and what training's code gives."""
        found = [abs(float(self.sheet["L"].value[0, 0]) - self.flow.loss)]
        for weight in self.weights:
            own = self.sheet[f"∂L/∂{weight.name}"].value
            found.append(float(np.abs(own - self.flow.gradients[weight.parameter][..., weight.columns]).max()))
        return max(found)

    def _token(self, t: int) -> str:
        return visible(self.steps[t - 1])

    def _rows(self, weight: Weight) -> tuple[str, ...]:
        """A token for each row of what one-hot rows are multiplied by."""
        first = weight.name == "E" if self.embeds else weight.left == "x"
        return self.tokens if first else ()

    def _given(self) -> None:
        s, inputs = self.sheet, self.flow.opened.batch.inputs[0]
        s.section("What is given")
        x: Array = np.eye(self.model.input.size)[inputs] if inputs.ndim == 1 else inputs
        words = "its one-hot row" if inputs.ndim == 1 else "its numbers, standardised"
        for t in range(1, self.T + 1):
            unknown = ", which is unknown" if inputs.ndim == 1 and inputs[t - 1] == self.unknown else ""
            label = f"{self._token(t)}{unknown}: {words}"
            s.given(f"{'e' if self.embeds else 'x'}_{t}", x[t - 1 : t], label)
        self.cell.begin(s)
        for weight in self.weights:
            value = np.atleast_2d(self.values[weight.parameter][..., weight.columns])
            s.given(weight.name, value, weight.label, self._rows(weight))
        labels, right = self.model.labels, self.model.labels[self.target]
        if self.binary:
            s.given("y", np.array([[float(self.target)]]), f"1 for the label {labels[1]}, 0 for {labels[0]}")
        else:
            s.given("y", np.eye(len(labels))[[self.target]], f"the label {right}, of {', '.join(labels)}")
        s.given("η", np.array([[self.model.settings.lr]]), "learning rate")

    def _answer(self) -> None:
        s, z, letter = self.sheet, self.cell.logit, self.cell.output
        s.section("Answer and loss")
        last = s[f"{self.cell.state}_{self.T}"]
        logit = s.line(z, s.plus(last @ s[f"W_{letter}"], f"b_{letter}"), "the score" if self.binary else "the scores")
        y = s["y"]
        if not self.binary:
            odds = s.line("q", exp(logit))
            answer = s.line("ŷ", odds / total(odds), "the probability of each label")
            s.line("L", -(y @ log(answer).T), "the loss")
            return
        answer = s.line("ŷ", sigmoid(logit), f"the probability of {self.model.labels[1]}")
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

    def _back_to_the_last_state(self) -> None:
        s, z, state = self.sheet, self.cell.logit, f"{self.cell.state}_{self.T}"
        through = s.line(f"∂{z}/∂{state}", s[f"W_{self.cell.output}"].T)
        s.line(f"∂L/∂{state}", s[f"∂L/∂{z}"] @ through)

    def _gradients(self) -> None:
        """Of a matrix that serves every timestep, one term for each, and their sum."""
        s, every = self.sheet, range(1, self.T + 1)
        for weight in self.weights:
            s.section("Gradient of the " + weight.label, symbol=f"∂L/∂{weight.name}")
            name, rows = f"∂L/∂{weight.name}", self._rows(weight)
            if weight in self.of_output:
                d = s[f"∂L/∂{self.cell.logit}"]
                s.line(name, s[f"{self.cell.state}_{self.T}"].T @ d if weight.left else d)
                continue
            if weight in self.of_embedding:
                rights = [s.line(f"∂L/∂x_{t}", self.cell.to_input(s, t)) for t in every]
            else:
                rights = [s[f"∂L/∂{weight.sums}_{t}"] for t in every]
            if weight.left:
                lefts = [s[self._multiplied(weight, t)] for t in every]
                terms = [
                    s.line(f"{name}({t})", left.T @ right, f"by timestep {t}", rows)
                    for t, left, right in zip(every, lefts, rights, strict=True)
                ]
                s.line(name, added(terms), "their sum", rows)
            else:
                s.line(name, added(rights), "a term for each timestep, and their sum")

    def _multiplied(self, weight: Weight, t: int) -> str:
        if weight.left == "past":
            return f"{self.cell.state}_{t - 1}"
        return f"{'e' if weight in self.of_embedding else 'x'}_{t}"
