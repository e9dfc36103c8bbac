"""Two models on the same input: where their predictions differ, step by step, and which gates and units do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np

from rnncli.clean import or_empty
from rnncli.core.packed import Array
from rnncli.data.records.label_sets import shown_labels
from rnncli.errors import UsageError, counted
from rnncli.inspection.adapters import Adapter, adapter_of
from rnncli.inspection.flow import CellFlow, flow
from rnncli.inspection.states import States, largest, visible
from rnncli.results import Column, TableCell, TableView
from rnncli.tasks.model import Model

EFFECTS = 100  # parts of an input at most, whose effects are compared
UNITS = 8  # that are shown, those that differ most


@dataclass(frozen=True, eq=False)
class LayerDifference:
    """A layer of the same shape in both models, in one direction, on the same steps."""

    first: CellFlow
    second: CellFlow

    @cached_property
    def changes(self) -> dict[str, Array]:
        """(T, H) each: a state or a gate of the second less that of the first."""
        return {name: self.second.values[name] - values for name, values in self.first.values.items()}

    @property
    def mean(self) -> dict[str, float]:
        """Mean |Δ| over all steps and units of each value."""
        return {name: float(np.abs(change).mean()) for name, change in self.changes.items()}

    def of_units(self, value: str = "h") -> Array:
        """(H,) mean |Δ| over the steps."""
        return np.asarray(np.abs(self.changes[value]).mean(axis=0))


def layers_of(first: Model, second: Model, text: str, notes: list[str]) -> tuple[LayerDifference, ...]:
    """The layers with the same name, cell, size and steps in both models."""
    sides = [{cell.name: cell for cell in flow(adapter_of(model).open(text)).cells} for model in (first, second)]
    pairs = {name: tuple(side.get(name) for side in sides) for name in sides[0] | sides[1]}
    found, apart, elsewhere = [], [], []
    for name, (one, other) in pairs.items():
        described = [_described(cell) for cell in (one, other) if cell is not None]
        if one is None or other is None:
            apart.append(f"{name} ({described[0]}; only in the {'first' if other is None else 'second'} model)")
        elif described[0] != described[1]:
            apart.append(f"{name} ({'; '.join(described)})")
        elif one.steps != other.steps:
            elsewhere.append(name)
        else:
            found.append(LayerDifference(one, other))
    if apart:
        notes.append(f"layers of different kinds or shapes are not compared: {', '.join(apart)}")
    if elsewhere:
        notes.append(f"layers that read different timesteps are not compared: {', '.join(elsewhere)}")
    return tuple(found)


def _described(cell: CellFlow) -> str:
    return f"{cell.kind} of {counted(cell.cell.hidden_size, 'unit')}, {counted(len(cell.steps), 'step')}"


def gates_table(layers: Sequence[LayerDifference]) -> TableView:
    """The mean change of every value of every layer, and the unit in which it changes most."""
    rows = []
    for layer in layers:
        for name, mean in layer.mean.items():
            of_units = layer.of_units(name)
            unit = int(of_units.argmax())
            rows.append((layer.first.name, layer.first.kind, name, mean, f"{name}{unit}", float(of_units[unit])))
    columns = [Column("layer"), Column("cell"), Column("value", style="bold"), Column("mean |Δ|", True)]
    columns += [Column("most of all"), Column("its mean |Δ|", True)]
    return TableView("Gates and states, over all steps", tuple(columns), tuple(rows))


def units_table(layers: Sequence[LayerDifference], names: Sequence[str], most: int | None) -> TableView:
    """The units whose h changes most."""
    found = [(float(mean), layer, unit) for layer in layers for unit, mean in enumerate(layer.of_units())]
    found.sort(key=lambda one: -one[0])
    rows: list[tuple[TableCell, ...]] = []
    for mean, layer, unit in found[:most]:
        t = int(np.abs(layer.changes["h"][:, unit]).argmax())
        sides = (float(side.values["h"][t, unit]) for side in (layer.first, layer.second))
        rows.append((layer.first.name, f"h{unit}", mean, t + 1, visible(layer.first.steps[t]), *sides))
    columns = [Column("layer"), Column("unit", style="bold"), Column("mean |Δ|", True), Column("most at t", True)]
    columns += [Column("timestep"), *(Column(name, True) for name in names)]
    caption = "units are compared by number, which means nothing between trainings from different seeds"
    caption += left_out(len(rows), len(found))
    return TableView("Units that differ most", tuple(columns), tuple(rows), caption)


def left_out(shown: int, there: int) -> str:
    """The end of a caption where some rows are left out."""
    return f"; {shown} of {there}, those that differ most; --full shows all" if shown < there else ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Difference:
    """Two models on the same input.

    Attributes:
        names: of the models.
        answers: the whole prediction of each.
        tokens: (T,) names of the steps, if both have the same; else none.
        predictions: for each model its (T,) predictions after each step.
        probabilities: for each model the (T,) probabilities of its own predictions.
        change: (T,) probability of the first one's prediction in the second, less that in the first.
        parts, effects: names of the input's parts, and for each model how far the score of the first one's whole
            prediction falls with each part replaced; none where they cannot be compared.
        notes: what is not compared, and why.
        layers: those of equal shape.
    """

    names: tuple[str, str]
    answers: tuple[str, str]
    tokens: tuple[str, ...] = ()
    predictions: tuple[tuple[str, ...], ...] = field(default=((), ()), metadata={"json": "told"})
    probabilities: tuple[Array, ...] = field(default_factory=lambda: (np.empty(0), np.empty(0)))
    change: Array = field(default_factory=lambda: np.empty(0))
    parts: tuple[str, ...]
    effects: tuple[Array, Array] | None
    notes: tuple[str, ...]
    layers: tuple[LayerDifference, ...]

    def pairs(self) -> list[tuple[str, TableCell]]:
        """The whole predictions."""
        same = "the same" if self.answers[0] == self.answers[1] else "different"
        return [
            (f"{self.names[0]} answers", or_empty(self.answers[0])),
            (f"{self.names[1]} answers", f"{or_empty(self.answers[1])} ({same})"),
        ]

    def views(self, most: int | None = None) -> list[TableView]:
        """Predictions, effects, gates and units; with ``most`` so many rows at most, those that differ most."""
        shown = [self._answers(most)] if self.tokens else []
        shown += self._effects(most)
        if self.layers:
            shown += [gates_table(self.layers), units_table(self.layers, self.names, None if most is None else UNITS)]
        return shown

    def _answers(self, most: int | None) -> TableView:
        columns = [Column("t", True), Column("token", style="bold")]
        columns += [column for name in self.names for column in (Column(name), Column("p", True))]
        rows: list[tuple[TableCell, ...]] = []
        for t in largest(self.change, most):
            sides = zip(self.predictions, self.probabilities, strict=True)
            cells = [cell for labels, p in sides for cell in (visible(labels[t]), float(p[t]))]
            rows.append((t + 1, visible(self.tokens[t]), *cells, float(self.change[t])))
        one, other = self.names
        caption = f"Δp: the probability that {other} gives to the answer of {one}, less the one that {one} gives it"
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
        answer = f"'{self.answers[0]}'" if self.answers[0] else or_empty("")
        caption = f"how far the score of {answer} falls with the part replaced"
        caption += left_out(len(rows), len(self.parts))
        return [TableView("The effect of each part on the answer", (*columns, Column("Δ", True)), rows, caption)]

    def document(self) -> dict[str, Any]:
        """For JSON."""
        found = {entry.metadata.get("json", entry.name): getattr(self, entry.name) for entry in fields(self)}
        layers = [
            {**{"cell": one.first.name, "kind": one.first.kind}, "mean_change": one.mean, "unit_change": one.of_units()}
            for one in self.layers
        ]
        return found | {"layers": layers}


def difference(first: Model, second: Model, text: str | None, names: tuple[str, str]) -> Difference:
    """Runs both on an input, or on the first model's example.

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
    layers = layers_of(first, second, text, notes)
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
    """The fields of :class:`Difference` that go step by step; none where the steps differ."""
    first, second = traces
    if first.tokens != second.tokens:
        notes.append("the two have different steps: only their whole answers are compared")
        return {}
    if not first.labels or not second.labels:
        notes.append("their predictions have no probabilities to compare at each step")
        return {}
    predictions = tuple(tuple(map(shown_labels, trace.predicted)) for trace in traces)
    probabilities = tuple(
        np.array([trace.probability(t, labels) for t, labels in enumerate(trace.predicted)]) for trace in traces
    )
    there = [second.probability(t, labels) for t, labels in enumerate(first.predicted)]
    change = np.array(there) - probabilities[0]
    return {"tokens": first.tokens, "predictions": predictions, "probabilities": probabilities, "change": change}


def _effects(
    sides: tuple[Adapter[Any], Adapter[Any]], text: str, answer: str, notes: list[str]
) -> tuple[tuple[str, ...], tuple[Array, Array] | None]:
    """The parts, and how far the score of an answer falls with each of them replaced, in either model."""
    try:
        questions = [side.question(text, answer) for side in sides]
    except UsageError as error:  # a label that only one of them knows
        notes.append(f"the effects of single parts are not compared: {error.message}")
        return (), None
    parts = questions[0].parts
    count = len(parts.names)
    if parts.names != questions[1].parts.names or count > EFFECTS:
        why = f"there are more than {EFFECTS}" if count > EFFECTS else "the models split the input differently"
        notes.append(f"the effects of single parts are not compared: {why}")
        return (), None
    found = []
    for question in questions:
        own = question.parts
        scores = question.scores([own.replaced(()), *(own.replaced((k,)) for k in range(count))])
        found.append(np.asarray(scores[0] - scores[1:], np.float64))
    return parts.names, (found[0], found[1])
