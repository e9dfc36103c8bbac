"""How answers come, worked by hand: one for the whole, or one at every timestep; and the way back from them."""

from __future__ import annotations

import numpy as np

from rnncli.inspection.by_hand.cells import Weight
from rnncli.inspection.by_hand.layers import Direction, Layer
from rnncli.inspection.by_hand.lines import (
    Term,
    added,
    beside,
    diagonal,
    exp,
    largest,
    log,
    sigmoid,
    total,
    which_is_largest,
)
from rnncli.inspection.by_hand.work import Task, Work
from rnncli.inspection.flow import Flow

# The factors of ∂L/∂z are worked out from 1 − ŷ, of which nothing is left to write where it is smaller than this.
NEAR_ONE = 1e-9


class OneAnswer(Work):
    """A label for the whole, by what is read out of the states: the last one, their mean, or the largest of each unit.

    What is read out is called p, for pooled, unless it is the last state itself.
    """

    def __init__(self, flow: Flow, task: Task) -> None:
        super().__init__(flow, task)
        self.binary = len(task.labels) == 2
        self.target = int(task.targets[0])
        self.readout = task.settings.readout
        self.both_ways = self.layers[-1].both_ways
        self.pools = self.readout != "last" or self.both_ways

    def _answer_equations(self) -> tuple[str, ...]:
        z = self.cell.logit
        read = "p" if self.pools else f"{self.state}_T"
        pooled = (f"p = {self._pooled_equation()}",) if self.pools else ()
        logit = self._logit_equation(z, read)
        if self.binary:
            return (*pooled, logit, f"ŷ = σ({z})", "L = −y·log(ŷ) − (1 − y)·log(1 − ŷ)")
        return (*pooled, logit, f"ŷ = exp({z})/sum(exp({z}))", "L = −y·log(ŷ)ᵀ")

    def _pooled_equation(self) -> str:
        if self.readout == "last":
            ends = zip(self.layers[-1].directions, ("T", "1"), strict=True)
            return f"[{', '.join(way.sheet.called(f'{way.cell.state}_{t}') for way, t in ends)}]"
        states = [f"{self.state}_{t}" for t in range(1, self.T + 1)]
        if self.readout == "max":
            return f"max({', '.join(states)})"
        return f"({' + '.join(states)})/T" if self.T > 1 else f"{states[0]}/T"

    def _give_targets(self) -> None:
        labels, s = self.task.labels, self.sheet
        if self.readout == "mean":
            s.given("T", np.array([[float(self.T)]]), "timesteps")
        if self.binary:
            s.given("y", np.array([[float(self.target)]]), f"1 for the label {labels[1]}, 0 for {labels[0]}")
        else:
            right = labels[self.target]
            s.given("y", np.eye(len(labels))[[self.target]], f"the label {right}, of {', '.join(labels)}")

    def _loss(self) -> None:
        if self.pools:
            self.sheet.section("What is read out")
            self._read_out()
        self._answer()
        self._back_to_the_logit()
        if self.pools:
            self.sheet.line("∂L/∂p", self._back_to_what_is_read_out("p"), "what is read out")

    def _read_out(self) -> None:
        s = self.sheet
        if self.readout == "last":
            ends = [way.sheet[f"{way.cell.state}_{way.cell.last}"] for way in self.layers[-1].directions]
            s.line("p", beside(ends), "the state that each direction ends with")
            return
        states = [s[f"{self.state}_{t}"] for t in range(1, self.T + 1)]
        if self.readout == "mean":
            s.line("p", added(states) / s["T"], "the mean of all timesteps")
            return
        s.line("p", largest(states), "the largest that each unit has at any timestep")
        s.line("j", which_is_largest(states), "the timestep that has it; the first of equal ones")

    def _answer(self) -> None:
        s, z = self.sheet, self.cell.logit
        s.section("Answer and loss")
        logit = self._logit(z, s[self._read], "the score" if self.binary else "the scores")
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

    @property
    def _read(self) -> str:
        """The name of what is read out."""
        return "p" if self.pools else f"{self.state}_{self.T}"

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

    def _back_to_what_is_read_out(self, name: str) -> Term:
        s, z = self.sheet, self.cell.logit
        through = s.line(f"∂{z}/∂{name}", s[f"W_{self.cell.output}"].T)
        return s[f"∂L/∂{z}"] @ through

    def _back_from_the_answer(self, t: int) -> Term | None:
        s, state = self.sheet, f"{self.state}_{t}"
        if self.readout == "mean":
            return s["∂L/∂p"] / s["T"]
        if self.readout == "max":
            through = s.line(f"∂p/∂{state}", s["j"].equals(t), "1 where this timestep has the largest, else 0")
            return s["∂L/∂p"] * through
        return self._back_to_what_is_read_out(state) if t == self.T and not self.both_ways else None

    def _here(self, t: int, layer: Layer, direction: Direction) -> Term | None:
        if self.readout == "last" and self.both_ways and layer is self.layers[-1]:
            return direction.own(self.sheet["∂L/∂p"]) if t == direction.cell.last else None
        return super()._here(t, layer, direction)

    def _output_gradient(self, weight: Weight) -> None:
        s, d = self.sheet, self.sheet[f"∂L/∂{self.cell.logit}"]
        s.line(f"∂L/∂{weight.name}", s[self._read].T @ d if weight.left else d)


class EveryAnswer(Work):
    """An answer at every timestep, one of K; the loss is their mean."""

    count = "T"  # letter of how many there are

    def _answer_equations(self) -> tuple[str, ...]:
        z = f"{self.cell.logit}_t"
        losses = " + ".join(f"L_{t}" for t in range(1, self.T + 1))
        of_all = f"L = ({losses})/{self.count}" if self.T > 1 else f"L = L_1/{self.count}"
        logit = self._logit_equation(z, f"{self._told}_t")
        return (logit, f"ŷ_t = exp({z})/sum(exp({z}))", "L_t = −y_t·log(ŷ_t)ᵀ", of_all)

    def _give_targets(self) -> None:
        labels, s = self.task.labels, self.sheet
        for t, target in enumerate(self.task.targets.tolist(), 1):
            s.given(f"y_{t}", np.eye(len(labels))[[target]], f"the right answer {labels[target]}")
        s.given(self.count, np.array([[float(self.T)]]), "timesteps")

    @property
    def _told(self) -> str:
        """Letter of what the output weights multiply."""
        return self.state

    def _answer_at(self, t: int) -> None:
        s = self.sheet
        odds = s.line(f"q_{t}", exp(self._logit(f"{self.cell.logit}_{t}", s[f"{self._told}_{t}"], "the scores")))
        answer = s.line(f"ŷ_{t}", odds / total(odds), f"the probability of each of {', '.join(self.task.labels)}")
        s.line(f"L_{t}", -(s[f"y_{t}"] @ log(answer).T), "the loss of this timestep")

    def _loss(self) -> None:
        s = self.sheet
        s.section("The loss")
        s.line("L", added([s[f"L_{t}"] for t in range(1, self.T + 1)]) / s[self.count], "the mean of all timesteps")

    def _back_from_the_answer(self, t: int) -> Term:
        s, answer, z = self.sheet, self.sheet[f"ŷ_{t}"], f"{self.cell.logit}_{t}"
        d = s.line(f"∂L/∂ŷ_{t}", -(s[f"y_{t}"] / answer / s[self.count]), "of the mean")
        through = s.line(f"∂ŷ_{t}/∂{z}", diagonal(answer) - answer.T @ answer)
        words = f"in all, the probability minus the right answer, over {self.count}"
        d_logit = s.line(f"∂L/∂{z}", d @ through, words)
        return d_logit @ s[f"W_{self.cell.output}"].T

    def _output_gradient(self, weight: Weight) -> None:
        s, every = self.sheet, range(1, self.T + 1)
        lefts = [s[f"{self._told}_{t}"] for t in every]
        self._terms(s, weight, lefts, [s[f"∂L/∂{self.cell.logit}_{t}"] for t in every])
