"""Small models to work by hand, and an arithmetic with bounds that works a line out again from its formula alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from rnncli.config import Settings
from rnncli.data.text.tokenizer import Tokenizer
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.data.text.word_features import WordFeatures
from rnncli.inspection.adapters import adapter_of
from rnncli.results import ByHand
from rnncli.tasks.caption.model import CaptionModel
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.inputs import NumberInput, TextInput
from rnncli.tasks.language_model.model import LanguageModel
from rnncli.tasks.multilabel.model import MultilabelModel
from rnncli.tasks.seq2seq.model import Seq2SeqModel
from rnncli.tasks.tag.model import TaggerModel

Array = Any
WORDS = ("cat", "mat", "rat")
TEXT = "rat mat rat cat"


def model(
    labels: tuple[str, ...] = ("0", "1"),
    words: tuple[str, ...] = WORDS,
    seed: int = 0,
    scale: float = 0.8,
    **chosen: Any,
) -> ClassifierModel:
    """A classifier of one layer that reads forwards, with weights and biases from a normal distribution."""
    defaults = {"cell": "rnn", "hidden": 3, "bidirectional": False, "readout": "last", "input": "onehot"}
    settings = Settings(**(defaults | {"bias": False, "optimizer": "sgd", "lr": 0.5, "dtype": "float64"} | chosen))
    made = ClassifierModel(
        settings=settings, input=TextInput(Tokenizer(), Vocabulary(words)), labels=labels, example=TEXT
    )
    return drawn(made, seed, scale)


def drawn(made: Any, seed: int, scale: float) -> Any:
    rng = np.random.default_rng(seed)

    def draw(level: dict[str, Any]) -> dict[str, Any]:
        return {
            name: draw(value) if isinstance(value, dict) else rng.normal(0, scale, value.shape)
            for name, value in level.items()
        }

    return made.with_params(draw(made.network.init(rng)))


def notes() -> ClassifierModel:
    """The network of the notes, with the weights of tests/tasks/test_classifier_network.py and a row for <unk>."""
    made = model(hidden=2)
    cell = {
        "weight_ih": np.array([[0.5, -0.3], [0.1, 0.8], [-0.6, 0.2], [0.0, 0.0]]),
        "weight_hh": np.array([[0.4, -0.2], [0.3, 0.1]]),
    }
    return made.with_params({"encoder": {"0": {"forward": cell}}, "output": {"weight": np.array([[0.7], [-0.5]])}})


def all_too_sure(score: float) -> ClassifierModel:
    """The network of the notes, but with this score for "cat mat rat"."""
    made = notes()
    made.params["output"]["weight"][...] = [[-1.0], [1.0]]
    ids = made.input.read("cat mat rat", 10).values
    made.params["output"]["weight"] *= score / made.network.logits(made.params, [ids]).item()
    return made


def numbers() -> ClassifierModel:
    """One that reads two numbers a timestep."""
    made = model(bias=True)
    reads = NumberInput(np.array([1.0, -2.0]), np.array([2.0, 0.5]))
    return drawn(
        ClassifierModel(settings=made.settings, input=reads, labels=made.labels, example="[[1, 2], [0, -1.5], [3, 0]]"),
        3,
        0.8,
    )


MODELS: dict[str, Callable[[], ClassifierModel]] = {
    "notes": notes,
    "relu": lambda: model(nonlinearity="relu", seed=4, hidden=4),
    "biases": lambda: model(bias=True, seed=1),
    "three labels": lambda: model(labels=("red", "green", "blue"), seed=2),
    "embedding": lambda: model(labels=("a", "b", "c"), input="embedding", embedding=2, bias=True, seed=3),
    "numbers": numbers,
    "nearly sure": lambda: model(seed=59, scale=2.5),
    "small weights": lambda: model(seed=6, scale=0.02, bias=True),
    "lstm": lambda: model(cell="lstm", hidden=2, seed=7),
    "lstm, biases, embedding": lambda: model(cell="lstm", hidden=2, bias=True, input="embedding", embedding=3, seed=8),
    "gru": lambda: model(cell="gru", hidden=2, seed=9, labels=("x", "y", "z")),
    "gru, biases": lambda: model(cell="gru", hidden=2, bias=True, seed=10),
    "mean": lambda: model(readout="mean", seed=11),
    "max, lstm": lambda: model(readout="max", cell="lstm", hidden=2, seed=12),
    "max, relu": lambda: model(readout="max", nonlinearity="relu", seed=25),  # 0 at several timesteps: no largest one
    "both ways": lambda: model(bidirectional=True, hidden=2, bias=True, seed=14),
    "both ways, lstm, three labels": lambda: model(
        bidirectional=True, cell="lstm", hidden=2, labels=("x", "y", "z"), seed=15
    ),
    "both ways, mean, gru, embedding": lambda: model(
        bidirectional=True, readout="mean", cell="gru", hidden=2, input="embedding", embedding=2, bias=True, seed=16
    ),
    "both ways, max": lambda: model(bidirectional=True, readout="max", hidden=2, seed=17),
    "two layers": lambda: model(layers=2, hidden=2, bias=True, seed=18),
    "two layers, both ways, max, lstm": lambda: model(
        layers=2, bidirectional=True, readout="max", cell="lstm", hidden=2, input="embedding", embedding=2, seed=19
    ),
}


def reader(**chosen: Any) -> LanguageModel:
    """A model of a text of three letters."""
    usual = {"cell": "rnn", "hidden": 3, "input": "onehot", "bias": True, "lr": 0.5, "dtype": "float64"}
    settings = Settings(**(usual | {"tokens": "char", "bidirectional": False} | chosen))
    return drawn(LanguageModel(settings=settings, vocabulary=Vocabulary(("a", "b", " ")), example="ab ba"), 11, 0.8)


def several(**chosen: Any) -> MultilabelModel:
    """One of three labels, which a text may have any of."""
    usual = {"cell": "rnn", "hidden": 3, "bidirectional": False, "readout": "last", "input": "onehot"}
    settings = Settings(**(usual | {"bias": True, "optimizer": "sgd", "lr": 0.5, "dtype": "float64"} | chosen))
    reads = TextInput(Tokenizer(), Vocabulary(WORDS))
    made = MultilabelModel(
        settings=settings, input=reads, labels=("red", "big", "old"), thresholds=(0.5, 0.4, 0.6), example=TEXT
    )
    return drawn(made, 21, 0.8)


def tagger(**chosen: Any) -> TaggerModel:
    """One of words by their views, 2 numbers for the word itself and 1 for each of five others."""
    usual = {"cell": "rnn", "hidden": 3, "embedding": 2, "bias": True, "lr": 0.5, "dtype": "float64"}
    settings = Settings(**(usual | {"bidirectional": False} | chosen))
    views = WordFeatures.of(Counter(WORDS * 3), min_count=1, max_size=20)
    return drawn(TaggerModel(settings=settings, views=views, tags=("N", "V", "X"), example="rat mat cat rat"), 12, 0.8)


def translator(**chosen: Any) -> Seq2SeqModel:
    """One of two letters into two others, without attention unless it is chosen."""
    usual = {"cell": "rnn", "hidden": 3, "embedding": 2, "bias": True, "lr": 0.5, "dtype": "float64"}
    settings = Settings(**(usual | {"tokens": "symbol", "bidirectional": False, "attention": False} | chosen))
    made = Seq2SeqModel(
        settings=settings, source=Vocabulary(("a", "b")), target=Vocabulary(("X", "Y")), longest=3, example="a b a"
    )
    return drawn(made, 13, 0.8)


def describer(**chosen: Any) -> CaptionModel:
    """One that says two letters of two numbers."""
    usual = {"cell": "rnn", "hidden": 3, "embedding": 2, "bias": True, "lr": 0.5, "dtype": "float64"}
    settings = Settings(**(usual | {"tokens": "symbol"} | chosen))
    numbers = NumberInput(np.array([1.0, -2.0]), np.array([2.0, 0.5]))
    return drawn(
        CaptionModel(
            settings=settings,
            names=("p", "q"),
            numbers=numbers,
            target=Vocabulary(("X", "Y")),
            longest=3,
            example="0.5, -1",
        ),
        14,
        0.8,
    )


# With several answers: at every timestep, or several labels.
MANY: dict[str, Callable[[], Any]] = {
    "text": reader,
    "text, lstm": lambda: reader(cell="lstm", hidden=2, input="embedding", embedding=2),
    "text, gru, no biases": lambda: reader(cell="gru", hidden=2, bias=False),
    "tags": tagger,
    "tags, lstm, no biases": lambda: tagger(cell="lstm", hidden=2, bias=False),
    "tags, gru": lambda: tagger(cell="gru", hidden=2),
    "tags, two layers, both ways": lambda: tagger(layers=2, bidirectional=True, hidden=2),
    "text, three layers, gru": lambda: reader(layers=3, cell="gru"),
    "tags, both ways": lambda: tagger(bidirectional=True, hidden=2),
    "tags, both ways, gru": lambda: tagger(bidirectional=True, cell="gru", hidden=2),
    "source": translator,
    "source, lstm": lambda: translator(cell="lstm", hidden=2),
    "source, gru, no biases": lambda: translator(cell="gru", hidden=2, bias=False),
    "source, both ways, lstm": lambda: translator(bidirectional=True, cell="lstm", hidden=2),
    "source, attention": lambda: translator(attention=True, hidden=2),
    "source, attention, gru": lambda: translator(attention=True, cell="gru", hidden=2, bias=False),
    "source, attention, both ways": lambda: translator(attention=True, bidirectional=True, hidden=2),
    "source, attention, both ways, lstm": lambda: translator(attention=True, bidirectional=True, cell="lstm", hidden=2),
    "source, attention, two layers, both ways, lstm": lambda: translator(
        attention=True, layers=2, bidirectional=True, cell="lstm", hidden=2
    ),
    "source, two layers, gru": lambda: translator(layers=2, cell="gru", hidden=2),
    "caption, two layers, lstm": lambda: describer(layers=2, cell="lstm", hidden=2),
    "caption": describer,
    "caption, lstm": lambda: describer(cell="lstm", hidden=2),
    "caption, gru, no biases": lambda: describer(cell="gru", hidden=2, bias=False),
    "caption, at every step": lambda: describer(inject="every"),
    "caption, at every step, lstm": lambda: describer(inject="every", cell="lstm", hidden=2),
    "labels": several,
    "labels, lstm, both ways, mean": lambda: several(cell="lstm", bidirectional=True, readout="mean", hidden=2),
    "labels, gru, max, embedding": lambda: several(
        cell="gru", readout="max", input="embedding", embedding=2, bias=False
    ),
    "labels, none of them": lambda: several(layers=2, hidden=2),
}


def answer_asked(name: str) -> str | None:
    """What the loss of one of MANY is of; None for what the model itself answers."""
    if name.startswith("labels"):
        return {"labels": "big, red", "labels, none of them": "(none)"}.get(name)
    if name.startswith(("source", "caption")):
        return "X Y"
    return "X N N V" if name.startswith("tags") and "both ways" in name else None


@cache
def worked(name: str) -> list[ByHand]:
    """Of MODELS or MANY with each answer that is tried; nobody may change them."""
    if name in MANY:
        return [adapter_of(MANY[name]()).by_hand(label=answer_asked(name))]
    made = MODELS[name]()
    return [adapter_of(made).by_hand(label=label) for label in made.labels]


class Bounds:
    """Matrices of which only bounds are known: lo ≤ M ≤ hi, through every operation (Moore 1966)."""

    def __init__(self, lo: Array, hi: Array | None = None) -> None:
        self.lo = np.atleast_2d(np.asarray(lo, np.float64))
        self.hi = self.lo if hi is None else np.atleast_2d(np.asarray(hi, np.float64))
        assert (self.lo <= self.hi).all()

    def _corners(self, other: Bounds, work_out: Callable[[Array, Array], Array]) -> Array:
        return np.array([work_out(a, b) for a in (self.lo, self.hi) for b in (other.lo, other.hi)])

    def __add__(self, other: Bounds) -> Bounds:
        return Bounds(self.lo + other.lo, self.hi + other.hi)

    def __sub__(self, other: Bounds) -> Bounds:
        return self + -other

    def __neg__(self) -> Bounds:
        return Bounds(-self.hi, -self.lo)

    def __mul__(self, other: Bounds) -> Bounds:
        corners = self._corners(other, np.multiply)
        return Bounds(corners.min(axis=0), corners.max(axis=0))

    def __truediv__(self, other: Bounds) -> Bounds:
        assert (other.lo > 0).all()
        corners = self._corners(other, np.divide)
        return Bounds(corners.min(axis=0), corners.max(axis=0))

    def __matmul__(self, other: Bounds) -> Bounds:
        if self.lo.shape[1] != other.lo.shape[0]:
            return self * other  # a number times a matrix
        corners = self._corners(other, lambda a, b: a[:, :, None] * b[None])
        return Bounds(corners.min(axis=0).sum(axis=1), corners.max(axis=0).sum(axis=1))

    def __pow__(self, power: int) -> Bounds:
        assert power == 2
        ends = np.array([self.lo**2, self.hi**2])
        across = (self.lo < 0) & (self.hi > 0)
        return Bounds(np.where(across, 0, ends.min(axis=0)), ends.max(axis=0))

    def __gt__(self, other: Bounds) -> Bounds:
        return Bounds((self.lo > other.hi).astype(float), (self.hi > other.lo).astype(float))

    def equals(self, other: Bounds) -> Bounds:
        can = (self.lo <= other.hi) & (self.hi >= other.lo)
        must = (self.lo == self.hi) & (other.lo == other.hi) & can
        return Bounds(must.astype(float), can.astype(float))

    def columns(self, first: Bounds, last: Bounds) -> Bounds:
        chosen = slice(int(first.lo.item()) - 1, int(last.lo.item()))
        return Bounds(self.lo[:, chosen], self.hi[:, chosen])

    @property
    def T(self) -> Bounds:
        return Bounds(self.lo.T, self.hi.T)

    def holds(self, other: Bounds) -> bool:
        """Whether one matrix can lie within both, up to the rounding of float64."""
        slack = 1e-12 * (1 + np.abs(self.hi) + np.abs(self.lo))
        fits = self.lo.shape == other.lo.shape
        return fits and bool(((self.lo <= other.hi + slack) & (other.lo <= self.hi + slack)).all())

    @property
    def width(self) -> float:
        return float((self.hi - self.lo).max())


def _rising(function: Callable[[Array], Array]) -> Callable[[Bounds], Bounds]:
    return lambda x: Bounds(function(x.lo), function(x.hi))


def _log(x: Array) -> Array:
    return np.log(x, where=x > 0, out=np.full_like(x, -1e9))  # only where it is multiplied by 0


def _largest(*parts: Bounds) -> Bounds:
    return Bounds(np.max([x.lo for x in parts], axis=0), np.max([x.hi for x in parts], axis=0))


def _which(*parts: Bounds) -> Bounds:
    """From 1, the first and the last that may be the first of the largest at a place."""
    lo, hi = np.array([x.lo for x in parts]), np.array([x.hi for x in parts])
    may = [(hi[k] >= lo.max(axis=0)) & (hi[k] > np.max(lo[:k], axis=0, initial=-np.inf)) for k in range(len(parts))]
    return Bounds(1 + np.argmax(may, axis=0), len(parts) - np.argmax(may[::-1], axis=0))


def _together(parts: Sequence[Bounds], axis: int) -> Bounds:
    return Bounds(np.concatenate([x.lo for x in parts], axis), np.concatenate([x.hi for x in parts], axis))


FUNCTIONS: dict[str, Callable[..., Bounds]] = {
    "tanh": _rising(np.tanh),
    "σ": _rising(lambda x: 1 / (1 + np.exp(-x))),
    "relu": _rising(lambda x: np.maximum(x, 0)),
    "exp": _rising(np.exp),
    "log": _rising(_log),
    "sum": _rising(lambda x: x.sum(keepdims=True)),
    "diag": _rising(np.diagflat),
    "max": _largest,
    "argmax": _which,
    "beside": lambda *parts: _together(parts, 1),
    "below": lambda *parts: _together(parts, 0),
}
SIGNS = {"·": " @ ", "⊙": "*", "−": "-", "ᵀ": ".T", "²": "**2"}
BRACKETS = (
    (re.compile(r"(?<=\w)\[(\d+)\]"), r"[\1:\1]"),
    (re.compile(r"(?<=\w)\[(\d+):(\d+)\]"), r".columns(\1, \2)"),
    (re.compile(r"\[([^\];]*,[^\];]*)\]"), r"beside(\1)"),
    (re.compile(r"\[([^\],]*;[^\],]*)\]"), r"below(\1)"),
    (re.compile(r" = (\d+)\)"), r".equals(\1))"),
)
NAME = re.compile(r"∂[^\W²ᵀ]+/∂[^\W²ᵀ]+(?:\(\d+\))?|[^\W²ᵀ]+")


def work_out(formula: str, values: Mapping[str, Bounds]) -> Bounds:
    """The right-hand side of a formula, by the signs that stand in it."""
    right = re.split(" [=←] ", formula, maxsplit=1)[1]

    def read(found: re.Match[str]) -> str:
        name = found[0]
        if right[: found.start()].endswith("."):
            return name  # a method
        if name.isdecimal():
            return f"Bounds({name})"
        return f"functions[{name!r}]" if name in FUNCTIONS else f"values[{name!r}]"

    for brackets, call in BRACKETS:
        right = brackets.sub(call, right)
    code = NAME.sub(read, right)
    for sign, operator in SIGNS.items():
        code = code.replace(sign, operator)
    code = code.replace(";", ",")  # of what is one below the other, which is a call by now
    made = eval(code, {"Bounds": Bounds, "functions": FUNCTIONS, "values": values})
    assert isinstance(made, Bounds)
    return made
