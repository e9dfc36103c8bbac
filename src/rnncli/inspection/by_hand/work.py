"""The whole of one example as lines of arithmetic: forward, backward, and one step downhill.

What the work starts from, x, weights and the right answer, is what training's own code reads; each further line is
computed from lines above it; and loss and gradients are held against that code's in the end. How an answer comes, and
how the gradient comes back from it, is in :mod:`rnncli.inspection.by_hand.answers` and its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rnncli.core.optim.parameters import flatten
from rnncli.core.packed import Array
from rnncli.inspection.by_hand.cells import Weight
from rnncli.inspection.by_hand.layers import Direction, Layer, layers_of
from rnncli.inspection.by_hand.lines import Term, Worksheet, added, beside
from rnncli.inspection.flow import Flow
from rnncli.inspection.states import visible

if TYPE_CHECKING:
    from rnncli.config import Settings


@dataclass(frozen=True, eq=False)
class Task:
    """What an example's task has to say of it.

    Attributes:
        settings: of the model.
        x: (T,) ids of one-hot rows, or (T, D) numbers.
        x_is: what a row of it is, in words.
        layers: names of its recurrent layers, from the input up; of one that reads both ways the forward and the
            backward one.
        rows: a name for each id; empty for numbers.
        unknown: the id of what is unknown.
        embeds: whether x are ids of rows of an embedding.
        labels: a name for each answer.
        targets: the right answers' numbers: one, or one for each timestep; none of what only reads.
        within: what the flat names of its embedding and its output weights begin with.
        source: whether it is what a decoder is told of.
    """

    settings: Settings
    x: Array
    x_is: str
    layers: tuple[str, ...]
    rows: tuple[str, ...] = ()
    unknown: int | None = None
    embeds: bool = False
    labels: tuple[str, ...] = ()
    targets: Array = field(default_factory=lambda: np.empty(0, np.int64))
    within: str = ""
    source: bool = False


class Work:
    """The lines of one example, in their order; how answers come is for those who inherit from it."""

    reader = "the answer here"  # what reads the states, in words
    input_is = "its row of the embedding"  # what the layers read of it

    def __init__(self, flow: Flow, task: Task, sheet: Worksheet | None = None) -> None:
        self.flow, self.task = flow, task
        self.sheet = sheet or Worksheet()
        self.steps = flow.cell(task.layers[0]).steps
        self.T = len(self.steps)
        self.layers = layers_of([flow.cell(name) for name in task.layers], self.sheet)
        self.cell, self.state = self.layers[-1].cell, self.layers[-1].state
        self.values = dict(flatten(flow.opened.params))
        letter, every, begin = self.cell.output, slice(None), task.within
        self.of_output = [Weight(f"W_{letter}", f"{begin}output/weight", every, "else", "", "output weights")]
        if task.settings.bias:
            self.of_output.append(Weight(f"b_{letter}", f"{begin}output/bias", every, "", "", "output bias"))
        embedding = Weight("E", f"{begin}embedding/weight", every, "x", "", "embedding")
        self.of_embedding = [embedding] if task.embeds else []

    @property
    def directions(self) -> list[Direction]:
        """Of all layers."""
        return [direction for layer in self.layers for direction in layer.directions]

    @property
    def weights(self) -> list[tuple[Worksheet, Weight]]:
        """Each with the sheet on which it has its name."""
        own = [(self.sheet, weight) for weight in self.of_embedding]
        own += [(direction.sheet, weight) for direction in self.directions for weight in direction.cell.weights]
        return own + [(self.sheet, weight) for weight in self.of_output]

    def equations(self) -> tuple[str, ...]:
        """Of the network, for any t."""
        return (*self.reading(), *self._answer_equations(), "W ← W − η · ∂L/∂W")

    def reading(self) -> tuple[str, ...]:
        """The equations as far as the state."""
        lines = [self.sheet.called(f"x_t = {self._input_equation()}")] if self.task.embeds else []
        for layer in self.layers:
            for direction in layer.directions:
                lines += [direction.sheet.called(line) for line in (*direction.cell.equations, *direction.cell.starts)]
            if layer.both_ways:
                state = f"{layer.cell.state}_t"
                parts = ", ".join(direction.sheet.called(state) for direction in layer.directions)
                lines.append(f"{layer.sheet.called(state)} = [{parts}]")
        return tuple(lines)

    def run(self) -> None:
        self.given()
        self.forward()
        self._loss()
        self.backward()
        self.gradients()
        self.sheet.section("One step of gradient descent")
        self.update()

    def given(self) -> None:
        s, task = self.sheet, self.task
        s.section("What is given" + (" of the source" if task.source else ""))
        ids = task.x.ndim == 1
        x: Array = np.eye(len(task.rows))[task.x] if ids else task.x
        for t in range(1, self.T + 1):
            unknown = ", which is unknown" if ids and task.x[t - 1] == task.unknown else ""
            name = f"{'e' if task.embeds else 'x'}_{t}"
            s.given(name, x[t - 1 : t], f"{self._token(t)}{unknown}: {task.x_is}")
        self._begin()
        for sheet, weight in self.weights:
            value = weight.of(self.values[weight.parameter])
            sheet.given(weight.name, value, weight.label, self._rows(weight))
        if not task.source:  # a decoder gives it for both
            s.given("η", np.array([[task.settings.lr]]), "learning rate")
        self._give_targets()

    def _begin(self) -> None:
        """The state before the first timestep, where it is given."""
        for direction in self.directions:
            direction.cell.begin(direction.sheet)

    def forward(self) -> None:
        for layer in self.layers:
            for direction in layer.directions:
                for t in direction.cell.order:
                    self._timestep("Forward", t, layer, direction.words)
                    if self.task.embeds and f"x_{t}" not in self.sheet:
                        self.sheet.line(f"x_{t}", self._input(t), self.input_is)
                    direction.cell.forward(direction.sheet, t)
                    if direction is layer.directions[-1]:
                        self._all_read(t, layer)

    def _all_read(self, t: int, layer: Layer) -> None:
        """What can be worked out once every direction of a layer has been at a timestep."""
        if layer.both_ways:
            parts = [direction.sheet[f"{layer.cell.state}_{t}"] for direction in layer.directions]
            self.sheet.line(f"{layer.state}_{t}", beside(parts), "both directions, side by side")
        if layer is self.layers[-1]:
            self._answer_at(t)

    def backward(self) -> None:
        """Back through all layers and all timesteps."""
        for layer in reversed(self.layers):
            if layer.both_ways:
                for t in range(self.T, 0, -1):
                    self._timestep("Backward", t, layer, ", to both directions")
                    here = self._by_readers(t, layer)
                    if here is not None:
                        self.sheet.line(f"∂L/∂{layer.state}_{t}", here, f"by {self._readers(layer)}")
            for direction in layer.directions:
                self._back_along(layer, direction)

    def _back_along(self, layer: Layer, direction: Direction) -> None:
        cell, s = direction.cell, direction.sheet
        for t in reversed(cell.order):
            self._timestep("Backward", t, layer, direction.words)
            here, last = self._here(t, layer, direction), t == cell.last
            if not last:
                cell.from_next(s, t, here, self._readers(layer))
            elif here is not None:
                s.line(f"∂L/∂{cell.state}_{t}", here)
            cell.backward(s, t, last, self._to_the_last_memory(layer, direction) if last else None)

    def _readers(self, layer: Layer) -> str:
        """What reads the states of a layer, in words."""
        return self.reader if layer is self.layers[-1] else "the layer above"

    def _by_readers(self, t: int, layer: Layer) -> Term | None:
        """∂L/∂ the state of t, of all directions of a layer, by all that reads it except the timestep read next."""
        if layer is self.layers[-1]:
            return self._back_from_the_answer(t)
        above = self.layers[self.layers.index(layer) + 1]
        return added([direction.cell.to_input(direction.sheet, t) for direction in above.directions])

    def _here(self, t: int, layer: Layer, direction: Direction) -> Term | None:
        """The same for one direction."""
        if not layer.both_ways:
            return self._by_readers(t, layer)
        name = f"∂L/∂{layer.state}_{t}"
        return direction.own(self.sheet[name]) if name in self.sheet else None

    def gradients(self) -> None:
        """Of a matrix that serves every timestep, one term for each, and their sum."""
        s, every = self.sheet, range(1, self.T + 1)
        for weight in self.of_embedding:
            self._begin_gradient(s, weight)
            for t in every:
                ways = [direction.cell.to_input(direction.sheet, t) for direction in self.layers[0].directions]
                s.line(f"∂L/∂x_{t}", added(ways))
            lefts = [s[f"e_{t}"] for t in every]
            self._terms(s, weight, lefts, [self._embedded(s[f"∂L/∂x_{t}"]) for t in every])
        for direction in self.directions:
            sheet, cell = direction.sheet, direction.cell
            for weight in cell.weights:
                self._begin_gradient(sheet, weight)
                past = weight.left == "past"
                lefts = [sheet[f"{cell.state}_{cell.before(t)}" if past else f"x_{t}"] for t in every]
                self._terms(sheet, weight, lefts, [sheet[f"∂L/∂{weight.sums}_{t}"] for t in every])
        for weight in self.of_output:
            self._begin_gradient(s, weight)
            self._output_gradient(weight)

    def update(self) -> None:
        for sheet, weight in self.weights:
            name = weight.name
            new = sheet[name] - self.sheet["η"] @ sheet[f"∂L/∂{name}"]
            sheet.update(name, new, f"new {weight.label}", self._rows(weight))

    def residual(self) -> float:
        """The largest difference between what was worked out here and what training's code gives."""
        return max(abs(float(self.sheet["L"].value[0, 0]) - self.flow.loss), self.residual_of_weights())

    def residual_of_weights(self) -> float:
        found = []
        for sheet, weight in self.weights:
            trained = weight.of(self.flow.gradients[weight.parameter])
            found.append(float(np.abs(sheet[f"∂L/∂{weight.name}"].value - trained).max()))
        return max(found)

    def _answer_equations(self) -> tuple[str, ...]:
        raise NotImplementedError

    def _give_targets(self) -> None:
        """The right answers, among what is given."""
        raise NotImplementedError

    def _answer_at(self, t: int) -> None:
        """What is answered at a timestep, forward."""

    def _loss(self) -> None:
        """The loss, and back from it as far as it goes without a timestep."""
        raise NotImplementedError

    def _back_from_the_answer(self, t: int) -> Term | None:
        """∂L/∂ the state of t by what is answered from it; None where nothing is."""
        raise NotImplementedError

    def _to_the_last_memory(self, layer: Layer, direction: Direction) -> Term | None:
        """What comes to an LSTM's last memory from elsewhere than its state."""
        return None

    def _output_gradient(self, weight: Weight) -> None:
        raise NotImplementedError

    def _input_equation(self) -> str:
        return "e_t·E"

    def _input(self, t: int) -> Term:
        """What the layer reads, from an embedding."""
        return self.sheet[f"e_{t}"] @ self.sheet["E"]

    def _embedded(self, d_input: Term) -> Term:
        """Of the gradient of that the part that is the embedding's."""
        return d_input

    def _timestep(self, way: str, t: int, layer: Layer, words: str) -> None:
        """Begins the section of a timestep."""
        kind = "source timestep" if self.task.source else "timestep"
        self.sheet.section(f"{way}, {kind} {t}{layer.words}{words}", token=self._token(t))

    def _token(self, t: int) -> str:
        return visible(self.steps[t - 1])

    def _rows(self, weight: Weight) -> tuple[str, ...]:
        """A token for each row of what one-hot rows are multiplied by."""
        bottom = self.task.layers[0].rsplit("/", 1)[0]
        first = weight.name == "E" if self.task.embeds else weight.left == "x" and weight.parameter.startswith(bottom)
        return self.task.rows if first else ()

    def _logit(self, name: str, of: Term, words: str) -> Term:
        s, letter = self.sheet, self.cell.output
        return s.line(name, s.plus(of @ s[f"W_{letter}"], f"b_{letter}"), words)

    def _logit_equation(self, logit: str, of: str) -> str:
        letter = self.cell.output
        return f"{logit} = {of}·W_{letter}" + (f" + b_{letter}" if self.task.settings.bias else "")

    def _begin_gradient(self, sheet: Worksheet, weight: Weight) -> None:
        sheet.section("Gradient of the " + weight.label, symbol=f"∂L/∂{weight.name}")

    def _terms(self, sheet: Worksheet, weight: Weight, lefts: list[Term], rights: list[Term]) -> None:
        """A weight's gradient as a sum over all timesteps, of what it multiplies times the gradient of the product."""
        name, rows = f"∂L/∂{weight.name}", self._rows(weight)
        if not weight.left:
            sheet.line(name, added(rights), "a term for each timestep, and their sum")
            return
        terms = [
            sheet.line(f"{name}({t})", left.T @ right, f"by timestep {t}", rows)
            for t, (left, right) in enumerate(zip(lefts, rights, strict=True), 1)
        ]
        sheet.line(name, added(terms), "their sum", rows)
