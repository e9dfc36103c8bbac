"""A label for a text, or for a sequence of numbers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rnncli.clean import or_empty
from rnncli.core.packed import Array, PackedSequence, Params
from rnncli.data.dataset import Dataset
from rnncli.errors import UsageError, closest
from rnncli.inspection.activation_states import TextActivations, batches_by_length
from rnncli.inspection.adapters.adapter import Adapter
from rnncli.inspection.by_hand.example import ONE_HOT, WorkedExample, names_of
from rnncli.inspection.by_hand.limits import LABELS, VOCABULARY, Size
from rnncli.inspection.integrated_gradients import GradientPath, through_tables
from rnncli.inspection.loss import Opened
from rnncli.inspection.question import BASELINE_TOKEN, InputParts
from rnncli.inspection.states import States
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.classify.network import Classifier, Examples
from rnncli.tasks.classify.results import Prediction
from rnncli.tasks.inputs import NumberInput, steps_of
from rnncli.tasks.prepare import numbered, split

if TYPE_CHECKING:
    from rnncli.inspection.by_hand.answers import OneAnswer
    from rnncli.inspection.by_hand.tape import Sheet
    from rnncli.inspection.flow import Flow

ALL = 2**62  # more tokens than any text has
READ_OUT = {"last": "last value", "max": "maximum"}  # what a read-out takes of a unit, where it is not the mean


class ClassifyExample(WorkedExample[ClassifierModel]):
    @property
    def sizes(self) -> Sequence[Size]:
        model, labels = self.model, Size(len(self.model.labels), LABELS, "label")
        if isinstance(model.input, NumberInput):
            return [Size(model.input.size, VOCABULARY, "number", " a timestep"), labels]
        sizes = [labels, self.vocabulary(model.input.size, "in the vocabulary, <unk>")]
        return [*sizes, self.embedding] if model.settings.input == "embedding" else sizes

    def write(self, found: Flow, sheet: Sheet) -> OneAnswer:
        from rnncli.inspection.by_hand.answers import OneAnswer
        from rnncli.inspection.by_hand.layers import Inputs, Stack

        model, settings, batch = self.model, self.model.settings, found.opened.batch
        if isinstance(model.input, NumberInput):
            inputs = Inputs(sheet, batch.inputs[0], "its numbers, standardised")
        else:
            embedding, vocabulary = "embedding/weight" * (settings.input == "embedding"), model.input.vocabulary
            inputs = Inputs(sheet, batch.inputs[0], ONE_HOT, names_of(vocabulary), vocabulary.unknown, embedding)
        stack = Stack(found, "encoder/", sheet, inputs)
        answer = OneAnswer(stack, "output", model.labels, batch.targets, settings.readout)
        answer.give(settings.lr, stack.begin)
        return answer


class ClassifyAdapter(Adapter[ClassifierModel]):
    labels_per = "input"
    score_is = "log odds"
    worked_example = ClassifyExample
    cuts = True

    @property
    def labels(self) -> tuple[str, ...]:
        return self.model.labels

    @property
    def reads_numbers(self) -> bool:
        return self.model.reads_numbers

    def parts(self, text: str) -> InputParts:
        """Each timestep is a part, read or not; the baseline of numbers is their mean in training."""
        input = self.model.input
        if isinstance(input, NumberInput):
            rows = steps_of(text).tolist()
            names, _ = input.names(text, len(rows))
            mean = input.mean.tolist()
            return InputParts(tuple(names), tuple(rows), mean, lambda left: json.dumps(list(left)), input.unit)
        tokens, join = tuple(input.tokenizer.tokens(text)), input.tokenizer.join
        return InputParts(tokens, tokens, BASELINE_TOKEN, lambda left: join(list(left)), input.unit)

    def _steps(self, text: str) -> Sequence[str]:
        model = self.model
        return model.input.names(text, model.settings.max_length)[0] if model.read(text).count else ()

    def _number_of(self, label: str) -> int:
        if label not in self.labels:
            near = closest(label, self.labels)
            raise UsageError(f"the model knows no label '{label}'{near}", f"it knows {', '.join(self.labels)}")
        return self.labels.index(label)

    def _trace(self, text: str, steps: tuple[str, ...]) -> States:
        """Runs every beginning of the text: what ``predict`` says of it, also where a layer reads backwards."""
        model, read = self.model, self.model.read(text).values
        beginnings = [read[: end + 1] for end in range(len(read))]
        return States(
            tokens=steps,
            known=tuple(model.input.names(text, model.settings.max_length)[1]),
            hidden=model.network.forward(model.params, PackedSequence.pack([read]))[1],
            units=self.units,
            labels=self.labels,
            probabilities=model.network.probabilities(model.network.logits(model.params, beginnings)),
            answers_are="the prediction if the text ended there",
            key="prefix_probabilities",
        )

    def _open(self, text: str, steps: tuple[str, ...], answer: str | None) -> Opened:
        model = self.double.model
        read = model.read(text).values
        label = int(model.probabilities([read])[0].argmax()) if answer is None else self._number_of(answer)
        batch = Examples([read], np.array([label]))
        return Opened(model.network, model.params, batch, {"": steps}, f"the label {self.labels[label]}")

    def predicted(self, texts: Sequence[str]) -> list[str]:
        return [prediction.label or "nothing" for prediction in self.model.predict(texts)]

    def scores(self, texts: Sequence[str], answer: str) -> Array:
        network, read = self.model.network, [self.model.read(text).values for text in texts]
        return network.log_odds(network.logits(self.model.params, read), self._number_of(answer))

    def path(self, text: str, baseline: str, answer: str) -> GradientPath:
        network, params, label = self.model.network, self.model.params, self._number_of(answer)
        ends = self.model.read(text).values, self.model.read(baseline).values
        if self.reads_numbers:
            return self._path_of_numbers(*ends, label)

        def scores(wide: Classifier, own: Params, rows: list[Array]) -> Array:
            return network.log_odds(wide.logits(own, rows), label)

        def gradients(wide: Classifier, own: Params, rows: list[Array]) -> Params:
            logits, _, cache = wide.forward(own, PackedSequence.pack(rows))
            return wide.backward(own, cache, network.log_odds_gradient(logits, label))

        tables = dict.fromkeys(sorted(network.tables), ends)
        return through_tables(params, tables, lambda size: replace(network, input_size=size), scores, gradients)

    def _path_of_numbers(self, sequence: Array, baseline: Array, label: int) -> GradientPath:
        network, params = self.model.network, self.model.params

        def scores(x: Array) -> Array:
            return network.log_odds(network.logits(params, list(x)), label)

        def gradients(x: Array) -> Array:
            packed = PackedSequence.pack(list(x))
            logits, _, cache = network.forward(params, packed)
            dx, _ = network.backward_to_input(params, cache, network.log_odds_gradient(logits, label))
            assert dx is not None  # numbers have gradients
            return np.stack(packed.with_data(dx).unpack())

        return GradientPath(sequence, baseline, scores, gradients)

    def activations(self, records: Dataset) -> Iterator[TextActivations]:
        """The label of a text, with the mean of each unit and what the read-out takes of it."""
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
                    tokens=tokens,
                    hidden=hidden,
                    labels=(records.labels[row],) if records.labels[row] else (),
                    known=self.labels,
                    positions=self.read(len(tokens)),
                    pooled=read_out | {"mean": hidden.mean(axis=0, dtype=np.float64)[None]},
                )

    def answer_of(self, prediction: Prediction) -> str:
        return or_empty(prediction.label)

    def labels_of(self, prediction: Prediction) -> Sequence[str]:
        return () if prediction.label is None else (prediction.label,)

    def change(self, first: Prediction, second: Prediction) -> float:
        """Half of the sum of all |Δp|."""
        names = sorted(first.probabilities.keys() | second.probabilities.keys())
        return sum(abs(first.probabilities.get(n, 0.0) - second.probabilities.get(n, 0.0)) for n in names) / 2

    def validation_rows(self, records: Dataset) -> Array | None:
        if self.model.record.label_rows != dict(Counter(records.labels)):
            return None
        return split(records, self.model.settings, numbered(records.labels)[1]).validation


ADAPTER = ClassifyAdapter
