"""A tagger's example worked by hand: a stack above the words' features, and a tag at every timestep."""

from __future__ import annotations

from collections.abc import Sequence

from rnncli.inspection.by_hand.answers import EveryAnswer
from rnncli.inspection.by_hand.example import WorkedExample
from rnncli.inspection.by_hand.inputs import Inputs
from rnncli.inspection.by_hand.layers import Stack
from rnncli.inspection.by_hand.limits import LABELS, VOCABULARY, Size, size
from rnncli.inspection.by_hand.sheet import Sheet
from rnncli.inspection.flow import Flow
from rnncli.tasks.tag.model import TaggerModel


class TagExample(WorkedExample[TaggerModel]):
    notes = ("A word's views, the rows of six tables side by side, are taken as given; their gradient is in --bptt.",)

    @property
    def sizes(self) -> Sequence[Size]:
        widths = sum(self.model.network.widths)
        features = Size(widths, VOCABULARY, "number in a word's views", "numbers in a word's views")
        return [features, size(len(self.model.tags), LABELS, "tag")]

    def write(self, found: Flow, sheet: Sheet) -> EveryAnswer:
        inputs = Inputs(sheet, found.cells[0].x, "its views, side by side")
        stack = Stack(found, "encoder/", sheet, inputs)
        answers = EveryAnswer(stack, "output", self.model.tags, found.opened.batch.targets[0])
        answers.give(self.model.settings.lr, stack.begin)
        answers.forward()
        return answers
