"""One answer for a text, or for a sequence of numbers."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

import numpy as np

from rnncli.core.packed import Array, PackedSequence, Params
from rnncli.data.dataset import Dataset
from rnncli.data.records import LabelSets
from rnncli.inspection.activation_states import TextActivations, batches_by_length
from rnncli.inspection.adapters.adapter import Adapter
from rnncli.inspection.by_hand.example import ONE_HOT, WorkedExample, names_of
from rnncli.inspection.by_hand.limits import LABELS, VOCABULARY, Size
from rnncli.inspection.integrated_gradients import GradientPath, through_tables
from rnncli.inspection.question import BASELINE_TOKEN, InputParts
from rnncli.inspection.states import States
from rnncli.tasks.inputs import NumberInput, steps_of
from rnncli.tasks.many_to_one.model import LabelModel, ManyToOneModel
from rnncli.tasks.many_to_one.network import ManyToOne
from rnncli.tasks.many_to_one.targets import LabelTargets
from rnncli.tasks.prepare import split

if TYPE_CHECKING:
    from rnncli.inspection.by_hand.answers import Answers
    from rnncli.inspection.by_hand.layers import Stack
    from rnncli.inspection.by_hand.tape import Sheet
    from rnncli.inspection.flow import Flow

ALL = 2**62  # more tokens than any text has
M = TypeVar("M", bound=ManyToOneModel)
L = TypeVar("L", bound=LabelModel)
READ_OUT = {"last": "last value", "max": "maximum"}  # what a read-out takes of a unit, where it is not the mean


class ManyToOneExample(WorkedExample[M]):
    answer_is: ClassVar[str] = "label"

    @property
    def sizes(self) -> Sequence[Size]:
        model, answers = self.model, Size(self.model.answer_count, LABELS, self.answer_is)
        if isinstance(model.input, NumberInput):
            return [Size(model.input.size, VOCABULARY, "number", " a timestep"), answers]
        sizes = [answers, self.vocabulary(model.input.size, "in the vocabulary, <unk>")]
        return [*sizes, self.embedding] if model.settings.input == "embedding" else sizes

    def write(self, found: Flow, sheet: Sheet) -> Answers:
        from rnncli.inspection.by_hand.layers import Inputs, Stack

        model, settings, batch = self.model, self.model.settings, found.opened.batch
        if isinstance(model.input, NumberInput):
            inputs = Inputs(sheet, batch.inputs[0], "its numbers, standardised")
        else:
            embedding, vocabulary = "embedding/weight" * (settings.input == "embedding"), model.input.vocabulary
            inputs = Inputs(sheet, batch.inputs[0], ONE_HOT, names_of(vocabulary), vocabulary.unknown, embedding)
        stack = Stack(found, "encoder/", sheet, inputs)
        answer = self.answers(stack, batch.targets)
        answer.give(settings.lr, stack.begin)
        return answer

    @abstractmethod
    def answers(self, stack: Stack, targets: Array) -> Answers:
        """The lines above the stack."""


class ManyToOneAdapter(Adapter[M]):
    """A model that gives one answer for a whole input."""

    labels_per: ClassVar[Literal["input", "timestep", "none"]] = "input"
    score_is = "log odds"
    cuts = True
    answers_are: ClassVar[str] = "the prediction if the text ended there"

    @property
    def reads_numbers(self) -> bool:
        return self.model.reads_numbers

    def parts(self, text: str) -> InputParts:
        """Each timestep is a part, read or not; the baseline of numbers is their mean in training."""
        input = self.model.input
        if isinstance(input, NumberInput):
            rows = steps_of(text, input.missing).tolist()
            names, _ = input.names(text, len(rows))
            mean = input.mean.tolist()
            return InputParts(tuple(names), tuple(rows), mean, lambda left: json.dumps(list(left)), input.unit)
        tokens, join = tuple(input.tokenizer.tokens(text)), input.tokenizer.join
        return InputParts(tokens, tokens, BASELINE_TOKEN, lambda left: join(list(left)), input.unit)

    def _steps(self, text: str) -> Sequence[str]:
        model = self.model
        return model.input.names(text, model.settings.max_length)[0] if model.read(text).count else ()

    def _trace(self, text: str, steps: tuple[str, ...]) -> States:
        """Runs every beginning of the text: what ``predict`` says of it, also where a layer reads backwards."""
        model, read = self.model, self.model.read(text).values
        beginnings = self.beginnings(text)
        return States(
            tokens=steps,
            known=tuple(model.input.names(text, model.settings.max_length)[1]),
            hidden=model.network.forward(model.params, PackedSequence.pack([read]))[1],
            units=self.units,
            answers_are=self.answers_are,
            **self.answers_at(model.network.outputs(model.network.logits(model.params, beginnings))),
        )

    def beginnings(self, text: str) -> list[Array]:
        """Every beginning of a text as the network reads it, one for each timestep."""
        read = self.model.read(text).values
        return [read[: end + 1] for end in range(len(read))]

    @abstractmethod
    def answers_at(self, outputs: Array) -> dict[str, Any]:
        """The fields of :class:`States` that show (T, K) outputs, one of each beginning of a text."""

    @abstractmethod
    def asked(self, answer: str) -> Any:
        """An answer as the network's log odds take it.

        Raises:
            UsageError: the model has no such answer.
        """

    def scores(self, texts: Sequence[str], answer: str) -> Array:
        network, read = self.model.network, [self.model.read(text).values for text in texts]
        return network.answer_score(network.logits(self.model.params, read), self.asked(answer))

    def path(self, text: str, baseline: str, answer: str) -> GradientPath:
        network, params, asked = self.model.network, self.model.params, self.asked(answer)
        ends = self.model.read(text).values, self.model.read(baseline).values
        if self.reads_numbers:
            return self._path_of_numbers(*ends, asked)

        def scores(wide: ManyToOne, own: Params, rows: list[Array]) -> Array:
            return network.answer_score(wide.logits(own, rows), asked)

        def gradients(wide: ManyToOne, own: Params, rows: list[Array]) -> Params:
            logits, _, cache = wide.forward(own, PackedSequence.pack(rows))
            return wide.backward(own, cache, network.answer_score_gradient(logits, asked))

        tables = dict.fromkeys(sorted(network.tables), ends)
        return through_tables(params, tables, lambda size: replace(network, input_size=size), scores, gradients)

    def _path_of_numbers(self, sequence: Array, baseline: Array, asked: Any) -> GradientPath:
        network, params = self.model.network, self.model.params

        def scores(x: Array) -> Array:
            return network.answer_score(network.logits(params, list(x)), asked)

        return GradientPath(sequence, baseline, scores, lambda x: self.gradients_of_numbers(list(x), asked))

    def gradients_of_numbers(self, read: list[Array], asked: Any) -> Array:
        """(N, T, D) the gradient of an answer's score by the numbers of N inputs of T timesteps."""
        network, params, packed = self.model.network, self.model.params, PackedSequence.pack(read)
        logits, _, cache = network.forward(params, packed)
        dx, _ = network.backward_to_input(params, cache, network.answer_score_gradient(logits, asked))
        assert dx is not None  # numbers have gradients
        return np.stack(packed.with_data(dx).unpack())

    def activations(self, records: Dataset) -> Iterator[TextActivations]:
        """The answer of a text, with the mean of each unit and what the read-out takes of it."""
        model = self.model
        readout = READ_OUT.get(model.settings.readout)
        records, _ = self.labelled(records)
        read = [model.read(text).values for text in records.inputs]
        for rows in batches_by_length([len(values) for values in read]):
            packed = PackedSequence.pack([read[row] for row in rows])
            _, outputs, cache = model.network.forward(model.params, packed, keep=False)
            pooled = packed.to_caller_order(cache.output)  # the input of the last linear layer: what is read out
            for k, (row, hidden) in enumerate(zip(rows, packed.with_data(outputs).unpack(), strict=True)):
                tokens, _ = model.input.names(records.inputs[row], ALL)
                read_out = {readout: pooled[k : k + 1]} if readout else {}
                yield TextActivations(
                    line=records.lines[row],
                    file=records.file(row),
                    tokens=tokens,
                    hidden=hidden,
                    labels=self.labels_beside(records, row),
                    labelled=isinstance(records.labels, LabelSets),
                    known=self.labels,
                    positions=self.read(len(tokens)),
                    pooled=read_out | {"mean": hidden.mean(axis=0, dtype=np.float64)[None]},
                )

    def labels_beside(self, records: Dataset, row: int) -> tuple[str, ...]:
        """The labels of a record that units are compared with; none where answers are not labels."""
        return ()


class LabelAdapter(ManyToOneAdapter[L]):
    """One whose answers are labels.

    Attributes:
        targets: of its task.
    """

    targets: ClassVar[LabelTargets]

    @property
    def labels(self) -> tuple[str, ...]:
        return self.model.labels

    def answers_at(self, outputs: Array) -> dict[str, Any]:
        return {"labels": self.labels, "probabilities": outputs, "key": "prefix_probabilities"}

    def validation_rows(self, records: Dataset) -> Array | None:
        if self.model.record.label_rows != dict(self.targets.counts(records.labels)):
            return None
        targets = self.targets.numbered(records.labels)[1]
        return split(records, self.model.settings, self.targets.strata(targets)).validation
