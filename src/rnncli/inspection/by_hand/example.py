"""What may be worked by hand, and what the tasks have to say of it.

The network of the lecture notes, in their letters: x_t a one-hot row, o_t = f(x_t·W_i + o_(t−1)·W_h), o_0 = 0,
ŷ = σ(o_T·W_o), L = −y log ŷ − (1 − y) log(1 − ŷ), and W ← W − η ∂L/∂W. With biases, an embedding, K labels (softmax),
an LSTM or a GRU, more layers, both directions, or another read-out it is the same work with more lines; with an answer
at every timestep, a tag or the next token, it is that of aligned many-to-many; a decoder may tell it, with attention or
without. How the work goes is in :mod:`rnncli.inspection.by_hand.work`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rnncli.errors import UsageError, counted
from rnncli.inspection.by_hand.answers import EveryAnswer, OneAnswer
from rnncli.inspection.by_hand.decoders import Describing, Translating
from rnncli.inspection.by_hand.lines import ByHand
from rnncli.inspection.by_hand.work import Task, Work
from rnncli.inspection.flow import Flow, flow
from rnncli.inspection.loss import PREDICTION, Label, opened
from rnncli.inspection.states import visible
from rnncli.tasks.caption.model import CaptionModel
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.inputs import NumberInput
from rnncli.tasks.language_model.model import LanguageModel
from rnncli.tasks.language_model.tokens import beginning
from rnncli.tasks.seq2seq.model import Seq2SeqModel
from rnncli.tasks.symbols import END
from rnncli.tasks.tag.model import TaggerModel

if TYPE_CHECKING:
    from rnncli.config import Settings
    from rnncli.data.text.vocabulary import Vocabulary
    from rnncli.tasks.model import Model

# What still can be read.
LAYERS, UNITS, VOCABULARY, TIMESTEPS, LABELS = 3, 8, 12, 8, 8
ONE_HOT = "its one-hot row"
VIEWS = "A word's views, the rows of six tables side by side, are taken as given; their gradient is in --bptt."
STRENGTHENS = (
    "The label is the model's own prediction: the step at the end strengthens it, whether it is right or wrong."
)
SMALLER = (
    "rnncli train sample_data/notes.csv --config sample_data/notes.yaml makes a model that is small enough; "
    "for a large one there is rnncli inspect --bptt"
)

SHORTER = "give a shorter text, or a shorter --answer; for a long one there is rnncli inspect --bptt"


def by_hand(model: Model, text: str | None = None, label: Label | str | None = None) -> ByHand:
    """Works one example out.

    Args:
        model: of a few small layers.
        text: the input; None for the model's own example.
        label: what the loss is of; None for the model's own prediction.

    Raises:
        UsageError: the model is too large to be read; the text has no timesteps or too many; the
            label is none of the model's; or its numbers are not finite.
    """
    _require_readable(model)
    if text is None:
        text = model.example
        if isinstance(model, LanguageModel):  # whose example is as long as any text, and may end anywhere
            text = beginning(text, model.unit, TIMESTEPS + 1)
    with np.errstate(all="ignore"):  # what is not finite is refused below
        found = flow(opened(model, text, label))
        work = _work(model, found)
        _require(work.T, TIMESTEPS, "timestep", hint=SHORTER)
        work.run()
    if not all(np.isfinite(step.result).all() for section in work.sheet.sections for step in section.steps):
        raise UsageError("the model's numbers are too large: on the way one of them is no longer finite")
    residual = work.residual()
    notes = (*_notes(model.settings), _agreement(residual))
    if found.opened.origin == PREDICTION:
        notes = (*notes, STRENGTHENS)
    if model.task == "tag":
        notes = (VIEWS, *notes)
    sections = tuple(section for section in work.sheet.sections if section.steps)
    equations = work.equations()
    task = work.task
    label_names = " ".join(task.labels[target] for target in task.targets.tolist())
    of = found.opened
    named = (text, label_names, of.answer, of.origin, of.remark, of.timesteps[""])
    return ByHand(*named, equations, notes, found.loss, residual, sections)


def _work(model: Model, found: Flow) -> Work:
    """What the task says of the example, and how its answers come."""
    batch, s = found.opened.batch, model.settings
    match model:
        case Seq2SeqModel():
            source = batch.sources[0]
            _require(len(source), TIMESTEPS, "timestep of the source", "timesteps of the source", SHORTER)
            rows, unknown, layers = _names(model.source), model.source.unknown, _layers(found, "encoder/")
            read = Task(s, source, ONE_HOT, layers, rows, unknown, embeds=True, targets=source[:0], source=True)
            return Translating(found, read, _decoded(model, found))
        case CaptionModel():
            return Describing(found, batch.features, _decoded(model, found))
        case TaggerModel():
            layers, targets = _layers(found, "encoder/"), batch.targets[0]
            x = found.cell(layers[0]).x
            task = Task(s, x, "its views, side by side", layers, labels=model.tags, targets=targets)
            return EveryAnswer(found, task)
        case LanguageModel():
            x, targets, rows = batch.tokens()[0], batch.tokens(1)[0], _names(model.vocabulary)
            unknown, embeds, layers = model.vocabulary.unknown, s.input == "embedding", _layers(found, "decoder/")
            task = Task(s, x, ONE_HOT, layers, rows, unknown, embeds, labels=rows, targets=targets)
            return EveryAnswer(found, task)
    assert isinstance(model, ClassifierModel)
    x, targets, layers = batch.inputs[0], batch.targets, _layers(found, "encoder/")
    if isinstance(model.input, NumberInput):
        task = Task(s, x, "its numbers, standardised", layers, labels=model.labels, targets=targets)
        return OneAnswer(found, task)
    vocabulary, embeds = model.input.vocabulary, s.input == "embedding"
    rows, unknown = _names(vocabulary), vocabulary.unknown
    return OneAnswer(found, Task(s, x, ONE_HOT, layers, rows, unknown, embeds, labels=model.labels, targets=targets))


def _decoded(model: Seq2SeqModel | CaptionModel, found: Flow) -> Task:
    """What a decoder is given, and is to tell."""
    decoder, target = model.network.decoder, found.opened.batch.targets[0]
    rows = (*_names(model.target), END)
    given, wanted = decoder.given([target]).data, decoder.wanted([target])
    layers, unknown = _layers(found, "decoder/"), model.target.unknown
    return Task(
        *(model.settings, given, ONE_HOT, layers, rows, unknown),
        embeds=True,
        labels=rows,
        targets=wanted,
        within="decoder/",
    )


def _layers(found: Flow, within: str) -> tuple[str, ...]:
    return tuple(cell.name for cell in found.cells if cell.name.startswith(within))


def _names(vocabulary: Vocabulary) -> tuple[str, ...]:
    return tuple(visible(vocabulary.token(number)) for number in range(vocabulary.size))


def _require_readable(model: Model) -> None:
    """Raises UsageError: there is more of something than can be read."""
    s = model.settings
    _require(s.layers, LAYERS, "layer")
    widest = model.network.decoder.hidden if isinstance(model, Seq2SeqModel) else s.hidden
    both = " of the decoder, which has those of both directions" if widest > s.hidden else ""
    _require(widest, UNITS, f"hidden unit{both}", f"hidden units{both}")
    embeds, unit = s.input == "embedding", model.unit
    sizes: list[tuple[int, str]] = []
    match model:
        case TaggerModel():
            _require(sum(model.network.widths), VOCABULARY, "number in a word's views", "numbers in a word's views")
            _require(len(model.tags), LABELS, "tag")
            embeds = False
        case Seq2SeqModel():
            sizes = [(model.source.size, "of the source, <unk>")]
            sizes.append((model.target.size + 1, f"of the target, <unk> and {END}"))
            embeds = True
        case CaptionModel():
            _require(model.numbers.size, VOCABULARY, "number", "numbers")
            sizes, embeds = [(model.target.size + 1, f"of the text, <unk> and {END}")], True
        case LanguageModel():
            sizes = [(model.vocabulary.size, "in the vocabulary, <unk>")]
        case ClassifierModel(input=NumberInput()):
            _require(model.input.size, VOCABULARY, "number a timestep", "numbers a timestep")
            _require(len(model.labels), LABELS, "label")
            embeds = False
        case ClassifierModel():
            sizes = [(model.input.size, "in the vocabulary, <unk>")]
            _require(len(model.labels), LABELS, "label")
    for size, words in sizes:
        _require(size, VOCABULARY, f"{unit} {words} included", f"{unit}s {words} included")
    if embeds:
        _require(s.embedding, UNITS, "number in an embedding", "numbers in an embedding")


def _require(count: int, most: int, one: str, many: str | None = None, hint: str = SMALLER) -> None:
    if count > most:
        raise UsageError(f"{counted(count, one, many)} are more than can be read by hand: at most {most}", hint)


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
