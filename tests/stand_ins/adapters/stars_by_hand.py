"""An example of a sixth task worked by hand: the mean of the states, a number of it, and how far off that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from stand_ins.tasks.stars.model import StarsModel

from rnncli.core.packed import Array
from rnncli.inspection.by_hand.answers import Answers
from rnncli.inspection.by_hand.example import ONE_HOT, WorkedExample, names_of
from rnncli.inspection.by_hand.layers import Inputs, Stack
from rnncli.inspection.by_hand.limits import Size
from rnncli.inspection.by_hand.tape import Place, Sheet
from rnncli.inspection.by_hand.terms import added
from rnncli.inspection.flow import Flow


class OneNumber(Answers):
    def __init__(self, stack: Stack, target: Array) -> None:
        super().__init__(stack, "number", (f"{target.item():g}",), np.array([0]))
        self._target = target

    def _give_targets(self) -> None:
        self.sheet.given("T", np.array([[float(self.T)]]), "timesteps")
        self.sheet.given("y", self._target[None], "the right number")

    def _loss(self) -> None:
        s = self.sheet
        s.section("Answer and loss", place=Place(s.block("Backward, from the loss to the mean"), self.stack.readers))
        states = [s[f"{self.stack.state}_{t}"] for t in range(1, self.T + 1)]
        mean = s.line("p", added(states) / s["T"], "the mean of all timesteps", "the read-out")
        answer = s.line("ŷ", self._logit(mean), "the number")
        off = s.line("e", answer - s["y"], "how far off it is")
        s.line("L", off @ off, "the loss", passes=True)


class StarsExample(WorkedExample[StarsModel]):
    @property
    def sizes(self) -> Sequence[Size]:
        return [self.embedding]

    def write(self, found: Flow, sheet: Sheet) -> OneNumber:
        vocabulary, batch = self.model.vocabulary, found.opened.batch
        names = names_of(vocabulary)
        inputs = Inputs(sheet, batch.inputs[0], ONE_HOT, names, vocabulary.unknown, "embedding/weight")
        stack = Stack(found, "reader/", sheet, inputs)
        answer = OneNumber(stack, batch.targets)
        answer.give(self.model.settings.lr, stack.begin)
        return answer
