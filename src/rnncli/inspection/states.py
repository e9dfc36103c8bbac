"""The hidden state and the prediction after every timestep of one input."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from rnncli.core.packed import Array
from rnncli.data.records.label_sets import shown_labels
from rnncli.results import Column, TableCell, TableView

NOTICEABLE = 0.005  # a probability that is not 0 where two digits of it are shown


@dataclass(frozen=True, kw_only=True, eq=False)
class States:
    """One input, timestep by timestep; or a decoder, step by step, as it generates a text.

    A decoder's probabilities are those of training and ``predict``: the product over the generated symbols is the
    probability of the whole text. The unknown symbol has a share of them, though it is never generated.

    Attributes:
        tokens: (T,) as the model reads them.
        known: (T,) whether each is in the vocabulary.
        hidden: (T, K) the topmost layer's output: of both directions, those that read forwards first.
        units: (K,) a name for each: ``"3"``; with two directions ``"→3"`` and ``"←3"``.
        labels: (L,) what can be predicted; none where predictions are numbers.
        probabilities: (T, L) of each label at each timestep.
        answers_are: what the prediction at a timestep means, for a caption.
        key: name of the probabilities in JSON.
        source: (S,) the symbols that a decoder's encoder has read; empty without one.
        alignment: (T, S) how much of the attention goes to each; None without attention.
        numbers: name → (T,) what else is predicted at each timestep.
        sets: (T,) all labels that are predicted at each timestep, where these are any number; else empty.
        generated: (T,) number of the label that a decoder generates: not always the most probable one, for a beam looks
            further ahead. None without a decoder.
        unknown: number of the unknown symbol among a decoder's labels.
    """

    tokens: tuple[str, ...]
    known: tuple[bool, ...]
    hidden: Array
    units: tuple[str, ...]
    answers_are: str
    labels: tuple[str, ...] = ()
    probabilities: Array = field(default_factory=lambda: np.empty((0, 0)))
    key: str = "probabilities"
    source: tuple[str, ...] = ()
    alignment: Array | None = None
    numbers: Mapping[str, Array] = field(default_factory=dict)
    sets: tuple[tuple[str, ...], ...] = ()
    generated: Array | None = None
    unknown: int = 0

    @cached_property
    def norm(self) -> Array:
        """(T,) Euclidean length of each row of ``hidden``."""
        return np.asarray(np.linalg.norm(self.hidden, axis=1))

    @property
    def chosen(self) -> Array:
        """(T,) number of the label that is predicted: the most probable one, if a decoder has not generated another."""
        return np.asarray(self.probabilities.argmax(axis=1)) if self.generated is None else self.generated

    @cached_property
    def _place(self) -> dict[str, int]:
        return {label: k for k, label in enumerate(self.labels)}

    @property
    def predicted(self) -> tuple[tuple[str, ...], ...]:
        """(T,) the labels that are predicted at each timestep: one, where they are not :attr:`sets`."""
        return self.sets or tuple((self.labels[k],) for k in self.chosen.tolist())

    def probability(self, t: int, labels: tuple[str, ...]) -> float:
        """That of a prediction at a timestep; of a set, that of all labels being there or not, each by itself."""
        if not self._place.keys() >= set(labels):
            return 0.0
        if not self.sets:
            return float(self.probabilities[t, self._place[labels[0]]])
        each = zip(self.labels, self.probabilities[t].tolist(), strict=True)
        return float(math.prod(p if label in labels else 1 - p for label, p in each))

    def top(self, t: int, count: int) -> list[tuple[str, float]]:
        """The prediction at a timestep and the most probable others; of a set, all of it and the labels by themselves.

        None where there are no labels.
        """
        best = [(visible(self.labels[k]), float(self.probabilities[t, k])) for k in self.best(count)[t].tolist()]
        return [(shown_labels(self.sets[t]), self.probability(t, self.sets[t])), *best] if self.sets else best

    @property
    def caption(self) -> str:
        """What the probabilities are."""
        most = 0.0 if self.generated is None else float(self.probabilities[:, self.unknown].max(initial=0.0))
        never = f"; <unk>, which is never generated, has up to {most:.2f} of p" if most >= NOTICEABLE else ""
        return self.answers_are + never

    def best(self, count: int) -> Array:
        """(T, count) numbers of the predicted label and the most probable others; fewer if there are no more."""
        if not self.labels:
            return np.empty((len(self.tokens), 0), np.int64)
        order = -self.probabilities
        order[np.arange(len(order)), self.chosen] = -np.inf
        return np.argsort(order, axis=1, kind="stable")[:, :count]

    def most_changing(self, count: int) -> list[int]:
        """The units whose value moves most from step to step: by the mean of |h_t − h_(t−1)|, with h_0 = 0."""
        return most_changing(self.hidden, count)

    def view(self, units: list[int]) -> TableView:
        """One row a timestep: what is read and predicted, or what a decoder generates of a source; and these units."""
        columns, rows = self._decoding() if self.source else self._reading()
        columns += [Column(f"h{self.units[unit]}", True) for unit in units]
        rows = [(*row, *self.hidden[t, units].tolist()) for t, row in enumerate(rows)]
        chosen = f"{len(units)} of {len(self.units)} units"
        if self.source:
            title, chosen = f"The decoder's steps for {' '.join(map(visible, self.source))}", f"{chosen} of the decoder"
            predicted = "p"
        else:
            title = "Hidden state after every timestep"
            predicted = ", ".join([*self.numbers, *(("answer", "p") if self.labels else ())])
        caption = f"{predicted}: {self.caption}; {chosen}, choose with --units or --top"
        return TableView(title, tuple(columns), tuple(rows), caption)

    def _reading(self) -> tuple[list[Column], list[tuple[TableCell, ...]]]:
        """Token, prediction and the state's norm."""
        rows: list[tuple[TableCell, ...]] = []
        for t, token in enumerate(self.tokens):
            read = visible(token) + ("" if self.known[t] else " <unk>")
            row: list[TableCell] = [t + 1, read, *(float(values[t]) for values in self.numbers.values())]
            row += [cell for pair in self.top(t, 1)[:1] for cell in pair]
            rows.append((*row, float(self.norm[t])))
        columns = [Column("t", True), Column("token", style="bold"), *(Column(name, True) for name in self.numbers)]
        columns += [Column("prediction"), Column("p", True)] if self.labels else []
        return [*columns, Column("‖h‖", True)], rows

    def _decoding(self) -> tuple[list[Column], list[tuple[TableCell, ...]]]:
        """What is generated, the next best symbols, and where attention looks."""
        rows: list[tuple[TableCell, ...]] = []
        for t, (chosen, *others) in enumerate(self.best(3).tolist()):
            row: list[TableCell] = [t + 1, visible(self.labels[chosen]), float(self.probabilities[t, chosen])]
            row.append(", ".join(f"{visible(self.labels[k])} {self.probabilities[t, k]:.2f}" for k in others))
            if self.alignment is not None:
                s = int(self.alignment[t].argmax())
                row += [f"{visible(self.source[s])} ({s + 1})", float(self.alignment[t, s])]
            rows.append(tuple(row))
        columns = [Column("t", True), Column("symbol", style="bold"), Column("p", True), Column("else")]
        return columns + [Column("looks at"), Column("weight", True)] * (self.alignment is not None), rows

    def document(self) -> dict[str, Any]:
        """For JSON."""
        names = ("tokens", "known", "hidden", "units", "norm", "labels")
        found = {name: getattr(self, name) for name in names}
        found |= {} if self.generated is None else {"told": self.generated}
        found |= {self.key: self.probabilities} if self.labels else self.numbers
        found |= {"predicted": self.sets} if self.sets else {}
        found |= {} if self.generated is None else {"unknown": self.unknown}
        return found | ({"source": self.source, "alignment": self.alignment} if self.source else {})


def most_changing(values: Array, count: int) -> list[int]:
    """The columns of (T, K) values that change most from step to step, from 0 on, on average."""
    moves = np.abs(np.diff(values, axis=0, prepend=0)).mean(axis=0)
    return [int(unit) for unit in np.argsort(-moves, kind="stable")[:count]]


def largest(values: Array, most: int | None) -> list[int]:
    """Positions of the ``most`` largest of (T,) values by size, in their order; of all for None."""
    return sorted(np.argsort(-np.abs(values), kind="stable")[:most].tolist())


def visible(symbol: str) -> str:
    """A symbol as a table shows it: nobody would see a space."""
    return "␣" if symbol == " " else symbol


def unit_names(hidden: int, bidirectional: bool) -> tuple[str, ...]:
    """A name for each number of a layer's output."""
    return tuple(f"{arrow}{unit}" for arrow in ("→←" if bidirectional else [""]) for unit in range(hidden))
