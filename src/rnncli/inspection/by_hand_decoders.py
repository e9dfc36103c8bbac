"""What a decoder tells, worked by hand: from the last state of an encoder, or from numbers.

The first state is a line like any other, and the gradient goes back through it.
"""

from __future__ import annotations

from rnncli.core.packed import Array
from rnncli.inspection.by_hand_cells import Weight
from rnncli.inspection.by_hand_lines import Encoders, Term, Worksheet, added, tanh
from rnncli.inspection.by_hand_work import EveryAnswer, Task, Work
from rnncli.inspection.flow import Flow


class Reading(Work):
    """An encoder: it answers nothing, and what it is left with is passed on."""

    def __init__(self, flow: Flow, task: Task, sheet: Worksheet) -> None:
        super().__init__(flow, task)
        self.sheet = Encoders(sheet)
        self.of_output = []

    def _answer_equations(self) -> tuple[str, ...]:
        return ()

    def _give_targets(self) -> None:
        pass

    def _back_from_the_answer(self, t: int) -> Term | None:
        return None


class Decoding(EveryAnswer):
    """What is told from a first state, which something else has made."""

    def equations(self) -> tuple[str, ...]:
        return tuple(line for line in super().equations() if not line.endswith("_0 = 0"))

    def _begin(self) -> None:
        pass  # it is worked out

    def _back_to_the_first_state(self) -> None:
        self.sheet.section("Backward, to the first state")
        self.cell.from_next(self.sheet, 0)
        self.cell.to_the_first_memory(self.sheet)


class Translating(Decoding):
    """From the last state of an encoder."""

    def __init__(self, flow: Flow, source: Task, task: Task) -> None:
        super().__init__(flow, task)
        self.encoder = Reading(flow, source, self.sheet)

    def equations(self) -> tuple[str, ...]:
        cell, called = self.encoder.cell, Encoders.called
        read = ("x_t = e_t·E", *cell.equations, f"{cell.state}_0 = 0")
        passed = [f"{letter}_0 = {called(f'{letter}_T')}" for letter in cell.states]
        return (*map(called, read), *passed, *super().equations())

    def given(self) -> None:
        self.encoder.given()
        super().given()

    def forward(self) -> None:
        self.encoder.forward()
        self.sheet.section("What is passed on")
        for letter in self.cell.states:
            last = self.encoder.sheet[f"{letter}_{self.encoder.T}"]
            self.sheet.line(f"{letter}_0", last, "the encoder's last")
        super().forward()

    def backward(self, to_memory: Term | None = None) -> None:
        super().backward()
        self._back_to_the_first_state()
        encoder, s = self.encoder, self.sheet
        s.section("Backward, to the encoder")
        encoder.sheet.line(f"∂L/∂{self.cell.state}_{encoder.T}", s[f"∂L/∂{self.cell.state}_0"])
        encoder.backward(s["∂L/∂c_0"] if "c" in self.cell.states else None)

    def gradients(self) -> None:
        self.encoder.gradients()
        super().gradients()

    def update(self) -> None:
        self.encoder.update()
        super().update()

    def residual(self) -> float:
        return max(self.encoder.residual_of_weights(), super().residual())


class Describing(Decoding):
    """From numbers, through two linear layers: w = v·P + p, u = tanh(w), k = u·R + r, and the state is tanh(k)."""

    def __init__(self, flow: Flow, features: Array, task: Task) -> None:
        super().__init__(flow, task)
        self.features = features
        every, H = slice(None), self.cell.H
        self.first = [
            Weight("P", "bridge/first/weight", every, "", "w", "first weights"),
            Weight("p", "bridge/first/bias", every, "", "w", "first bias"),
        ]
        self.second = []
        for place, letter in enumerate(self.cell.states):
            columns = slice(place * H, (place + 1) * H)
            for name, kind in (("R", "weight"), ("r", "bias")):
                words = f"second {'weights' if kind == 'weight' else 'bias'}, for {letter}_0"
                self.second.append(Weight(f"{name}_{letter}", f"bridge/second/{kind}", columns, "", letter, words))

    @property
    def weights(self) -> list[Weight]:
        return [*self.first, *self.second, *super().weights]

    def equations(self) -> tuple[str, ...]:
        states = [f"{letter}_0 = tanh(u·R_{letter} + r_{letter})" for letter in self.cell.states]
        return ("u = tanh(v·P + p)", *states, *super().equations())

    def given(self) -> None:
        self.sheet.section("What is given")
        self.sheet.given("v", self.features, "the numbers, standardised")
        super().given()

    def forward(self) -> None:
        s = self.sheet
        s.section("The first state, from the numbers")
        u = s.line("u", tanh(s.line("w", s["v"] @ s["P"] + s["p"], "the sums")), "and what is made of them")
        for letter in self.cell.states:
            sums = s.line(f"k_{letter}", u @ s[f"R_{letter}"] + s[f"r_{letter}"], "the sums")
            s.line(f"{letter}_0", tanh(sums), "the state before the first timestep")
        super().forward()

    def backward(self, to_memory: Term | None = None) -> None:
        super().backward()
        self._back_to_the_first_state()
        s = self.sheet
        s.section("Backward, to the numbers")
        ways = []
        for letter in self.cell.states:
            d = s.line(f"∂L/∂k_{letter}", s[f"∂L/∂{letter}_0"] * (1 - s[f"{letter}_0"].squared))
            ways.append(d @ s[f"R_{letter}"].T)
        s.line("∂L/∂w", s.line("∂L/∂u", added(ways)) * (1 - s["u"].squared))

    def gradients(self) -> None:
        s = self.sheet
        for weight in (*self.first, *self.second):
            s.section("Gradient of the " + weight.label, symbol=f"∂L/∂{weight.name}")
            left, d = ("v", s["∂L/∂w"]) if weight in self.first else ("u", s[f"∂L/∂k_{weight.sums}"])
            s.line(f"∂L/∂{weight.name}", s[left].T @ d if weight.name[0].isupper() else d)
        super().gradients()
