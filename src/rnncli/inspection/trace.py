"""What a model holds in mind after every timestep of one text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.core.packed import Array, PackedSequence
from rnncli.core.recurrence import Params
from rnncli.tasks.classify import Classifier


@dataclass(frozen=True)
class Trace:
    """One text, timestep by timestep.

    Attributes:
        tokens: (T,) as the model reads them.
        known: (T,) whether each is in the vocabulary.
        hidden: (T, K) the topmost layer's output: H numbers, or 2H with those that read backwards behind.
        units: (K,) a name for each: ``"3"``, or ``"→3"`` and ``"←3"`` when there are two directions.
        norm: (T,) Euclidean length of each row of ``hidden``.
        prefix_probabilities: (T, labels) what the model answers for the text up to and including each token.
        labels: names of the last axis.
    """

    tokens: tuple[str, ...]
    known: tuple[bool, ...]
    hidden: Array
    units: tuple[str, ...]
    norm: Array
    prefix_probabilities: Array
    labels: tuple[str, ...]

    def most_changing(self, count: int) -> list[int]:
        """The units whose value moves most from step to step: by the mean of |h_t − h_(t−1)|, with h_0 = 0."""
        moves = np.abs(np.diff(self.hidden, axis=0, prepend=0)).mean(axis=0)
        return [int(unit) for unit in np.argsort(-moves, kind="stable")[:count]]


def trace(
    network: Classifier, params: Params, ids: Array, tokens: list[str], known: list[bool], labels: tuple[str, ...]
) -> Trace:
    """Runs one text and each of its beginnings.

    A cell that reads forwards has the same states for a beginning as for the whole, one that reads backwards has
    not; running every beginning gives for either exactly what ``predict`` says of it.
    """
    hidden = network.forward(params, PackedSequence.pack([ids]))[1]
    beginnings = [ids[: end + 1] for end in range(len(ids))]
    probabilities = network.probabilities(network.logits(params, beginnings))
    return Trace(
        tuple(tokens),
        tuple(known),
        hidden,
        _unit_names(network),
        np.linalg.norm(hidden, axis=1),
        probabilities,
        labels,
    )


def _unit_names(network: Classifier) -> tuple[str, ...]:
    H = network.settings.hidden
    if not network.settings.bidirectional:
        return tuple(str(unit) for unit in range(H))
    return tuple(f"{arrow}{unit}" for arrow in "→←" for unit in range(H))
