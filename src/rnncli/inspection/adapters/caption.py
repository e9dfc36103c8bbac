"""A text that describes numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from rnncli.core.backward_trace import recording
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.inspection.activation_states import TextActivations
from rnncli.inspection.adapters.generation import DecoderExample, GenerationAdapter
from rnncli.inspection.by_hand.limits import VOCABULARY, Size
from rnncli.inspection.integrated_gradients import GradientPath
from rnncli.inspection.question import InputParts
from rnncli.inspection.states import unit_names
from rnncli.tasks.caption.model import CaptionModel
from rnncli.tasks.caption.network import Described
from rnncli.tasks.symbols import END, START

if TYPE_CHECKING:
    from rnncli.inspection.by_hand.answers import EveryAnswer
    from rnncli.inspection.by_hand.layers import Stack
    from rnncli.inspection.by_hand.tape import Sheet
    from rnncli.inspection.flow import Flow


class CaptionExample(DecoderExample[CaptionModel]):
    @property
    def sizes(self) -> Sequence[Size]:
        text = self.vocabulary(self.model.target.size + 1, f"of the text, <unk> and {END}")
        return [Size(self.model.numbers.size, VOCABULARY, "number"), text, self.embedding]

    def write(self, found: Flow, sheet: Sheet) -> EveryAnswer:
        from rnncli.inspection.by_hand.tape import Weight

        settings = self.model.settings
        decoder = self.decoder(found, sheet, ("v", "the numbers") if settings.inject == "every" else None)
        answers = self.answers(found, decoder)

        def first() -> None:
            sheet.given("v", found.opened.batch.features, "the numbers, standardised")
            sheet.learn(Weight("P", "bridge/first/weight", "first weights"))
            sheet.learn(Weight("p", "bridge/first/bias", "first bias"))
            states = [(layer, letter) for layer in decoder.layers for letter in layer.directions[0].letters.values()]
            for place, (layer, letter) in enumerate(states):
                H = layer.directions[0].cell.hidden_size
                columns, name = slice(place * H, (place + 1) * H), f"{layer.mark}_{letter}"
                words = f"for the first {letter}" + (f" of layer {len(layer.mark)}" if layer.mark else "")
                sheet.learn(Weight(f"R{name}", "bridge/second/weight", f"second weights, {words}", columns))
                sheet.learn(Weight(f"r{name}", "bridge/second/bias", f"second bias, {words}", columns))

        answers.give(settings.lr, first)
        sheet.section("The first state, from the numbers")
        _bridge(decoder, sheet)
        return answers


def _bridge(decoder: Stack, s: Sheet) -> None:
    """From the numbers to the first states."""
    from rnncli.inspection.by_hand.tape import Place
    from rnncli.inspection.by_hand.terms import tanh

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


class CaptionAdapter(GenerationAdapter[CaptionModel]):
    model: CaptionModel
    worked_example = CaptionExample
    generates = "text"
    batch: ClassVar = Described

    @property
    def reads_numbers(self) -> bool:
        return True

    @property
    def units(self) -> tuple[str, ...]:
        return unit_names(self.model.settings.hidden, bidirectional=False)

    def parts(self, text: str) -> InputParts:
        """Each number is a part; its baseline is its mean in training."""
        names, size = self.model.names, self.model.numbers.size
        names = names if len(names) == size else tuple(f"{names[0]}[{k}]" for k in range(size))
        mean = self.model.numbers.mean.tolist()

        def join(values: Sequence[float | None]) -> str:
            return json.dumps([mean[k] if value is None else value for k, value in enumerate(values)])

        return InputParts(names, tuple(self.model.parse(text).tolist()), None, join, "number", deletable=False)

    def inputs(self, texts: Sequence[str]) -> Array:
        return np.stack(super().inputs(texts))

    def _steps(self, text: str) -> Sequence[str]:
        return ("the numbers",)

    def symbols(self, answer: str) -> list[str]:
        return self.model.symbols(answer)

    def path(self, text: str, baseline: str, answer: str) -> GradientPath:
        """Each number is a part, a row of the path with a single number."""
        network, params, target = self.model.network, self.model.params, self.ids(answer)
        first, decoder = params["bridge"]["first"], network.decoder

        def copies(x: Array) -> Described:
            return Described(x[:, :, 0], [target] * len(x))

        def gradients(x: Array) -> Array:
            with recording() as recorded:
                network.loss_and_gradients(params, copies(x), share=-copies(x).weight)
            # Through the first states; and through every step of the decoder, where it reads the numbers.
            found = next(one.dy for one in recorded if one.params is first) @ first["weight"].T
            if decoder.beside:
                of_cell = next(one for one in recorded if one.params is params["decoder"]["stack"]["0"]["forward"])
                d_input = of_cell.layer.d_input(of_cell.params, of_cell.found["sums"])
                d_beside = d_input[:, network.settings.embedding :]
                found = found + d_beside.reshape(-1, *found.shape).sum(axis=0)  # texts of one length lie step by step
            return np.asarray(found[:, :, None])

        def scores(x: Array) -> Array:
            return network.log_probabilities(params, copies(x))

        numbers, mean = self.inputs((text, baseline))
        return GradientPath(numbers[:, None], mean[:, None], scores, gradients)

    def activations(self, records: Dataset) -> Iterator[TextActivations]:
        """The next symbol at each step of the decoder, given the right text."""
        model = self.model
        records, _ = self.labelled(records)
        for row, (text, label) in enumerate(zip(records.inputs, records.labels, strict=True)):
            symbols = model.symbols(label)
            if not symbols:
                continue
            _, hidden, _ = self.decoder(text, self.ids(label), keep=False)
            yield TextActivations(
                line=records.lines[row],
                file=records.file(row),
                tokens=(START, *symbols),
                hidden=hidden,
                labels=(*symbols, END),
                known=(*model.target.tokens, END),
                label_is=f"next {model.unit}",
            )


ADAPTER = CaptionAdapter
