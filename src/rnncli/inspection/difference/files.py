"""Two models on a whole file: how many of their predictions differ, and on which inputs they differ most."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rnncli.data.dataset import Dataset
from rnncli.inspection.adapters import adapter_of
from rnncli.inspection.difference.inputs import require_same_task
from rnncli.results import Column, TableCell, TableView, place_of
from rnncli.tasks.model import Model

# Whose prediction is the label: of the first, of the second.
RIGHT = {
    (True, True): "both",
    (False, True): "only the second",
    (True, False): "only the first",
    (False, False): "neither",
}


@dataclass(frozen=True)
class Changed:
    """An input on which the two differ.

    Attributes:
        line: of the file, or of ``file`` where there are several.
        answers, probabilities: the predictions of the first and of the second.
        change: how much they differ, from 0 to 1: of a label, half of the sum of all |Δp|; of tags, the share that
            differ; of generated text, 1 where it differs, else |Δp|.
    """

    line: int
    text: str
    label: str
    answers: tuple[str, str]
    probabilities: tuple[float | None, float | None]
    change: float
    file: str | None = None


@dataclass(frozen=True, kw_only=True)
class DataDifference:
    """Two models on a file.

    Attributes:
        names: of the models.
        rows: the number of inputs.
        differ: how many have different predictions.
        mean_change: over all inputs.
        right: how many labels both predict, only one of them, and neither; None without labels.
        changed: the inputs that differ most, the most different first.
    """

    names: tuple[str, str]
    rows: int
    differ: int
    mean_change: float
    right: dict[str, int] | None
    changed: tuple[Changed, ...]

    def pairs(self) -> list[tuple[str, TableCell]]:
        """The figures of the whole."""
        share = self.differ / max(1, self.rows)
        pairs: list[tuple[str, TableCell]] = [("different answers", f"{self.differ:,} of {self.rows:,} ({share:.2%})")]
        pairs.append(("mean change", self.mean_change))
        if self.right is not None:
            pairs.append(("right", ", ".join(f"{name} {count:,}" for name, count in self.right.items())))
        return pairs

    def view(self) -> TableView:
        """One row an input, the most different first."""
        labelled = any(one.label for one in self.changed)
        columns = [Column("line", True), *([Column("truth")] if labelled else [])]
        for name in self.names:
            columns += [Column(name, style="bold"), Column("p", True)]
        columns += [Column("change", True), Column("text")]
        rows: list[tuple[TableCell, ...]] = []
        for one in self.changed:
            sides = [cell for pair in zip(one.answers, one.probabilities, strict=True) for cell in pair]
            truth = (one.label,) if labelled else ()
            rows.append((place_of(one), *truth, *sides, one.change, one.text))
        caption = f"{len(rows)} of {self.rows:,} inputs" if len(rows) < self.rows else None
        return TableView("Where they differ most", tuple(columns), tuple(rows), caption)


def data_difference(
    first: Model, second: Model, parts: Iterable[Dataset], names: tuple[str, str], most: int
) -> DataDifference:
    """Compares the predictions, part by part: memory does not grow with the file.

    Args:
        parts: of a file, in order; without labels these are empty texts.
        most: inputs to keep.

    Raises:
        UsageError: the models are of different tasks.
        DataError: one cannot read an input.
    """
    require_same_task(first, second)
    adapter, asked = adapter_of(first), [adapter_of(model).concise for model in (first, second)]
    rows = differ = 0
    total = 0.0
    right = dict.fromkeys(RIGHT.values(), 0)
    kept: list[Changed] = []
    for part in parts:
        sides = [model.predict(part.inputs) for model in asked]
        for row, pair in enumerate(zip(*sides, strict=True)):
            answers, change = (adapter.answer_of(pair[0]), adapter.answer_of(pair[1])), adapter.change(*pair)
            rows, total = rows + 1, total + change
            differ += answers[0] != answers[1]
            label = part.labels.text(row)
            if label:
                right[RIGHT[answers[0] == label, answers[1] == label]] += 1
            if change > 0:
                sure = adapter.probability_of(pair[0]), adapter.probability_of(pair[1])
                kept.append(Changed(part.lines[row], part.called(row), label, answers, sure, change, part.file(row)))
        kept = sorted(kept, key=lambda one: (-one.change, one.line))[:most]
    labelled = adapter.labels_per == "input" and sum(right.values()) > 0
    found, mean, known = tuple(kept), total / max(1, rows), right if labelled else None
    return DataDifference(names=names, rows=rows, differ=differ, mean_change=mean, right=known, changed=found)
