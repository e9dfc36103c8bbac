"""A language model's example worked by hand: a stack that reads forwards, and the next token at every timestep."""

from __future__ import annotations

from collections.abc import Sequence

from rnncli.inspection.by_hand.answers import EveryAnswer
from rnncli.inspection.by_hand.example import ONE_HOT, WorkedExample, names_of
from rnncli.inspection.by_hand.inputs import Inputs
from rnncli.inspection.by_hand.layers import Stack
from rnncli.inspection.by_hand.limits import TIMESTEPS, Size
from rnncli.inspection.by_hand.sheet import Sheet
from rnncli.inspection.flow import Flow
from rnncli.tasks.language_model.model import LanguageModel
from rnncli.tasks.language_model.tokens import beginning


class LanguageModelExample(WorkedExample[LanguageModel]):
    @property
    def text(self) -> str:
        """The beginning of the model's example, which is as long as any text, and may end anywhere."""
        return beginning(self.model.example, self.model.unit, TIMESTEPS + 1)

    @property
    def sizes(self) -> Sequence[Size]:
        vocabulary = self.vocabulary(self.model.vocabulary.size, "in the vocabulary, <unk>")
        return [vocabulary, self.embedding] if self.model.settings.input == "embedding" else [vocabulary]

    def write(self, found: Flow, sheet: Sheet) -> EveryAnswer:
        vocabulary, settings, batch = self.model.vocabulary, self.model.settings, found.opened.batch
        rows, embedding = names_of(vocabulary), "embedding/weight" * (settings.input == "embedding")
        inputs = Inputs(sheet, batch.tokens()[0], ONE_HOT, rows, vocabulary.unknown, embedding)
        stack = Stack(found, "decoder/", sheet, inputs)
        answers = EveryAnswer(stack, "output", rows, batch.tokens(1)[0])
        answers.give(settings.lr, stack.begin)
        answers.forward()
        return answers
