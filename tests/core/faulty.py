"""A cell's backward pass worked out term by term from its own reference step, with one fault in it.

Any cell of the table can have any fault of :func:`links`, whatever its real backward pass looks like: each derivative
of the chain rule left out, the slope of each function taken for 1 or for another's, each weight not transposed, and the
state after the step in the place of the one before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from core.reference import FUNCTIONS

Array = np.ndarray[Any, Any]
SLOPES: dict[str, Callable[[Array], Array]] = {
    "σ": lambda y: y * (1 - y),
    "tanh": lambda y: 1 - y**2,
    "relu": lambda y: (y > 0) * 1.0,
}


class Link(NamedTuple):
    """One way for a gradient to go on: from a value to one that it was computed of."""

    name: str
    kind: str  # product, slope, weight, transposed weight, or bias


@dataclass
class Fault:
    """What is wrong.

    Attributes:
        dropped: number of a step's link that hands nothing on.
        flat: number of a function's link whose slope is taken for 1.
        other: number of a function's link whose slope is another function's.
        untransposed: number of a link whose weight is not transposed.
        late: letter of a state that is taken after the step where it is that before.
    """

    dropped: int | None = None
    flat: int | None = None
    other: int | None = None
    untransposed: int | None = None
    late: str | None = None


@dataclass
class Value:
    """(H,) numbers of a step, and where their gradient goes on to."""

    tape: Tape
    number: Array
    hand_on: list[Callable[[Array], None]] = field(default_factory=list)
    taken_for: Value | None = None  # what a faulty backward pass reads in its place

    def __post_init__(self) -> None:
        self.gradient = np.zeros_like(self.number)
        self.tape.values.append(self)

    def __add__(self, other: Value) -> Value:
        return self.tape.made(self.number + other.number, (self, lambda: 1.0), (other, lambda: 1.0))

    def __sub__(self, other: Value) -> Value:
        return self.tape.made(self.number - other.number, (self, lambda: 1.0), (other, lambda: -1.0))

    def __mul__(self, other: Value) -> Value:
        return self.tape.made(self.number * other.number, (self, other.read), (other, self.read))

    def __rsub__(self, number: int) -> Value:
        return self.tape.made(number - self.number, (self, lambda: -1.0))

    def read(self) -> Array:
        return (self.taken_for or self).number


class Tape:
    """The values of a sequence in the order in which they were computed."""

    def __init__(self, fault: Fault, links: list[Link]) -> None:
        self.fault, self.links, self.values = fault, links, list[Value]()
        self.start_step()

    def start_step(self) -> None:
        self.links.clear()

    def link(self, value: Value, link: Link, hand_on: Callable[[Array], None]) -> None:
        if len(self.links) != self.fault.dropped:
            value.hand_on.append(hand_on)
        self.links.append(link)

    def made(self, number: Array, *parents: tuple[Value, Callable[[], Any]], kind: str = "product") -> Value:
        value = Value(self, number)
        for parent, slope in parents:
            here = slope if kind != "slope" or len(self.links) != self.fault.flat else lambda: 1.0

            def hand_on(gradient: Array, parent: Value = parent, here: Callable[[], Any] = here) -> None:
                parent.gradient += gradient * here()

            self.link(value, Link(f"link {len(self.links)}", kind), hand_on)
        return value

    def backward(self) -> None:
        for value in reversed(self.values):
            for hand_on in value.hand_on:
                hand_on(value.gradient)


class TapeStep:
    """:class:`rnncli.core.cells.specification.Step` in values of a tape."""

    def __init__(self, cell: Any, params: Any, read: Value, before: dict[str, Value], tape: Tape, grads: Any) -> None:
        self.cell, self.params, self.read, self.before, self.tape, self.grads = cell, params, read, before, tape, grads
        self.values: dict[str, Value] = {}
        tape.start_step()

    def past(self, state: str) -> Value:
        return self.before[state]

    def sums(self, letter: str, label: str, beside: Value | None = None) -> Value:
        H, parts = self.cell.hidden_size, []
        total = Value(self.tape, np.zeros(H))
        if beside is not None:
            total.number = total.number + beside.number
            self.tape.link(total, Link(f"{letter}, beside", "product"), beside.gradient.__iadd__)
        for parameter, place in self.cell.into(letter):
            columns = np.s_[..., place * H : (place + 1) * H]
            weight, name = self.params[parameter.name][columns], f"{parameter.blocks[place].symbol} in {letter}"
            parts.append(self._part(total, name, weight, self.grads[parameter.name][columns], parameter))
        total.number = sum(parts, total.number)
        return self.line(letter, total, label)

    def _part(self, total: Value, name: str, weight: Array, grad: Array, parameter: Any) -> Array:
        factor = parameter.factor
        if factor is None:
            self.tape.link(total, Link(name, "bias"), grad.__iadd__)
            return weight
        found = self.before if factor.past else self.values
        left = self.read if factor.letter == "x" else found[factor.letter]

        def into_weight(d: Array) -> None:
            grad[...] += left.read() * d if parameter.elementwise else np.outer(left.read(), d)

        turned = weight if len(self.tape.links) + 1 == self.tape.fault.untransposed else weight.T

        def into_left(d: Array) -> None:
            left.gradient += d * weight if parameter.elementwise else d @ turned

        square = not parameter.elementwise and weight.shape[0] == weight.shape[1]
        self.tape.link(total, Link(f"{name}, its gradient", "weight"), into_weight)
        self.tape.link(total, Link(f"{name}, through it", "transposed weight" if square else "weight"), into_left)
        return left.number * weight if parameter.elementwise else left.number @ weight

    def gate(self, letter: str, beside: Value | None = None) -> Value:
        gate = self.cell.specification.gate(letter)
        return self.line(letter, self._of(gate.function, self.sums(gate.sums, "", beside)), gate.name)

    def line(self, letter: str, value: Value, label: str) -> Value:
        self.values[letter] = value
        return value

    def tanh(self, value: Value) -> Value:
        return self._of("tanh", value)

    def relu(self, value: Value) -> Value:
        return self._of("relu", value)

    def _of(self, function: str, value: Value) -> Value:
        number, slope = FUNCTIONS[function](value.number), SLOPES[function]
        if len(self.tape.links) == self.tape.fault.other:
            slope = SLOPES["σ" if function == "tanh" else "tanh"]
        return self.tape.made(number, (value, lambda: slope(number)), kind="slope")


def backward(
    cell: Any, params: Any, x: Any, state: Any, dy: Any, dstate: Any, fault: Fault
) -> tuple[Array, tuple[Array, ...], dict[str, Array], list[Link]]:
    """What a cell's own backward pass gives, and the links of a step."""
    letters, links = [one.letter for one in cell.specification.states], list[Link]()
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    dx, d_first = np.zeros_like(x.data), tuple(np.zeros_like(part) for part in state)
    for n, length in enumerate(x.lengths):
        rows, tape = x.offsets[:length] + n, Tape(fault, links)
        before = first = {letter: Value(tape, part[n]) for letter, part in zip(letters, state, strict=True)}
        read = []
        for row in rows:
            read.append(Value(tape, x.data[row]))
            s = TapeStep(cell, params, read[-1], before, tape, grads)
            cell.step(s)
            if dy is not None:
                s.values["h"].gradient += dy[row]
            if fault.late is not None:
                before[fault.late].taken_for = s.values[fault.late]
            before = {letter: s.values[letter] for letter in letters}
        for letter, part in zip(letters, dstate or (), strict=dstate is not None):
            before[letter].gradient += part[n]
        tape.backward()
        dx[rows] = [value.gradient for value in read]
        for letter, part in zip(letters, d_first, strict=True):
            part[n] = first[letter].gradient
    return dx, d_first, grads, links
