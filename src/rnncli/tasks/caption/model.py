"""The trained captioner: from numbers to a text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.formats.values import Value, as_text, features
from rnncli.data.records import FeatureRows, Texts
from rnncli.data.tables.described import ArrayColumn, NumericColumns
from rnncli.errors import DataError, counted
from rnncli.results import Column, TableCell
from rnncli.tasks.caption.network import Captioner, Described
from rnncli.tasks.generation import GeneratingManifest, GeneratingModel
from rnncli.tasks.inputs import NumberInput, Numbers, Spreads
from rnncli.tasks.model import Metric, distinct
from rnncli.tasks.network import BATCH, network_in_words
from rnncli.tasks.text_results import PairEvaluation, Transduction

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset

# Parts in which data are scored; each sorts the rows anew.
MOST_PARTS = 64


@dataclass(frozen=True, kw_only=True)
class CaptionManifest(GeneratingManifest):
    """What the file of a captioner adds."""

    names: tuple[str, ...]
    mean: Numbers
    spread: Spreads
    arrays: bool = False  # only in files of models that read arrays

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.names) != (1 if self.arrays else len(self.mean)):
            raise ValueError("names and numbers do not go together")

    def parts(self) -> dict[str, Any]:
        numbers = NumberInput(np.array(self.mean), np.array(self.spread))
        own = {"names": distinct(self.names, "name"), "numbers": numbers, "arrays": self.arrays}
        return own | super().parts()


@dataclass(frozen=True, kw_only=True, repr=False)
class CaptionModel(GeneratingModel):
    """A network that describes numbers, and what turns rows of a table into its inputs.

    Attributes:
        names: of the columns the numbers stand in; of arrays, that of the column that names their files.
        numbers: their mean and spread in training.
        arrays: the numbers stand in .npy files.
    """

    task = "caption"
    metric = Metric("nats per symbol", "validation_loss", higher_is_better=False)
    columns = (Column("text", style="bold"), Column("probability", True), Column("unknown"), Column("numbers"))
    stored = CaptionManifest
    inputs = FeatureRows
    unused = frozenset({"input", "normalize", "readout", "initializer", "class_weights", "bidirectional", "attention"})
    unused_sizes = frozenset({"max_length"})
    names: tuple[str, ...]
    numbers: NumberInput
    arrays: bool = False

    @property
    def reads(self) -> ArrayColumn | NumericColumns:
        return ArrayColumn(self.names[0]) if self.arrays else NumericColumns(self.names)

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
        for text, generated in zip(texts, self.generate(list(map(self.read, texts)), first), strict=True):
            yield self.transduction(as_text(text), *generated)

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> PairEvaluation:
        chosen, index = dataset.inputs.distinct()  # each once, however many records have it
        problems = [self.problem(dataset.inputs[row]) for row in chosen.tolist()]
        dataset = dataset.without([problems[k] for k in index.tolist()], "record that cannot be read")
        if self.settings.lowercase:
            dataset = replace(dataset, labels=Texts(text.lower() for text in dataset.labels))
        chosen, index = dataset.inputs.distinct()
        rows = np.stack([self.read(dataset.inputs[row]) for row in chosen.tolist()])
        whole = Described(rows, [self.target.encode(self.symbols(text)) for text in dataset.labels], index)
        parts = min(MOST_PARTS, -(-whole.size // BATCH))
        sums = self.network.metric_sums_of_all(self.params, whole, parts, workers)
        scores = self.compared(dataset, worst, workers)
        return replace(scores, nats=sums.losses / sums.counted)

    def describe(self) -> list[tuple[str, TableCell]]:
        where = f"of the .npy file in {self.names[0]}" if self.arrays else f"{self.names[0]} to {self.names[-1]}"
        return [
            ("network", network_in_words(self.settings, directions=False)),
            ("input", f"{counted(self.numbers.size, 'number')}, {where}, standardised"),
            *super().describe(),
        ]

    def facts(self) -> dict[str, Any]:
        return {"features": self.names, "numbers": self.numbers.size, **super().facts()}

    def own_manifest(self) -> dict[str, Any]:
        arrays = {"arrays": True} if self.arrays else {}
        return {"names": list(self.names), **super().own_manifest(), **self.numbers.manifest(), **arrays}

    def read(self, text: Value) -> Array:
        """(D,) standardised numbers.

        Raises:
            DataError: as :meth:`parse`; or a number has nothing to do with those of the training data.
        """
        try:
            return np.asarray(self.numbers.standardised(self.parse(text)[None])[0], self.settings.dtype)
        except ValueError as error:
            raise DataError(f"the input {error}") from None

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
