"""What a loss is of, who says so, and whether enough of it is left for its gradient to mean anything."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnncli.tasks.model import Model

PREDICTION = "the model's own prediction"
GIVEN = "given with --answer"

# The gradient that enters at an output is p − y (softmax and sigmoid alike): its length goes with 1 − p of the label.
# Below 1% of what it can be it is taken for gone, as inspect --memory takes one that arrives nowhere. Then the loss, in
# nats a prediction, is below this: 0.01.
VANISHED_SHARE = 0.01
VANISHED = -math.log(1 - VANISHED_SHARE)


@dataclass(frozen=True)
class Label:
    """What a loss is of.

    Attributes:
        text: as an adapter's ``open`` takes it; None for what the model predicts.
        origin: who says so, in words: ``line 3 of notes.csv``; empty for a model of a text, whose labels are the
            text's own next tokens.
        remark: what else is to be known of it, a sentence without its end; or empty.
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


def with_origin(answer: str, origin: str) -> str:
    """``the label 1 (line 1 of notes.csv)``."""
    return f"{answer} ({origin})" if origin else answer


def format_loss(loss: float) -> str:
    """Four decimals, or so many digits that something is left."""
    return f"{loss:.4f}" if loss >= 0.001 or loss == 0 else f"{loss:.2g}"


def has_vanished(loss: float) -> bool:
    """Whether a loss, in nats a prediction, is too small for its gradient to mean anything."""
    return loss < VANISHED


def vanished(loss: float) -> str:
    """That a loss, in nats a prediction, is too small for its gradient, and what to do instead; else nothing."""
    if not has_vanished(loss):
        return ""
    p = math.exp(-loss)
    sure = f"{p:.4f}" if p < 0.99995 else "above 0.9999"
    return (
        f"The loss is too small for its gradient to mean anything: {loss:.2g}, a probability of {sure}. Of the largest "
        f"gradient that there can be, {1 - p:.2g} enters at the output; below {VANISHED_SHARE:g} it is taken for gone. "
        "Ask a model that is still learning (--model RUN@EPOCH, after train --keep-epochs) or a text that this one is "
        "less sure of."
    )
