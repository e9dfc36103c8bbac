"""The tokens of one text, and statistics of the tokens of many."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnncli.clean import clean
from rnncli.config import Settings
from rnncli.errors import DataError, UsageError, counted
from rnncli.results import Column, TableCell, TableView

if TYPE_CHECKING:
    from rnncli.data.formats.values import Value
    from rnncli.data.text.vocabulary import Vocabulary
    from rnncli.tasks.model import Model, TextReading

MOST_FEATURES = 24  # of one-hot vectors that are written out; of longer ones only the position of the 1 is shown
COMMONEST = 20
COVERAGE_SIZES = (10, 100, 1_000, 10_000, 30_000, 100_000)
_TOKEN = Column("token", style="bold")
SAMPLE = 200  # texts of a file that decide what its tokens are


@dataclass(frozen=True)
class Tokens:
    """A text as a network reads it.

    Attributes:
        tokens: one a timestep.
        ids: of the tokens in the vocabulary.
        known: whether each token is in the vocabulary.
        shape: timesteps and features of the one-hot vectors.
        one_hot: a vector a timestep; None for more than :data:`MOST_FEATURES` features.
    """

    tokens: list[str]
    ids: list[int]
    known: list[bool]
    shape: dict[str, int]
    one_hot: list[list[int]] | None

    def __repr__(self) -> str:
        return f"<{counted(len(self.tokens), 'token')}: {clean(' '.join(self.tokens), 100)}>"

    def table(self) -> TableView:
        """A row for each token."""
        rows = tuple(
            (t + 1, token, i, self._vector(t), "" if known else "unknown")
            for t, (token, i, known) in enumerate(zip(self.tokens, self.ids, self.known, strict=True))
        )
        columns = (Column("t", True), _TOKEN, Column("id", True), Column("one-hot"), Column(""))
        shape = f"shape (timesteps, features) = ({len(self.tokens)}, {self.shape['features']})"
        return TableView("Tokens", columns, rows, shape)

    def _vector(self, t: int) -> str:
        if self.one_hot is None:
            return f"1 at {self.ids[t]} of {self.shape['features']:,}"
        return "".join(map(str, self.one_hot[t]))


@dataclass(frozen=True)
class Coverage:
    """The share of all tokens that the commonest ``size`` ones make up."""

    size: int
    share: float


@dataclass(frozen=True, kw_only=True)
class TokenStatistics:
    """Statistics of the tokens of many texts.

    Attributes:
        unit: what a token is.
        lengths: in tokens: the shortest, the median, that of 95%, the longest.
        once: distinct tokens that occur a single time.
    """

    unit: str
    rows: int
    empty: int
    tokens: int
    lengths: tuple[int, int, int, int]
    distinct: int
    once: int
    vocabulary: int
    unknown_rate: float
    coverage: tuple[Coverage, ...]
    commonest: tuple[tuple[str, int], ...]

    def __repr__(self) -> str:
        return f"<{counted(self.rows, 'row')}, {counted(self.tokens, self.unit)}, {self.distinct:,} distinct>"

    def pairs(self) -> list[tuple[str, TableCell]]:
        """The figures, each with its name."""
        low, middle, high, top = self.lengths
        return [
            ("rows", f"{self.rows:,}" + (f" ({self.empty:,} empty)" if self.empty else "")),
            ("tokens", counted(self.tokens, self.unit)),
            ("distinct", f"{self.distinct:,}, of which {self.once:,} occur once"),
            ("lengths", f"{low:,} to {top:,}, median {middle:,}, 95% up to {high:,}"),
            ("vocabulary", f"{self.vocabulary:,} known; {self.unknown_rate:.2%} of all tokens are unknown"),
        ]

    def tables(self) -> list[TableView]:
        """The share of all tokens that the commonest make up, and which these are."""
        coverage = tuple((one.size, one.share) for one in self.coverage)
        commonest = tuple((token, count, i) for i, (token, count) in enumerate(self.commonest))
        return [
            TableView("Coverage", (Column("commonest tokens", True), Column("share of all", True)), coverage),
            TableView("Commonest tokens", (_TOKEN, Column("count", True), Column("id", True)), commonest),
        ]


def tokens_of(text: str, model: Model | None, settings: Settings) -> Tokens:
    """The tokens of a text, as a model reads them, or as a training with these settings would.

    Raises:
        UsageError: the model reads something else.
        DataError: there are none.
    """
    from rnncli.data.text.vocabulary import Vocabulary
    from rnncli.tasks.inputs import build_tokenizer

    vocabulary: Vocabulary | None = None
    if model is None:
        tokens = build_tokenizer(settings, []).tokens(text)
    else:
        _, cut, vocabulary = _reading_of(model)
        tokens = cut(text)
    if not tokens:
        raise DataError("the text has no tokens")
    if vocabulary is None:
        # The text is its own vocabulary, in the order of its words (movie 10000, was 01000 …): nothing in it can be
        # unknown, and the vectors have no place for that.
        vocabulary = Vocabulary(tuple(dict.fromkeys(tokens)))
        features = len(vocabulary.tokens)
    else:
        features = vocabulary.size
    ids = vocabulary.encode(tokens).tolist()
    one_hot = [[int(k == i) for k in range(features)] for i in ids] if features <= MOST_FEATURES else None
    known = [token in vocabulary for token in tokens]
    return Tokens(tokens, ids, known, {"timesteps": len(tokens), "features": features}, one_hot)


def _reading_of(model: Model) -> TextReading:
    """Returns how a model cuts texts into tokens; raises UsageError where it reads something else."""
    if model.text_reading is None:
        raise UsageError(
            f"this model ({model.task}) does not cut its input into the tokens of a single text",
            "rnncli inspect --timesteps shows what it reads",
        )
    return model.text_reading


def _given_words(value: Value) -> Sequence[str]:
    """Returns the words of a list as they are, as training reads them; raises DataError where it is not a list."""
    from rnncli.data.formats.values import as_text, words

    found = words(value)
    if found is None:
        raise DataError(f"most texts are lists of words, and this one is not: {clean(as_text(value), 60)}")
    return found


def statistics_of(
    name: str, values: Iterator[Value], model: Model | None, settings: Settings, given: Iterable[str]
) -> TokenStatistics:
    """How many tokens there are in the inputs of a file, and which are the commonest.

    Args:
        name: of the file.
        given: settings that the user has named.

    Raises:
        UsageError: the model reads something else, or a setting has no effect.
        DataError: the inputs are numbers, or have no tokens.
    """
    import numpy as np

    from rnncli.data.formats.values import as_text, looks_like_numbers, words
    from rnncli.data.text.vocabulary import Corpus, build_vocabulary
    from rnncli.tasks.inputs import build_tokenizer

    sample = list(itertools.islice(values, SAMPLE))
    if any(map(looks_like_numbers, sample)):
        raise DataError(f"{name}: the inputs are numbers, which are read as they are: no tokens")
    vocabulary: Vocabulary | None = None
    corpus, unit = Corpus(), "word"
    cut: Callable[[str], Sequence[str]] | None = None
    if model is not None or not sample or any(words(value) is None for value in sample):
        if model is not None:
            unit, cut, vocabulary = _reading_of(model)
        else:
            tokenizer = build_tokenizer(settings, list(map(as_text, sample)))
            unit, cut = tokenizer.unit, tokenizer.tokens
    elif {"tokens", "lowercase"} & set(given):
        raise UsageError("--tokens and --lowercase are for texts, and here all of them are lists of words")
    for value in itertools.chain(sample, values):
        corpus.add(_given_words(value) if cut is None else cut(as_text(value)))
    lengths = corpus.lengths
    counts = corpus.counts(range(len(lengths)))
    if vocabulary is None:
        vocabulary = build_vocabulary(counts, min_count=settings.min_count, max_size=settings.max_vocabulary)
    by_count = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    running = np.cumsum([count for _, count in by_count])
    total = int(lengths.sum())
    if total == 0:
        raise DataError(f"{name}: the texts have no tokens")
    known = sum(count for token, count in by_count if token in vocabulary)
    sizes = sorted({min(size, len(by_count)) for size in COVERAGE_SIZES})
    middle, high = np.quantile(lengths, [0.5, 0.95]).astype(int).tolist()
    return TokenStatistics(
        unit=unit,
        rows=len(lengths),
        empty=int((lengths == 0).sum()),
        tokens=total,
        lengths=(int(lengths.min()), middle, high, int(lengths.max())),
        distinct=len(by_count),
        once=sum(count == 1 for _, count in by_count),
        vocabulary=len(vocabulary.tokens),
        unknown_rate=1 - known / total,
        coverage=tuple(Coverage(size, float(running[size - 1]) / total) for size in sizes),
        commonest=tuple(by_count[:COMMONEST]),
    )
