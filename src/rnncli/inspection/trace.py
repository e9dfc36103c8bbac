"""The states of a classifier, and what it would answer if the input ended at each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.core.cells.recurrence import Params
from rnncli.core.packed import Array, PackedSequence
from rnncli.inspection.states import States, unit_names
from rnncli.tasks.classify.network import Classifier


@dataclass(frozen=True)
class Trace(States):
    """One input of a classifier, timestep by timestep.

    Attributes:
        prefix_probabilities: (T, labels) what the model answers for the input up to and including each timestep.
    """

    prefix_probabilities: Array

    answers_are = "the prediction if the text ended there"

    def answers(self) -> Array:
        return self.prefix_probabilities


def trace(
    network: Classifier, params: Params, steps: Array, tokens: Sequence[str], known: list[bool], labels: tuple[str, ...]
) -> Trace:
    """Runs one input and each of its beginnings.

    A cell that reads forwards has the same states for a beginning as for the whole, one that reads backwards has
    not; running every beginning gives for either exactly what ``predict`` says of it.
    """
    hidden = network.forward(params, PackedSequence.pack([steps]))[1]
    beginnings = [steps[: end + 1] for end in range(len(steps))]
    probabilities = network.probabilities(network.logits(params, beginnings))
    units = unit_names(network.settings.hidden, network.settings.bidirectional)
    norm = np.linalg.norm(hidden, axis=1)
    return Trace(tuple(tokens), tuple(known), hidden, units, norm, labels, probabilities)
