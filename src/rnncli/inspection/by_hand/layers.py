"""Inputs and recurrent layers as lines of arithmetic, by each cell's own equations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np

from rnncli.core.cells.cell import Cell
from rnncli.core.cells.specification import X
from rnncli.core.packed import Array
from rnncli.inspection.by_hand.limits import SHORTER, TIMESTEPS, Size
from rnncli.inspection.by_hand.tape import Block, Place, Sheet, Weight
from rnncli.inspection.by_hand.terms import Term, added, hstack, relu, sigmoid, tanh
from rnncli.inspection.flow import CellFlow, Flow
from rnncli.inspection.states import visible

# What the first layer reads, in both directions; it has no mark of theirs.
_READ = {letter: letter for letter in ("x", "e", "E")}
_FUNCTIONS: dict[str, Callable[[Term], Term]] = {"σ": sigmoid, "tanh": tanh, "relu": relu}


@dataclass(frozen=True, eq=False)
class Inputs:
    """What the first layer reads at every timestep.

    Attributes:
        x: (T,) ids of one-hot rows, or (T, D) numbers.
        words: what a row of it is.
        rows: a name for each id; none for numbers.
        unknown: the id of unknown words.
        embedding: flat name of the embedding; empty without one.
        also: name of numbers beside each row of the embedding, and what they are.
        source: whether it is the source of a decoder, which has timesteps of its own.
    """

    sheet: Sheet
    x: Array
    words: str
    rows: tuple[str, ...] = ()
    unknown: int | None = None
    embedding: str = ""
    also: tuple[str, str] | None = None
    source: bool = False

    def give(self, names: tuple[str, ...]) -> None:
        """Writes a row for each timestep of these names."""
        ids = self.x.ndim == 1
        x: Array = np.eye(len(self.rows))[self.x] if ids else self.x
        for t, name in enumerate(names, 1):
            unknown = ", which is unknown" if ids and self.x[t - 1] == self.unknown else ""
            self.sheet.given(f"{'e' if self.embedding else 'x'}_{t}", x[t - 1 : t], f"{name}{unknown}: {self.words}")

    def read(self, t: int) -> None:
        """Writes x_t, unless it is given or the other direction has read it."""
        s = self.sheet
        if f"x_{t}" not in s:
            row, words = s[f"e_{t}"] @ s["E"], "its row of the embedding"
            if self.also is not None:
                row, words = hstack([row, s[self.also[0]]]), f"{words}, and {self.also[1]}"
            s.at(Place(t=t, general={f"_{t}": "_t"}))
            s.line(f"x_{t}", row, words)


@dataclass(frozen=True, eq=False)
class Direction:
    """A recurrent layer in one direction along the timesteps.

    Attributes:
        name: of its parameters: ``encoder/0/forward``.
        sheet: on which its names are its own.
        order: timesteps in the order of reading.
        words: which direction, at the end of a section's title.
    """

    name: str
    cell: Cell
    sheet: Sheet
    order: range
    words: str = ""

    @property
    def backwards(self) -> bool:
        return self.order.step < 0

    @cached_property
    def letters(self) -> dict[str, str]:
        """State's letter → its letter here."""
        return {state.letter: state.written for state in self.cell.specification.states}

    @property
    def state(self) -> str:
        return next(iter(self.letters.values()))

    @property
    def after(self) -> str:
        return "the timestep read next" if self.backwards else "the next timestep"

    def last(self, letter: str) -> Term:
        """A state after the last timestep that is read."""
        return self.sheet[f"{letter}_{self.order[-1]}"]

    def place(self, t: int, block: Block) -> Place:
        if t == 0:  # a first state that is not 0
            return Place(block, "the layer above", t, self, "the first timestep")
        past = "(t+1)" if self.backwards else "(t−1)"
        general = {f"_{t}": "_t", f"_{t - self.order.step}": f"_{past}"}
        return Place(block, "the layer above", t, self, self.after, general)

    def begin(self) -> None:
        """Writes the states before anything is read, which are 0."""
        for state in self.cell.specification.states:
            words = f"the {state.name} before {'anything is read' if self.backwards else 'the first timestep'}"
            name = f"{state.written}_{self.order[0] - self.order.step}"
            self.sheet.given(name, np.zeros((1, self.cell.hidden_size)), words)

    def forward(self, t: int) -> None:
        before, sheet = t - self.order.step, self.sheet
        self.cell.step(_Timestep(self, t, before))
        for letter in self.letters.values():
            if t == self.order[0] and sheet.called(f"{letter}_{before}") not in sheet.tape.lines:
                name = sheet.called(f"{letter}_{'(T+1)' if self.backwards else '0'}")
                sheet.tape.equations[name] = f"{name} = 0"


@dataclass(frozen=True, eq=False)
class _Timestep:
    """One timestep of a cell on a sheet: :class:`rnncli.core.cells.specification.Step` in terms.

    A cell with one sum, the plain RNN of the notes, has each slope in a line of its own.

    Attributes:
        t, before: the timestep, and the one read before it.
    """

    direction: Direction
    t: int
    before: int

    @property
    def _plain(self) -> bool:
        return len(self.direction.cell.specification.sums) == 1

    def _name(self, letter: str, past: bool = False) -> str:
        return f"{self.direction.letters.get(letter, letter)}_{self.before if past else self.t}"

    def past(self, state: str) -> Term:
        return self.direction.sheet[self._name(state, past=True)]

    def sums(self, letter: str, label: str, beside: Term | None = None) -> Term:
        return self._sums(letter, label, "" if self._plain else label, beside)

    def gate(self, letter: str, beside: Term | None = None) -> Term:
        gate = self.direction.cell.specification.gate(letter)
        assert gate is not None
        sums = self._sums(gate.sums, f"the sums of the {gate.name}", "and its sums", beside, part=True)
        label = f"the {gate.name}"
        return self.direction.sheet.line(self._name(letter), _FUNCTIONS[gate.function](sums), label, label, word=label)

    def _sums(self, letter: str, label: str, back: str, beside: Term | None, part: bool = False) -> Term:
        terms, slopes = [], {}
        for parameter, place in self.direction.cell.into(letter):
            factor, weight = parameter.factor, self.direction.sheet[parameter.blocks[place].symbol]
            if factor is None:
                terms.append(weight)
                continue
            name = self._name(factor.letter, factor.past)
            multiplied = self.direction.sheet[name]
            terms.append(multiplied * weight if parameter.elementwise else multiplied @ weight)
            if self._plain and factor.past:
                slopes[name] = f"from this timestep to {self.direction.after}"
        term = added(terms if beside is None else [*terms, beside])
        return self.direction.sheet.line(
            self._name(letter), term, label, back, part=part, word=label, slopes=slopes, sums=True
        )

    def line(self, letter: str, value: Term, label: str) -> Term:
        state = next((one for one in self.direction.cell.specification.states if one.letter == letter), None)
        slopes, function = {}, value.text.partition("(")[0]
        if self._plain and function in _FUNCTIONS and value.parents[0][0].is_name:
            words = f"the slope of {function}" + ": 1 above 0, else 0" * (function == "relu")
            slopes[self._name(self.direction.cell.specification.sums[0])] = words
        back, word = (label, label) if state is None else (None, f"the {state.name}")
        return self.direction.sheet.line(self._name(letter), value, label, back, word=word, slopes=slopes)

    tanh, relu = staticmethod(tanh), staticmethod(relu)


@dataclass(frozen=True, eq=False)
class Layer:
    """A recurrent layer, in one direction or in both.

    Attributes:
        mark: of its names; none if it is the only layer.
        directions: forward, and backward if it is bidirectional.
        words: which layer, in the title of a section.
    """

    mark: str
    directions: tuple[Direction, ...]
    words: str

    @property
    def state(self) -> str:
        """Letter of its first state; that of both directions side by side has no mark of theirs."""
        return self.directions[0].state + self.mark

    @property
    def bidirectional(self) -> bool:
        return len(self.directions) > 1


class Stack:
    """Recurrent layers, from the input up.

    Args:
        found: the example.
        within: how the names of its layers begin.
        sheet: on which their names are written.
        inputs: what the first layer reads.
    """

    def __init__(self, found: Flow, within: str, sheet: Sheet, inputs: Inputs) -> None:
        cells = [cell for cell in found.cells if cell.name.startswith(within)]
        stacked = [list(of_layer) for _, of_layer in groupby(cells, lambda cell: cell.name.rsplit("/", 1)[0])]
        self.sheet, self.inputs = sheet, inputs
        self.readers = "the attention" if inputs.source else "the answer here"  # of its topmost states
        self.tokens = tuple(visible(token) for token in cells[0].steps)
        self.T = len(self.tokens)
        Size(self.T, TIMESTEPS, "timestep", " of the source" * inputs.source).require(SHORTER)
        self.layers: list[Layer] = []
        for number, of_layer in enumerate(stacked, 1):
            mark, words, own = "", "", sheet
            if len(stacked) > 1:
                mark, words = "ᴵ" * number, f", layer {number}"
                own = sheet.marked(mark, _READ | ({"x": self.state} if self.layers else {}))
            self.layers.append(Layer(mark, tuple(self._directions(of_layer, own)), words))
        specification = self.directions[-1].cell.specification
        self.output = specification.output  # letter of the output weights
        self._taken = {*specification.sums, *specification.shown, *self.directions[-1].letters.values()}
        self.logit = self.free("z", "s")  # letter of what the output weights make

    def _directions(self, cells: list[CellFlow], sheet: Sheet) -> Iterator[Direction]:
        forwards, backwards = range(1, self.T + 1), range(self.T, 0, -1)
        for cell, mark, order, words in zip(
            cells, "ᶠᵇ", (forwards, backwards), ("forwards", "backwards"), strict=False
        ):
            if len(cells) == 1:
                yield Direction(cell.name, cell.cell, sheet, order)
            else:
                yield Direction(cell.name, cell.cell, sheet.marked(mark, _READ), order, f", reading {words}")

    def free(self, *letters: str) -> str:
        """The first of these letters that the cell's own equations do not use."""
        return next(letter for letter in letters if letter not in self._taken)

    @property
    def state(self) -> str:
        """Letter of the topmost state."""
        return self.layers[-1].state

    @property
    def directions(self) -> list[Direction]:
        return [direction for layer in self.layers for direction in layer.directions]

    def begin(self) -> None:
        """Writes the states before the first timestep, which are 0."""
        for direction in self.directions:
            direction.begin()

    def learn(self) -> None:
        """Writes the weights, the embedding included."""
        inputs = self.inputs
        inputs.sheet.learn(Weight("E", inputs.embedding, "embedding"), inputs.rows)
        for direction in self.directions:
            H, first = direction.cell.hidden_size, direction in self.layers[0].directions
            for parameter in direction.cell.parameters:
                rows = inputs.rows if first and parameter.factor == X and not inputs.embedding else ()
                for place, block in enumerate(parameter.blocks):
                    columns, name = slice(place * H, (place + 1) * H), f"{direction.name}/{parameter.name}"
                    direction.sheet.learn(Weight(block.symbol, name, block.words, columns), rows)

    def forward(self, read_out: Callable[[int, Place], None] = lambda t, place: None) -> None:
        """Writes the lines of all layers.

        Args:
            read_out: called for every timestep after its topmost state is written, with the timestep and the place of
                the lines that read that state.
        """
        for layer in self.layers:
            self._forward(layer, read_out)

    def _forward(self, layer: Layer, read_out: Callable[[int, Place], None]) -> None:
        s, top = self.sheet, layer is self.layers[-1]
        *others, last = layer.directions
        blocks = {
            (direction, t): self._block(t, layer, direction.words)
            for direction in reversed(layer.directions)
            for t in direction.order
        }
        ends = {t: blocks[last, t] for t in last.order}
        if others:
            ends = {t: self._block(t, layer, ", to both directions") for t in range(1, self.T + 1)}
        for direction in layer.directions:
            for t in direction.order:
                s.section(self._title("Forward", t, layer, direction.words), self.tokens[t - 1])
                self.inputs.read(t)
                s.at(place := direction.place(t, blocks[direction, t]))
                direction.forward(t)
                if direction is not last:
                    continue
                if others:
                    by = self.readers if top else "the layer above"
                    s.at(Place(ends[t], by, t, general=place.general))
                    states = [one.sheet[f"{one.state}_{t}"] for one in layer.directions]
                    s.line(f"{layer.state}_{t}", hstack(states), "both directions, side by side", None)
                if top:
                    read_out(t, Place(ends[t], self.readers, t, general=place.general))

    def _title(self, pass_: str, t: int, layer: Layer, words: str) -> str:
        return f"{pass_}, {'source ' * self.inputs.source}timestep {t}{layer.words}{words}"

    def _block(self, t: int, layer: Layer, words: str) -> Block:
        return self.sheet.block(self._title("Backward", t, layer, words), self.tokens[t - 1])
