"""What a network holds in mind after every timestep of one input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.core.packed import Array
from rnncli.results import Column, TableCell, TableView

SEEN = 0.005  # a probability that is not 0 where two digits of it are shown


@dataclass(frozen=True)
class States:
    """One input, timestep by timestep.

    Attributes:
        tokens: (T,) as the model reads them.
        known: (T,) whether each is in the vocabulary.
        hidden: (T, K) the topmost layer's output: H numbers, or 2H with those that read backwards behind.
        units: (K,) a name for each: ``"3"``, or ``"→3"`` and ``"←3"`` when there are two directions.
        norm: (T,) Euclidean length of each row of ``hidden``.
        labels: (L,) what can be answered.
    """

    tokens: tuple[str, ...]
    known: tuple[bool, ...]
    hidden: Array
    units: tuple[str, ...]
    norm: Array
    labels: tuple[str, ...]

    # What the answer at a timestep means, for the caption.
    answers_are = "the answer at each timestep"

    def answers(self) -> Array:
        """(T, L) the probability of each label at each timestep."""
        raise NotImplementedError

    @property
    def note(self) -> str:
        """What is to be said of the probabilities, for the caption; most often nothing."""
        return ""

    def chosen(self) -> Array:
        """(T,) which of the labels is answered at each timestep: the most probable one."""
        return np.asarray(self.answers().argmax(axis=1))

    def best(self, count: int) -> Array:
        """(T, count) the label that is answered, then the most probable others."""
        order = -self.answers()
        order[np.arange(len(order)), self.chosen()] = -np.inf
        return np.argsort(order, axis=1, kind="stable")[:, :count]

    def most_changing(self, count: int) -> list[int]:
        """The units whose value moves most from step to step: by the mean of |h_t − h_(t−1)|, with h_0 = 0."""
        moves = np.abs(np.diff(self.hidden, axis=0, prepend=0)).mean(axis=0)
        return [int(unit) for unit in np.argsort(-moves, kind="stable")[:count]]

    def view(self, units: list[int]) -> TableView:
        """One row a timestep: token, answer, the state's norm and the chosen units."""
        answers, best = self.answers(), self.chosen()
        rows: tuple[tuple[TableCell, ...], ...] = tuple(
            (
                t + 1,
                visible(token) if self.known[t] else f"{visible(token)} <unk>",
                visible(self.labels[best[t]]),
                float(answers[t, best[t]]),
                float(self.norm[t]),
                *(float(value) for value in self.hidden[t, units]),
            )
            for t, token in enumerate(self.tokens)
        )
        columns = (
            Column("t", True),
            Column("token", style="bold"),
            Column("answer"),
            Column("p", True),
            Column("‖h‖", True),
            *(Column(f"h{self.units[unit]}", True) for unit in units),
        )
        caption = f"answer, p: {self.answers_are}{self.note}; {len(units)} of {len(self.units)} units, "
        caption += "choose with --units or --top"
        return TableView("Hidden state after every timestep", columns, rows, caption)


@dataclass(frozen=True)
class GeneratedStates(States):
    """A decoder, step by step, as it tells a text.

    Its probabilities are those that training and ``predict`` count: those of the symbols that are told make that of the
    whole text. The unknown symbol has a part of them though it is never told.

    Attributes:
        told: (T,) which of the labels is told: not always the most probable one, for a beam looks further ahead.
        step_probabilities: (T, L) of each label at each step.
        unknown: which label is the unknown symbol.
    """

    told: Array
    step_probabilities: Array
    unknown: int

    answers_are = "the symbol told at this step"

    def answers(self) -> Array:
        return self.step_probabilities

    def chosen(self) -> Array:
        return self.told

    @property
    def note(self) -> str:
        most = float(self.step_probabilities[:, self.unknown].max(initial=0.0))
        return f"; <unk>, which is never told, has up to {most:.2f} of p" if most >= SEEN else ""


def visible(symbol: str) -> str:
    """A symbol in a table: a space would not be seen."""
    return "␣" if symbol == " " else symbol


def unit_names(hidden: int, bidirectional: bool) -> tuple[str, ...]:
    """A name for each number of a layer's output."""
    if not bidirectional:
        return tuple(str(unit) for unit in range(hidden))
    return tuple(f"{arrow}{unit}" for arrow in "→←" for unit in range(hidden))
