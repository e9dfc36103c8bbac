"""The trained language model: from a text to its continuation."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells import compiled
from rnncli.core.losses import softmax
from rnncli.core.packed import Array, PackedSequence, State
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.errors import DataError
from rnncli.results import Column, TableCell, TableView
from rnncli.schema import Ordinal, Range
from rnncli.tasks.inputs import tokens_in_words
from rnncli.tasks.language_model.network import LanguageModelNetwork, Streams
from rnncli.tasks.language_model.results import Continuation, TextEvaluation
from rnncli.tasks.model import OF_AN_EMBEDDING, Axis, Manifest, Metric, Model, TextReading, token_axis
from rnncli.tasks.network import network_in_words
from rnncli.tasks.symbols import END

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset

# Streams in which a text is evaluated.
JUDGED_STREAMS = 32
# Parts in which they are scored, of as many streams each: more of them for a large vocabulary, where most of the work
# is logits, of which fewer at a time stay in the cache.
JUDGED_PARTS, JUDGED_PARTS_OF_MANY, MANY_TOKENS = 2, 8, 1000
CONTINUED = 200  # tokens, if nobody says how many
# Words, marks and white space: joined, they are the text again.
_WORDS = re.compile(r"\s+|\w+(?:['’]\w+)*|[^\w\s]")


def tokens_of(text: str, unit: str) -> Iterator[str]:
    """The tokens of a text, which joined are the text again: an iterator, since a long text has too many for a list."""
    return iter(text) if unit == "char" else (found[0] for found in _WORDS.finditer(text))


def joined(dataset: Dataset) -> str:
    """The whole text, a line a record."""
    return "\n".join(dataset.texts) + "\n"


def holds_documents(dataset: Dataset) -> bool:
    """Whether each record is a document of its own, and not a line of one text, as in a plain text file."""
    from rnncli.data.opening import is_plain_text

    return not is_plain_text(dataset.source)


def all_tokens(dataset: Dataset, settings: Settings, ended: bool) -> Iterator[str]:
    """The tokens of all records: those of one text, or of documents with :data:`END` after each.

    Args:
        settings: whether texts are lowercased, and what a token is.
        ended: whether the records are documents; empty ones are left out.
    """

    def read(text: str) -> Iterator[str]:
        return tokens_of(text.lower() if settings.lowercase else text, settings.tokens)

    if not ended:
        return read(joined(dataset))
    return chain.from_iterable(chain(read(text), (END,)) for text in dataset.texts if text)


@dataclass(frozen=True, kw_only=True)
class LanguageModelManifest(Manifest):
    """What the file of a language model adds."""

    vocabulary: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.settings.tokens not in ("char", "word"):
            raise ValueError("a token is a char or a word")

    def parts(self) -> dict[str, Any]:
        return {"vocabulary": Vocabulary(self.vocabulary)}


@dataclass(frozen=True, kw_only=True, repr=False)
class LanguageModel(Model):
    """A model of a text.

    Attributes:
        unit: what a token is: a char, or a word.
        vocabulary: the tokens; among them the end of a document, :data:`END`, if it was trained on documents.
        length: by how many tokens texts are continued.
        temperature: divides the logits; at 0 the most probable token always follows.
        seed: of the random numbers that choose tokens.
    """

    task = "lm"
    labelled = False
    metric = Metric("nats per token", "validation_loss", higher_is_better=False)
    options = frozenset({"length", "temperature", "seed"})
    columns = (Column("text"), Column("continuation"))
    at_once = 1
    stored = LanguageModelManifest
    unused = frozenset({"normalize", "readout", "initializer", "attention", "inject", "class_weights"})
    vocabulary: Vocabulary
    length: Ordinal = CONTINUED
    temperature: Annotated[float, Range(0, 100)] = 1.0
    seed: Annotated[int, Range(0, math.inf)] = 0

    @property
    def unit(self) -> str:
        return self.settings.tokens

    @property
    def row(self) -> str:
        return self.unit

    @property
    def text_reading(self) -> TextReading:
        return TextReading(self.unit, self.tokens, self.vocabulary)

    @property
    def unused_sizes(self) -> frozenset[str]:
        return OF_AN_EMBEDDING if self.settings.input == "onehot" else frozenset()

    @property
    def axes(self) -> Mapping[str, Axis]:
        rows = dict.fromkeys(self.network.tables, token_axis(0, self.vocabulary, self.unit))
        bias = {"output/bias": token_axis(0, self.vocabulary, "")} if self.settings.bias else {}
        return rows | {"output/weight": token_axis(1, self.vocabulary, "")} | bias

    @property
    def network(self) -> LanguageModelNetwork:
        return LanguageModelNetwork(self.settings, self.vocabulary.size)

    @property
    def knows_documents(self) -> bool:
        """Whether it was trained on documents, and knows where one ends."""
        return END in self.vocabulary

    @property
    def end(self) -> str:
        """The token before the beginning of a text, and after its end."""
        return END if self.knows_documents else "\n"

    def _predict_chunk(self, texts: list[str], first: int) -> Iterator[Continuation]:
        for number, text in enumerate(texts, first):
            rng = np.random.default_rng([self.seed, number])
            tokens = self.tokens(text)
            ids, states = self.read(text), self.network.zero_states(1)
            continuation: list[str] = []
            logs = 0.0
            with compiled.weights_at_rest():
                while len(continuation) < self.length and END not in continuation[-1:]:
                    probabilities, states = self._after(ids, states)
                    choice = self._choose(probabilities, rng)
                    logs += math.log(max(float(probabilities[choice]), 1e-300))
                    continuation.append(self.vocabulary.token(choice))
                    ids = np.array([choice], np.int32)
            ended = END in continuation[-1:]
            yield Continuation(
                text=text,
                continuation="".join(continuation[:-1] if ended else continuation),
                probability=math.exp(logs / max(1, len(continuation))),
                unknown=tuple(dict.fromkeys(token for token in tokens if token not in self.vocabulary)),
                ended=ended,
            )

    @property
    def vector_size(self) -> int:
        return self.settings.hidden

    def vectors(self, texts: Sequence[str]) -> Array:
        """(inputs, H) the hidden state of the topmost layer after each text."""
        zero, found = self.network.zero_states(1), np.full((len(texts), self.settings.hidden), np.nan)
        for row, text in enumerate(texts):
            if self.tokens(text):
                found[row] = self._after(self.read(text), zero)[1][-1][0][0]
        return found.astype(self.settings.dtype)

    def shown(self, predictions: Sequence[Continuation]) -> list[TableView]:
        """Each text with its continuation, line by line as it would be printed."""
        return [
            TableView("", (Column(""),), tuple((line,) for line in (p.text + p.continuation).split("\n")))
            for p in predictions
        ]

    def tokens(self, text: str) -> list[str]:
        return list(self._tokens(text))

    def _tokens(self, text: str) -> Iterator[str]:
        return tokens_of(text.lower() if self.settings.lowercase else text, self.unit)

    def encode(self, text: str) -> Array:
        """(T,) ids of a text's tokens; of an empty one that of :attr:`end`, since something has to be read."""
        return self.vocabulary.encode(self.tokens(text) or [self.end])

    def read(self, text: str) -> Array:
        """(T,) ids of what is read before a text is continued: the end of a document before its beginning, if known."""
        ids = self.encode(text)
        return np.insert(ids, 0, self.vocabulary.encode([END])) if self.knows_documents and text else ids

    def first_states(self, count: int) -> list[State]:
        """The states of each layer in which ``count`` texts begin: zeros, or those after the end of a document."""
        zero = self.network.zero_states(1)
        states = self._after(self.vocabulary.encode([END]), zero)[1] if self.knows_documents else zero
        return [tuple(np.repeat(part, count, axis=0) for part in state) for state in states]

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> TextEvaluation:
        ended = self.knows_documents and holds_documents(dataset)
        ids = self.vocabulary.encode(all_tokens(dataset, self.settings, ended))
        if len(ids) < 2:
            raise DataError(f"{dataset.name}: there is no {self.unit} to predict")
        streams = Streams.of(ids, JUDGED_STREAMS, self.settings.max_length)
        parts = JUDGED_PARTS_OF_MANY if self.vocabulary.size >= MANY_TOKENS else JUDGED_PARTS
        sums = self.network.metric_sums_of_all(self.params, streams, parts, workers)
        nats = sums.losses / sums.counted
        return TextEvaluation(
            unit=self.unit,
            tokens=int(sums.answers),
            documents=sum(map(bool, dataset.texts)) if ended else 0,
            not_scored=len(ids) - int(sums.answers),
            nats=nats,
            bits=nats / math.log(2),
            perplexity=math.exp(min(nats, 700)),
            accuracy=sums.right / sums.answers,
            unknown_rate=float((ids == self.vocabulary.unknown).mean()),
        )

    def describe(self) -> list[tuple[str, TableCell]]:
        return [
            ("network", network_in_words(self.settings, directions=False)),
            ("input", tokens_in_words(self.settings.input, self.vocabulary, self.unit)),
        ]

    def facts(self) -> dict[str, Any]:
        return {"vocabulary_size": self.vocabulary.size}

    def own_manifest(self) -> dict[str, Any]:
        return {"vocabulary": list(self.vocabulary.tokens)}

    def _after(self, ids: Array, states: list[State]) -> tuple[Array, list[State]]:
        """(V,) probabilities of the token after these, and the states that they leave."""
        packed = PackedSequence.pack([ids])
        logits, _, states, _ = self.network.forward(self.params, packed, states, keep=False)
        last = self.network.without_unknown(logits[-1:].astype(np.float64))
        return softmax(last / self.temperature if self.temperature else last)[0], states

    def _choose(self, probabilities: Array, rng: np.random.Generator) -> int:
        """A token by its probability; at temperature 0 the most probable."""
        if self.temperature == 0:
            return int(probabilities.argmax())
        return int(rng.choice(len(probabilities), p=probabilities))
