"""A tape of lines of arithmetic: forward lines are written on it, and it writes the backward lines by itself.

Blocks are written backwards, and so are the gradients of the lines in each; those of weights follow, in the order in
which the weights were given, with a term for each timestep. The gradient of a line is the sum of the gradients from all
lines that read it, in the order of the backward lines; only the next timestep of the same cell comes last, and its sums
after its other lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.inspection.by_hand.terms import Gradient, Term, added_gradients, gradients, named
from rnncli.results import Section, Step

HERE, ELSEWHERE, NEXT = range(3)
_LETTERS = re.compile(r"[A-Za-z]+")


@dataclass(eq=False)
class Block:
    """Lines whose gradients stand together, under a title of their own."""

    title: str
    token: str = ""
    number: int = 0
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Place:
    """Where in the network a line stands.

    Attributes:
        block: where its gradient is written; None: with the first weight that needs it.
        by: what reads other lines here, in words, for the labels of their gradients: ``the answer here``.
        t: timestep, if it has one.
        cell: the recurrent layer, in one direction, whose line it is.
        after: the timestep that this one reads next, in words.
        general: ending of a name here → its ending in an equation for any timestep: ``_2`` → ``_t``.
    """

    block: Block | None = None
    by: str = ""
    t: int | None = None
    cell: object = None
    after: str = ""
    general: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Weight:
    """A matrix or a bias of the model, by its name in the equations.

    Attributes:
        parameter: flat name of the array that it is a part of.
        label: what it is, in words.
        rows, columns: which of the array's; None for all.
    """

    name: str
    parameter: str
    label: str
    columns: slice | None = None
    rows: slice | None = None

    def of(self, array: Array) -> Array:
        """Its part of an array; a bias as one row."""
        return np.atleast_2d(array)[self.rows or slice(None), self.columns or slice(None)]


@dataclass(frozen=True, eq=False)
class Line:
    """A line that a gradient comes back to.

    Attributes:
        name: the result, as a term.
        term: its formula; of a weight, the name itself.
        back: label of its gradient; None to name the lines from which that comes.
        word: what it is, in the labels of gradients that come from it: ``the memory``.
        slopes: name in the formula → label of a slope with a line of its own, ∂ŷ/∂z.
        passes: whether its gradient has no line of its own, but becomes a part of others.
        sums: whether it is the sums of a cell.
        rows: a name for each row.
        readers: lines with this one in their formulas.
    """

    name: Term
    term: Term
    place: Place
    back: str | None = ""
    word: str = ""
    slopes: Mapping[str, str] = field(default_factory=dict)
    passes: bool = False
    sums: bool = False
    rows: tuple[str, ...] = ()
    readers: list[Line] = field(default_factory=list)


class Tape:
    """All lines of an example.

    Attributes:
        steps: in their order, each with its section, which has no steps itself.
        names: name → its term.
        lines: name → line that a gradient can come back to.
        weights: each with its line.
        blocks: in the reverse of the order in which they are written.
        equations: name → equation, for any timestep.
        place: of the next line.

    Args:
        values: flat name → array of every parameter of the model.
    """

    def __init__(self, values: Mapping[str, Array]) -> None:
        self.values = values
        self.steps: list[tuple[Section, Step]] = []
        self.names: dict[str, Term] = {}
        self.lines: dict[str, Line] = {}
        self.weights: list[tuple[Weight, Line]] = []
        self.blocks: list[Block] = []
        self.equations: dict[str, str] = {}
        self.place = Place()

    def section(self, title: str, symbol: str = "", token: str = "") -> None:
        """Begins a section."""
        self._section = Section(title, symbol, token, ())

    def step(self, name: str, sign: str, term: Term | Array, label: str, rows: tuple[str, ...] = ()) -> Term:
        """Writes ``name = term``; after that the name stands for the result."""
        assert sign == "←" or name not in self.names, f"two things are called {name}"
        if isinstance(term, Term):
            step = Step(label, name, f"{name} {sign} {term.text}", term.operands, term.value, rows)
        else:
            step = Step(label, name, name, {}, term, rows)
        self.steps.append((self._section, step))
        self.names[name] = named(name, step.result)
        return self.names[name]

    def add(self, line: Line) -> None:
        """Adds a line, if it depends on a weight."""
        parents = [self.lines[name] for name in dict.fromkeys(_names(line.term)) if name in self.lines]
        if not parents:
            return
        for parent in parents:
            parent.readers.append(line)
        self.lines[line.name.text] = line
        if line.place.block is not None:
            line.place.block.lines.append(line)

    def equation(self, name: str, right: str) -> None:
        """Writes the equation of a line for any timestep, unless it has been written for another timestep."""
        for ending, general in self.place.general.items():
            name, right = (re.sub(rf"{ending}\b", general, text) for text in (name, right))
        self.equations.setdefault(name, f"{name} = {right}")

    def sections(self) -> tuple[Section, ...]:
        """All sections, with their steps."""
        grouped = groupby(self.steps, key=lambda one: one[0])
        return tuple(replace(section, steps=tuple(step for _, step in steps)) for section, steps in grouped)

    def backward(self) -> None:
        """Writes the lines from L back to every weight, and one step of gradient descent."""
        for block in reversed(self.blocks):
            self.section(block.title, token=block.token)
            for line in reversed(block.lines):
                self._gradient(line)
        for weight, line in self.weights:
            self._gradient_of_weight(weight, line)
        self.section("One step of gradient descent")
        for weight, line in self.weights:
            new = line.name - self.names["η"] @ self.names[f"∂L/∂{weight.name}"]
            self.step(weight.name, "←", new, f"new {weight.label}", line.rows)

    def residual(self, parameters: Mapping[str, Array]) -> float:
        """The largest difference between the gradients on the tape and others.

        Args:
            parameters: flat name → gradient.
        """
        own = ((weight, self.names[f"∂L/∂{weight.name}"].value) for weight, _ in self.weights)
        return max(float(np.abs(value - weight.of(parameters[weight.parameter])).max()) for weight, value in own)

    def _gradient(self, line: Line) -> Term | None:
        """∂L/∂ a line, written unless it has been; None where the loss does not depend on it."""
        name = f"∂L/∂{line.name.text}"
        if name not in self.names and not line.passes:
            arriving = self._arriving(line)
            if arriving:
                label = self._readers(line) if line.back is None else line.back
                self.step(name, "=", added_gradients(arriving), label)
        return self.names.get(name)

    def _arriving(self, line: Line) -> list[Gradient]:
        """The gradients that come to a line from all that read it."""
        if line.name.text == "L":
            return [Gradient(None)]
        return [gradient for reader in self._in_order(line) for gradient in self._from(reader, line)]

    def _from(self, reader: Line, line: Line) -> list[Gradient]:
        """The gradients that come to a line from one that reads it."""
        if reader.passes:
            ends = self._arriving(reader)
        else:
            d = self._gradient(reader)
            ends = [] if d is None else [Gradient(d)]
        label = reader.slopes.get(line.name.text)
        if label is None:
            return [one for end in ends for one in gradients(reader.term, line.name, end, reader.name)]
        found = []
        for end in ends:
            slope = added_gradients(gradients(reader.term, line.name, Gradient(None), reader.name))
            through = self.step(f"∂{reader.name.text}/∂{line.name.text}", "=", slope, label)
            by_element = through.value.shape == end.unsigned.value.shape and not through.is_number
            found.append(end.times(through) if by_element else end.matrix(through))
        return found

    def _in_order(self, line: Line) -> list[Line]:
        """The lines that read one: at the same timestep of its own cell, elsewhere, and at the next timestep."""

        def on_the_way(reader: Line) -> tuple[int, int]:
            distance, block = _distance(reader, line), reader.place.block
            if distance == NEXT:
                return distance, reader.sums
            return distance, 0 if block is None or line.passes else -block.number

        return sorted(line.readers, key=on_the_way)

    def _readers(self, line: Line) -> str:
        """The lines that a gradient comes from, in words."""
        readers = [one for one in self._in_order(line) if one.passes or f"∂L/∂{one.name.text}" in self.names]
        then = [one for one in readers if _distance(one, line) == NEXT]
        if then == readers and line.name.text in then[0].slopes:
            return ""  # the label of the slope says it
        said = [
            f"by {one.word if _distance(one, line) == HERE else one.place.by}" for one in readers if one not in then
        ]
        sums = [one for one in then if one.sums]
        if sums and sums != then:
            said += [f"past the sums of {line.place.after}", "back through them"]
        elif sums:
            said.append(f"{'back through every sum of' if len(sums) > 1 else 'by'} {line.place.after}")
        else:
            said += [f"by {one.word} of {line.place.after}" for one in then]
        *first, last = dict.fromkeys(said)
        return f"{', '.join(first)}, and {last}" if first else last

    def _gradient_of_weight(self, weight: Weight, line: Line) -> None:
        """Writes a term for each timestep at which the weight is used, and their sum."""
        name = f"∂L/∂{weight.name}"
        self.section("Gradient of the " + weight.label, symbol=name)
        readers = sorted(line.readers, key=lambda one: one.place.t or 0)
        by_time: dict[int | None, list[Gradient]] = {}
        for reader in readers:
            self._gradient(reader)
        for reader in readers:
            by_time.setdefault(reader.place.t, []).extend(self._from(reader, line))
        every = [one for found in by_time.values() for one in found]
        if not every:
            nothing = np.zeros_like(line.name.value)
            self.step(name, "", nothing, "the loss does not depend on it", line.rows)
        elif None in by_time:
            self.step(name, "=", added_gradients(every), "", line.rows)
        elif all(one.unsigned.is_name for one in every):
            self.step(name, "=", added_gradients(every), "a term for each timestep, and their sum", line.rows)
        else:
            terms = [
                Gradient(self.step(f"{name}({t})", "=", added_gradients(found), f"by timestep {t}", line.rows))
                for t, found in by_time.items()
            ]
            self.step(name, "=", added_gradients(terms), "their sum", line.rows)


def _distance(reader: Line, line: Line) -> int:
    """Where a line is read: by the same cell at the same timestep, elsewhere, or by the same cell at the next one."""
    if reader.place.cell is not line.place.cell or line.place.cell is None:
        return ELSEWHERE
    return HERE if reader.place.t == line.place.t else NEXT


def _names(term: Term) -> list[str]:
    """The names in a formula that a gradient goes back to, in their order."""
    if term.is_name:
        return [term.text]
    return [name for parent, _ in term.parents for name in _names(parent)]


class Sheet:
    """A tape on which the names of a part of the network have a mark: ``Wᵉ_i``, ``hᵉ_2`` of an encoder.

    Args:
        mark: ᵉ of an encoder; ᴵ, ᴵᴵ of the first and the second layer; ᶠ, ᵇ of the forward and the backward direction.
        others: letter without the mark → what it is called on the tape.
    """

    def __init__(self, tape: Tape, mark: str = "", others: Mapping[str, str] | None = None) -> None:
        self.tape, self._mark, self._others = tape, mark, others or {}

    def marked(self, mark: str, others: Mapping[str, str] | None = None) -> Sheet:
        """The sheet of a part of this part."""
        called = {letter: self.called(other) for letter, other in (others or {}).items()}
        return Sheet(self.tape, self._mark + mark, called)

    def called(self, name: str) -> str:
        """A name as it stands on the tape."""
        found = _LETTERS.match(name)
        if found is None:
            return name
        letters = found[0]
        return self._others.get(letters, letters + self._mark) + name[len(letters) :]

    def __getitem__(self, name: str) -> Term:
        return self.tape.names[self.called(name)]

    def __contains__(self, name: str) -> bool:
        return self.called(name) in self.tape.names

    def at(self, place: Place) -> None:
        """Sets the place in the network of the lines that follow."""
        self.tape.place = place

    def section(self, title: str, token: str = "", place: Place | None = None) -> None:
        """Begins a section."""
        self.tape.section(title, token=token)
        self.at(place or Place())

    def block(self, title: str, token: str = "") -> Block:
        """Begins a block of backward lines; the one begun last comes first among them."""
        self.tape.blocks.append(Block(title, token, len(self.tape.blocks)))
        return self.tape.blocks[-1]

    def given(self, name: str, value: Array, label: str = "") -> None:
        """Writes a matrix that is not learned."""
        self.tape.step(self.called(name), "", value, label)

    def learn(self, weight: Weight, rows: tuple[str, ...] = ()) -> None:
        """Writes a weight, if the model has it.

        Args:
            rows: a name for each row.
        """
        tape, weight = self.tape, replace(weight, name=self.called(weight.name))
        if weight.parameter in tape.values:
            name = tape.step(weight.name, "", weight.of(tape.values[weight.parameter]), weight.label, rows)
            tape.lines[weight.name] = line = Line(name, name, tape.place, rows=rows)
            tape.weights.append((weight, line))

    def line(
        self,
        name: str,
        term: Term,
        label: str = "",
        back: str | None = "",
        *,
        part: bool = False,
        equation: Term | None = None,
        slopes: Mapping[str, str] | None = None,
        **how: Any,
    ) -> Term:
        """Writes ``name = term``, and its equation.

        Args:
            label: what it is, in words.
            part: whether it has no equation, and its formula stands in those of the lines that read it.
            equation: the term of the equation, if that is another one.
            back, slopes, how: as :class:`Line` has them.
        """
        name = self.called(name)
        result = self.tape.step(name, "=", term, label)
        if part:
            result = self.tape.names[name] = replace(result, equation=term.equation)
        else:
            self.tape.equation(name, (equation or term).equation.text)
        own = {self.called(one): words for one, words in (slopes or {}).items()}
        self.tape.add(Line(result, term, self.tape.place, back, slopes=own, **how))
        return result

    def plus(self, term: Term, name: str) -> Term:
        """The term plus the bias of that name, if there is one."""
        return term + self[name] if name in self else term
