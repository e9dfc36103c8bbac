"""The topmost layer's outputs for every text of a file, one text after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnncli.core.packed import Array, PackedSequence
from rnncli.errors import UsageError
from rnncli.tasks.inputs import shorten
from rnncli.tasks.tag import read_sentences

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset
    from rnncli.model import Model
    from rnncli.tasks.classify import ClassifierModel
    from rnncli.tasks.tag import TaggerModel

BATCH = 128  # texts that go through the network together
ALL = 2**62  # tokens of a text that are named
READ_OUT = {"last": "last value", "max": "maximum"}  # what a read-out takes of a unit, where it is not the mean


@dataclass(frozen=True, eq=False)
class Read:
    """A text as the network read it.

    Attributes:
        line: of the file.
        tokens: all of the text's.
        places: (T,) of the tokens that were read, among all.
        hidden: (T, K) the topmost layer's outputs.
        known: the labels that the model knows.
        labels: one for the text, or one for each step; none where there are none.
        statistics: name → (rows, K) of the units, a row for each label; none where there are none.
    """

    line: int
    tokens: Sequence[str]
    places: Array
    hidden: Array
    known: tuple[str, ...]
    labels: tuple[str, ...]
    statistics: dict[str, Array]


def read_states(model: Model, parts: Iterable[Dataset]) -> Iterator[Read]:
    """Runs the texts of a file; those without timesteps are left out.

    Raises:
        UsageError: the model does not read the words of a text one by one.
        DataError: an input cannot be read.
    """
    readers: dict[str, Callable[..., Iterator[Read]]] = {"classify": _classified, "tag": _tagged, "lm": _foretold}
    if model.task not in readers:
        raise UsageError(
            f"a model of the task {model.task} writes, and has no unit that fires at the words of a file",
            "see its states with --timesteps",
        )
    for part in parts:
        yield from readers[model.task](model, part)


def _classified(model: ClassifierModel, part: Dataset) -> Iterator[Read]:
    """A label for the whole text; the units' mean over it, and what the read-out takes of them."""
    limit, network, readout = model.settings.max_length, model.network, READ_OUT.get(model.settings.readout)
    part = part.without([model.problem(text) for text in part.texts], "record that cannot be read")
    read = [model.input.read(text, limit).values for text in part.texts]
    read = [values.astype(model.settings.dtype) if values.ndim == 2 else values for values in read]
    # Like lengths together: a batch takes as long as its longest text.
    order = sorted((row for row, values in enumerate(read) if len(values)), key=lambda row: -len(read[row]))
    for begin in range(0, len(order), BATCH):
        rows = order[begin : begin + BATCH]
        packed = PackedSequence.pack([read[row] for row in rows])
        _, outputs, cache = network.forward(model.params, packed, keep=False)
        pooled = packed.to_caller_order(cache.output)  # what goes into the last linear layer is what was read out
        for k, (row, hidden) in enumerate(zip(rows, packed.with_data(outputs).unpack(), strict=True)):
            tokens, _ = model.input.names(part.texts[row], ALL)
            places = shorten(np.arange(len(tokens)), limit)
            labels = (part.labels[row],) if part.labels[row] else ()
            statistics = {readout: pooled[k : k + 1]} if readout else {}
            statistics["mean"] = hidden.mean(axis=0, dtype=np.float64)[None]
            yield Read(part.lines[row], tokens, places, hidden, model.labels, labels, statistics if labels else {})


def _tagged(model: TaggerModel, part: Dataset) -> Iterator[Read]:
    """A tag for each word; the units' values at it."""
    tags: Sequence[Sequence[str]] = [()] * len(part.texts)
    texts = part.texts
    if any(part.labels):
        words, tags, part = read_sentences(part)
        texts = [json.dumps(of) for of in words]
    for text, line, of_words in zip(texts, part.lines, tags, strict=True):
        if model.parts(text).names:
            states = model.trace(text)
            places, statistics = np.arange(len(states.tokens)), {"value": states.hidden} if of_words else {}
            yield Read(line, states.tokens, places, states.hidden, model.tags, tuple(of_words), statistics)


def _foretold(model: Model, part: Dataset) -> Iterator[Read]:
    """No labels; each line is read from its beginning, as a text of its own."""
    for row, text in enumerate(part.texts):
        if text:
            states = model.trace(text)
            yield Read(part.lines[row], states.tokens, np.arange(len(states.tokens)), states.hidden, (), (), {})
