"""A text, and the token that comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.clean import or_empty
from rnncli.core.losses import log_softmax, softmax
from rnncli.core.packed import Array, PackedSequence, Params
from rnncli.data.dataset import Dataset
from rnncli.data.text.vocabulary import UNKNOWN
from rnncli.errors import UsageError
from rnncli.inspection.activation_states import TextActivations
from rnncli.inspection.adapters.adapter import Adapter
from rnncli.inspection.by_hand.example import ONE_HOT, WorkedExample, names_of
from rnncli.inspection.by_hand.limits import TIMESTEPS, Size
from rnncli.inspection.integrated_gradients import GradientPath, through_tables
from rnncli.inspection.loss import Opened
from rnncli.inspection.question import BASELINE_TOKEN, InputParts
from rnncli.inspection.states import States, unit_names
from rnncli.tasks.language_model.model import JUDGED_STREAMS, LanguageModel, tokens_of
from rnncli.tasks.language_model.network import LanguageModelNetwork, Streams
from rnncli.tasks.language_model.results import Continuation
from rnncli.tasks.symbols import END

if TYPE_CHECKING:
    from rnncli.inspection.by_hand.answers import EveryAnswer
    from rnncli.inspection.by_hand.tape import Sheet
    from rnncli.inspection.flow import Flow


class LanguageModelExample(WorkedExample[LanguageModel]):
    @property
    def text(self) -> str:
        """The beginning of the model's example, which may be long, and end anywhere."""
        return "".join(islice(tokens_of(self.model.example, self.model.unit), TIMESTEPS + 1))

    @property
    def sizes(self) -> Sequence[Size]:
        vocabulary = self.vocabulary(self.model.vocabulary.size, "in the vocabulary, <unk>")
        return [vocabulary, self.embedding] if self.model.settings.input == "embedding" else [vocabulary]

    def write(self, found: Flow, sheet: Sheet) -> EveryAnswer:
        from rnncli.inspection.by_hand.answers import EveryAnswer
        from rnncli.inspection.by_hand.layers import Inputs, Stack

        vocabulary, settings, batch = self.model.vocabulary, self.model.settings, found.opened.batch
        rows, embedding = names_of(vocabulary), "embedding/weight" * (settings.input == "embedding")
        inputs = Inputs(sheet, batch.tokens()[0], ONE_HOT, rows, vocabulary.unknown, embedding)
        stack = Stack(found, "decoder/", sheet, inputs)
        answers = EveryAnswer(stack, "output", rows, batch.tokens(1)[0])
        answers.give(settings.lr, stack.begin)
        return answers


class LanguageModelAdapter(Adapter[LanguageModel]):
    answer_is_read = True
    score_is = "log probability of the next token"
    worked_example = LanguageModelExample

    @property
    def units(self) -> tuple[str, ...]:
        return unit_names(self.model.settings.hidden, bidirectional=False)

    @property
    def concise(self) -> LanguageModel:
        """One token: the most probable next one."""
        return self.model.with_options(length=1, temperature=0.0)

    def parts(self, text: str) -> InputParts:
        tokens, unit = tuple(self.model.tokens(text)), self.model.unit
        # With a word less, two spaces or two words would stand together, as a token that the model does not know.
        return InputParts(tokens, tokens, BASELINE_TOKEN, "".join, unit, deletable=unit == "char")

    def _steps(self, text: str) -> Sequence[str]:
        return self.model.tokens(text)

    def _trace(self, text: str, steps: tuple[str, ...]) -> States:
        model = self.model
        packed = PackedSequence.pack([model.vocabulary.encode(steps)])
        logits, hidden, _, _ = model.network.forward(model.params, packed, model.first_states(1))
        return States(
            tokens=steps,
            known=tuple(token in model.vocabulary for token in steps),
            hidden=hidden,
            units=self.units,
            labels=(*model.vocabulary.tokens, UNKNOWN),
            probabilities=softmax(model.network.without_unknown(logits)),  # predict draws from these
            answers_are="the most probable next token",
            key="next_probabilities",
        )

    def _open(self, text: str, steps: tuple[str, ...], answer: str | None) -> Opened:
        if answer is not None:
            raise UsageError("the answers of a language model are the text's own next tokens")
        if len(steps) < 2:
            raise UsageError("the text is too short: it has no second token to predict")
        model = self.double.model
        batch = Streams.of(model.vocabulary.encode(steps), 1, len(steps) - 1)
        return Opened(model.network, model.params, batch, {"": steps[:-1]}, "the text's own next tokens")

    def predicted(self, texts: Sequence[str]) -> list[str]:
        """The most probable next token after each text."""
        most_probable = self._next(texts).argmax(axis=1)
        return [self.model.vocabulary.token(k) for k in most_probable.tolist()]

    def require_answer(self, text: str, steps: tuple[str, ...], answer: str) -> None:
        if answer not in self.model.vocabulary:
            raise UsageError(f"the model knows no {self.model.unit} '{answer}'")

    def scores(self, texts: Sequence[str], answer: str) -> Array:
        return self._next(texts, self._number_of(answer))

    def _number_of(self, token: str) -> int:
        return int(self.model.vocabulary.encode([token])[0])

    def _next(self, texts: Sequence[str], wanted: int | slice = slice(None)) -> Array:
        """(texts, V) log probabilities of the next token, without the unknown one; or (texts,) those of one token."""
        turns = range(0, len(texts), JUDGED_STREAMS)
        return np.concatenate([self._next_of_some(texts[k : k + JUDGED_STREAMS])[:, wanted] for k in turns])

    def _next_of_some(self, texts: Sequence[str]) -> Array:
        model = self.model
        packed = PackedSequence.pack([model.read(text) for text in texts])
        states = model.network.zero_states(len(texts))
        last = model.network.forward(model.params, packed, states, keep=False, chosen=packed.last_rows)[0]
        return packed.to_caller_order(log_softmax(model.network.without_unknown(last)))

    def path(self, text: str, baseline: str, answer: str) -> GradientPath:
        network, unknown, wanted = self.model.network, self.model.vocabulary.unknown, self._number_of(answer)

        first_states = self.model.first_states

        def run(wide: LanguageModelNetwork, own: Params, rows: list[Array]) -> tuple[Array, Any]:
            packed = PackedSequence.pack(rows)
            logits, _, _, cache = wide.forward(own, packed, first_states(len(rows)), chosen=packed.last_rows)
            logits[:, unknown] = -np.inf
            return logits, cache

        def scores(wide: LanguageModelNetwork, own: Params, rows: list[Array]) -> Array:
            return log_softmax(run(wide, own, rows)[0])[:, wanted]

        def gradients(wide: LanguageModelNetwork, own: Params, rows: list[Array]) -> Params:
            logits, cache = run(wide, own, rows)
            d_logits = -softmax(logits)
            d_logits[:, wanted] += 1
            return wide.backward(own, cache, d_logits)

        tables = dict.fromkeys(sorted(network.tables), (self.model.encode(text), self.model.encode(baseline)))
        # The tables of what is read are widened; the tokens that can be predicted stay as they are.
        return through_tables(self.model.params, tables, lambda size: replace(network, size=size), scores, gradients)

    def activations(self, records: Dataset) -> Iterator[TextActivations]:
        """The next token at each step; each line is read from its beginning, as a text of its own."""
        for row, text in enumerate(records.texts):
            if text:
                states = self.trace(text)
                yield TextActivations(
                    line=records.lines[row],
                    file=records.file(row),
                    tokens=states.tokens,
                    hidden=states.hidden,
                    labels=(*states.tokens[1:], self.model.end),
                    known=self.model.vocabulary.tokens,
                    label_is=f"next {self.model.unit}",
                )

    def answer_of(self, prediction: Continuation) -> str:
        return or_empty(prediction.continuation or (END if prediction.ended else None))


ADAPTER = LanguageModelAdapter
