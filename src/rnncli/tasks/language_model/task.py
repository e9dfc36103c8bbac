"""The loop itself: a text, and how it goes on."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar

import numpy as np

from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params, State
from rnncli.core.losses import log_softmax, softmax
from rnncli.core.packed import Array, PackedSequence
from rnncli.data.dataset import Dataset
from rnncli.data.short_repr import ShortRepr
from rnncli.data.text.vocabulary import UNKNOWN, Corpus, Vocabulary, build_vocabulary
from rnncli.errors import DataError, UsageError
from rnncli.inspection.flow import Opened
from rnncli.inspection.states import States, unit_names
from rnncli.inspection.why import BLANK, Parts, Question
from rnncli.record import Record
from rnncli.results import Column, TableCell, TableView
from rnncli.schema import Ordinal, Range
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.language_model.network import LanguageModelNetwork, Streams
from rnncli.tasks.metric_sums import metric_sums_of_all
from rnncli.tasks.model import Manifest, Metric, Model
from rnncli.tasks.prepare import require_memory
from rnncli.tasks.task import Baseline

# Words, marks and white space: put one after the other they are the text again.
_WORDS = re.compile(r"\s+|\w+(?:['’]\w+)*|[^\w\s]")
# Streams of a text that is only judged.
JUDGED_STREAMS = 32
# A short text is cut into fewer streams than are asked for, so that there are so many steps in an epoch.
LEAST_STEPS = 20
CONTINUED = 200  # tokens, if nobody says how many


@dataclass(frozen=True)
class Continuation:
    """How a text goes on.

    Attributes:
        text: as it was given.
        continuation: what follows.
        probability: geometric mean of the probabilities of the tokens that follow.
        unknown: tokens of the text that the model does not know, each once.
    """

    text: str
    continuation: str
    probability: float
    unknown: tuple[str, ...]
    cut: ClassVar[int] = 0

    def cells(self) -> tuple[TableCell, ...]:
        return self.text, self.continuation, self.probability

    def fields(self) -> tuple[str, ...]:
        return self.text, self.continuation

    def brief(self) -> tuple[tuple[str, ...], str, str]:
        return (), self.text + self.continuation, ""


@dataclass(frozen=True)
class TextEvaluation:
    """How well a model foretells a text.

    Attributes:
        tokens: told, one after the other.
        nats, bits: mean loss of a token.
        perplexity: e^nats: among how many equally likely tokens it is as hard to choose.
        accuracy: how often the most probable token is the right one.
        unknown_rate: share of the tokens outside the vocabulary.
    """

    unit: str
    tokens: int
    nats: float
    bits: float
    perplexity: float
    accuracy: float
    unknown_rate: float
    skipped: ClassVar[int] = 0
    skipped_because: ClassVar[tuple[str, ...]] = ()

    def pairs(self) -> list[tuple[str, TableCell]]:
        return [
            (f"{self.unit}s", self.tokens),
            (f"nats per {self.unit}", f"{self.nats:.4f}"),
            (f"bits per {self.unit}", f"{self.bits:.4f}"),
            ("perplexity", f"{self.perplexity:.2f}"),
            ("accuracy", f"{self.accuracy:.4f}"),
            ("unknown", f"{self.unknown_rate:.2%}"),
        ]

    def tables(self) -> list[TableView]:
        return []


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


def split(text: str, unit: str) -> list[str]:
    """The tokens of a text, which are the text again one after the other."""
    return list(_tokens(text, unit))


def _tokens(text: str, unit: str) -> Iterator[str]:
    """As :func:`split`, one after the other: a whole text has more tokens than are to be kept as strings."""
    return iter(text) if unit == "char" else (found[0] for found in _WORDS.finditer(text))


def beginning(text: str, unit: str, count: int) -> str:
    """So many tokens of a text at most."""
    return "".join(split(text, unit)[:count])


def joined(dataset: Dataset) -> str:
    """The whole text, a line a record."""
    return "\n".join(dataset.texts) + "\n"


@dataclass(frozen=True)
class TextReport:
    """What a text is like.

    Attributes:
        rows: tokens.
        training_rows, validation_rows: tokens to learn from, and the last ones, which are to be foretold.
        streams, window: how many places of the text are read at once, and how many tokens at a time.
        unknown_rate: share of the validation tokens (of the training tokens if there are none) outside the vocabulary.
    """

    rows: int
    training_rows: int
    validation_rows: int
    unit: str
    vocabulary: int
    streams: int
    window: int
    unknown_rate: float
    warnings: tuple[str, ...] = ()

    labels: ClassVar[dict[str, int]] = {}
    what = "A model of a text"

    def lines(self) -> list[tuple[str, str]]:
        side = "validation" if self.validation_rows else "training"
        return [
            (f"{self.unit}s", f"{self.rows:,}: {self.training_rows:,} to train, {self.validation_rows:,} to validate"),
            ("vocabulary", f"{self.vocabulary:,} {self.unit}s are known"),
            ("unknown", f"{self.unknown_rate:.2%} of the {side} {self.unit}s"),
            ("streams", f"{self.streams:,}, read {self.window:,} {self.unit}s at a time"),
        ]

    def summary(self) -> list[str]:
        return [f"Tokens: {self.vocabulary:,} different {self.unit}s"]


@dataclass(frozen=True, repr=False)
class PreparedText(ShortRepr):
    """Everything a training on a text starts from."""

    settings: Settings
    vocabulary: Vocabulary
    train: Streams
    validation: Streams
    example: str
    report: TextReport

    @property
    def network(self) -> LanguageModelNetwork:
        return LanguageModelNetwork(self.settings, self.vocabulary.size)

    def with_settings(self, settings: Settings) -> PreparedText:
        return replace(self, settings=settings)

    def baselines(self) -> tuple[Baseline, ...]:
        found = counting_losses(self.train.text, self.validation.text, self.vocabulary.size)
        windows, lengths = self.validation.places(), self.validation.lengths * 1.0
        unit = self.settings.tokens
        pairs, single = (RowScores(np.array([losses[window].sum() for window in windows]), lengths) for losses in found)
        return Baseline(f"pairs_of_{unit}s", pairs), Baseline(f"single_{unit}s", single)

    def model(self, params: Params, record: Record) -> LanguageModel:
        return LanguageModel(self.settings, self.vocabulary, params, self.example, record)

    def word_tables(self) -> Mapping[str, Sequence[str]]:
        words = self.settings.tokens == "word" and self.network.embedding is not None
        return {"embedding/weight": self.vocabulary.tokens} if words else {}


def counting_losses(train: Array, validation: Array, size: int) -> tuple[Array, Array]:
    """(tokens − 1,) losses of the validation tokens after the first, by how often each followed the one before it in
    training, and by how often it stood there at all.

    One is added to every count of a token; a pair's probability is its count, with the token's own probability in
    place of 10 more (Dirichlet smoothing, MacKay & Peto 1995).
    """
    single = (np.bincount(train, minlength=size) + 1) / (len(train) + size)
    before, after = validation[:-1].astype(np.int64), validation[1:].astype(np.int64)
    seen, counts = np.unique(train[:-1].astype(np.int64) * size + train[1:], return_counts=True)
    wanted = before * size + after
    place = np.minimum(np.searchsorted(seen, wanted), len(seen) - 1)
    followed = np.where(seen[place] == wanted, counts[place], 0)
    total = np.bincount(train[:-1], minlength=size)[before]
    pairs = (followed + 10 * single[after]) / (total + 10)
    return -np.log(pairs), -np.log(single[after])


class LanguageModeling:
    """The task of a text that nobody has labelled."""

    name = "lm"
    model = LanguageModel
    effort = 1.0

    def fits(self, dataset: Dataset) -> bool:
        return dataset.source.label is None

    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        return {
            **{"bidirectional": False, "lowercase": False, "min_count": 1, "hidden": 256},
            "input": "onehot" if settings.vectors is None else "embedding",
            **{"max_length": 100, "batch": 32, "dropout": 0.25, "lr": 0.004},
        }

    def prepare(self, dataset: Dataset, settings: Settings) -> PreparedText:
        if settings.bidirectional:
            raise UsageError("a text is foretold from its beginning on: --bidirectional is not possible")
        if settings.tokens == "symbol":
            raise UsageError("a text is foretold by words or chars: --tokens symbol would lose its white space")
        settings = settings.replace(tokens="word" if settings.tokens == "word" else "char")
        text = joined(dataset)
        corpus = Corpus()
        count = corpus.add_tokens(_tokens(text.lower() if settings.lowercase else text, settings.tokens))
        held_out = int(count * settings.validation)
        if count < 20 or (settings.validation and held_out < 2):
            raise DataError(f"{dataset.name}: a text of {count:,} {settings.tokens}s is too short to learn from")
        learned = count - held_out
        counts = corpus.counts_up_to(learned)
        vocabulary = build_vocabulary(counts, min_count=settings.min_count, max_size=settings.max_vocabulary)
        if not vocabulary.tokens:
            said = f"no {settings.tokens} stands {settings.min_count} times or more: nothing is left to foretell"
            raise DataError(f"{dataset.name}: {said}", "lower --min-count")
        (ids,) = corpus.encode(vocabulary)
        streams = min(settings.batch, max(1, learned // (LEAST_STEPS * settings.max_length)))
        train = Streams.of(ids[:learned], streams, settings.max_length)
        validation = Streams.of(ids[learned:], JUDGED_STREAMS, settings.max_length)
        if not held_out:
            validation = validation._replace(rows=np.arange(0))
        settings = settings.replace(batch=train.streams)
        require_memory(LanguageModelNetwork(settings, vocabulary.size), settings, settings.max_length)
        judged = ids[learned:] if held_out else ids
        report = TextReport(
            *(count, learned, held_out, settings.tokens, len(vocabulary.tokens)),
            *(train.streams, train.window, float((judged == vocabulary.unknown).mean())),
        )
        ending = (dataset.texts[row] for row in range(len(dataset.texts) * 9 // 10, len(dataset.texts)))
        line = next((line for line in ending if len(line) > 10), text)
        return PreparedText(settings, vocabulary, train, validation, line[:40], report)


TASK = LanguageModeling()
