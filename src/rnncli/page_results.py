"""One input of a model opened up, as a page shows it: which numbers, in which order, and what was left out of them.

Made by :mod:`rnncli.inspection.page` and drawn by :mod:`rnncli.render.html_page`, which know nothing of each other.
All texts are raw, as the data has them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rnncli.results import TableCell


@dataclass(frozen=True)
class Effect:
    """What a part of the input, or a passage of parts, did for the answer; differences of the score.

    Attributes:
        first, last: places of its parts, from 1.
        effect: the best there is of the others, which are None where they were not asked for.
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
    """Which parts made the answer.

    Attributes:
        answer: whose score counts.
        predicted: the model's own prediction.
        probability: of ``answer``; None where the score is none of a probability.
        score_is, score, empty_score: the score in words, that of the input, and that with every part left out.
        unit: what a part is.
        parts: how many there are; ``effects`` may be of some only, in the order of the input.
        largest: size of the largest effect of all, those that are not here included.
        best_is: how ``effect`` was found.
        notes: sentences on it.
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
    """What is known after a timestep.

    Attributes:
        place: from 1, of the whole input.
        answers: the one that is given, then the most probable others, with their probabilities; none where predictions
            are numbers.
        numbers: lengths of the states and means of the gates, by what they are called.
        looks: for each symbol of the page's source how much attention goes there; empty without attention.
    """

    place: int
    token: str
    known: bool
    answers: tuple[tuple[str, float], ...]
    numbers: tuple[tuple[str, float], ...]
    looks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Timeline:
    """Timesteps that some layers go through.

    Attributes:
        places: from 1, of those that are shown; ``total`` is how many there are.
        steps: where each stands among the steps of the page; -1 for those that are none of them.
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
        cell: name of the layer, ``direction`` an arrow for how it reads.
        timeline: number of its timeline.
        units: for each row the unit's number; ``total`` is how many units there are.
        shown: places among ``units`` of those that change most.
        low, high: between which values can lie: 0 and 1 for a gate that opens and closes, else the largest size here
            on either side of 0.
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
        answer, label_from, label_remark: what the loss is of, who says so, and what else is to be known of it.
        vanished: a sentence where the loss is too small for its gradient to mean anything; else empty.
        total: how many terms there are; ``rows`` may be the largest only.
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
    """How much of a gradient at a layer's last state arrives how far back.

    Attributes:
        rows: steps back, name of the timestep, share; the nearest of ``total``.
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


@dataclass(frozen=True)
class Page:
    """Everything on it.

    Attributes:
        text: the input.
        facts: what the model is.
        answers_are: what the answer after a timestep means.
        reasons, flow_missing: None, or why there are no numbers of the layers.
        source: the symbols that attention looks at most, each with its place, from 1.
        epochs: of the training, ``epochs_total`` of them; ``best_epoch`` is a number.
        left_out: a sentence for each kind of number of which not all are here.
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
    epochs_total: int
    best_epoch: int | None
    left_out: tuple[str, ...]
