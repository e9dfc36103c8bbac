"""What a decoder tells, worked by hand: from what an encoder is left with, or from numbers.

The first state is a line like any other, and the gradient goes back through it.
"""

from __future__ import annotations

from rnncli.core.packed import Array
from rnncli.inspection.by_hand.answers import EveryAnswer
from rnncli.inspection.by_hand.attention import Looking
from rnncli.inspection.by_hand.cells import Weight
from rnncli.inspection.by_hand.layers import Direction, Layer
from rnncli.inspection.by_hand.lines import Marked, Term, Worksheet, added, below, beside, tanh
from rnncli.inspection.by_hand.work import Task, Work
from rnncli.inspection.flow import Flow


class Reading(Work):
    """An encoder: it answers nothing, and what it is left with is passed on; its names have an ᵉ.

    Args:
        sheet: the decoder's.
        looking: what looks back at every state of it, if anything does.
    """

    reader = "what looks back"

    def __init__(self, flow: Flow, task: Task, sheet: Worksheet, looking: Looking | None) -> None:
        super().__init__(flow, task, Marked(sheet, "ᵉ"))
        self.of_output = []
        self.decoders, self.looking = sheet, looking

    def ends(self, layer: Layer, letter: str) -> Term:
        """What each direction of a layer is left with, side by side."""
        ends = [way.sheet[f"{letter}_{way.cell.last}"] for way in layer.directions]
        return beside(ends) if layer.both_ways else ends[0]

    def ends_called(self, layer: Layer, letter: str) -> str:
        """The same in an equation for any T."""
        ends = [way.sheet.called(f"{letter}_{'1' if way.cell.backwards else 'T'}") for way in layer.directions]
        return f"[{', '.join(ends)}]" if layer.both_ways else ends[0]

    def states(self) -> Term:
        """(T, units) all states of the topmost layer, a row each."""
        return below([self.sheet[f"{self.state}_{t}"] for t in range(1, self.T + 1)])

    def _answer_equations(self) -> tuple[str, ...]:
        return ()

    def _give_targets(self) -> None:
        pass

    def _back_from_the_answer(self, t: int) -> Term | None:
        return self.looking.to_the_source(t) if self.looking else None

    def _here(self, t: int, layer: Layer, direction: Direction) -> Term | None:
        seen = super()._here(t, layer, direction)
        if t != direction.cell.last:
            return seen
        passed = direction.own(self.decoders[f"∂L/∂{layer.state}_0"])
        return passed if seen is None else passed + seen

    def _to_the_last_memory(self, layer: Layer, direction: Direction) -> Term | None:
        return direction.own(self.decoders[f"∂L/∂c{layer.mark}_0"]) if "c" in self.cell.states else None


class Decoding(EveryAnswer):
    """What is told from a first state, which something else has made."""

    def reading(self) -> tuple[str, ...]:
        starts = {layer.sheet.called(start) for layer in self.layers for start in layer.cell.starts}
        return tuple(line for line in super().reading() if line not in starts)

    def _begin(self) -> None:
        pass  # it is worked out

    def _back_to_the_first_state(self) -> None:
        for layer in reversed(self.layers):
            self.sheet.section("Backward, to the first state" + layer.words)
            layer.cell.from_next(layer.sheet, 0)
            layer.cell.to_the_first_memory(layer.sheet)


class Translating(Decoding):
    """From what an encoder is left with; with attention it looks back at every state of it.

    T is how many timesteps the source has, and U how many are told.
    """

    count = "U"

    def __init__(self, flow: Flow, source: Task, task: Task) -> None:
        super().__init__(flow, task)
        self.looking = Looking(self.cell, self.state, self.sheet) if task.settings.attention else None
        self.encoder = Reading(flow, source, self.sheet, self.looking)

    @property
    def weights(self) -> list[tuple[Worksheet, Weight]]:
        looking = self.looking.weights if self.looking else ()
        return [*super().weights, *((self.sheet, weight) for weight in looking)]

    def equations(self) -> tuple[str, ...]:
        encoder = self.encoder
        passed = [
            f"{letter}{layer.mark}_0 = {encoder.ends_called(layer, letter)}"
            for layer in encoder.layers
            for letter in layer.cell.states
        ]
        if self.looking:
            states = [encoder.sheet.called(f"{encoder.state}_{t}") for t in range(1, encoder.T + 1)]
            passed.append(f"M = [{'; '.join(states)}]")
        return (*encoder.reading(), *passed, *super().equations())

    def given(self) -> None:
        self.encoder.given()
        super().given()

    def forward(self) -> None:
        self.encoder.forward()
        self.sheet.section("What is passed on")
        for layer in self.encoder.layers:
            for letter in layer.cell.states:
                ends = self.encoder.ends(layer, letter)
                self.sheet.line(f"{letter}{layer.mark}_0", ends, "what the encoder is left with")
        if self.looking:
            self.sheet.line("M", self.encoder.states(), "all states of the encoder, a row each")
        super().forward()

    def backward(self) -> None:
        super().backward()
        self._back_to_the_first_state()
        self.encoder.backward()

    def gradients(self) -> None:
        self.encoder.gradients()
        super().gradients()
        if not self.looking:
            return
        for weight in self.looking.weights:
            self._begin_gradient(self.sheet, weight)
            pairs = [self.looking.gradient_of(weight, t) for t in range(1, self.T + 1)]
            self._terms(self.sheet, weight, [left for left, _ in pairs], [right for _, right in pairs])

    def update(self) -> None:
        self.encoder.update()
        super().update()

    def residual(self) -> float:
        return max(self.encoder.residual_of_weights(), super().residual())

    def _answer_equations(self) -> tuple[str, ...]:
        return (*(self.looking.equations if self.looking else ()), *super()._answer_equations())

    @property
    def _told(self) -> str:
        return self.looking.told if self.looking else super()._told

    def _answer_at(self, t: int) -> None:
        if self.looking:
            self.looking.forward(t)
        super()._answer_at(t)

    def _back_from_the_answer(self, t: int) -> Term:
        d_told = super()._back_from_the_answer(t)
        return self.looking.backward(t, d_told) if self.looking else d_told


class Describing(Decoding):
    """From numbers, through two linear layers: w = v·P + p, u = tanh(w), k = u·R + r, and the state is tanh(k).

    They may be given to every step too, beside the embedding: x_t = [e_t·E, v].
    """

    def __init__(self, flow: Flow, features: Array, task: Task) -> None:
        super().__init__(flow, task)
        self.features = features
        self.gives_all = task.settings.inject == "every"
        self.input_is += ", and the numbers" if self.gives_all else ""
        every, H = slice(None), self.cell.H
        self.first = [
            Weight("P", "bridge/first/weight", every, "else", "w", "first weights"),
            Weight("p", "bridge/first/bias", every, "", "w", "first bias"),
        ]
        self.second = []
        self.firsts = [(layer.mark, letter) for layer in self.layers for letter in self.cell.states]
        for place, (mark, letter) in enumerate(self.firsts):
            columns, sums = slice(place * H, (place + 1) * H), f"k{mark}_{letter}"
            words = f"for the first {letter}" + (f" of layer {len(mark)}" if mark else "")
            self.second += [
                Weight(f"R{mark}_{letter}", "bridge/second/weight", columns, "else", sums, f"second weights, {words}"),
                Weight(f"r{mark}_{letter}", "bridge/second/bias", columns, "", sums, f"second bias, {words}"),
            ]

    @property
    def weights(self) -> list[tuple[Worksheet, Weight]]:
        return [*((self.sheet, weight) for weight in (*self.first, *self.second)), *super().weights]

    def equations(self) -> tuple[str, ...]:
        states = [f"{letter}{mark}_0 = tanh(u·R{mark}_{letter} + r{mark}_{letter})" for mark, letter in self.firsts]
        return ("u = tanh(v·P + p)", *states, *super().equations())

    def _begin(self) -> None:
        self.sheet.given("v", self.features, "the numbers, standardised")

    def forward(self) -> None:
        s = self.sheet
        s.section("The first state, from the numbers")
        u = s.line("u", tanh(s.line("w", s["v"] @ s["P"] + s["p"], "the sums")), "and what is made of them")
        for mark, letter in self.firsts:
            sums = s.line(f"k{mark}_{letter}", u @ s[f"R{mark}_{letter}"] + s[f"r{mark}_{letter}"], "the sums")
            word = "memory" if letter == "c" else "state"
            s.line(f"{letter}{mark}_0", tanh(sums), f"the {word} before the first timestep")
        super().forward()

    def backward(self) -> None:
        super().backward()
        self._back_to_the_first_state()
        s = self.sheet
        s.section("Backward, to the numbers")
        ways = []
        for mark, letter in self.firsts:
            first = f"{letter}{mark}_0"
            d = s.line(f"∂L/∂k{mark}_{letter}", s[f"∂L/∂{first}"] * (1 - s[first].squared))
            ways.append(d @ s[f"R{mark}_{letter}"].T)
        s.line("∂L/∂w", s.line("∂L/∂u", added(ways)) * (1 - s["u"].squared))

    def gradients(self) -> None:
        s = self.sheet
        for weight in (*self.first, *self.second):
            self._begin_gradient(s, weight)
            left, d = ("v", s["∂L/∂w"]) if weight in self.first else ("u", s[f"∂L/∂{weight.sums}"])
            s.line(f"∂L/∂{weight.name}", s[left].T @ d if weight.left else d)
        super().gradients()

    def _input_equation(self) -> str:
        row = super()._input_equation()
        return f"[{row}, v]" if self.gives_all else row

    def _input(self, t: int) -> Term:
        row = super()._input(t)
        return beside([row, self.sheet["v"]]) if self.gives_all else row

    def _embedded(self, d_input: Term) -> Term:
        return d_input.columns(1, self.task.settings.embedding) if self.gives_all else d_input
