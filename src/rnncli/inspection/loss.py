"""An example, the label of its loss, and whether that loss is large enough for its gradient to mean anything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnncli.core.packed import Params
from rnncli.tasks.model import Model

PREDICTION = "the model's own prediction"
GIVEN = "given with --answer"

# The gradient that enters at an output is p − y (softmax and sigmoid alike), whose length is proportional to 1 − p of
# the label. Below 1% of its maximum it counts as vanished, as a gradient in inspect --memory does. The loss, in nats a
# prediction, is then below 0.01.
VANISHED_SHARE = 0.01
# By what a network's loss is. Of a squared error the gradient is proportional to how far the number is off, in standard
# deviations: below 1% of one it counts as vanished.
VANISHED = {"nats": -math.log(1 - VANISHED_SHARE), "squared error": VANISHED_SHARE**2}


@dataclass(frozen=True)
class Label:
    """The label that a loss is computed for.

    Attributes:
        text: as an adapter's ``open`` takes it; None for what the model predicts.
        origin: where it comes from, in words: ``line 3 of notes.csv``; empty for a language model, whose labels are
            the text's own next tokens.
        remark: what else the reader should know, a sentence without its full stop; or empty.
    """

    text: str | None = None
    origin: str = PREDICTION
    remark: str = ""

    @classmethod
    def of(cls, model: Model, answer: str | None) -> Label:
        """The label that was given, or the model's own prediction."""
        if not model.labelled:
            return cls(answer, "")
        return cls() if answer is None else cls(answer, GIVEN)


@dataclass(frozen=True)
class Loss:
    """A loss and the label that it is computed for.

    Attributes:
        nats: per prediction; or a squared error of standardised numbers.
        answer: the label in words: ``the label positive``.
        origin, remark: as in :class:`Label`.
        loss_is: nats, or the squared error of standardised numbers.
    """

    nats: float
    answer: str
    origin: str = ""
    remark: str = ""
    loss_is: str = "nats"

    def __str__(self) -> str:
        """``0.6931, of the label 1 (line 1 of notes.csv)``."""
        digits = ".4f" if self.nats >= 0.001 or self.nats == 0 else ".2g"
        return f"{self.nats:{digits}}, of {with_origin(self.answer, self.origin)}"

    @property
    def warning(self) -> str:
        """As :func:`vanished` says."""
        return vanished(self.nats, self.loss_is)

    @property
    def document(self) -> dict[str, Any]:
        """For JSON."""
        answer = {"answer": self.answer, "label_from": self.origin, "label_remark": self.remark}
        return answer | {"loss": self.nats, "loss_has_vanished": bool(self.warning)}


@dataclass(frozen=True)
class Opened:
    """One example as training sees it.

    Attributes:
        network, params: in float64.
        batch: the example alone.
        timesteps: prefix of parameters' names → a name for each timestep of those layers; the longest prefix counts.
        answer, origin, remark, loss_is: the label of its loss, and what that is, as in :class:`Loss`.
    """

    network: Any
    params: Params
    batch: Any
    timesteps: Mapping[str, tuple[str, ...]]
    answer: str
    origin: str = ""
    remark: str = ""
    loss_is: str = "nats"

    def steps_of(self, name: str) -> tuple[str, ...]:
        """The names of the timesteps of a parameter's layer."""
        return self.timesteps[max((prefix for prefix in self.timesteps if name.startswith(prefix)), key=len)]

    def loss(self, nats: float) -> Loss:
        """The example's loss, with its label."""
        return Loss(nats, self.answer, self.origin, self.remark, self.loss_is)


def with_origin(answer: str, origin: str) -> str:
    """``the label 1 (line 1 of notes.csv)``."""
    return f"{answer} ({origin})" if origin else answer


def format_probability(p: float) -> str:
    """Four decimals, of which the last is never rounded up to certainty."""
    return f"{p:.4f}" if p < 0.99995 else "above 0.9999"


def vanished(loss: float, loss_is: str = "nats") -> str:
    """That a loss is too small for its gradient to mean anything, and what to do instead; else nothing."""
    if loss >= VANISHED[loss_is]:
        return ""
    too_small = f"The loss is too small for its gradient to mean anything: {loss:.2g}"
    another = "a model that is still learning (--model RUN@EPOCH, after train --keep-epochs)"
    if loss_is == "squared error":
        return (
            f"{too_small}, of a number that is {math.sqrt(loss):.2g} standard deviations off, and below "
            f"{VANISHED_SHARE:g} it counts as right. Say which number is right with --answer, or ask {another}."
        )
    p = math.exp(-loss)
    return (
        f"{too_small}, a probability of {format_probability(p)}. The gradient that enters at the output is "
        f"{1 - p:.2g} of the largest possible one, and below {VANISHED_SHARE:g} it counts as vanished. "
        f"Ask {another} or a text that this one is less sure of."
    )
