"""The trained model: from a text to its number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from stand_ins.tasks.stars.network import Rated, Regression

from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.results import Column, TableCell, TableView
from rnncli.tasks.model import Manifest, Metric, Model, of_filled
from rnncli.tasks.network import network_in_words


@dataclass(frozen=True)
class Stars:
    """A number for a text; None for one without words."""

    text: str
    stars: float | None
    unknown: tuple[str, ...]
    cut: ClassVar[int] = 0

    @property
    def problem(self) -> str | None:
        return "the text has no words" if self.stars is None else None

    def values(self) -> tuple[TableCell, ...]:
        return (self.stars,)

    def cells(self) -> tuple[TableCell, ...]:
        return self.stars, self.text

    def fields(self) -> tuple[str, ...]:
        return "-" if self.stars is None else f"{self.stars:.4f}", self.text

    def brief(self) -> tuple[tuple[str, ...], str, str]:
        return ("-" if self.stars is None else f"{self.stars:.2f}",), self.text, ""


@dataclass(frozen=True)
class StarsEvaluation:
    rows: int
    squared_error: float
    close: float
    skipped: int
    skipped_because: tuple[str, ...]

    def pairs(self) -> list[tuple[str, TableCell]]:
        return [("rows", self.rows), ("squared error", self.squared_error), ("close", self.close)]

    def tables(self) -> list[TableView]:
        return []


@dataclass(frozen=True, kw_only=True)
class StarsManifest(Manifest):
    vocabulary: tuple[str, ...]

    def parts(self) -> dict[str, Any]:
        return {"vocabulary": Vocabulary(self.vocabulary)}


@dataclass(frozen=True, kw_only=True, repr=False)
class StarsModel(Model):
    task: ClassVar[str] = "stars"
    metric: ClassVar[Metric] = Metric("squared error", "validation_loss", higher_is_better=False)
    columns: ClassVar[tuple[Column, ...]] = (Column("stars", True), Column("text"))
    answers: ClassVar[tuple[str, ...]] = ("prediction",)
    stored: ClassVar = StarsManifest
    unit: ClassVar[str] = "word"
    vocabulary: Vocabulary

    @property
    def network(self) -> Regression:
        return Regression(self.settings, self.vocabulary.size)

    def encode(self, text: str) -> Array:
        return np.asarray(self.vocabulary.encode(text.lower().split()))

    def numbers(self, texts: list[str]) -> list[float | None]:
        encoded = [self.encode(text) for text in texts]
        return of_filled(lambda filled: self.network.numbers(self.params, filled).tolist(), encoded, None)

    def _predict_chunk(self, texts: list[str], first: int) -> Iterator[Stars]:
        for text, number in zip(texts, self.numbers(texts), strict=True):
            unknown = dict.fromkeys(word for word in text.lower().split() if word not in self.vocabulary)
            yield Stars(text, number, tuple(unknown))

    @property
    def vector_size(self) -> int:
        return self.settings.hidden

    def vectors(self, texts: list[str]) -> Array:
        encoded = [self.encode(text) for text in texts]
        mean = of_filled(
            lambda filled: [self.network.vector(self.params, one) for one in filled],
            encoded,
            np.full(self.vector_size, np.nan),
        )
        return np.array(mean).reshape(len(texts), self.vector_size)

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> StarsEvaluation:
        dataset, examples = rated(dataset, self)
        sums = self.network.metric_sums(self.params, examples)
        figures = sums.losses / examples.size, sums.right / examples.size
        return StarsEvaluation(examples.size, *figures, dataset.skipped, dataset.skipped_because)

    def describe(self) -> list[tuple[str, TableCell]]:
        return [("network", network_in_words(self.settings)), ("input", f"{len(self.vocabulary.tokens)} known words")]

    def facts(self) -> dict[str, Any]:
        return {"vocabulary_size": self.vocabulary.size}

    def own_manifest(self) -> dict[str, Any]:
        return {"vocabulary": list(self.vocabulary.tokens)}


def number_of(label: str) -> float:
    """Raises ValueError: it is none."""
    number = float(label)
    if not np.isfinite(number):
        raise ValueError("not finite")
    return number


def rated(dataset: Dataset, model: StarsModel) -> tuple[Dataset, Rated]:
    """The records that can be read, encoded."""

    def problem(text: str, label: str) -> str | None:
        try:
            number_of(label)
        except ValueError:
            return f"'{label}' is not a number"
        return None if text.split() else "the text has no words"

    problems = [problem(*pair) for pair in zip(dataset.texts, dataset.labels, strict=True)]
    dataset = dataset.without(problems, "record that cannot be read")
    targets = np.array([number_of(label) for label in dataset.labels])
    return dataset, Rated([model.encode(text) for text in dataset.texts], targets)
