"""The trained classifier: from an input to its label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.data.doubts.preview import Purpose
from rnncli.data.formats.values import Value, as_text, size
from rnncli.data.records import Inputs, NumberArrays, Texts
from rnncli.data.tables.long_form import LongForm
from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.errors import DataError
from rnncli.parallel.chunks import map_rows
from rnncli.results import Column, TableCell
from rnncli.tasks.classify.network import Classifier
from rnncli.tasks.classify.results import ClassifierEvaluation, Mistake, Prediction
from rnncli.tasks.inputs import NumberInput, Numbers, Spreads, Steps, StoredTokenizer, TextInput, Tokens
from rnncli.tasks.metrics import judge
from rnncli.tasks.model import OF_AN_EMBEDDING, OF_TEXTS, Labels, Manifest, Model, TextReading, distinct, of_filled
from rnncli.tasks.network import BATCH, network_in_words


@dataclass(frozen=True, kw_only=True)
class ClassifierManifest(Manifest):
    """What the file of a classifier adds: either tokenizer and vocabulary, or mean and spread."""

    labels: Labels
    tokenizer: StoredTokenizer | None = None
    vocabulary: Tokens | None = None
    mean: Numbers | None = None
    spread: Spreads | None = None
    columns: LongForm | None = None

    def __post_init__(self) -> None:
        if self.columns is not None and len(set(self.columns.names)) != len(self.columns.names):
            raise ValueError("a column appears twice in columns")

    def parts(self) -> dict[str, Any]:
        return {"input": self._input(), "labels": distinct(self.labels, "label"), "form": self.columns}

    def _input(self) -> TextInput | NumberInput:
        """Raises ValueError: the manifest says neither or both, or the columns are not those of the input."""
        match self.tokenizer, self.vocabulary, self.mean, self.spread, self.columns:
            case StoredTokenizer() as tokenizer, tuple() as vocabulary, None, None, None:
                return TextInput(Tokenizer(**asdict(tokenizer)), Vocabulary(vocabulary))
            case None, None, tuple() as mean, tuple() as spread, form:
                if form is None or len(form.features) == len(mean):
                    return NumberInput(np.array(mean), np.array(spread))
        raise ValueError("tokenizer, vocabulary, mean, spread and columns do not go together")


@dataclass(frozen=True, kw_only=True, repr=False)
class ClassifierModel(Model):
    """A classifier, and what turns texts or sequences of numbers into its inputs.

    Attributes:
        input: what a timestep is.
        labels: in the order of the probabilities.
        form: the columns of the table in long form that it was trained on, if it was.
    """

    task = "classify"
    columns = (Column("text"), Column("label", style="bold"), Column("probability", True), Column("unknown words"))
    input: TextInput | NumberInput
    labels: tuple[str, ...]
    form: LongForm | None = None
    stored = ClassifierManifest

    @property
    def inputs(self) -> type[Inputs[Any]]:
        return NumberArrays if self.reads_numbers else Texts

    @property
    def reads(self) -> LongForm | None:
        return self.form

    @property
    def reads_numbers(self) -> bool:
        """Whether a timestep is numbers, not a token."""
        return isinstance(self.input, NumberInput)

    @property
    def text_reading(self) -> TextReading | None:
        if isinstance(self.input, NumberInput):
            return None
        return TextReading(self.unit, self.input.tokenizer.tokens, self.input.vocabulary)

    @property
    def kind(self) -> str:
        return "classify that reads numbers" if self.reads_numbers else self.task

    @property
    def unused(self) -> frozenset[str]:
        return frozenset({"attention", "inject"}) | (OF_TEXTS if self.reads_numbers else set())

    @property
    def unused_sizes(self) -> frozenset[str]:
        if self.reads_numbers:
            return OF_AN_EMBEDDING | {"min_count", "max_vocabulary"}
        return OF_AN_EMBEDDING if self.settings.input == "onehot" else frozenset()

    @property
    def network(self) -> Classifier:
        return Classifier(self.settings, self.input.size, len(self.labels), self.reads_numbers)

    @property
    def unit(self) -> str:
        return self.input.unit

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> ClassifierEvaluation:
        if self.reads_numbers:
            dataset = dataset.without([self.problem(one) for one in dataset.inputs], "sequence that cannot be read")
        inputs = dataset.inputs

        def answered(rows: list[int]) -> list[tuple[int, int, float]]:
            """Of each row how many timesteps are read, the most probable label's number, its probability."""
            encoded = [self.read(inputs[row]).values for row in rows]
            found = self.probabilities(encoded)
            return list(zip(map(len, encoded), found.argmax(axis=1).tolist(), found.max(axis=1).tolist(), strict=True))

        each = map_rows(answered, list(map(size, inputs)), BATCH, workers)
        lengths, predicted, confidence = (np.array(of_texts) for of_texts in zip(*each, strict=True))
        dataset = dataset.with_tokens(lengths, self.input.unit)
        predicted, confidence = predicted[lengths > 0], confidence[lengths > 0]
        judged = judge(dataset.labels, predicted, confidence, self.labels, worst)
        mistakes = (
            Mistake(
                line=dataset.lines[row],
                text=dataset.called(row),
                truth=dataset.labels[row],
                predicted=judged.names[predicted[row]],
                probability=float(confidence[row]),
            )
            for row in judged.worst
        )
        return ClassifierEvaluation(
            scores=judged.scores,
            mistakes=tuple(mistakes),
            unseen=judged.unseen,
            skipped=dataset.skipped,
            skipped_because=dataset.skipped_because,
        )

    def describe(self) -> list[tuple[str, TableCell]]:
        return [
            ("labels", ", ".join(self.labels)),
            ("network", f"{network_in_words(self.settings)}, {self.settings.readout} read-out"),
            ("input", self.input.described(self.settings.input)),
            *([("columns", self.form.sentence)] if self.form is not None else []),
        ]

    def facts(self) -> dict[str, Any]:
        return {"labels": self.labels, **self.input.facts(), **self._columns()}

    def own_manifest(self) -> dict[str, Any]:
        return {"labels": list(self.labels), **self.input.manifest(), **self._columns()}

    def _columns(self) -> dict[str, Any]:
        if self.form is None:
            return {}
        return {"columns": asdict(self.form) | {"features": list(self.form.features)}}

    def purpose(self, command: str = "rnncli evaluate MODEL") -> Purpose:
        texts: dict[str, Any] = {} if self.reads_numbers else {"knows": self._knows, "lists": False}
        return Purpose(command, labels=frozenset(self.labels), **texts)

    def _knows(self, text: str) -> bool:
        """Whether most tokens of a text are in the vocabulary."""
        _, known = self.input.names(text, self.settings.max_length)
        return 2 * sum(known) > len(known)

    def problem(self, text: Value) -> str | None:
        if self.reads_numbers:
            try:
                self.read(text)
            except DataError as error:
                return error.message
        return None

    def read(self, text: Value) -> Steps:
        """An input as the network reads it.

        Raises:
            DataError: these are not numbers.
        """
        try:
            steps = self.input.read(text, self.settings.max_length)
        except ValueError as error:
            raise DataError(f"the sequence {error}", "it is written as JSON: [[0, 0.5], [1, 0.25]]") from None
        return replace(steps, values=steps.values.astype(self.settings.dtype)) if self.reads_numbers else steps

    def probabilities(self, encoded: Sequence[Array]) -> Array:
        """(inputs, labels) probabilities; zeros for an input without timesteps."""
        network, nothing = self.network, np.zeros(len(self.labels))
        found = of_filled(lambda some: network.probabilities(network.logits(self.params, some)), encoded, nothing)
        return np.array(found, np.float64).reshape(len(encoded), len(self.labels))

    def _predict_chunk(self, texts: list[Value], first: int) -> Iterator[Prediction]:
        read = [self.read(text) for text in texts]
        answered = self.probabilities([steps.values for steps in read])
        for text, steps, row in zip(texts, read, answered, strict=True):
            best = int(row.argmax()) if steps.count else None
            yield Prediction(
                text=as_text(text),
                label=None if best is None else self.labels[best],
                probability=None if best is None else float(row[best]),
                probabilities={} if best is None else dict(zip(self.labels, row.tolist(), strict=True)),
                tokens=steps.count,
                unknown=steps.unknown,
                cut=max(0, steps.count - self.settings.max_length),
            )
