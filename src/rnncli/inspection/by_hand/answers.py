"""Attention, predictions and their loss as lines of arithmetic: one for the input, or one at every timestep."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.records.label_sets import NONE
from rnncli.inspection.by_hand.layers import Stack
from rnncli.inspection.by_hand.tape import Place, Sheet, Weight
from rnncli.inspection.by_hand.terms import (
    Term,
    added,
    argmax,
    exp,
    hstack,
    log,
    maximum,
    row_sum,
    sigmoid,
    softmax,
    tanh,
)

# The factors of ∂L/∂z are computed from 1 − ŷ, which has no digits left where it is smaller than this.
NEAR_ONE = 1e-9
OVERALL = "overall, the probability minus the right answer"


class Attention:
    """A decoder's attention to M on its sheet, the states of the encoder, a row for each timestep of the source.

    The equations are those of :mod:`rnncli.core.layers.attention`, with a letter of its own for every line: v_t is the
    query, ε_t its scores, α_t the attention weights, k_t the context, and u_t the attentional state.

    Args:
        stack: the decoder, with as many units as M has columns.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._letters = v, k, u = stack.free("v", "b"), stack.free("k", "j"), stack.free("u", "w")
        self._weights = f"W_{v}", f"W_{k}{u}", f"W_{stack.directions[-1].state}{u}", f"b_{u}"

    def learn(self) -> None:
        """Writes the weights."""
        H, begin, learn = self._stack.directions[-1].cell.hidden_size, "decoder/attention/", self._stack.sheet.learn
        of_query, of_context, of_state, bias = self._weights
        learn(Weight(of_query, f"{begin}weight_a", "query weights"))
        learn(Weight(of_context, f"{begin}weight_c", "context weights", rows=slice(H)))
        learn(Weight(of_state, f"{begin}weight_c", "state weights", rows=slice(H, None)))
        learn(Weight(bias, f"{begin}bias_c", "attention bias"))

    def forward(self, s: Sheet, t: int) -> Term:
        """Writes the lines of a timestep from its state to the attentional state, from which the answer is made."""
        (v, k, u), state, M = self._letters, s[f"{self._stack.state}_{t}"], s["M"]
        of_query, of_context, of_state, bias = (s[name] for name in self._weights)
        query = s.line(f"{v}_{t}", state @ of_query, "the query", "the query")
        words = "the score of each timestep of the source"
        scores = s.line(f"ε_{t}", query @ M.T, words, words)
        words = "the attention weights"
        weights = s.line(f"α_{t}", softmax(exp(scores), scores), words, words, slopes={f"ε_{t}": ""})
        context = s.line(f"{k}_{t}", weights @ M, "the context: the source by these weights", "the context")
        both, words = context @ of_context + state @ of_state + bias, "the sums of context and state"
        sums = s.line(f"a{u}_{t}", both, words, "and its sums", part=True)
        return s.line(f"{u}_{t}", tanh(sums), "the attentional state", "the attentional state")


class Answers(ABC):
    """The output weights above a stack, the predictions and their loss.

    Args:
        output: what the flat names of the output weights begin with.
        labels: the names of all answers.
        targets: numbers of the right answers.
    """

    def __init__(self, stack: Stack, output: str, labels: Sequence[str], targets: Array) -> None:
        self.stack, self.sheet, self._output, self.T = stack, stack.sheet, output, stack.T
        self._labels, self._targets = labels, targets.tolist()

    @property
    def right(self) -> list[str]:
        """Names of the right answers."""
        return [self._labels[target] for target in self._targets]

    def give(self, learning_rate: float, first: Callable[[], None] = lambda: None) -> None:
        """Writes all that the work starts from.

        Args:
            first: writes the states before the first timestep, or what they are made of.
        """
        self.sheet.section("What is given")
        self.stack.inputs.give(self.stack.tokens)
        first()
        self.stack.learn()
        self._learn()
        self.sheet.given("η", np.array([[learning_rate]]), "learning rate")
        self._give_targets()

    def forward(self) -> None:
        """Writes the lines through the stack to the loss."""
        self.stack.forward(self._at)
        self._loss()

    def _learn(self) -> None:
        for letter, name, words in (("W", "weight", "output weights"), ("b", "bias", "output bias")):
            self.sheet.learn(Weight(f"{letter}_{self.stack.output}", f"{self._output}/{name}", words))

    @abstractmethod
    def _give_targets(self) -> None: ...

    def _at(self, t: int, place: Place) -> None:  # noqa: B027
        """Writes the answer of a timestep, if it has one."""

    @abstractmethod
    def _loss(self) -> None: ...

    def _logit(self, of: Term) -> Term:
        return self.sheet.plus(of @ self.sheet[f"W_{self.stack.output}"], f"b_{self.stack.output}")


class OneOutput(Answers):
    """One answer for the whole input, from the last state, the mean of all states, or the largest value of each unit.

    The read-out is called p, for pooled, unless it is the last state itself.

    Args:
        readout: ``last``, ``mean`` or ``max``.
    """

    score = "scores"  # what the last layer gives

    def __init__(self, stack: Stack, output: str, labels: Sequence[str], targets: Array, readout: str) -> None:
        super().__init__(stack, output, labels, targets)
        self._readout = readout
        self._pools = readout != "last" or stack.layers[-1].bidirectional

    def _give_targets(self) -> None:
        if self._readout == "mean":
            self.sheet.given("T", np.array([[float(self.T)]]), "timesteps")

    def _loss(self) -> None:
        s, T = self.sheet, self.T
        block = s.block(f"Backward, from the loss to the {self.score}")
        # In the equations the last timestep is T, also of what reads forwards; what reads backwards ends at the first.
        ends = {"last": {f"ᶠ_{T}": "ᶠ_T"} if self._pools else {f"_{T}": "_T"}}
        place = Place(block, self.stack.readers, general=ends.get(self._readout, {}))
        if self._pools:
            s.section("The read-out", place=place)
            self._read_out()
        s.section("Answer and loss", place=place)
        self._answer()

    def _read_out(self) -> None:
        s, back = self.sheet, "the read-out"
        if self._readout == "last":
            ends = hstack([one.last(one.state) for one in self.stack.layers[-1].directions])
            s.line("p", ends, "the last state of each direction", back)
            return
        names = [f"{self.stack.state}_{t}" for t in range(1, self.T + 1)]
        states = [s[name] for name in names]
        if self._readout == "mean":
            s.line("p", added(states) / s["T"], "the mean of all timesteps", back)
            return
        slopes = dict.fromkeys(names, "1 where this timestep has the largest value, else 0")
        words = "the largest value of each unit"
        s.line("p", maximum(states, lambda: s["j"]), words, back, slopes=slopes)
        s.line("j", argmax(states), "its timestep; of equal ones the first", part=True)

    @property
    def read(self) -> str:
        """The name of what the last layer reads."""
        return "p" if self._pools else f"{self.stack.state}_{self.T}"

    @abstractmethod
    def _answer(self) -> None:
        """Writes the lines from the read-out to the loss."""


class OneNumber(OneOutput):
    """K numbers for the whole input, standardised as their targets are, and the mean of their squared errors."""

    score = "number"

    @property
    def right(self) -> list[str]:
        return list(self._labels)

    def _give_targets(self) -> None:
        super()._give_targets()
        (numbers,), s = self._targets, self.sheet
        s.given("y", np.array([numbers]), f"the right number, standardised: {', '.join(self._labels)}")
        if len(numbers) > 1:
            s.given("K", np.array([[float(len(numbers))]]), "numbers")

    def _answer(self) -> None:
        s = self.sheet
        one = len(self._targets[0]) == 1
        answer = s.line("ŷ", self._logit(s[self.read]), "the predicted number" if one else "the predicted numbers")
        off = s.line("e", answer - s["y"], "how far off it is" if one else "how far off they are")
        loss = off @ off.T
        s.line("L", loss if one else loss / s["K"], "the loss", passes=True)


class OneAnswer(OneOutput):
    """A label for the whole input."""

    def __init__(self, stack: Stack, output: str, labels: Sequence[str], targets: Array, readout: str) -> None:
        super().__init__(stack, output, labels, targets, readout)
        (self._target,) = self._targets
        self._binary = len(labels) == 2
        self.score = "score" if self._binary else "scores"

    def _give_targets(self) -> None:
        super()._give_targets()
        labels, s = self._labels, self.sheet
        if self._binary:
            s.given("y", np.array([[float(self._target)]]), f"1 for the label {labels[1]}, 0 for {labels[0]}")
        else:
            s.given(
                "y", np.eye(len(labels))[[self._target]], f"the label {labels[self._target]}, of {', '.join(labels)}"
            )

    def _answer(self) -> None:
        s, y, z, read = self.sheet, self.sheet["y"], self.stack.logit, self.read
        sums = self._logit(s[read])
        near_one = self._binary and 1 - sigmoid(sums).value.item() < NEAR_ONE
        back = "both factors at once: the probability is too near 1" if near_one else OVERALL
        logit = s.line(z, sums, "the score" if self._binary else "the scores", back, slopes={read: ""})
        if not self._binary:
            odds = s.line("q", exp(logit), part=True)
            answer = s.line("ŷ", softmax(odds, logit), "the probability of each label", slopes={z: ""})
            s.line("L", -(y @ log(answer).T), "the loss", passes=True)
            return
        words = f"the probability of {self._labels[1]}"
        answer = s.line("ŷ", sigmoid(logit), words, slopes={z: "the slope of the sigmoid"})
        loss = equation = -(y @ log(answer)) - (1 - y) @ log(1 - answer)
        words = "the loss"
        if near_one:
            # Both factors at once, as neither can be computed alone: ∂L/∂z = ŷ − y.
            loss = log(1 + exp(-logit if self._target else logit)).with_slope(logit, answer - y)
            words = "the loss, from the score: the probability is too near 1"
        s.line("L", loss, words, equation=equation, passes=True)


class LabelsAnswer(OneOutput):
    """Any number of labels, a sigmoid each; the loss is the mean over labels."""

    @property
    def right(self) -> list[str]:
        (row,) = self._targets
        return [label for label, there in zip(self._labels, row, strict=True) if there] or [NONE]

    def _give_targets(self) -> None:
        super()._give_targets()
        s, K = self.sheet, len(self._labels)
        s.given("y", np.array(self._targets, np.float64), f"1 for a label that it has, of {', '.join(self._labels)}")
        s.given("K", np.array([[float(K)]]), "labels")

    def _answer(self) -> None:
        s, y, K, z, read = self.sheet, self.sheet["y"], self.sheet["K"], self.stack.logit, self.read
        sums = self._logit(s[read])
        values = sigmoid(sums).value
        near = np.minimum(values, 1 - values).min() < NEAR_ONE
        back = "both factors at once: a probability is too near 0 or 1" if near else f"{OVERALL}, over K"
        logit = s.line(z, sums, "the scores", back, slopes={read: ""})
        answer = s.line("ŷ", sigmoid(logit), "the probability of each label", slopes={z: "the slope of the sigmoid"})
        loss = equation = -((y @ log(answer).T + (1 - y) @ log(1 - answer).T) / K)
        words = "the loss, the mean over labels"
        if near:
            # Both factors at once, as neither can be computed alone: ∂L/∂z = (ŷ − y)/K.
            loss = ((row_sum(log(1 + exp(logit))) - y @ logit.T) / K).with_slope(logit, (answer - y) / K)
            words = "the loss, from the scores: a probability is too near 0 or 1"
        s.line("L", loss, words, equation=equation, passes=True)


class EveryAnswer(Answers):
    """An answer at every timestep, one of K; the loss is their mean.

    Args:
        attention: the decoder's, if it has one.
        count: letter of the number of answers.
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
        s = self.sheet
        s.at(place)
        read = s[f"{self.stack.state}_{t}"] if self._attention is None else self._attention.forward(s, t)
        z, back = f"{self.stack.logit}_{t}", f"{OVERALL}, over {self._count}"
        logit = s.line(z, self._logit(read), "the scores", back)
        odds = s.line(f"q_{t}", exp(logit), part=True)
        words = f"the probability of each of {', '.join(self._labels)}"
        answer = s.line(f"ŷ_{t}", softmax(odds, logit), words, "through the mean", slopes={z: ""})
        s.line(f"L_{t}", -(s[f"y_{t}"] @ log(answer).T), "the loss of this timestep", passes=True)

    def _loss(self) -> None:
        s = self.sheet
        s.section("The loss")
        losses = [s[f"L_{t}"] for t in range(1, self.T + 1)]
        s.line("L", added(losses) / s[self._count], "the mean of all timesteps", passes=True)
