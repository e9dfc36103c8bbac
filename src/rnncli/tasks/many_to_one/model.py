"""A trained model that gives one answer for a whole input."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.formats.missing import Missing
from rnncli.data.formats.values import Value, as_text, size
from rnncli.data.records import Inputs, NumberArrays, Texts
from rnncli.data.tables.long_form import LongForm
from rnncli.data.tables.wide_form import WideForm
from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.errors import DataError
from rnncli.parallel.chunks import map_rows
from rnncli.results import TableCell
from rnncli.tasks.inputs import NumberInput, Numbers, Spreads, Steps, StoredTokenizer, TextInput, Tokens
from rnncli.tasks.many_to_one.network import ManyToOne
from rnncli.tasks.model import OF_AN_EMBEDDING, OF_TEXTS, Axis, Manifest, Model, TextReading, of_filled, token_axis
from rnncli.tasks.network import BATCH, network_in_words

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset
    from rnncli.data.doubts.preview import Purpose

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class ManyToOneManifest(Manifest):
    """What the file of such a model adds: either tokenizer and vocabulary, or mean and spread."""

    tokenizer: StoredTokenizer | None = None
    vocabulary: Tokens | None = None
    mean: Numbers | None = None
    spread: Spreads | None = None
    columns: LongForm | None = None
    wide: WideForm | None = None
    missing: Missing = None

    def __post_init__(self) -> None:
        if self.columns is not None and len(set(self.columns.names)) != len(self.columns.names):
            raise ValueError("a column appears twice in columns")

    def parts(self) -> dict[str, Any]:
        return {"input": self._input(), "form": self.columns or self.wide}

    def _input(self) -> TextInput | NumberInput:
        """Raises ValueError: the manifest says neither or both, or the columns are not those of the input."""
        match self.tokenizer, self.vocabulary, self.mean, self.spread, self.columns:
            case StoredTokenizer() as tokenizer, tuple() as vocabulary, None, None, None if self.wide is None:
                return TextInput(Tokenizer(**asdict(tokenizer)), Vocabulary(vocabulary))
            case None, None, tuple() as mean, tuple() as spread, form:
                if form is None or (form.size == len(mean) and self.wide is None):
                    return NumberInput(np.array(mean), np.array(spread), self.missing)
        raise ValueError("tokenizer, vocabulary, mean, spread and columns do not go together")


@dataclass(frozen=True, kw_only=True, repr=False)
class ManyToOneModel(Model):
    """A network, and what turns texts or sequences of numbers into its inputs.

    Attributes:
        input: what a timestep is.
        form: the columns of the table in long or wide form that it was trained on, if it was.
        networks: the class of its network.
    """

    networks: ClassVar[type[ManyToOne]]
    input: TextInput | NumberInput
    form: LongForm | WideForm | None = None
    stored: ClassVar[type[ManyToOneManifest]]

    @property
    def inputs(self) -> type[Inputs[Any]]:
        return NumberArrays if self.reads_numbers else Texts

    @property
    def reads(self) -> LongForm | WideForm | None:
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
        return f"{self.task} that reads numbers" if self.reads_numbers else self.task

    @property
    def unused(self) -> frozenset[str]:
        return frozenset({"attention", "inject"}) | (OF_TEXTS if self.reads_numbers else set())

    @property
    def unused_sizes(self) -> frozenset[str]:
        if self.reads_numbers:
            return OF_AN_EMBEDDING | {"min_count", "max_vocabulary"}
        return OF_AN_EMBEDDING if self.settings.input == "onehot" else frozenset()

    @property
    @abstractmethod
    def answer_count(self) -> int:
        """K of the network."""

    @property
    def axes(self) -> Mapping[str, Axis]:
        if isinstance(self.input, NumberInput):
            return {}
        return dict.fromkeys(self.network.tables, token_axis(0, self.input.vocabulary, self.unit))

    @property
    def network(self) -> ManyToOne:
        return self.networks(self.settings, self.input.size, self.answer_count, self.reads_numbers)

    @property
    def unit(self) -> str:
        return self.input.unit

    def _each(self, dataset: Dataset, workers: int, answer: Callable[[Array], Iterable[T]]) -> tuple[Dataset, list[T]]:
        """The records that have timesteps, and the answer for each.

        Args:
            answer: gives one for each row of (rows, K) outputs.
        """
        if self.reads_numbers:
            dataset = dataset.without([self.problem(one) for one in dataset.inputs], "sequence that cannot be read")
        inputs = dataset.inputs

        def answered(rows: list[int]) -> list[tuple[int, T]]:
            """Of each row how many timesteps are read, and its answer."""
            encoded = [self.read(inputs[row]).values for row in rows]
            return list(zip(map(len, encoded), answer(self.outputs(encoded)), strict=True))

        each = map_rows(answered, list(map(size, inputs)), BATCH, workers)
        dataset = dataset.with_tokens([length for length, _ in each], self.input.unit)
        return dataset, [found for length, found in each if length]

    def describe(self) -> list[tuple[str, TableCell]]:
        return [
            ("network", f"{network_in_words(self.settings)}, {self.settings.readout} read-out"),
            ("input", self.input.described(self.settings.input)),
            *([("columns", self.form.sentence)] if self.form is not None else []),
        ]

    def facts(self) -> dict[str, Any]:
        return {**self.input.facts(), **self._columns()}

    def own_manifest(self) -> dict[str, Any]:
        return {**self.input.manifest(), **self._columns()}

    def _columns(self) -> dict[str, Any]:
        if self.form is None:
            return {}
        return {"columns" if isinstance(self.form, LongForm) else "wide": self.form.to_json()}

    def purpose(self, command: str = "rnncli evaluate MODEL") -> Purpose:
        purpose = super().purpose(command)
        if isinstance(self.input, NumberInput):
            return replace(purpose, numbers=True, missing=self.input.missing)
        return replace(purpose, knows=self._knows, lists=False)

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

    def outputs(self, encoded: Sequence[Array]) -> Array:
        """(inputs, K) what the network answers; zeros for an input without timesteps."""
        network, nothing = self.network, np.zeros(self.answer_count)
        found = of_filled(lambda some: network.outputs(network.logits(self.params, some)), encoded, nothing)
        return np.array(found, np.float64).reshape(len(encoded), self.answer_count)

    @property
    def vector_size(self) -> int:
        return self.network.reader.stack.output_size

    def vectors(self, texts: Sequence[Any]) -> Array:
        """(inputs, H) what the read-out gives, of which the last layer makes its outputs."""
        network, nothing = self.network, np.full(self.vector_size, np.nan, self.settings.dtype)
        encoded = [self.read(text).values for text in texts]
        found = of_filled(lambda some: network.vectors(self.params, some), encoded, nothing)
        return np.array(found).reshape(len(texts), self.vector_size)

    def _predict_chunk(self, texts: list[Value], first: int) -> Iterator[Any]:
        read = [self.read(text) for text in texts]
        answered = self.outputs([steps.values for steps in read])
        for text, steps, row in zip(texts, read, answered, strict=True):
            cut = max(0, steps.count - self.settings.max_length)
            yield self._prediction(row, text=as_text(text), tokens=steps.count, unknown=steps.unknown, cut=cut)

    @abstractmethod
    def _prediction(self, outputs: Array, *, text: str, tokens: int, unknown: tuple[str, ...], cut: int) -> Any:
        """The prediction for a text of so many tokens, by the (K,) outputs."""


@dataclass(frozen=True, kw_only=True, repr=False)
class LabelModel(ManyToOneModel):
    """One whose answers are labels.

    Attributes:
        labels: in the order of the probabilities.
    """

    labels: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        return self.labels

    @property
    def answer_count(self) -> int:
        return len(self.labels)

    @property
    def axes(self) -> Mapping[str, Axis]:
        # The one logit of two labels is of both.
        joint = self.network.logit_count < len(self.labels)
        return {**super().axes, **self._label_axes((" ".join(map(repr, self.labels)),) if joint else self.labels)}

    def carried(self, other: Model) -> tuple[dict[str, Array], Mapping[str, Axis]]:
        """As of every model; the one logit of two labels, z, becomes −z/2 and z/2 where ``other`` has more."""
        params, axes = super().carried(other)
        if self.network.logit_count < len(self.labels) < len(other.axes["output/weight"].names):
            axes = {**axes, **self._label_axes(self.labels)}
            for name in self._label_axes(()):
                params[name] = np.concatenate((-params[name] / 2, params[name] / 2), axis=-1)
        return params, axes

    def _label_axes(self, names: tuple[str, ...]) -> dict[str, Axis]:
        """Of the output layer, whose logits are those of ``names``."""
        axes = {"output/weight": Axis(1, names, "label", len(self.labels))}
        return axes | ({"output/bias": Axis(0, names)} if self.settings.bias else {})

    def describe(self) -> list[tuple[str, TableCell]]:
        return [("labels", ", ".join(self.labels)), *super().describe()]

    def facts(self) -> dict[str, Any]:
        return {"labels": self.labels, **super().facts()}

    def own_manifest(self) -> dict[str, Any]:
        return {"labels": list(self.labels), **super().own_manifest()}

    def purpose(self, command: str = "rnncli evaluate MODEL") -> Purpose:
        return replace(super().purpose(command), labels=frozenset(self.labels))

    def probabilities(self, encoded: Sequence[Array]) -> Array:
        """(inputs, labels); zeros for an input without timesteps."""
        return self.outputs(encoded)
