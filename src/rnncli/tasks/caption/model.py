"""The trained model: from an input to an answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.data.formats.values import Value, as_text, features
from rnncli.data.records import FeatureRows, Inputs, Texts
from rnncli.data.tables.described import ArrayColumn, NumericColumns
from rnncli.errors import DataError, counted
from rnncli.parallel.chunks import map_rows
from rnncli.results import Column, TableCell
from rnncli.tasks.caption.network import Captioner, Described
from rnncli.tasks.generation import GeneratingManifest, GeneratingModel
from rnncli.tasks.inputs import NumberInput, Numbers, Spreads
from rnncli.tasks.model import Metric, distinct
from rnncli.tasks.network import BATCH, network_in_words
from rnncli.tasks.text_results import PairEvaluation, Transduction, compared

# Parts in which data are scored; each sorts the rows anew.
MOST_PARTS = 64


@dataclass(frozen=True, kw_only=True)
class CaptionManifest(GeneratingManifest):
    """A captioner's own part of its file."""

    names: tuple[str, ...]
    mean: Numbers
    spread: Spreads
    arrays: bool = False  # said by models of arrays alone

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.names) != (1 if self.arrays else len(self.mean)):
            raise ValueError("names and numbers do not go together")

    def parts(self) -> dict[str, Any]:
        numbers = NumberInput.of_file(self.mean, self.spread)
        own = {"names": distinct(self.names, "name"), "numbers": numbers, "arrays": self.arrays}
        return own | super().parts()


@dataclass(frozen=True, kw_only=True, repr=False)
class CaptionModel(GeneratingModel):
    """Everything that numbers need on their way to a text.

    Attributes:
        names: of the columns the numbers stand in; of arrays, that of the column that names their files.
        numbers: their mean and spread in training.
        arrays: the numbers stand in .npy files.
    """

    task = "caption"
    metric = Metric("nats per symbol", "validation_loss", higher_is_better=False)
    columns = (Column("numbers"), Column("text", style="bold"), Column("probability", True), Column("unknown"))
    names: tuple[str, ...]
    numbers: NumberInput
    arrays: bool = False
    stored = CaptionManifest

    @property
    def inputs(self) -> type[Inputs[Any]]:
        return FeatureRows

    @property
    def reads(self) -> ArrayColumn | NumericColumns:
        return ArrayColumn(self.names[0]) if self.arrays else NumericColumns(self.names)

    @property
    def unused(self) -> frozenset[str]:
        never = {"input", "normalize", "readout", "initializer", "class_weights", "bidirectional", "attention"}
        return frozenset(never)

    @property
    def unused_sizes(self) -> frozenset[str]:
        return frozenset({"max_length"})

    @property
    def network(self) -> Captioner:
        return Captioner(self.settings, self.numbers.size, self.target.size)

    def problem(self, text: Value) -> str | None:
        try:
            self.read(text)
        except DataError as error:
            return error.message
        return None

    def _predict_chunk(self, texts: list[Value], first: int) -> Iterator[Transduction]:
        rows = np.stack([self.read(text) for text in texts])
        for text, (target, log_probability) in zip(texts, self._generate(rows), strict=True):
            yield self.transduction(as_text(text), target, log_probability)

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> PairEvaluation:
        chosen, places = dataset.inputs.distinct()  # each once, however many records have it
        problems = [self.problem(dataset.inputs[row]) for row in chosen.tolist()]
        dataset = dataset.without([problems[place] for place in places.tolist()], "record that cannot be read")
        if self.settings.lowercase:
            dataset = replace(dataset, labels=Texts(text.lower() for text in dataset.labels))
        chosen, places = dataset.inputs.distinct()
        rows = np.stack([self.read(dataset.inputs[row]) for row in chosen.tolist()])
        whole = Described(rows, [self._target(text) for text in dataset.labels], places)
        parts = min(MOST_PARTS, -(-whole.size // BATCH))
        sums = self.network.metric_sums_of_all(self.params, whole, parts, workers)

        def generate(inputs: Sequence[Array]) -> list[tuple[list[str], float]]:
            def generate_some(some: list[int]) -> list[tuple[list[str], float]]:
                return self._generate(np.stack([inputs[row] for row in some]))

            return map_rows(generate_some, [1] * len(inputs), max(1, BATCH // self.beam), workers)

        scores = compared(dataset, generate, self.read, self.unit, worst)
        return replace(scores, nats=sums.losses / sums.counted)

    def describe(self) -> list[tuple[str, TableCell]]:
        where = f"of the .npy file in {self.names[0]}" if self.arrays else f"{self.names[0]} to {self.names[-1]}"
        return [
            ("network", network_in_words(self.settings, directions=False)),
            ("input", f"{self.numbers.size:,} numbers, {where}, standardised"),
            ("target", f"{len(self.target.tokens):,} known {self.unit}s"),
        ]

    def facts(self) -> dict[str, Any]:
        known = {"features": self.names, "numbers": self.numbers.size}
        return {**known, "target_size": self.target.size, "longest": self.longest}

    def own_manifest(self) -> dict[str, Any]:
        known = {"names": list(self.names), "target": list(self.target.tokens), "longest": self.longest}
        return {**known, **self.numbers.manifest(), **({"arrays": True} if self.arrays else {})}

    def read(self, text: Value) -> Array:
        """(D,) standardised numbers.

        Raises:
            DataError: as :meth:`parse`; or a number has nothing to do with those of the training data.
        """
        try:
            return np.asarray(self.numbers.standardised(self.parse(text)[None])[0], self.settings.dtype)
        except ValueError as error:
            raise DataError(f"the input {error}") from None

    def _target(self, text: str) -> Array:
        return self.target.encode(self.symbols(text))

    def parse(self, text: Value) -> Array:
        """(D,) numbers of an input.

        Raises:
            DataError: they are something else, or not as many as the model reads.
        """
        try:
            numbers, size = features(text), self.numbers.size
        except ValueError as error:
            raise DataError(f"the input {error}", "for example: 0.1, 0.5, 0.25") from None
        if len(numbers) != size:
            raise DataError(
                f"the input has {counted(len(numbers), 'number')}, and the model reads {size:,} finite ones"
            )
        return numbers

    def _generate(self, rows: Array) -> list[tuple[list[str], float]]:
        return self.with_symbols(self.network.decode(self.params, rows, self.limit, self.beam))
