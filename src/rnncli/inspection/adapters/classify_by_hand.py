"""A classifier's example worked by hand: a stack, what is read out of it, and one answer."""

from __future__ import annotations

from collections.abc import Sequence

from rnncli.inspection.by_hand.answers import OneAnswer
from rnncli.inspection.by_hand.example import ONE_HOT, WorkedExample, names_of
from rnncli.inspection.by_hand.inputs import Inputs
from rnncli.inspection.by_hand.layers import Stack
from rnncli.inspection.by_hand.limits import LABELS, VOCABULARY, Size, size
from rnncli.inspection.by_hand.sheet import Sheet
from rnncli.inspection.flow import Flow
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.inputs import NumberInput


class ClassifyExample(WorkedExample[ClassifierModel]):
    @property
    def sizes(self) -> Sequence[Size]:
        model, labels = self.model, size(len(self.model.labels), LABELS, "label")
        if isinstance(model.input, NumberInput):
            return [Size(model.input.size, VOCABULARY, "number a timestep", "numbers a timestep"), labels]
        sizes = [labels, self.vocabulary(model.input.size, "in the vocabulary, <unk>")]
        return [*sizes, self.embedding] if model.settings.input == "embedding" else sizes

    def write(self, found: Flow, sheet: Sheet) -> OneAnswer:
        model, settings, batch = self.model, self.model.settings, found.opened.batch
        if isinstance(model.input, NumberInput):
            inputs = Inputs(sheet, batch.inputs[0], "its numbers, standardised")
        else:
            embedding, vocabulary = "embedding/weight" * (settings.input == "embedding"), model.input.vocabulary
            inputs = Inputs(sheet, batch.inputs[0], ONE_HOT, names_of(vocabulary), vocabulary.unknown, embedding)
        stack = Stack(found, "encoder/", sheet, inputs)
        answer = OneAnswer(stack, "output", model.labels, batch.targets, settings.readout)
        answer.give(settings.lr, stack.begin)
        answer.forward()
        return answer
