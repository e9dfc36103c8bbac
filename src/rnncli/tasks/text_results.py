"""Generated texts, and how close they come to the right ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.clean import or_empty
from rnncli.errors import counted
from rnncli.results import Column, FileCell, TableCell, TableView, place_of
from rnncli.tasks.model import Evaluation
from rnncli.tasks.symbols import edit_distance, joined_symbols, symbols_of

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Transduction:
    """The text that is generated for one source.

    Attributes:
        text: the source as it was given.
        target: the generated text; None for a source without symbols.
        probability: of the whole target.
        unknown: symbols of the source outside the vocabulary, each once.
        cut: how many symbols in the middle of a long source were not read.
    """

    text: str
    target: str | None
    probability: float | None
    unknown: tuple[str, ...]
    cut: int

    @property
    def problem(self) -> str | None:
        return "the input is empty" if self.target is None else None

    def values(self) -> tuple[FileCell, ...]:
        return self.target, self.probability

    def cells(self) -> tuple[TableCell, ...]:
        return self._target, self.probability, ", ".join(self.unknown) or "-", self.text

    def fields(self) -> tuple[str, ...]:
        probability = "-" if self.probability is None else f"{self.probability:.4f}"
        target = "(empty)" if self.target is None else self.target  # a program reads an empty text as one
        return target, probability, " ".join(self.unknown) or "-", self.text

    def brief(self) -> tuple[tuple[str, ...], str, str]:
        note = f"unknown: {', '.join(self.unknown)}" if self.unknown else ""
        return (), f"{self.text} → {self._target}", note

    @property
    def _target(self) -> str:
        return or_empty(self.target)


@dataclass(frozen=True, kw_only=True)
class WrongTarget:
    """A generated text that is wrong, with its line, and its file where there are several."""

    line: int
    text: str
    truth: str
    generated: str = field(metadata={"json": "told"})
    distance: int
    file: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class PairEvaluation(Evaluation):
    """How close generated texts come to the right ones.

    Attributes:
        exact: share of the sources whose target is generated exactly; of several targets of one source the nearest
            counts.
        symbol_error_rate: symbols to be changed, over the symbols of the right targets.
        character_error_rate: the same in characters.
        nats: mean loss of a symbol, the right ones before it given.
    """

    rows: int
    sources: int
    exact: float
    symbol_error_rate: float
    character_error_rate: float
    unit: str
    mistakes: tuple[WrongTarget, ...]
    skipped: int
    skipped_because: tuple[str, ...]
    nats: float | None = None

    def pairs(self) -> list[tuple[str, TableCell]]:
        return [
            ("rows", f"{self.rows:,}" + (f", {counted(self.sources, 'source')}" if self.sources < self.rows else "")),
            ("exact match", f"{self.exact:.4f}"),
            ("error rate", f"{1 - self.exact:.4f} of the sequences, {self.symbol_error_rate:.4f} of the {self.unit}s"),
            ("characters", f"{self.character_error_rate:.4f} wrong"),
            *([] if self.nats is None else [(f"nats per {self.unit}", f"{self.nats:.4f}")]),
        ]

    def tables(self) -> list[TableView]:
        rows = tuple((place_of(m), m.text, m.truth, m.generated, m.distance) for m in self.mistakes)
        columns = (Column("line", True), Column("source"), Column("truth"), Column("generated"), Column("edits", True))
        return [TableView("Furthest from the truth", columns, rows)]


def compared(
    dataset: Dataset,
    generate: Callable[[Sequence[Any]], list[tuple[list[str], float]]],
    read: Callable[[Any], Any],
    unit: str,
    worst: int,
) -> PairEvaluation:
    """The generated text for each distinct input beside the right one.

    Args:
        dataset: its labels are the right texts.
        generate: gives the symbols for inputs as ``read`` returns them, with their log probability.
        unit: what a symbol of a target is.
        worst: how many mistakes to name.
    """
    rows_of: dict[str | bytes, list[int]] = {}
    for row, input in enumerate(dataset.inputs):
        rows_of.setdefault(input if isinstance(input, str) else input.tobytes(), []).append(row)
    read_inputs = [read(dataset.inputs[rows[0]]) for rows in rows_of.values()]
    exact = symbols = wanted = characters = wanted_characters = 0
    mistakes = []
    for rows, (generated, _) in zip(rows_of.values(), generate(read_inputs), strict=True):
        # One source may have several right targets: the nearest of them counts.
        options = [symbols_of(dataset.labels[row], unit) for row in rows]
        distances = [edit_distance(generated, option) for option in options]
        nearest = int(np.argmin(distances))
        distance, row = distances[nearest], rows[nearest]
        truth, said = (joined_symbols(of, unit) for of in (options[nearest], generated))
        exact += distance == 0
        symbols, wanted = symbols + distance, wanted + len(options[nearest])
        characters, wanted_characters = characters + edit_distance(said, truth), wanted_characters + len(truth)
        if distance:
            of_row: dict[str, Any] = {
                "line": dataset.lines[row],
                "file": dataset.file(row),
                "text": dataset.called(row),
            }
            mistakes.append(WrongTarget(**of_row, truth=truth, generated=said, distance=distance))
    mistakes.sort(key=lambda mistake: -mistake.distance)
    return PairEvaluation(
        rows=len(dataset.inputs),
        sources=len(rows_of),
        exact=exact / len(rows_of),
        symbol_error_rate=symbols / wanted,
        character_error_rate=characters / wanted_characters,
        unit=unit,
        mistakes=tuple(mistakes[:worst]),
        skipped=dataset.skipped,
        skipped_because=dataset.skipped_because,
    )
