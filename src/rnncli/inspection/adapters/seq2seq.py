"""An encoder and a decoder: from a source to its target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.inspection.activation_states import TextActivations, batches_by_length
from rnncli.inspection.adapters.generation import DecoderExample, GenerationAdapter
from rnncli.inspection.by_hand.example import ONE_HOT, names_of
from rnncli.inspection.by_hand.limits import UNITS, Size
from rnncli.inspection.integrated_gradients import GradientPath, through_loss
from rnncli.inspection.question import BASELINE_TOKEN, InputParts
from rnncli.tasks.seq2seq.model import Seq2SeqModel
from rnncli.tasks.seq2seq.network import EncoderDecoder, Pairs
from rnncli.tasks.symbols import END, joined_symbols, symbols_of

if TYPE_CHECKING:
    from rnncli.inspection.by_hand.answers import EveryAnswer
    from rnncli.inspection.by_hand.layers import Stack
    from rnncli.inspection.by_hand.tape import Sheet
    from rnncli.inspection.flow import Flow


class Seq2SeqExample(DecoderExample[Seq2SeqModel]):
    """What belongs to the encoder has an ᵉ in its name; T timesteps of the source, U of the target."""

    @property
    def hidden(self) -> Size:
        widest = self.model.network.decoder.hidden
        both = " of the decoder, which has those of both directions," * (widest > self.model.settings.hidden)
        return Size(widest, UNITS, "hidden unit", both)

    @property
    def sizes(self) -> Sequence[Size]:
        source = self.vocabulary(self.model.source.size, "of the source, <unk>")
        return [source, self.vocabulary(self.model.target.size + 1, f"of the target, <unk> and {END}"), self.embedding]

    def write(self, found: Flow, sheet: Sheet) -> EveryAnswer:
        from rnncli.inspection.by_hand.answers import Attention
        from rnncli.inspection.by_hand.layers import Inputs, Stack
        from rnncli.inspection.by_hand.tape import Place
        from rnncli.inspection.by_hand.terms import vstack

        source, settings, read = self.model.source, self.model.settings, found.opened.batch.inputs[0]
        own, embedding = sheet.marked("ᵉ"), "embedding/weight"
        inputs = Inputs(own, read, ONE_HOT, names_of(source), source.unknown, embedding, source=True)
        encoder = Stack(found, "encoder/", own, inputs)
        decoder = self.decoder(found, sheet)
        answers = self.answers(found, decoder, Attention(decoder) if settings.attention else None, "U")
        sheet.section("What is given of the source")
        inputs.give(encoder.tokens)
        encoder.begin()
        encoder.learn()
        answers.give(settings.lr)
        encoder.forward()
        sheet.section("What is passed on")
        _pass_on(encoder, decoder, sheet)
        if settings.attention:
            states = [f"{encoder.state}_{t}" for t in range(1, encoder.T + 1)]
            sheet.at(Place(by=encoder.readers))
            rows = vstack([own[state] for state in states])
            sheet.line("M", rows, "all states of the encoder, a row each", passes=True)
        return answers


def _pass_on(encoder: Stack, decoder: Stack, s: Sheet) -> None:
    """The first states of each of the decoder's layers."""
    from rnncli.inspection.by_hand.terms import hstack

    for layer, of_decoder in zip(encoder.layers, decoder.layers, strict=True):
        (reader,), block = of_decoder.directions, s.block("Backward, to the first state" + of_decoder.words)
        for state in reader.cell.specification.states:
            general = {f"ᶠ_{encoder.T}": "ᶠ_T"} if layer.bidirectional else {f"_{encoder.T}": "_T"}
            s.at(replace(reader.place(0, block), by=f"the {state.name} that is passed on", general=general))
            ends = [one.last(state.written) for one in layer.directions]
            first = f"{state.written}{of_decoder.mark}_0"
            s.line(
                first, hstack(ends) if layer.bidirectional else ends[0], f"the last {state.name} of the encoder", None
            )


class Seq2SeqAdapter(GenerationAdapter[Seq2SeqModel]):
    model: Seq2SeqModel
    worked_example = Seq2SeqExample
    cuts = True
    generates = "target"
    reads_source = True
    batch: ClassVar = Pairs

    def parts(self, text: str) -> InputParts:
        symbols, unit = tuple(self.model.symbols(text)), self.model.unit
        return InputParts(symbols, symbols, BASELINE_TOKEN, lambda left: joined_symbols(left, unit), unit)

    def _steps(self, text: str) -> Sequence[str]:
        symbols = self.model.symbols(text)
        return [symbols[place] for place in self.read(len(symbols)).tolist()]

    def symbols(self, answer: str) -> list[str]:
        return symbols_of(answer, self.model.generated_unit)

    def path(self, text: str, baseline: str, answer: str) -> GradientPath:
        network, target = self.model.network, self.ids(answer)
        source, replaced = self.inputs((text, baseline))

        def widened(size: int) -> EncoderDecoder:
            return replace(network, source_size=size)

        def examples(rows: list[Array]) -> Pairs:
            return Pairs(rows, [target] * len(rows))

        return through_loss(self.model.params, {"embedding/weight": (source, replaced)}, widened, examples)

    def activations(self, records: Dataset) -> Iterator[TextActivations]:
        """The symbol that is read at each step of the encoder."""
        model = self.model
        symbols = [model.symbols(text) for text in records.texts]
        for rows in batches_by_length([len(of) for of in symbols]):
            sources = [model.encode(symbols[row]) for row in rows]
            outputs = model.network.start(model.params, sources, keep=False).memory
            assert outputs is not None
            for row, hidden in zip(rows, outputs.unpack(), strict=True):
                places = self.read(len(symbols[row]))
                yield TextActivations(
                    line=records.lines[row],
                    file=records.file(row),
                    tokens=symbols[row],
                    hidden=hidden,
                    labels=[symbols[row][place] for place in places.tolist()],
                    known=model.source.tokens,
                    label_is=model.unit,
                    positions=places,
                )


ADAPTER = Seq2SeqAdapter
