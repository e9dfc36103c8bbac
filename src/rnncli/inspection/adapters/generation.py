"""What the tasks share that generate a text, symbol by symbol, with a decoder."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rnncli.clean import or_empty
from rnncli.core.layers.attention import alignment
from rnncli.core.losses import softmax
from rnncli.core.packed import Array
from rnncli.data.text.vocabulary import UNKNOWN
from rnncli.inspection.adapters.adapter import Adapter, M
from rnncli.inspection.by_hand.example import ONE_HOT, WorkedExample, names_of
from rnncli.inspection.loss import Opened
from rnncli.inspection.states import States, unit_names
from rnncli.tasks.decoder import DecoderCache, Generated
from rnncli.tasks.symbols import END, START, joined_symbols

if TYPE_CHECKING:
    from rnncli.inspection.by_hand.answers import Attention, EveryAnswer
    from rnncli.inspection.by_hand.layers import Stack
    from rnncli.inspection.by_hand.tape import Sheet
    from rnncli.inspection.flow import Flow


class DecoderExample(WorkedExample[M]):
    """An example of a task with a decoder."""

    model: Any

    @property
    def rows(self) -> tuple[str, ...]:
        """The symbols that can be generated."""
        return (*names_of(self.model.target), END)

    def decoder(self, found: Flow, sheet: Sheet, also: tuple[str, str] | None = None) -> Stack:
        """The decoder's layers, which read the right symbol before each, with ``also`` beside it."""
        from rnncli.inspection.by_hand.layers import Inputs, Stack

        given = self.model.network.decoder.given(found.opened.batch.targets).data
        unknown = self.model.target.unknown
        inputs = Inputs(sheet, given, ONE_HOT, self.rows, unknown, "decoder/embedding/weight", also)
        return Stack(found, "decoder/", sheet, inputs)

    def answers(self, found: Flow, decoder: Stack, attention: Attention | None = None, count: str = "T") -> EveryAnswer:
        from rnncli.inspection.by_hand.answers import EveryAnswer

        wanted = self.model.network.decoder.wanted(found.opened.batch.targets)
        return EveryAnswer(decoder, "decoder/output", self.rows, wanted, attention, count)


class GenerationAdapter(Adapter[M]):
    """A task whose model is of a ``network`` with a ``decoder``, and of a vocabulary ``target``.

    Attributes:
        generates: what the generated text is called.
        reads_source: whether the input is symbols, which an encoder reads.
        batch: the class of examples of training, of inputs and their targets.
    """

    answer_is_read: ClassVar[bool] = True
    generates: ClassVar[str]
    reads_source: ClassVar[bool] = False
    batch: ClassVar[type[Any]]
    model: Any

    def inputs(self, texts: Sequence[str]) -> Any:
        """The inputs as the network reads them."""
        return [self.model.read(text) for text in texts]

    @abstractmethod
    def symbols(self, answer: str) -> list[str]:
        """The symbols of a text to be generated."""

    def decoder(self, text: str, target: Array, keep: bool = True) -> tuple[Array, Array, DecoderCache]:
        """The decoder's logits, hidden states and cache, given the target."""
        network, params = self.model.network, self.model.params
        given, start = network.decoder.given([target]), network.start(params, self.inputs([text]))
        logits, hidden, _, cache = network.decoder.forward(params["decoder"], given, start, keep=keep)
        return logits, hidden, cache

    def ids(self, answer: str) -> Array:
        """The ids of these symbols."""
        return np.asarray(self.model.target.encode(self.symbols(answer)))

    def examples(self, texts: Sequence[str], answer: str) -> Any:
        """Inputs, all with one answer, as examples of training."""
        return self.batch(self.inputs(texts), [self.ids(answer)] * len(texts))

    def decode(self, text: str) -> Generated:
        """The text that the model generates."""
        model = self.model
        found: list[Generated] = model.network.decode(model.params, self.inputs([text]), model.limit, model.beam)
        return found[0]

    def most_probable(self, text: str) -> tuple[str, bool]:
        found = self.decode(text)
        return joined_symbols(
            [self.model.target.token(k) for k in found.ids.tolist()], self.model.generated_unit
        ), found.ended

    def predicted(self, texts: Sequence[str]) -> list[str]:
        return [prediction.target or "" for prediction in self.model.predict(texts)]

    def answer_of(self, prediction: Any) -> str:
        return or_empty(prediction.target)

    def scores(self, texts: Sequence[str], answer: str) -> Array:
        return np.asarray(self.model.network.log_probabilities(self.model.params, self.examples(texts, answer)))

    def _trace(self, text: str, steps: tuple[str, ...]) -> States:
        model, generated = self.model, self.decode(text)
        each = model.network.decoder.steps(generated)
        logits, hidden, cache = self.decoder(text, each[:-1])
        names = (*model.target.tokens, UNKNOWN, END)
        tokens = tuple(names[k] for k in each.tolist())
        return States(
            tokens=tokens,
            known=(True,) * len(tokens),
            hidden=hidden,
            units=unit_names(model.network.decoder.hidden, bidirectional=False),
            labels=names,
            probabilities=softmax(logits),
            answers_are="the symbol generated at this step",
            key="step_probabilities",
            source=steps if self.reads_source else (),
            alignment=alignment(cache.attention)[0] if cache.attention is not None else None,
            generated=each,
            unknown=model.target.unknown,
        )

    def _open(self, text: str, steps: tuple[str, ...], answer: str | None) -> Opened:
        double = self.double
        target = double.decode(text).ids if answer is None else self.ids(answer)
        symbols = [self.model.target.token(k) for k in target.tolist()]
        said = f"the {self.generates} {joined_symbols(symbols, self.model.generated_unit)}"
        return Opened(
            double.model.network,
            double.model.params,
            double.batch(double.inputs([text]), [target]),
            {"": steps, "decoder/": (START, *symbols)},
            said if symbols else f"the empty {self.generates}",
        )
