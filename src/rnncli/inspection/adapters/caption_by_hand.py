"""A text for numbers worked by hand: two linear layers between the numbers and the decoder's first state.

w = v·P + p, u = tanh(w), k = u·R + r, and the state is tanh(k). The numbers may be given to every timestep too, beside
the embedding: x_t = [e_t·E, v].
"""

from __future__ import annotations

from collections.abc import Sequence

from rnncli.inspection.adapters.decoder_by_hand import DecoderExample
from rnncli.inspection.by_hand.answers import EveryAnswer
from rnncli.inspection.by_hand.layers import Layer, Stack
from rnncli.inspection.by_hand.limits import VOCABULARY, Size, size
from rnncli.inspection.by_hand.sheet import Equations, Sheet
from rnncli.inspection.by_hand.tape import Place, Weight
from rnncli.inspection.by_hand.terms import tanh
from rnncli.inspection.flow import Flow
from rnncli.tasks.caption.model import CaptionModel
from rnncli.tasks.symbols import END


class CaptionExample(DecoderExample[CaptionModel]):
    @property
    def sizes(self) -> Sequence[Size]:
        text = self.vocabulary(self.model.target.size + 1, f"of the text, <unk> and {END}")
        return [size(self.model.numbers.size, VOCABULARY, "number"), text, self.embedding]

    def write(self, found: Flow, sheet: Sheet) -> EveryAnswer:
        settings = self.model.settings
        decoder = self.decoder(found, sheet, ("v", "the numbers") if settings.inject == "every" else None)
        answers = self.answers(found, decoder)

        def first() -> None:
            sheet.given("v", found.opened.batch.features, "the numbers, standardised")
            sheet.learn(Weight("P", "bridge/first/weight", "first weights"))
            sheet.learn(Weight("p", "bridge/first/bias", "first bias"))
            for place, (layer, letter) in enumerate(_firsts(decoder)):
                H = layer.directions[0].cell.hidden_size
                columns, name = slice(place * H, (place + 1) * H), f"{layer.mark}_{letter}"
                words = f"for the first {letter}" + (f" of layer {len(layer.mark)}" if layer.mark else "")
                sheet.learn(Weight(f"R{name}", "bridge/second/weight", f"second weights, {words}", columns))
                sheet.learn(Weight(f"r{name}", "bridge/second/bias", f"second bias, {words}", columns))

        answers.give(settings.lr, first)
        sheet.section("The first state, from the numbers")
        _bridge(decoder, sheet)
        _bridge(decoder, Equations(sheet))
        answers.forward(starts=False)
        return answers


def _firsts(decoder: Stack) -> list[tuple[Layer, str]]:
    """Each layer with each letter of its states."""
    return [(layer, letter) for layer in decoder.layers for letter in layer.directions[0].letters.values()]


def _bridge(decoder: Stack, s: Sheet) -> None:
    """From the numbers to the first states."""
    to_the_numbers = Place(s.block("Backward, to the numbers"))
    s.at(to_the_numbers)
    u = s.line("u", tanh(s.line("w", s["v"] @ s["P"] + s["p"], "the sums", part=True)), "and what is made of them")
    for layer in decoder.layers:
        (direction,), block = layer.directions, s.block("Backward, to the first state" + layer.words)
        for state in direction.cell.specification.states:
            name = f"{layer.mark}_{state.written}"
            s.at(to_the_numbers)
            sums = s.line(f"k{name}", u @ s[f"R{name}"] + s[f"r{name}"], "the sums", part=True)
            s.at(direction.place(0, block))
            s.line(f"{state.written}{layer.mark}_0", tanh(sums), f"the {state.name} before the first timestep", None)
