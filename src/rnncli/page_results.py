"""One input of a model as a page shows it: which numbers, in which order, and what is left out.

Made by :mod:`rnncli.inspection.page` and drawn by :mod:`rnncli.render.html_page`, which know nothing of each other.
All texts are raw, as the data has them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rnncli.results import TableCell


@dataclass(frozen=True)
class Effect:
    """The effect of a part of the input, or of a passage of parts, on the score of the answer.

    Attributes:
        first, last: positions of its parts, from 1.
        effect: the most telling of the others, which are None where they were not tried.
    """

    name: str
    first: int
    last: int
    effect: float
    deleted: float | None
    replaced: float | None
    integrated: float | None = None
    shapley: float | None = None


@dataclass(frozen=True)
class Reasons:
    """Which parts led to the answer.

    Attributes:
        answer: the answer that is explained.
        predicted: the model's own prediction.
        probability: of ``answer``; None where its score is not one of a probability.
        score_is, score, empty_score: what the score is, of the whole input, and with every part left out.
        unit: what a part is.
        parts: their number; ``effects`` may be of some only, in the order of the input.
        largest: size of the largest effect, those that are not shown included.
        best_is: what an ``effect`` is.
        notes: sentences.
    """

    answer: str
    predicted: str = field(metadata={"json": "told"})
    probability: float | None
    score_is: str
    score: float
    empty_score: float
    unit: str
    parts: int
    effects: tuple[Effect, ...]
    largest: float
    best_is: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """A timestep.

    Attributes:
        place: its position in the whole input, from 1.
        answers: the prediction, then the most probable others, with their probabilities; none where predictions are
            numbers.
        numbers: lengths of the states and means of the gates, by name.
        looks: how much attention goes to each symbol of the page's source; empty without attention.
    """

    place: int
    token: str
    known: bool
    answers: tuple[tuple[str, float], ...]
    numbers: tuple[tuple[str, float], ...]
    looks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Timeline:
    """The timesteps of some layers.

    Attributes:
        places: positions of those that are shown, from 1, of ``total``.
        steps: which step of the page each of them is; -1 for none.
    """

    names: tuple[str, ...]
    places: tuple[int, ...]
    total: int
    steps: tuple[int, ...]


@dataclass(frozen=True)
class Grid:
    """Numbers as a heat map: a row for each unit, a column for each timestep.

    Attributes:
        what: ``h``, ``c``, or a gate.
        cell, direction: name of the layer, and an arrow in the direction in which it reads.
        timeline: number of its timeline.
        units: the number of each row's unit, of ``total``.
        shown: positions in ``units`` of those that change most.
        low, high: the range of the values: 0 and 1 for a gate that opens and closes, else symmetric around 0.
    """

    what: str
    cell: str
    direction: str
    timeline: int
    units: tuple[int, ...]
    total: int
    shown: tuple[int, ...]
    low: float
    high: float
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class TermRow:
    """A term of a gradient's sum, as :class:`rnncli.inspection.terms.Terms` says."""

    place: int
    step: str
    norm: float
    share: float
    cosine: float


@dataclass(frozen=True)
class TermRows:
    """A gradient as a sum over timesteps.

    Attributes:
        answer, label_from, label_remark: the label of the loss, where it comes from, and a remark on it.
        vanished: a sentence where the loss is too small for its gradient to mean anything; else empty.
        rows: the largest terms, of ``total``.
        norm: of the whole gradient.
        residual: how far the sum of all terms is from training's own gradient.
    """

    parameter: str
    answer: str
    label_from: str
    label_remark: str
    loss: float
    vanished: str
    rows: tuple[TermRow, ...]
    total: int
    norm: float
    residual: float


@dataclass(frozen=True)
class Reach:
    """How much of a gradient at a layer's last state arrives at the steps before it.

    Attributes:
        rows: steps back, name of the timestep, share; the nearest, of ``total``.
        facts: figures of the whole.
    """

    cell: str
    direction: str
    sentence: str
    rows: tuple[tuple[int, str, float], ...]
    total: int
    facts: tuple[tuple[str, TableCell], ...]


@dataclass(frozen=True)
class Epoch:
    """An epoch of the training record."""

    number: int
    loss: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    validation_error: float | None = None


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        text: the input.
        facts: what the model is.
        answers_are: what the prediction after a timestep means.
        source: the symbols that attention looks at most, each with its position, from 1.
        epochs: of the training, of ``epochs_total``; ``best_epoch`` is a number.
        share_is: what the share of right answers of an epoch is called.
        left_out: a sentence for each kind of number of which some are not here.
    """

    text: str
    facts: tuple[tuple[str, TableCell], ...]
    answers_are: str
    reasons: Reasons
    steps: tuple[Step, ...]
    steps_total: int
    timelines: tuple[Timeline, ...]
    grids: tuple[Grid, ...]
    terms: tuple[TermRows, ...]
    memory: tuple[Reach, ...]
    source: tuple[tuple[int, str], ...]
    epochs: tuple[Epoch, ...]
    share_is: str
    epochs_total: int
    best_epoch: int | None
    left_out: tuple[str, ...]
