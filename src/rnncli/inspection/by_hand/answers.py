"""Attention, predictions and their loss as lines of arithmetic: for the whole input, or at every timestep."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from rnncli.core.packed import Array
from rnncli.inspection.by_hand import terms
from rnncli.inspection.by_hand.layers import Stack
from rnncli.inspection.by_hand.tape import Equations, Place, Sheet, Weight
from rnncli.inspection.by_hand.terms import Term, beside, exp, log, softmax

# The factors of ∂L/∂z are worked out from 1 − ŷ, of which nothing is left to write where it is smaller than this.
NEAR_ONE = 1e-9
IN_ALL = "in all, the probability minus the right answer"


class Attention:
    """What a decoder sees of what it looks back at, on whose sheet that is M, a row for each timestep of the source.

    The equations are those of :mod:`rnncli.core.layers.attention`, with a letter of its own for every line: v_t is what
    the step looks for, ε_t how well each source step fits, α_t where it looks, k_t what it sees there, and u_t both.

    Args:
        stack: the decoder, with as many units as M has columns.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._sought, self._seen, self._both = stack.free("v", "b"), stack.free("k", "j"), stack.free("u", "w")
        state = stack.directions[-1].state
        self._weights = f"W_{self._sought}", f"W_{self._seen}{self._both}", f"W_{state}{self._both}", f"b_{self._both}"

    def learn(self) -> None:
        """Gives the weights."""
        H, begin, learn = self._stack.directions[-1].cell.hidden_size, "decoder/attention/", self._stack.sheet.learn
        of_sought, of_seen, of_state, bias = self._weights
        learn(Weight(of_sought, f"{begin}weight_a", "weights of what is looked for"))
        learn(Weight(of_seen, f"{begin}weight_c", "weights of what is seen", rows=slice(H)))
        learn(Weight(of_state, f"{begin}weight_c", "weights of the state", rows=slice(H, None)))
        learn(Weight(bias, f"{begin}bias_c", "bias of both"))

    def forward(self, s: Sheet, t: str) -> Term:
        """From the state of a timestep to what the answer is made of."""
        state, (of_sought, of_seen, of_state, bias) = s[f"{self._stack.state}_{t}"], self._weights
        words = "what it looks for in the source"
        sought = s.line(f"{self._sought}_{t}", state @ s[of_sought], words, "what is looked for")
        words = "how well each timestep of the source fits"
        fits = s.line(f"ε_{t}", sought @ s["M"].T, words, words)
        words = "where it looks: a share of each timestep of the source"
        where = s.line(f"α_{t}", softmax(exp(fits), fits), words, "where it looks", slopes={f"ε_{t}": ""})
        seen = s.line(f"{self._seen}_{t}", where @ s["M"], "what it sees there", "what is seen")
        both, words = seen @ s[of_seen] + state @ s[of_state] + s[bias], "the sums of what is seen and the state"
        sums = s.line(f"a{self._both}_{t}", both, words, "and its sums", part=True)
        return s.line(f"{self._both}_{t}", terms.tanh(sums), "what tells", "what tells")


class Answers(ABC):
    """Output weights above a stack, and what comes of them.

    Args:
        output: what the flat names of the output weights begin with.
        labels: the names of all answers.
        targets: numbers of the right ones.
    """

    def __init__(self, stack: Stack, output: str, labels: Sequence[str], targets: Array) -> None:
        self.stack, self.sheet, self._output, self.T = stack, stack.sheet, output, stack.T
        self._labels, self._targets = labels, targets.tolist()

    @property
    def right(self) -> list[str]:
        """The right ones by their names."""
        return [self._labels[target] for target in self._targets]

    def give(self, learning_rate: float, first: Callable[[], None] = lambda: None) -> None:
        """All that the work starts from.

        Args:
            first: gives what there is before the first timestep.
        """
        self.sheet.section("What is given")
        self.stack.inputs.give(self.stack.tokens)
        first()
        self.stack.learn()
        self._learn()
        self.sheet.given("η", np.array([[learning_rate]]), "learning rate")
        self._give_targets()

    def forward(self, starts: bool = True) -> None:
        """Through the stack to the loss.

        Args:
            starts: whether the first states are 0.
        """
        self.stack.forward(self._at, starts)
        self._loss()

    def _learn(self) -> None:
        for letter, name, words in (("W", "weight", "output weights"), ("b", "bias", "output bias")):
            self.sheet.learn(Weight(f"{letter}_{self.stack.output}", f"{self._output}/{name}", words))

    @abstractmethod
    def _give_targets(self) -> None: ...

    def _at(self, t: int, place: Place) -> None:  # noqa: B027
        """What is answered at a timestep, if anything."""

    @abstractmethod
    def _loss(self) -> None:
        """That of all answers, and the equations."""

    def _logit(self, s: Sheet, of: Term) -> Term:
        return s.plus(of @ s[f"W_{self.stack.output}"], f"b_{self.stack.output}")


class OneAnswer(Answers):
    """A label for the whole, by what is read out of the states: the last one, their mean, or the largest of each unit.

    What is read out is called p, for pooled, unless it is the last state itself.

    Args:
        readout: ``last``, ``mean`` or ``max``.
    """

    def __init__(self, stack: Stack, output: str, labels: Sequence[str], targets: Array, readout: str) -> None:
        super().__init__(stack, output, labels, targets)
        (self._target,), self._readout = self._targets, readout
        self._binary = len(labels) == 2
        self._pools = readout != "last" or stack.layers[-1].bidirectional

    def _give_targets(self) -> None:
        labels, s = self._labels, self.sheet
        if self._readout == "mean":
            s.given("T", np.array([[float(self.T)]]), "timesteps")
        if self._binary:
            s.given("y", np.array([[float(self._target)]]), f"1 for the label {labels[1]}, 0 for {labels[0]}")
        else:
            s.given(
                "y", np.eye(len(labels))[[self._target]], f"the label {labels[self._target]}, of {', '.join(labels)}"
            )

    def _loss(self) -> None:
        s = self.sheet
        block = s.block("Backward, from the loss to the " + ("score" if self._binary else "scores"))
        place = Place(block, self.stack.readers)
        if self._pools:
            s.section("What is read out", place=place)
            self._read_out(s)
        s.section("Answer and loss", place=place)
        self._answer(s)
        equations = Equations(s, {"T": self.T})
        if self._pools:
            self._read_out(equations, "T")
        self._answer(equations, "T")

    def _read_out(self, s: Sheet, T: str = "") -> None:
        """``T`` is what is written for the last timestep, if anything."""
        top, state = self.stack.layers[-1], self.stack.state
        if self._readout == "last":
            ends = beside([s[one.end(one.state, T)] for one in top.directions])
            s.line("p", ends, "the state that each direction ends with", "what is read out")
            return
        names = [f"{state}_{t}" for t in range(1, self.T + 1)]
        states = [s[name] for name in names]
        if self._readout == "mean":
            s.line("p", terms.added(states) / s["T"], "the mean of all timesteps", "what is read out")
            return
        slopes = dict.fromkeys(names, "1 where this timestep has the largest, else 0")
        words = "the largest that each unit has at any timestep"
        s.line("p", terms.largest(states, lambda: s["j"]), words, "what is read out", slopes=slopes)
        which = "the timestep that has it; the first of equal ones"
        s.line("j", terms.which_is_largest(states), which, part=True)

    def _answer(self, s: Sheet, T: str = "") -> None:
        z, read = self.stack.logit, "p" if self._pools else f"{self.stack.state}_{T or self.T}"
        sums = self._logit(s, s[read])
        near_one = self._binary and 1 - terms.sigmoid(sums).value.item() < NEAR_ONE and not T
        back = "both factors in one: the probability is too near 1" if near_one else IN_ALL
        logit = s.line(z, sums, "the score" if self._binary else "the scores", back, slopes={read: ""})
        y = s["y"]
        if not self._binary:
            odds = s.line("q", exp(logit), part=True)
            answer = s.line("ŷ", softmax(odds, logit), "the probability of each label", slopes={z: ""})
            s.line("L", -(y @ log(answer).T), "the loss", passes=True)
            return
        words = f"the probability of {self._labels[1]}"
        answer = s.line("ŷ", terms.sigmoid(logit), words, slopes={z: "the slope of the sigmoid"})
        if near_one:
            # In one, as its factors are not to be had: ∂L/∂z = ŷ − y.
            loss = log(1 + exp(-logit if self._target else logit))
            loss = loss.with_slope(logit, lambda: answer - y)
            s.line("L", loss, "the loss, by the score: the probability is too near 1", passes=True)
        else:
            s.line("L", -(y @ log(answer)) - (1 - y) @ log(1 - answer), "the loss", passes=True)


class EveryAnswer(Answers):
    """An answer at every timestep, one of K; the loss is their mean.

    Args:
        attention: what looks back before it answers, if anything does.
        count: letter of how many there are.
    """

    def __init__(
        self,
        stack: Stack,
        output: str,
        labels: Sequence[str],
        targets: Array,
        attention: Attention | None = None,
        count: str = "T",
    ) -> None:
        super().__init__(stack, output, labels, targets)
        self._attention, self._count = attention, count

    def _learn(self) -> None:
        super()._learn()
        if self._attention is not None:
            self._attention.learn()

    def _give_targets(self) -> None:
        for t, target in enumerate(self._targets, 1):
            right = f"the right answer {self._labels[target]}"
            self.sheet.given(f"y_{t}", np.eye(len(self._labels))[[target]], right)
        self.sheet.given(self._count, np.array([[float(self.T)]]), "timesteps")

    def _at(self, t: int, place: Place) -> None:
        self.sheet.at(place)
        self._answer(self.sheet, str(t))

    def _loss(self) -> None:
        self.sheet.section("The loss")
        equations = Equations(self.sheet, {"t": 1})
        self._answer(equations, "t")
        for s in (equations, self.sheet):
            losses = [s[f"L_{t}"] for t in range(1, self.T + 1)]
            s.line("L", terms.added(losses) / s[self._count], "the mean of all timesteps", passes=True)

    def _answer(self, s: Sheet, t: str) -> None:
        read = s[f"{self.stack.state}_{t}"] if self._attention is None else self._attention.forward(s, t)
        z, back = f"{self.stack.logit}_{t}", f"{IN_ALL}, over {self._count}"
        logit = s.line(z, self._logit(s, read), "the scores", back)
        odds = s.line(f"q_{t}", exp(logit), part=True)
        words = f"the probability of each of {', '.join(self._labels)}"
        answer = s.line(f"ŷ_{t}", softmax(odds, logit), words, "of the mean", slopes={z: ""})
        s.line(f"L_{t}", -(s[f"y_{t}"] @ log(answer).T), "the loss of this timestep", passes=True)
