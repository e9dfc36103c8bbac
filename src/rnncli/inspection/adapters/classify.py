"""A label for a text, or for a sequence of numbers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from rnncli.core.cells.recurrence import Params
from rnncli.core.packed import Array, PackedSequence
from rnncli.data.dataset import Dataset
from rnncli.errors import UsageError, closest
from rnncli.inspection.activation_states import TextActivations, batches_by_length
from rnncli.inspection.adapters.adapter import Adapter
from rnncli.inspection.by_hand.answers import OneAnswer
from rnncli.inspection.by_hand.example import ONE_HOT, WorkedExample, names_of
from rnncli.inspection.by_hand.layers import LABELS, VOCABULARY, Inputs, Size, Stack
from rnncli.inspection.by_hand.tape import Sheet
from rnncli.inspection.flow import Flow, Opened
from rnncli.inspection.integrated_gradients import GradientPath, rows_of, through_tables
from rnncli.inspection.question import UNWRITTEN, InputParts, Question
from rnncli.inspection.states import States
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.classify.network import Examples
from rnncli.tasks.classify.results import Prediction
from rnncli.tasks.inputs import NumberInput, Steps, shorten, steps_of
from rnncli.tasks.prepare import numbered, split

ALL = 2**62  # tokens of a text that are named
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
        model, settings, batch = self.model, self.model.settings, found.opened.batch
        if isinstance(model.input, NumberInput):
            inputs = Inputs(sheet, batch.inputs[0], "its numbers, standardised")
        else:
            embedding, vocabulary = "embedding/weight" * (settings.input == "embedding"), model.input.vocabulary
            inputs = Inputs(sheet, batch.inputs[0], ONE_HOT, names_of(vocabulary), vocabulary.unknown, embedding)
        stack = Stack(found, "encoder/", sheet, inputs)
        answer = OneAnswer(stack, "output", model.labels, batch.targets, settings.readout)
        answer.give(settings.lr, stack.begin)
        answer.forward()
        return answer


class ClassifyAdapter(Adapter[ClassifierModel]):
    labels_per = "input"
    worked_example = ClassifyExample
    cuts = True

    @property
    def labels(self) -> tuple[str, ...]:
        return self.model.labels

    @property
    def reads_numbers(self) -> bool:
        return self.model.reads_numbers

    def parts(self, text: str) -> InputParts:
        """Each timestep a part, also of those that are not read; the baseline of numbers is their mean in training."""
        input = self.model.input
        if isinstance(input, NumberInput):
            rows = steps_of(text).tolist()
            names, _ = input.names(text, len(rows))
            mean = input.mean.tolist()
            return InputParts(tuple(names), tuple(rows), mean, lambda left: json.dumps(list(left)), input.unit)
        tokens, join = tuple(input.tokenizer.tokens(text)), input.tokenizer.join
        return InputParts(tokens, tokens, UNWRITTEN, lambda left: join(list(left)), input.unit)

    def _read(self, text: str) -> Steps:
        steps = self.model.read(text)
        if not steps.count:
            what = f"has no {self.model.unit}s" if text.strip() else "is empty"
            raise UsageError(f"the text {what}: there is no timestep to show")
        return steps

    def _number_of(self, label: str) -> int:
        if label not in self.labels:
            near = closest(label, self.labels)
            raise UsageError(f"the model knows no label '{label}'{near}", f"it knows {', '.join(self.labels)}")
        return self.labels.index(label)

    def _trace(self, text: str) -> States:
        """A cell that reads forwards has the same states for a beginning as for the whole, one that reads backwards has
        not; running every beginning gives for either exactly what ``predict`` says of it.
        """
        model, steps = self.model, self._read(text).values
        names, known = model.input.names(text, model.settings.max_length)
        beginnings = [steps[: end + 1] for end in range(len(steps))]
        return States(
            tokens=tuple(names),
            known=tuple(known),
            hidden=model.network.forward(model.params, PackedSequence.pack([steps]))[1],
            units=self.units,
            labels=self.labels,
            probabilities=model.network.probabilities(model.network.logits(model.params, beginnings)),
            answers_are="the prediction if the text ended there",
            key="prefix_probabilities",
        )

    def _open(self, text: str, answer: str | None) -> Opened:
        double = self.double
        model, steps = double.model, double._read(text).values
        label = int(model.probabilities([steps])[0].argmax()) if answer is None else self._number_of(answer)
        names, _ = model.input.names(text, model.settings.max_length)
        batch = Examples([steps], np.array([label]))
        return Opened(model.network, model.params, batch, {"": tuple(names)}, f"the label {self.labels[label]}")

    def predicted(self, texts: Sequence[str]) -> list[str]:
        return [prediction.label or "nothing" for prediction in self.model.predict(texts)]

    def _question(self, text: str, answer: str | None) -> Question:
        self._read(text)
        answer = self.predicted([text])[0] if answer is None else answer
        label, parts, double = self._number_of(answer), self.parts(text), self.double
        network, params = double.model.network, double.model.params

        def scores(texts: Sequence[str]) -> Array:
            return network.log_odds(network.logits(params, [double.model.read(one).values for one in texts]), label)

        ends = [double.model.read(end) for end in parts.whole_and_baseline()]
        # Where a baseline part is read as more than one timestep, parts are none.
        same_steps = all(end.count == len(parts.names) for end in ends)
        path = double._path_of_numbers if self.reads_numbers else double._path_of_words
        return Question(
            parts=parts,
            answer=answer,
            score_is="log odds",
            scores=scores,
            predictions=self.predicted,
            path=path(label, *(end.values for end in ends)) if same_steps else None,
            read=shorten(np.arange(len(parts.names)), self.model.settings.max_length),
        )

    def _path_of_words(self, label: int, text: Array, baseline: Array) -> GradientPath:
        network, T = self.model.network, len(text)

        def scores(own: Params, n: int) -> Array:
            return network.log_odds(replace(network, input_size=n * T).logits(own, rows_of(n, T)), label)

        def gradients(own: Params, n: int) -> Params:
            wide = replace(network, input_size=n * T)
            logits, _, cache = wide.forward(own, PackedSequence.pack(rows_of(n, T)))
            return wide.backward(own, cache, wide.log_odds_gradient(logits, label))

        tables = dict.fromkeys(sorted(network.tables), (text, baseline))
        return through_tables(self.model.params, tables, scores, gradients)

    def _path_of_numbers(self, label: int, sequence: Array, baseline: Array) -> GradientPath:
        network, params = self.model.network, self.model.params

        def scores(x: Array) -> Array:
            return network.log_odds(network.logits(params, list(x)), label)

        def gradients(x: Array) -> Array:
            packed = PackedSequence.pack(list(x))
            logits, _, cache = network.forward(params, packed)
            dx, _ = network.backward_to_input(params, cache, network.log_odds_gradient(logits, label))
            assert dx is not None  # the numbers count as learned
            return np.stack(packed.with_data(dx).unpack())

        return GradientPath(sequence, baseline, scores, gradients)

    def activations(self, records: Dataset) -> Iterator[TextActivations]:
        """A label for the whole text; the units' mean over it, and what the read-out takes of them."""
        model, limit = self.model, self.model.settings.max_length
        readout = READ_OUT.get(model.settings.readout)
        records, _ = self.labelled(records)
        read = [model.read(text).values for text in records.inputs]
        for rows in batches_by_length([len(values) for values in read]):
            packed = PackedSequence.pack([read[row] for row in rows])
            _, outputs, cache = model.network.forward(model.params, packed, keep=False)
            pooled = packed.to_caller_order(cache.output)  # what goes into the last linear layer is what was read out
            for k, (row, hidden) in enumerate(zip(rows, packed.with_data(outputs).unpack(), strict=True)):
                tokens, _ = model.input.names(records.inputs[row], ALL)
                read_out = {readout: pooled[k : k + 1]} if readout else {}
                yield TextActivations(
                    line=records.lines[row],
                    tokens=tokens,
                    hidden=hidden,
                    labels=(records.labels[row],) if records.labels[row] else (),
                    known=self.labels,
                    places=shorten(np.arange(len(tokens)), limit),
                    pooled=read_out | {"mean": hidden.mean(axis=0, dtype=np.float64)[None]},
                )

    def answer_of(self, prediction: Prediction) -> str:
        return prediction.label or "(empty)"

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
