"""One example of a small model worked by hand: every number, forward, backward and one step downhill.

The network of the lecture notes, in their letters: x_t a one-hot row, o_t = f(x_t·W_i + o_(t−1)·W_h), o_0 = 0,
ŷ = σ(o_T·W_o), L = −y log ŷ − (1 − y) log(1 − ŷ), and W ← W − η ∂L/∂W. With biases, an embedding, K labels (softmax),
an LSTM or a GRU it is the same work with more lines; and with an answer at every timestep, a tag or the next token, it
is that of aligned many-to-many.

How the work goes is in :mod:`rnncli.inspection.by_hand_work`; here stands what may be worked by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnncli.errors import UsageError, counted
from rnncli.inspection.by_hand_lines import ByHand, Section, Step
from rnncli.inspection.by_hand_work import EveryAnswer, OneAnswer, Task
from rnncli.inspection.flow import Flow, flow
from rnncli.inspection.states import visible
from rnncli.tasks.classify import ClassifierModel
from rnncli.tasks.inputs import NumberInput, TextInput
from rnncli.tasks.lm import LanguageModelModel
from rnncli.tasks.tag import TaggerModel

if TYPE_CHECKING:
    from rnncli.config import Settings
    from rnncli.model import Model

__all__ = ["ByHand", "Section", "Step", "by_hand"]

# What still can be read.
UNITS, VOCABULARY, TIMESTEPS, LABELS = 8, 12, 8, 8
VIEWS = "A word's views, the rows of six tables side by side, are taken as given; ∂L/∂ them is in --bptt."
SMALLER = (
    "rnncli train sample_data/notes.csv --config sample_data/notes.yaml makes a model that is small enough; "
    "for a large one there is rnncli inspect --bptt"
)

_AGREEMENT = "Training's own code gives the same loss and gradients; none of the numbers differs by more than {:.0e}."


def by_hand(model: Model, text: str | None = None, label: str | None = None) -> ByHand:
    """Works one example out.

    Args:
        model: one layer that reads forwards: a classifier with the last read-out, a tagger, or a model of a text.
        text: the input; None for the model's own example.
        label: what the loss is of; None for what the model itself answers.

    Raises:
        UsageError: the model is of another kind, or too large to be read; the text has no timesteps or too many; the
            label is none of the model's; or its numbers are not finite.
    """
    if model.task not in ("classify", "tag", "lm"):
        raise UsageError(
            f"worked by hand is one layer that reads forwards: a model of the task {model.task} has more to it",
            SMALLER,
        )
    _require_readable(model)
    text = model.example if text is None else text
    with np.errstate(all="ignore"):  # what is not finite is refused below
        opened = model.opened(text, label)
        found = flow(opened)
        task = _task(model, found)
        _require(len(task.x), TIMESTEPS, "timestep")
        work = (OneAnswer if model.task == "classify" else EveryAnswer)(found, task)
        work.run()
    if not all(np.isfinite(step.result).all() for section in work.sheet.sections for step in section.steps):
        raise UsageError("the model's numbers are too large: on the way one of them is no longer finite")
    residual = work.residual()
    notes = (*_notes(model.settings), _AGREEMENT.format(residual))
    if model.task == "tag":
        notes = (VIEWS, *notes)
    sections = tuple(section for section in work.sheet.sections if section.steps)
    equations = work.equations()
    tokens, told = opened.timesteps[""], " ".join(task.labels[target] for target in task.targets.tolist())
    return ByHand(text, told, opened.answer, tokens, equations, notes, found.loss, residual, sections)


def _task(model: Model, found: Flow) -> Task:
    """What the task says of the example."""
    batch, s = found.opened.batch, model.settings
    if isinstance(model, ClassifierModel) and isinstance(model.input, NumberInput):
        x = batch.inputs[0]
        return Task(s, x, "its numbers, standardised", (), None, False, model.labels, batch.targets)
    if isinstance(model, TaggerModel):
        return Task(s, found.cell().x, "its views, side by side", (), None, False, model.tags, batch.targets[0])
    if isinstance(model, ClassifierModel):
        assert isinstance(model.input, TextInput)
        vocabulary, x, labels, targets = model.input.vocabulary, batch.inputs[0], model.labels, batch.targets
    else:
        assert isinstance(model, LanguageModelModel)
        vocabulary, x, targets = model.vocabulary, batch.tokens()[0], batch.tokens(1)[0]
        labels = tuple(visible(vocabulary.token(number)) for number in range(vocabulary.size))
    rows = tuple(visible(vocabulary.token(number)) for number in range(vocabulary.size))
    return Task(s, x, "its one-hot row", rows, vocabulary.unknown, s.input == "embedding", labels, targets)


def _require_readable(model: Model) -> None:
    s = model.settings
    both = s.bidirectional and model.task != "lm"
    kinds = [
        (s.layers > 1, f"has {s.layers} layers"),
        (both, "reads in both directions"),
        (model.task == "classify" and s.readout != "last", f"reads out the {s.readout} of all timesteps"),
    ]
    other = [words for is_other, words in kinds if is_other]
    if other:
        decides = " and whose last output decides" if model.task == "classify" else ""
        raise UsageError(f"worked by hand is one layer that reads forwards{decides}: this one {other[0]}", SMALLER)
    _require(s.hidden, UNITS, "hidden unit")
    if isinstance(model, TaggerModel):
        _require(sum(model.network.widths), VOCABULARY, "number in a word's views", "numbers in a word's views")
        _require(len(model.tags), LABELS, "tag")
        return
    if isinstance(model, ClassifierModel):
        _require(len(model.labels), LABELS, "label")
        if isinstance(model.input, NumberInput):
            _require(model.input.size, VOCABULARY, "number a timestep", "numbers a timestep")
            return
        size = model.input.size
    else:
        assert isinstance(model, LanguageModelModel)
        size = model.vocabulary.size
    unit = model.unit
    _require(size, VOCABULARY, f"{unit} in the vocabulary", f"{unit}s in the vocabulary, <unk> included")
    if s.input == "embedding":
        _require(s.embedding, UNITS, "number in an embedding", "numbers in an embedding")


def _require(count: int, most: int, one: str, many: str | None = None) -> None:
    if count > most:
        raise UsageError(f"{counted(count, one, many)} are more than can be read by hand: at most {most}", SMALLER)


def _notes(s: Settings) -> list[str]:
    """What the step downhill has to do with the training that made the model."""
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
        (s.clip is not None, f"shortens a gradient longer than {s.clip:g}" if s.clip is not None else ""),
        (s.schedule != "constant" or s.warmup > 0, "changes the learning rate from step to step"),
        (s.class_weights != "none", "lets rare labels count more"),
        (s.freeze, "leaves given word vectors as they are"),
    ]
    more = [words for applies, words in beyond if applies]
    return [*notes, f"Beyond what is shown, training {', '.join(more)}."] if more else notes
