"""The trained model: from an input to an answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params, State
from rnncli.core.losses import log_softmax, softmax
from rnncli.core.packed import Array, PackedSequence
from rnncli.data.dataset import Dataset
from rnncli.data.text.vocabulary import UNKNOWN, Vocabulary
from rnncli.errors import DataError, UsageError
from rnncli.inspection.flow import Opened
from rnncli.inspection.states import States, unit_names
from rnncli.inspection.why import BLANK, Parts, Question
from rnncli.record import Record
from rnncli.results import Column, TableCell, TableView
from rnncli.schema import Ordinal, Range
from rnncli.tasks.language_model.network import LanguageModelNetwork, Streams
from rnncli.tasks.language_model.results import Continuation, TextEvaluation
from rnncli.tasks.language_model.tokens import _tokens, joined, split
from rnncli.tasks.metric_sums import metric_sums_of_all
from rnncli.tasks.model import Manifest, Metric, Model

# Streams of a text that is only judged.
JUDGED_STREAMS = 32
CONTINUED = 200  # tokens, if nobody says how many


@dataclass(frozen=True)
class TextStates(States):
    """A text, token by token.

    Attributes:
        next_probabilities: (T, V) of each token to come next, those that ``predict`` draws from.
    """

    next_probabilities: Array

    answers_are = "the most probable next token"

    def answers(self) -> Array:
        return self.next_probabilities


@dataclass(frozen=True, kw_only=True)
class LanguageModelManifest(Manifest):
    """A language model's own part of its file."""

    vocabulary: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.settings.tokens not in ("char", "word"):
            raise ValueError("a token is a char or a word")


@dataclass(frozen=True, repr=False)
class LanguageModel(Model):
    """A model of a text.

    Attributes:
        unit: what a token is: a char, or a word.
        vocabulary: the tokens.
        length, temperature, seed: how texts are continued: by how many tokens, how boldly (0: always the most
            probable one), and with which random numbers.
    """

    task: ClassVar[str] = "lm"
    labelled: ClassVar[bool] = False
    metric: ClassVar[Metric] = Metric("nats per token", "validation_loss", higher_is_better=False)
    options: ClassVar[frozenset[str]] = frozenset({"length", "temperature", "seed"})
    columns: ClassVar[tuple[Column, ...]] = (Column("text"), Column("continuation"), Column("mean p", True))
    settings: Settings
    vocabulary: Vocabulary
    params: Params
    example: str = ""
    record: Record = field(default_factory=Record)
    length: Ordinal = CONTINUED
    temperature: Annotated[float, Range(0, 100)] = 1.0
    seed: Annotated[int, Range(0, math.inf)] = 0
    stored: ClassVar = LanguageModelManifest

    @property
    def unit(self) -> str:
        return self.settings.tokens

    @property
    def network(self) -> LanguageModelNetwork:
        return LanguageModelNetwork(self.settings, self.vocabulary.size)

    def _predict_stream(self, texts: Iterable[str], first: int) -> Iterator[Continuation]:
        for number, text in enumerate(texts, first):
            rng = np.random.default_rng([self.seed, number])
            tokens = self._split(text)
            states = self.network.zero_states(1)
            # A text without tokens goes on from nothing: from where a line begins.
            ids = self.vocabulary.encode(tokens or ["\n"])
            told: list[str] = []
            logs = 0.0
            for _ in range(self.length):
                probabilities, states = self._after(ids, states)
                choice = self._choose(probabilities, rng)
                logs += math.log(max(float(probabilities[choice]), 1e-300))
                told.append(self.vocabulary.token(choice))
                ids = np.array([choice], np.int32)
            unknown = tuple(dict.fromkeys(token for token in tokens if token not in self.vocabulary))
            yield Continuation(text, "".join(told), math.exp(logs / max(1, self.length)), unknown)

    def shown(self, predictions: Sequence[Continuation]) -> list[TableView]:
        """Each text with its continuation, line by line as it would be printed."""
        return [
            TableView("", (Column(""),), tuple((line,) for line in (p.text + p.continuation).split("\n")))
            for p in predictions
        ]

    def trace(self, text: str | None = None) -> TextStates:
        text = self.text(text)
        tokens = self._split(text)
        if not tokens:
            raise UsageError("the text is empty: there is no timestep to show")
        packed = PackedSequence.pack([self.vocabulary.encode(tokens)])
        logits, hidden, _, _ = self.network.forward(self.params, packed, self.network.zero_states(1))
        known = tuple(token in self.vocabulary for token in tokens)
        labels = (*self.vocabulary.tokens, UNKNOWN)
        units = unit_names(self.settings.hidden, bidirectional=False)
        norm = np.linalg.norm(hidden, axis=1)
        return TextStates(tuple(tokens), known, hidden, units, norm, labels, softmax(self.network.tellable(logits)))

    def _opened(self, text: str, answer: str | None) -> Opened:
        if answer is not None:
            raise UsageError("the answers of a model of a text are the text's own next tokens")
        tokens = self._split(text)
        if len(tokens) < 2:
            raise UsageError("the text is too short: there is no token that follows another one")
        model = self.in_double()
        batch = Streams.of(self.vocabulary.encode(tokens), 1, len(tokens) - 1)
        return Opened(model.network, model.params, batch, {"": tuple(tokens[:-1])}, "the text's own next tokens")

    def parts(self, text: str) -> Parts:
        tokens = tuple(self._split(text))
        # A word less would leave two spaces, or two words in one: another token, which the model has never seen.
        return Parts(tokens, tokens, BLANK, "".join, deletable=self.unit == "char")

    def told(self, texts: Sequence[str]) -> list[str]:
        """The most probable next token after each text."""
        return [self.vocabulary.token(int(k)) for logs in self._next_in_turns(texts) for k in logs.argmax(axis=1)]

    def _question(self, text: str, answer: str | None) -> Question:
        """What is asked for is the next token after the text."""
        model = self.in_double()
        if not self._split(text):
            raise UsageError("the text is empty: there is no timestep to show")
        answer = self.told([text])[0] if answer is None else answer
        from rnncli.inspection.adapters.gradient_paths import of_next_token

        if answer not in self.vocabulary:
            raise UsageError(f"the model knows no {self.unit} '{answer}'")
        (wanted,) = self.vocabulary.encode([answer]).tolist()

        parts = self.parts(text)
        whole, blank = (model._encoded(parts.replaced(out)) for out in ((), range(len(parts.names))))
        unknown, way = self.vocabulary.unknown, None
        if len(whole) == len(parts.names) == len(blank):
            way = of_next_token(model.network, model.params, wanted, unknown, whole, blank)

        def scores(texts: Sequence[str]) -> Array:
            return np.concatenate([logs[:, wanted] for logs in model._next_in_turns(texts)])

        return Question(parts, answer, "log probability of the next token", scores, self.told, way)

    def _split(self, text: str) -> list[str]:
        return split(text.lower() if self.settings.lowercase else text, self.unit)

    def _encoded(self, text: str) -> Array:
        """The ids of a text's tokens; of an empty one that of a line's end, for something has to be read."""
        return self.vocabulary.encode(self._split(text) or ["\n"])

    def _next_in_turns(self, texts: Sequence[str]) -> Iterator[Array]:
        """(texts, V) logarithms of the probabilities of the next token, the unknown one left out, some at a time."""
        for first in range(0, len(texts), JUDGED_STREAMS):
            yield self._next_of_some(texts[first : first + JUDGED_STREAMS])

    def _next_of_some(self, texts: Sequence[str]) -> Array:
        packed = PackedSequence.pack([self._encoded(text) for text in texts])
        states = self.network.zero_states(len(texts))
        last = self.network.forward(self.params, packed, states, keep=False, told=packed.last_rows)[0]
        return packed.to_caller_order(log_softmax(self.network.tellable(last)))

    def _evaluate(self, dataset: Dataset, worst: int, workers: int) -> TextEvaluation:
        text = joined(dataset)
        ids = self.vocabulary.encode(_tokens(text.lower() if self.settings.lowercase else text, self.unit))
        if len(ids) < 2:
            raise DataError(f"{dataset.name}: there is no {self.unit} to foretell")
        streams = Streams.of(ids, JUDGED_STREAMS, self.settings.max_length)
        right, answers, losses, told = metric_sums_of_all(self.network, self.params, streams, workers)
        nats = losses / told
        unknown = float((ids == self.vocabulary.unknown).mean())
        return TextEvaluation(
            self.unit, int(answers), nats, nats / math.log(2), math.exp(min(nats, 700)), right / answers, unknown
        )

    def describe(self) -> list[tuple[str, TableCell]]:
        s = self.settings
        return [
            ("network", f"{s.cell.upper()}, {s.hidden} units, {s.layers} layer{'s' if s.layers > 1 else ''}"),
            ("input", f"{s.input} over {len(self.vocabulary.tokens):,} known {self.unit}s and <unk>"),
        ]

    def facts(self) -> dict[str, Any]:
        return {"vocabulary_size": self.vocabulary.size}

    def own_manifest(self) -> dict[str, Any]:
        return {"vocabulary": list(self.vocabulary.tokens)}

    @classmethod
    def of_manifest(cls, manifest: LanguageModelManifest) -> LanguageModel:
        return cls(manifest.settings, Vocabulary(manifest.vocabulary), {}, manifest.example, manifest.record)

    def _after(self, ids: Array, states: list[State]) -> tuple[Array, list[State]]:
        """(V,) probabilities of the known tokens after these, and the states they leave."""
        packed = PackedSequence.pack([ids])
        logits, _, states, _ = self.network.forward(self.params, packed, states, keep=False)
        last = self.network.tellable(logits[-1:].astype(np.float64))
        return softmax(last / self.temperature if self.temperature else last)[0], states

    def _choose(self, probabilities: Array, rng: np.random.Generator) -> int:
        """A token by its probability; at temperature 0 the most probable."""
        if self.temperature == 0:
            return int(probabilities.argmax())
        return int(rng.choice(len(probabilities), p=probabilities))
