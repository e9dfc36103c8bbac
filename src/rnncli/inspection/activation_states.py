"""The topmost layer's outputs for every text of a file, one text after the other.

Where a model has no labels, its units are set beside symbols: those that an encoder reads, or those that come next
where a text goes on or is told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnncli.core.packed import Array, PackedSequence
from rnncli.tasks.inputs import shorten
from rnncli.tasks.symbols import END, START
from rnncli.tasks.tag.sentences import read_sentences

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset
    from rnncli.tasks.caption.model import CaptionModel
    from rnncli.tasks.classify.model import ClassifierModel
    from rnncli.tasks.language_model.model import LanguageModel
    from rnncli.tasks.model import Model
    from rnncli.tasks.seq2seq.model import Seq2SeqModel
    from rnncli.tasks.tag.model import TaggerModel

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
        label_is: what a label is: ``label``, ``next char``.
        statistics: name → (rows, K) of the units, a row for each label; none where there are none.
    """

    line: int
    tokens: Sequence[str]
    places: Array
    hidden: Array
    known: tuple[str, ...]
    labels: tuple[str, ...]
    statistics: dict[str, Array]
    label_is: str = "label"


def read_states(model: Model, parts: Iterable[Dataset]) -> Iterator[Read]:
    """Runs the texts of a file; those without timesteps are left out.

    Raises:
        DataError: an input cannot be read.
    """
    readers: dict[str, Callable[..., Iterator[Read]]] = {
        **{"classify": _classified, "tag": _tagged, "seq2seq": _encoded, "caption": _described, "lm": _foretold}
    }
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
            yield Read(line, states.tokens, places, states.hidden, model.tags, tuple(of_words), statistics, "tag")


def _encoded(model: Seq2SeqModel, part: Dataset) -> Iterator[Read]:
    """The encoder's units, beside the symbol that is read."""
    symbols = [model.parts(text).names for text in part.texts]
    order = sorted((row for row, names in enumerate(symbols) if names), key=lambda row: -len(symbols[row]))
    for begin in range(0, len(order), BATCH):
        rows = order[begin : begin + BATCH]
        sources = model.examples([part.texts[row] for row in rows], "").sources
        outputs = model.network.encode(model.params, sources, keep=False)[0].unpack()
        for row, hidden in zip(rows, outputs, strict=True):
            places = shorten(np.arange(len(symbols[row])), model.settings.max_length)
            read = tuple(symbols[row][place] for place in places.tolist())
            statistics = {"value": hidden}
            yield Read(part.lines[row], symbols[row], places, hidden, model.source.tokens, read, statistics, model.unit)


def _described(model: CaptionModel, part: Dataset) -> Iterator[Read]:
    """The decoder's units while it is given the right text, beside the symbol that is told next."""
    part = part.without([model.problem(text) for text in part.texts], "record that cannot be read")
    network = model.network
    for row, (text, label) in enumerate(zip(part.texts, part.labels, strict=True)):
        target = model.symbols(label)
        if not target:  # nothing to fire at
            continue
        features, targets, _ = model.examples([text], label)
        given = network.decoder.given(targets)
        states, _ = network.states(model.params, features)
        _, hidden, _, _ = network.decoder.forward(
            model.params["decoder"], given, states, keep=False, beside=network.beside(features)
        )
        tokens, statistics = (START, *target), {"value": hidden}
        told = (*target, END)
        known = (*model.target.tokens, END)
        places = np.arange(len(tokens))
        yield Read(part.lines[row], tokens, places, hidden, known, told, statistics, f"next {model.unit}")


def _foretold(model: LanguageModel, part: Dataset) -> Iterator[Read]:
    """Each line is read from its beginning, as a text of its own; beside the token that comes next."""
    for row, text in enumerate(part.texts):
        if text:
            states = model.trace(text)
            places, following = np.arange(len(states.tokens)), (*states.tokens[1:], "\n")
            statistics, known = {"value": states.hidden}, model.vocabulary.tokens
            next_is = f"next {model.unit}"
            yield Read(part.lines[row], states.tokens, places, states.hidden, known, following, statistics, next_is)
