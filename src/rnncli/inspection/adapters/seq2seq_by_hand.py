"""An encoder and a decoder worked by hand: what the encoder is left with is the decoder's first state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rnncli.inspection.adapters.decoder_by_hand import DecoderExample
from rnncli.inspection.by_hand.answers import EveryAnswer
from rnncli.inspection.by_hand.attention import Attention
from rnncli.inspection.by_hand.example import ONE_HOT, names_of
from rnncli.inspection.by_hand.inputs import Inputs
from rnncli.inspection.by_hand.layers import Stack
from rnncli.inspection.by_hand.limits import UNITS, Size, size
from rnncli.inspection.by_hand.sheet import Equations, Sheet
from rnncli.inspection.by_hand.tape import Place
from rnncli.inspection.by_hand.terms import below, beside
from rnncli.inspection.flow import Flow
from rnncli.tasks.seq2seq.model import Seq2SeqModel
from rnncli.tasks.symbols import END


class Seq2SeqExample(DecoderExample[Seq2SeqModel]):
    """The names of what is the encoder's have an ᵉ; T is how many timesteps the source has, and U the target."""

    @property
    def hidden(self) -> Size:
        widest = self.model.network.decoder.hidden
        both = " of the decoder, which has those of both directions" * (widest > self.model.settings.hidden)
        return size(widest, UNITS, "hidden unit", both)

    @property
    def sizes(self) -> Sequence[Size]:
        source = self.vocabulary(self.model.source.size, "of the source, <unk>")
        return [source, self.vocabulary(self.model.target.size + 1, f"of the target, <unk> and {END}"), self.embedding]

    def write(self, found: Flow, sheet: Sheet) -> EveryAnswer:
        source, settings, read = self.model.source, self.model.settings, found.opened.batch.sources[0]
        own, embedding = sheet.marked("ᵉ"), "embedding/weight"
        inputs = Inputs(own, read, ONE_HOT, names_of(source), source.unknown, embedding, source=True)
        encoder = Stack(found, "encoder/", own, inputs, "what looks back")
        decoder = self.decoder(found, sheet)
        answers = self.answers(found, decoder, Attention(decoder) if settings.attention else None, "U")
        sheet.section("What is given of the source")
        inputs.give(encoder.tokens)
        encoder.begin()
        encoder.learn()
        answers.give(settings.lr)
        encoder.forward()
        sheet.section("What is passed on")
        _pass_on(encoder, decoder, sheet, "")
        _pass_on(encoder, decoder, Equations(sheet, {"T": encoder.T}), "T")
        if settings.attention:
            states = [f"{encoder.state}_{t}" for t in range(1, encoder.T + 1)]
            sheet.at(Place(by=encoder.readers))
            for s in (sheet, Equations(sheet)):
                rows = below([s[own.called(state)] for state in states])
                s.line("M", rows, "all states of the encoder, a row each", passes=True)
        answers.forward(starts=False)
        return answers


def _pass_on(encoder: Stack, decoder: Stack, s: Sheet, T: str) -> None:
    """The first states of each layer of the decoder; ``T`` is what is written for the last timestep, if anything."""
    for layer, of_decoder in zip(encoder.layers, decoder.layers, strict=True):
        (reader,), block = of_decoder.directions, s.block("Backward, to the first state" + of_decoder.words)
        for state in reader.cell.specification.states:
            s.at(replace(reader.place(0, block), by=f"the {state.name} that is passed on"))
            ends = [s[one.end(state.written, T)] for one in layer.directions]
            first = f"{state.written}{of_decoder.mark}_0"
            s.line(first, beside(ends) if layer.bidirectional else ends[0], "what the encoder is left with", None)
