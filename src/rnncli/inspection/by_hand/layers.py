"""Inputs and recurrent layers as lines of arithmetic, by each cell's own equations; and how large they may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np

from rnncli.core.cells.cell import Cell
from rnncli.core.cells.specification import X
from rnncli.core.packed import Array
from rnncli.errors import UsageError, counted
from rnncli.inspection.by_hand.tape import Block, Equations, Place, Sheet, Weight
from rnncli.inspection.by_hand.terms import Term, added, beside, relu, sigmoid, tanh
from rnncli.inspection.flow import CellFlow, Flow
from rnncli.inspection.states import visible

LAYERS, UNITS, VOCABULARY, TIMESTEPS, LABELS = 3, 8, 12, 8, 8
SMALLER = (
    "rnncli train sample_data/notes.csv --config sample_data/notes.yaml makes a model that is small enough; "
    "for a large one there is rnncli inspect --bptt"
)
SHORTER = "give a shorter text, or a shorter --answer; for a long one there is rnncli inspect --bptt"
# What all parts of the first layer read; it has no mark of theirs.
_READ = {letter: letter for letter in ("x", "e", "E")}
_FUNCTIONS: dict[str, Callable[[Term], Term]] = {"σ": sigmoid, "tanh": tanh, "relu": relu}


@dataclass(frozen=True)
class Size:
    """How many there are of something, at most how many of them can be read, and what they are called."""

    count: int
    most: int
    one: str
    many: str

    def require(self, hint: str = SMALLER) -> None:
        """Raises UsageError: there are more than can be read."""
        if self.count > self.most:
            words = counted(self.count, self.one, self.many)
            raise UsageError(f"{words} are more than can be read by hand: at most {self.most}", hint)


def size(count: int, most: int, one: str, behind: str = "") -> Size:
    """With a plural that has an s."""
    return Size(count, most, one + behind, f"{one}s{behind}")


@dataclass(frozen=True, eq=False)
class Inputs:
    """What is read at every timestep.

    Attributes:
        x: (T,) ids of one-hot rows, or (T, D) numbers.
        words: what a row of it is.
        rows: a name for each id; none for numbers.
        unknown: the id of what is unknown.
        embedding: flat name of the table whose rows the ids are read from, if they are.
        also: name of numbers that stand beside each row, and what they are.
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

    @property
    def embeds(self) -> bool:
        return bool(self.embedding)

    def give(self, names: tuple[str, ...]) -> None:
        """A row for each timestep of these names."""
        ids = self.x.ndim == 1
        x: Array = np.eye(len(self.rows))[self.x] if ids else self.x
        for t, name in enumerate(names, 1):
            unknown = ", which is unknown" if ids and self.x[t - 1] == self.unknown else ""
            self.sheet.given(f"{'e' if self.embeds else 'x'}_{t}", x[t - 1 : t], f"{name}{unknown}: {self.words}")

    def learn(self) -> None:
        """Gives the embedding."""
        self.sheet.learn(Weight("E", self.embedding, "embedding"), self.rows)

    def read(self, t: int) -> None:
        """x_t, where it is not given; more than one layer may read it."""
        if f"x_{t}" not in self.sheet:
            self._read(self.sheet, str(t))

    def equations(self) -> None:
        if self.embeds:
            self._read(Equations(self.sheet, {"t": 1}), "t")

    def _read(self, s: Sheet, t: str) -> None:
        row, words = s[f"e_{t}"] @ s["E"], "its row of the embedding"
        if self.also is not None:
            row, words = beside([row, s[self.also[0]]]), f"{words}, and {self.also[1]}"
        s.line(f"x_{t}", row, words)


@dataclass(frozen=True, eq=False)
class Direction:
    """A recurrent layer one way along the timesteps.

    Attributes:
        name: of its parameters: ``encoder/0/forward``.
        sheet: on which its names are its own.
        order: timesteps as they are read.
        words: which it is, behind the title of a section.
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
        """State's letter → how it is written here."""
        return {state.letter: state.written for state in self.cell.specification.states}

    @property
    def state(self) -> str:
        return next(iter(self.letters.values()))

    @property
    def after(self) -> str:
        return "the timestep read next" if self.backwards else "the next timestep"

    def end(self, letter: str, T: str = "") -> str:
        """The name of a state after the timestep that is read last; ``T`` is what is written for that, if anything."""
        return self.sheet.called(f"{letter}_{self.order[-1] if self.backwards else T or self.order[-1]}")

    def place(self, t: int, block: Block) -> Place:
        return Place(block, "the layer above", t, self, "the first timestep" if t == 0 else self.after)

    def begin(self) -> None:
        """The states before anything is read."""
        for state in self.cell.specification.states:
            words = f"the {state.name} before {'anything is read' if self.backwards else 'the first timestep'}"
            name = f"{state.written}_{self.order[0] - self.order.step}"
            self.sheet.given(name, np.zeros((1, self.cell.hidden_size)), words)

    def equations(self, starts: bool) -> None:
        first = self.order[0]
        past = "(t+1)" if self.backwards else "(t−1)"
        equations = Equations(self.sheet, {"t": first, past: first - self.order.step})
        self.cell.step(_Timestep(self, equations, "t", past))
        if starts:
            begin = "(T+1)" if self.backwards else "0"
            self.sheet.tape.equations += [
                f"{self.sheet.called(f'{letter}_{begin}')} = 0" for letter in self.letters.values()
            ]

    def forward(self, t: int) -> None:
        self.cell.step(_Timestep(self, self.sheet, str(t), str(t - self.order.step)))


class _Timestep:
    """One timestep of a cell on a sheet: :class:`rnncli.core.cells.specification.Step` in terms.

    A cell of one sum, the plain RNN of the notes, has each slope in a line of its own.

    Args:
        t, before: what is written for the timestep, and for the one read before it.
    """

    def __init__(self, direction: Direction, sheet: Sheet, t: str, before: str) -> None:
        self._direction, self._cell, self._sheet, self._t, self._before = direction, direction.cell, sheet, t, before
        self._plain = len(self._cell.specification.sums) == 1

    def _name(self, letter: str, past: bool = False) -> str:
        return f"{self._direction.letters.get(letter, letter)}_{self._before if past else self._t}"

    def past(self, state: str) -> Term:
        return self._sheet[self._name(state, past=True)]

    def sums(self, letter: str, label: str, beside: Term | None = None) -> Term:
        return self._sums(letter, label, "" if self._plain else label, beside, part=False)

    def gate(self, letter: str, beside: Term | None = None) -> Term:
        gate = self._cell.specification.gate(letter)
        assert gate is not None
        sums = self._sums(gate.sums, f"the sums of the {gate.name}", "and its sums", beside, part=True)
        label = f"the {gate.name}"
        return self._sheet.line(self._name(letter), _FUNCTIONS[gate.function](sums), label, label, word=label)

    def _sums(self, letter: str, label: str, back: str, beside: Term | None, part: bool) -> Term:
        terms, slopes = [], {}
        for parameter, place in self._cell.into(letter):
            factor, weight = parameter.factor, self._sheet[parameter.blocks[place].symbol]
            if factor is None:
                terms.append(weight)
                continue
            name = self._name(factor.letter, factor.past)
            met = self._sheet[name]
            terms.append(met * weight if parameter.elementwise else met @ weight)
            if self._plain and factor.past:
                slopes[name] = f"from this timestep to {self._direction.after}"
        term = added([*terms, *([] if beside is None else [beside])])
        return self._sheet.line(self._name(letter), term, label, back, part=part, word=label, slopes=slopes, sums=True)

    def line(self, letter: str, value: Term, label: str) -> Term:
        state = next((one for one in self._cell.specification.states if one.letter == letter), None)
        slopes, function = {}, value.text.partition("(")[0]
        if self._plain and function in _FUNCTIONS and value.parts[0][0].is_name:
            words = f"the slope of {function}" + ": 1 above 0, else 0" * (function == "relu")
            slopes[self._name(self._cell.specification.sums[0])] = words
        back, word = (label, label) if state is None else (None, f"the {state.name}")
        return self._sheet.line(self._name(letter), value, label, back, word=word, slopes=slopes)

    tanh, relu = staticmethod(tanh), staticmethod(relu)


@dataclass(frozen=True, eq=False)
class Layer:
    """A recurrent layer, in one direction or in both.

    Attributes:
        mark: of its names; none where it is the only layer.
        sheet: on which its names have the mark.
        words: which it is, in the title of a section.
    """

    mark: str
    sheet: Sheet
    directions: tuple[Direction, ...]
    words: str

    @property
    def letters(self) -> tuple[str, ...]:
        """Of its states, with its mark."""
        return tuple(letter + self.mark for letter in self.directions[0].letters.values())

    @property
    def state(self) -> str:
        """Letter of its first state, of both directions side by side where there are both."""
        return self.letters[0]

    @property
    def bidirectional(self) -> bool:
        return len(self.directions) > 1


class Stack:
    """Recurrent layers, from the input up.

    Args:
        found: the example.
        within: what the names of its layers begin with.
        sheet: on which their names are written.
        inputs: what the first layer reads.
        readers: who reads the states of the topmost layer, in words.
    """

    def __init__(
        self, found: Flow, within: str, sheet: Sheet, inputs: Inputs, readers: str = "the answer here"
    ) -> None:
        cells = [cell for cell in found.cells if cell.name.startswith(within)]
        stacked = [list(of_layer) for _, of_layer in groupby(cells, lambda cell: cell.name.rsplit("/", 1)[0])]
        self.sheet, self.inputs, self.readers = sheet, inputs, readers
        self.tokens = tuple(visible(token) for token in cells[0].steps)
        self.T = len(self.tokens)
        size(self.T, TIMESTEPS, "timestep", " of the source" * inputs.source).require(SHORTER)
        self.layers: list[Layer] = []
        for of_layer in stacked:
            mark, words, own = "", "", sheet
            if len(stacked) > 1:
                number = len(self.layers) + 1
                mark, words = "ᴵ" * number, f", layer {number}"
                own = sheet.marked(mark, _READ | ({"x": self.state} if self.layers else {}))
            self.layers.append(Layer(mark, own, tuple(_directions(of_layer, own)), words))
        specification = self.directions[-1].cell.specification
        self.output = specification.output  # letter of the output weights
        self._taken = {*specification.sums, *specification.shown, *self.directions[-1].letters.values()}
        self.logit = self.free("z", "s")  # letter of what the output weights make

    def free(self, *letters: str) -> str:
        """The first of the letters that the cell's own equations do not use."""
        return next(letter for letter in letters if letter not in self._taken)

    @property
    def state(self) -> str:
        """Letter of the topmost state."""
        return self.layers[-1].state

    @property
    def directions(self) -> list[Direction]:
        return [direction for layer in self.layers for direction in layer.directions]

    def begin(self) -> None:
        """The states before the first timestep, where these are given."""
        for direction in self.directions:
            direction.begin()

    def learn(self) -> None:
        """Gives the weights, the embedding included."""
        self.inputs.learn()
        for direction in self.directions:
            H, first = direction.cell.hidden_size, direction in self.layers[0].directions
            for parameter in direction.cell.parameters:
                of_rows = first and parameter.factor == X and not self.inputs.embeds
                for place, block in enumerate(parameter.blocks):
                    columns, name = slice(place * H, (place + 1) * H), f"{direction.name}/{parameter.name}"
                    weight = Weight(block.symbol, name, block.words, columns)
                    direction.sheet.learn(weight, self.inputs.rows if of_rows else ())

    def forward(self, read_out: Callable[[int, Place], None] = lambda t, place: None, starts: bool = True) -> None:
        """All layers along all timesteps, and their equations.

        Args:
            read_out: is called for every timestep once all have been there that its topmost state is made of, with
                what is to be the place of the lines that read it.
            starts: whether the first states are 0 in the equations.
        """
        self.inputs.equations()
        for layer in self.layers:
            self._forward(layer, read_out, starts)

    def _forward(self, layer: Layer, read_out: Callable[[int, Place], None], starts: bool) -> None:
        top = layer is self.layers[-1]
        every = range(1, self.T + 1)
        blocks = {
            (direction, t): self._block(t, layer, direction.words)
            for direction in reversed(layer.directions)
            for t in direction.order
        }
        ends = {t: blocks[layer.directions[-1], t] for t in every}
        if layer.bidirectional:
            ends = {t: self._block(t, layer, ", to both directions") for t in every}
        for direction in layer.directions:
            for t in direction.order:
                title = self._title("Forward", t, layer, direction.words)
                self.sheet.section(title, self.tokens[t - 1], Place(t=t))
                self.inputs.read(t)
                self.sheet.at(direction.place(t, blocks[direction, t]))
                direction.forward(t)
                if direction is not layer.directions[-1]:
                    continue
                if layer.bidirectional:
                    self.sheet.at(Place(ends[t], self.readers if top else "the layer above", t))
                    states = [one.sheet[f"{one.state}_{t}"] for one in layer.directions]
                    self.sheet.line(f"{layer.state}_{t}", beside(states), "both directions, side by side", None)
                if top:
                    read_out(t, Place(ends[t], self.readers, t))
        for direction in layer.directions:
            direction.equations(starts)
        if layer.bidirectional:
            names = ", ".join(one.sheet.called(f"{one.state}_t") for one in layer.directions)
            self.sheet.tape.equations.append(f"{self.sheet.called(f'{layer.state}_t')} = [{names}]")

    def _title(self, pass_: str, t: int, layer: Layer, words: str) -> str:
        return f"{pass_}, {'source ' * self.inputs.source}timestep {t}{layer.words}{words}"

    def _block(self, t: int, layer: Layer, words: str) -> Block:
        return self.sheet.block(self._title("Backward", t, layer, words), self.tokens[t - 1])


def _directions(cells: list[CellFlow], sheet: Sheet) -> list[Direction]:
    T = len(cells[0].steps)
    if len(cells) == 1:
        return [Direction(cells[0].name, cells[0].cell, sheet, range(1, T + 1))]
    forwards, backwards = cells
    both = sheet.marked("ᶠ", _READ), sheet.marked("ᵇ", _READ)
    return [
        Direction(forwards.name, forwards.cell, both[0], range(1, T + 1), ", reading forwards"),
        Direction(backwards.name, backwards.cell, both[1], range(T, 0, -1), ", reading backwards"),
    ]
