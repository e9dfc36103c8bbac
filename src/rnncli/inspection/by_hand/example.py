"""An example worked by hand: which models are small enough, its lines, and how they agree with training's own code.

The network of the lecture notes, in their letters: x_t a one-hot row, o_t = f(x_t·W_i + o_(t−1)·W_h), o_0 = 0,
ŷ = σ(o_T·W_o), L = −y log ŷ − (1 − y) log(1 − ŷ), and W ← W − η ∂L/∂W. Biases, an embedding, K labels (softmax),
another cell, more layers, both directions, another read-out, an answer at every timestep, a decoder and attention add
lines to it.

Input, weights and right answer are those that training's own code reads; each further line is computed from lines above
it; and in the end loss and gradients are compared with those of training's code.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import numpy as np

from rnncli.config import Settings
from rnncli.core.optim.parameters import flatten
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.errors import UsageError
from rnncli.inspection.by_hand.limits import LAYERS, UNITS, VOCABULARY, Size
from rnncli.inspection.loss import PREDICTION, Opened
from rnncli.inspection.states import visible
from rnncli.results import ByHand
from rnncli.tasks.model import Model

if TYPE_CHECKING:
    from rnncli.inspection.by_hand.answers import Answers
    from rnncli.inspection.by_hand.tape import Sheet
    from rnncli.inspection.flow import Flow

ONE_HOT = "its one-hot row"
STRENGTHENS = (
    "The label is the model's own prediction: the step at the end strengthens it, whether it is right or wrong."
)

M = TypeVar("M", bound=Model)


class WorkedExample(ABC, Generic[M]):
    """How an example of a task's models is worked by hand: the lines of a task, up to the loss L.

    Attributes:
        notes: sentences on what is left out.
    """

    notes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, model: M) -> None:
        self.model = model

    @property
    def text(self) -> str:
        """The input if none is given."""
        return self.model.example

    @property
    def hidden(self) -> Size:
        """The units of the widest layer."""
        return Size(self.model.settings.hidden, UNITS, "hidden unit")

    @property
    @abstractmethod
    def sizes(self) -> Sequence[Size]:
        """What must not be too large to be read, beside layers, units and timesteps."""

    @abstractmethod
    def write(self, found: Flow, sheet: Sheet) -> Answers:
        """Writes what is given, with the learning rate η, and all before the first timestep; answers write the rest."""

    def vocabulary(self, count: int, words: str) -> Size:
        """``13 symbols of the source, <unk> included``."""
        return Size(count, VOCABULARY, self.model.unit, f" {words} included,")

    @property
    def embedding(self) -> Size:
        return Size(self.model.settings.embedding, UNITS, "number", " in an embedding")


def names_of(vocabulary: Vocabulary) -> tuple[str, ...]:
    """A name for each id."""
    return tuple(visible(vocabulary.token(number)) for number in range(vocabulary.size))


def work_out(example: WorkedExample[M], text: str, open: Callable[[], Opened]) -> ByHand:
    """Works one example out.

    Args:
        text: the input.
        open: makes it an example of training.

    Raises:
        UsageError: the model is too large to be read; the text has no timesteps or too many; the model does not know
            the label; or a number is not finite.
    """
    from rnncli.inspection.by_hand.tape import Sheet, Tape
    from rnncli.inspection.flow import flow

    settings = example.model.settings
    for one in (Size(settings.layers, LAYERS, "layer"), example.hidden, *example.sizes):
        one.require()
    with np.errstate(all="ignore"):  # what is not finite is refused below
        found = flow(open())
        tape = Tape(dict(flatten(found.opened.params)))
        answers = example.write(found, Sheet(tape))
        answers.forward()
        tape.backward()
    if not all(np.isfinite(step.result).all() for _, step in tape.steps):
        raise UsageError("the model's numbers are too large: one of those computed from them is no longer finite")
    of = found.opened
    residual = max(abs(float(tape.names["L"].value.item()) - found.loss), tape.residual(found.gradients))
    return ByHand(
        text=text,
        label=" ".join(answers.right),
        answer=of.answer,
        label_from=of.origin,
        label_remark=of.remark,
        tokens=of.timesteps[""],
        equations=(*tape.equations.values(), "W ← W − η · ∂L/∂W"),
        notes=(*example.notes, *_notes(settings), _agreement(residual), *[STRENGTHENS] * (of.origin == PREDICTION)),
        loss=found.loss,
        residual=residual,
        sections=tape.sections(),
        vanished=found.labelled_loss.warning,
    )


def _agreement(residual: float) -> str:
    """How closely this arithmetic and training's code agree."""
    if residual == 0:
        return "Training's own code gives the same loss and gradients, to the last digit."
    power = 10.0 ** math.floor(math.log10(residual))
    most = math.ceil(residual / power) * power
    return (
        f"Training's own code gives the same loss and gradients; none of the numbers differs by more than {most:.0e}."
    )


def _notes(s: Settings) -> list[str]:
    """How the step of gradient descent differs from the training that made the model."""
    if s.optimizer == "sgd":
        notes = ["The step at the end is training's own: plain gradient descent."]
    else:
        notes = [
            f"The step at the end is plain gradient descent with the settings' learning rate; "
            f"the training itself used {s.optimizer}."
        ]
    beyond = [
        (s.batch > 1, f"takes the mean over batches of up to {s.batch} examples"),
        (s.dropout > 0, f"drops {s.dropout:.0%} of the inputs and outputs"),
        (s.clip is not None, f"shortens a gradient longer than {s.clip or 0:g}"),
        (s.schedule != "constant" or s.warmup > 0, "changes the learning rate from step to step"),
        (s.class_weights != "none", "lets rare labels count more"),
        (s.freeze, "leaves given word vectors as they are"),
    ]
    more = [words for applies, words in beyond if applies]
    return [*notes, f"Beyond what is shown, training {', '.join(more)}."] if more else notes
