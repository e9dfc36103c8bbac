"""What the worked examples of all decoders have in common: the symbols they are given, and are to generate."""

from __future__ import annotations

from typing import TypeVar

from rnncli.inspection.by_hand.answers import EveryAnswer
from rnncli.inspection.by_hand.attention import Attention
from rnncli.inspection.by_hand.example import ONE_HOT, WorkedExample, names_of
from rnncli.inspection.by_hand.inputs import Inputs
from rnncli.inspection.by_hand.layers import Stack
from rnncli.inspection.by_hand.sheet import Sheet
from rnncli.inspection.flow import Flow
from rnncli.tasks.caption.model import CaptionModel
from rnncli.tasks.seq2seq.model import Seq2SeqModel
from rnncli.tasks.symbols import END

D = TypeVar("D", CaptionModel, Seq2SeqModel)


class DecoderExample(WorkedExample[D]):
    """An example whose answers come from a decoder."""

    @property
    def rows(self) -> tuple[str, ...]:
        """What can be generated."""
        return (*names_of(self.model.target), END)

    def decoder(self, found: Flow, sheet: Sheet, also: tuple[str, str] | None = None) -> Stack:
        """Its layers, above the right symbols before each; ``also`` stands beside them."""
        given = self.model.network.decoder.given(found.opened.batch.targets).data
        unknown = self.model.target.unknown
        inputs = Inputs(sheet, given, ONE_HOT, self.rows, unknown, "decoder/embedding/weight", also)
        return Stack(found, "decoder/", sheet, inputs)

    def answers(self, found: Flow, decoder: Stack, attention: Attention | None = None, count: str = "T") -> EveryAnswer:
        wanted = self.model.network.decoder.wanted(found.opened.batch.targets)
        return EveryAnswer(decoder, "decoder/output", self.rows, wanted, attention, count)
