"""Two models on the same input: which of their answers differ, step by step, and which gates and units do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.errors import UsageError
from rnncli.inspection.adapters import Adapter, adapter_of
from rnncli.inspection.flow import CellFlow, flow
from rnncli.inspection.states import States, largest, visible
from rnncli.results import Column, TableCell, TableView
from rnncli.tasks.model import Model


@dataclass(frozen=True, eq=False)
class LayerDifference:
    """A layer of the same shape in both models, in one direction, on the same steps.

    Attributes:
        cell, kind: name of the layer, and what cell it is.
        steps: (T,) names of the timesteps.
        values: h and the gates, by name → (T, H) second less first.
        h: (T, H) the hidden states of the first and of the second.
    """

    cell: str
    kind: str
    steps: tuple[str, ...]
    values: dict[str, Array]
    h: tuple[Array, Array]

    @property
    def mean(self) -> dict[str, float]:
        """Mean |Δ| over all steps and units of each value."""
        return {name: float(np.abs(value).mean()) for name, value in self.values.items()}

    @property
    def of_units(self) -> Array:
        """(H,) mean |Δh| over the steps."""
        return np.asarray(np.abs(self.values["h"]).mean(axis=0))


def layers_of(first: Model, second: Model, text: str, notes: list[str]) -> list[LayerDifference]:
    """The layers that have the same name, cell and size in both, and go through the same steps."""
    sides = [flow(adapter_of(model).open(text)).cells for model in (first, second)]
    beside = {cell.name: cell for cell in sides[1]}
    found, apart = [], []
    for cell in sides[0]:
        other = beside.pop(cell.name, None)
        if other is None or _shape(cell) != _shape(other):
            apart.append(f"{cell.name} ({_described(cell)}, {_described(other) if other is not None else 'not there'})")
            continue
        values = {name: other.values[name] - value for name, value in cell.values.items()}
        h = cell.values["h"], other.values["h"]
        found.append(LayerDifference(cell.name, cell.kind, cell.steps, values, h))
    apart += [f"{name} (not there, {_described(cell)})" for name, cell in beside.items()]
    if apart:
        notes.append(f"layers that are not alike are not compared: {', '.join(apart)}")
    return found


def _shape(cell: CellFlow) -> tuple[Any, ...]:
    return type(cell.cell), cell.cell.hidden_size, cell.steps


def _described(cell: CellFlow) -> str:
    return f"{cell.kind} of {cell.cell.hidden_size}, {len(cell.steps):,} steps"


def gates_table(layers: Sequence[LayerDifference]) -> TableView:
    """The mean change of every value of every layer, and the unit of which it changes most."""
    rows = []
    for layer in layers:
        for name, mean in layer.mean.items():
            of_units = np.abs(layer.values[name]).mean(axis=0)
            unit = int(of_units.argmax())
            rows.append((layer.cell, layer.kind, name, mean, f"{name}{unit}", float(of_units[unit])))
    columns = (Column("layer"), Column("cell"), Column("value", style="bold"), Column("mean |Δ|", True))
    columns = (*columns, Column("most of all"), Column("its mean |Δ|", True))  # type: ignore[assignment]
    return TableView("Gates and states, over all steps", columns, tuple(rows))


def units_table(layers: Sequence[LayerDifference], names: Sequence[str], most: int | None) -> TableView:
    """The units whose h changes most."""
    found = [(float(mean), layer, unit) for layer in layers for unit, mean in enumerate(layer.of_units)]
    found.sort(key=lambda one: -one[0])
    rows: list[tuple[TableCell, ...]] = []
    for mean, layer, unit in found[:most]:
        t = int(np.abs(layer.values["h"][:, unit]).argmax())
        sides = (float(layer.h[0][t, unit]), float(layer.h[1][t, unit]))
        rows.append((layer.cell, f"h{unit}", mean, t + 1, visible(layer.steps[t]), *sides))
    columns = [Column("layer"), Column("unit", style="bold"), Column("mean |Δ|", True), Column("most at t", True)]
    columns += [Column("timestep"), *(Column(name, True) for name in names)]
    caption = "units are compared by number; trained from another seed, a unit is another one" + left_out(
        len(rows), len(found)
    )
    return TableView("Units that differ most", tuple(columns), tuple(rows), caption)


def left_out(shown: int, there: int) -> str:
    """The end of a caption, where not all rows are shown."""
    return f"; {shown} of {there}, those that differ most; --full shows all" if shown < there else ""


EFFECTS = 100  # parts of an input at most, of which each one's effect is asked for
UNITS = 8  # that are shown, those that differ most


@dataclass(frozen=True, kw_only=True, eq=False)
class Difference:
    """Two models on the same input.

    Attributes:
        names: of the models.
        answers: the whole answer of each.
        tokens: (T,) names of the steps, if both have the same; else none.
        predictions: for each model its (T,) answers after each step.
        probabilities: for each model the (T,) probabilities of its own answers.
        change: (T,) probability of the first one's answer in the second, less that in the first.
        parts, effects: names of the input's parts, and for each model by how much the score of the first one's whole
            answer falls with each part replaced; none where they cannot be compared.
        layers: those of equal shape.
        notes: what is not compared, and why.
    """

    names: tuple[str, str]
    answers: tuple[str, str]
    tokens: tuple[str, ...] = ()
    predictions: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    probabilities: tuple[Array, Array] = field(default_factory=lambda: (np.empty(0), np.empty(0)))
    change: Array = field(default_factory=lambda: np.empty(0))
    parts: tuple[str, ...]
    effects: tuple[Array, Array] | None
    layers: tuple[LayerDifference, ...]
    notes: tuple[str, ...]

    def pairs(self) -> list[tuple[str, TableCell]]:
        """The whole answers."""
        same = "the same" if self.answers[0] == self.answers[1] else "another one"
        return [
            (f"{self.names[0]} answers", self.answers[0]),
            (f"{self.names[1]} answers", f"{self.answers[1]} ({same})"),
        ]

    def views(self, most: int | None = None) -> list[TableView]:
        """Answers, effects, gates and units; with ``most`` so many rows at most, those that differ most."""
        shown = [self._answers(most)] if self.tokens else []
        shown += self._effects(most)
        if self.layers:
            shown += [gates_table(self.layers), units_table(self.layers, self.names, None if most is None else UNITS)]
        return shown

    def _answers(self, most: int | None) -> TableView:
        chosen = largest(self.change, most)
        columns = [Column("t", True), Column("token", style="bold")]
        for name in self.names:
            columns += [Column(name), Column("p", True)]
        rows: list[tuple[TableCell, ...]] = []
        for t in chosen:
            sides = [
                cell for k in (0, 1) for cell in (visible(self.predictions[k][t]), float(self.probabilities[k][t]))
            ]
            rows.append((t + 1, visible(self.tokens[t]), *sides, float(self.change[t])))
        caption = f"Δp: of the answer of {self.names[0]}, in {self.names[1]} less in {self.names[0]}"
        caption += left_out(len(rows), len(self.tokens))
        return TableView("The answer after each step", (*columns, Column("Δp", True)), tuple(rows), caption)

    def _effects(self, most: int | None) -> list[TableView]:
        if self.effects is None:
            return []
        first, second = self.effects
        rows = tuple(
            (k + 1, visible(self.parts[k]), float(first[k]), float(second[k]), float(second[k] - first[k]))
            for k in largest(second - first, most)
        )
        columns = (Column("t", True), Column("part", style="bold"), *(Column(name, True) for name in self.names))
        caption = f"by how much the score of '{self.answers[0]}' falls with the part replaced"
        caption += left_out(len(rows), len(self.parts))
        return [TableView("What each part does for the answer", (*columns, Column("Δ", True)), rows, caption)]

    def document(self) -> dict[str, Any]:
        """For JSON."""
        first, last = ("names", "answers", "tokens"), ("probabilities", "change", "parts", "effects", "notes")
        layers = [
            {"cell": one.cell, "kind": one.kind, "mean_change": one.mean, "unit_change": one.of_units}
            for one in self.layers
        ]
        found = {name: getattr(self, name) for name in first} | {"told": self.predictions}
        return found | {name: getattr(self, name) for name in last} | {"layers": layers}


def difference(first: Model, second: Model, text: str | None, names: tuple[str, str]) -> Difference:
    """Runs both on an input, or on the first one's own example.

    Raises:
        UsageError: they are of different tasks, or one cannot read the input.
    """
    require_same_task(first, second)
    text = first.example if text is None else text
    notes: list[str] = []
    sides = adapter_of(first), adapter_of(second)
    traces = sides[0].trace(text), sides[1].trace(text)
    answers = sides[0].predicted([text])[0], sides[1].predicted([text])[0]
    steps = _steps(traces, notes)
    parts, effects = _effects(sides, text, answers[0], notes)
    layers = tuple(layers_of(first, second, text, notes))
    return Difference(
        names=names, answers=answers, parts=parts, effects=effects, layers=layers, notes=tuple(notes), **steps
    )


def require_same_task(first: Model, second: Model) -> None:
    """Raises UsageError: the answers of the two cannot be compared."""
    if first.task != second.task:
        raise UsageError(
            f"a model of the task {first.task} and one of the task {second.task} have no answers to compare",
            "name two models of the same task",
        )


def _steps(traces: tuple[States, States], notes: list[str]) -> dict[str, Any]:
    """Tokens, answers, their probabilities and the change, step by step; nothing where the steps are not the same."""
    first, second = traces
    if first.tokens != second.tokens:
        notes.append("the two do not go through the same steps: only their whole answers are compared")
        return {}
    if not first.labels or not second.labels:
        notes.append("their predictions have no probabilities to compare at each step")
        return {}
    answers = first.probabilities, second.probabilities
    best = [trace.chosen for trace in traces]
    predictions = tuple(tuple(trace.labels[k] for k in of.tolist()) for trace, of in zip(traces, best, strict=True))
    steps = np.arange(len(first.tokens))
    probabilities = tuple(np.asarray(of[steps, k], np.float64) for of, k in zip(answers, best, strict=True))
    place = {label: k for k, label in enumerate(second.labels)}
    there = [float(answers[1][t, place[label]]) if label in place else 0.0 for t, label in enumerate(predictions[0])]
    change = np.array(there) - probabilities[0]
    return {"tokens": first.tokens, "predictions": predictions, "probabilities": probabilities, "change": change}


def _effects(
    sides: tuple[Adapter[Any], Adapter[Any]], text: str, answer: str, notes: list[str]
) -> tuple[tuple[str, ...], tuple[Array, Array] | None]:
    """By how much the score of an answer falls with each part of the input replaced, in either model."""
    try:
        questions = [side.question(text, answer) for side in sides]
    except UsageError as error:  # a label that only one of them knows
        notes.append(f"the effects of single parts are not compared: {error.message}")
        return (), None
    parts = questions[0].parts
    count = len(parts.names)
    if parts.names != questions[1].parts.names or count > EFFECTS:
        why = f"there are more than {EFFECTS}" if count > EFFECTS else "they are not the same to both"
        notes.append(f"the effects of single parts are not compared: {why}")
        return (), None
    found = []
    for question in questions:
        own = question.parts
        scores = question.scores([own.replaced(()), *(own.replaced((k,)) for k in range(count))])
        found.append(np.asarray(scores[0] - scores[1:], np.float64))
    return parts.names, (found[0], found[1])
