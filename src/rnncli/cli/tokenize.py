"""``rnncli tokenize``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rnncli.clean import clean
from rnncli.cli.arguments import is_file, require_piped
from rnncli.config import Settings
from rnncli.data.dataset import Source, display_name, stream_texts
from rnncli.data.doubts import Asker
from rnncli.errors import DataError, UsageError, counted
from rnncli.render.console import Output
from rnncli.render.json_out import print_json
from rnncli.render.tables import print_pairs, print_table
from rnncli.results import Column, TableCell, TableView

if TYPE_CHECKING:
    from rnncli.data.text.tokenizer import Tokenizer
    from rnncli.data.text.vocabulary import Vocabulary

# One-hot vectors are written out up to this many features; beyond, the position of the one is all there is to see.
MOST_FEATURES = 24
COMMONEST = 20
COVERAGE_SIZES = (10, 100, 1_000, 10_000, 30_000, 100_000)


@dataclass(frozen=True)
class TokenizeRequest:
    """What the command line asks for."""

    source: str
    unit: str | None
    lowercase: bool | None
    min_count: int
    max_vocabulary: int
    model: str | None
    text: str | None
    format: str | None
    encoding: str
    runs: str


class GivenWords:
    """Words that a file gives as a list: nothing is cut, and no case is folded, as in training on them."""

    unit = "word"

    def tokens(self, text: str) -> list[str]:
        """The words of one text, in order.

        Raises:
            DataError: it is no list.
        """
        from rnncli.tasks.tag.sentences import listed

        words = listed(text)
        if words is None:
            raise DataError(f"most texts are lists of words, and this one is none: {clean(text, 60)}")
        return words


def tokenize_command(request: TokenizeRequest, json: bool) -> None:
    """Prints the tokens of one text, or the statistics of a file."""
    output = Output()
    # Checked by the rules of training, so that what is shown here can also be trained.
    settings = Settings(
        tokens=request.unit or "auto",  # type: ignore[arg-type]
        lowercase=request.lowercase is not False,
        min_count=request.min_count,
        max_vocabulary=request.max_vocabulary,
    )
    if is_file(request.source):
        require_piped(request.source, "the texts")
        _show_file(output, request, settings, json)
    else:
        _show_text(output, request, settings, json)


def _show_text(output: Output, request: TokenizeRequest, settings: Settings, json: bool) -> None:
    from rnncli.data.text.vocabulary import Vocabulary
    from rnncli.tasks.inputs import build_tokenizer

    if request.model is None:
        tokenizer = build_tokenizer(settings, [])
        # The text is its own vocabulary, in the order of its words (movie 10000, was 01000 …): nothing in it can be
        # unknown, and the vectors have no place for that.
        vocabulary = Vocabulary(tuple(dict.fromkeys(tokenizer.tokens(request.source))))
        features = len(vocabulary.tokens)
    else:
        tokenizer, vocabulary = _of_model(request)
        features = vocabulary.size
    tokens = tokenizer.tokens(request.source)
    if not tokens:
        raise DataError("the text has no tokens")
    ids = vocabulary.encode(tokens).tolist()
    if json:
        one_hot = [[int(k == i) for k in range(features)] for i in ids] if features <= MOST_FEATURES else None
        print_json(
            output,
            {
                "tokens": tokens,
                "ids": ids,
                "known": [token in vocabulary for token in tokens],
                "shape": {"timesteps": len(tokens), "features": features},
                "one_hot": one_hot,
            },
        )
        return
    rows = tuple(
        (t + 1, token, i, _one_hot(i, features), "" if token in vocabulary else "unknown")
        for t, (token, i) in enumerate(zip(tokens, ids, strict=True))
    )
    columns = (Column("t", True), Column("token", style="bold"), Column("id", True), Column("one-hot"), Column(""))
    shape = f"shape (timesteps, features) = ({len(tokens)}, {features})"
    print_table(output, TableView("Tokens", columns, rows, shape))
    if not output.is_terminal:
        output.note(shape)


def _one_hot(token_id: int, features: int) -> str:
    """``00100``; for many features where the one stands."""
    if features > MOST_FEATURES:
        return f"1 at {token_id} of {features:,}"
    return "".join("1" if k == token_id else "0" for k in range(features))


def _of_model(request: TokenizeRequest) -> tuple[Tokenizer, Vocabulary]:
    from rnncli.tasks.inputs import TextInput
    from rnncli.tasks.model import Model
    from rnncli.training.runs import find_model

    model = Model.load(find_model(request.model or "latest", Path(request.runs)))
    text = getattr(model, "input", None)
    if not isinstance(text, TextInput):
        raise UsageError(f"this model ({model.task}) does not read texts by a tokenizer")
    return text.tokenizer, text.vocabulary


@dataclass(frozen=True)
class Coverage:
    """The share of all tokens in a file that its commonest ``size`` ones make up."""

    size: int
    share: float


@dataclass(frozen=True)
class FileStatistics:
    """What a file's texts look like as tokens."""

    rows: int
    empty: int
    tokens: int
    lengths: tuple[int, int, int, int]  # shortest, median, 95%, longest
    distinct: int
    once: int  # distinct tokens that occur a single time
    vocabulary: int
    unknown_rate: float
    coverage: tuple[Coverage, ...]
    commonest: tuple[tuple[str, int], ...]


def _show_file(output: Output, request: TokenizeRequest, settings: Settings, json: bool) -> None:
    unit, statistics = _statistics(output, request, settings)
    if json:
        print_json(output, {"unit": unit} | asdict(statistics))
        return
    low, middle, high, top = statistics.lengths
    pairs: list[tuple[str, TableCell]] = [
        ("rows", f"{statistics.rows:,}" + (f" ({statistics.empty:,} empty)" if statistics.empty else "")),
        ("tokens", counted(statistics.tokens, unit)),
        ("distinct", f"{statistics.distinct:,}, of which {statistics.once:,} occur once"),
        ("lengths", f"{low:,} to {top:,}, median {middle:,}, 95% up to {high:,}"),
        ("vocabulary", f"{statistics.vocabulary:,} known; {statistics.unknown_rate:.2%} of all tokens are unknown"),
    ]
    print_pairs(output, "", pairs)
    output.write("\n")
    coverage = tuple((c.size, c.share) for c in statistics.coverage)
    print_table(
        output, TableView("Coverage", (Column("commonest tokens", True), Column("share of all", True)), coverage)
    )
    output.write("\n")
    commonest = tuple((token, count, i) for i, (token, count) in enumerate(statistics.commonest))
    columns = (Column("token", style="bold"), Column("count", True), Column("id", True))
    print_table(output, TableView("Commonest tokens", columns, commonest))


def _statistics(output: Output, request: TokenizeRequest, settings: Settings) -> tuple[str, FileStatistics]:
    import itertools

    import numpy as np

    from rnncli.data.text.vocabulary import Corpus, build_vocabulary
    from rnncli.tasks.inputs import build_tokenizer, looks_like_numbers
    from rnncli.tasks.tag.sentences import listed

    format = request.format or ("text" if request.source == "-" and request.text is None else None)
    source = Source(request.source, request.text, None, format, request.encoding)
    _, columns, rows = stream_texts(source, asker=Asker("rnncli tokenize"))
    output.note(columns.why)
    texts = (row.values[columns.text] for row in rows)
    sample = list(itertools.islice(texts, 200))
    vocabulary = None
    tokenizer: Tokenizer | GivenWords
    if any(map(looks_like_numbers, sample)):
        raise DataError(
            f"{display_name(request.source)}: the inputs are numbers, which are read as they are: no tokens"
        )
    if request.model is not None:
        tokenizer, vocabulary = _of_model(request)
    elif sample and all(listed(text) is not None for text in sample):
        tokenizer = GivenWords()
        if request.unit is not None or request.lowercase is not None:
            raise UsageError("--tokens and --lowercase are for texts, and here all of them are lists of words")
    else:
        tokenizer = build_tokenizer(settings, sample)
    corpus = Corpus()
    for text in itertools.chain(sample, texts):
        corpus.add_tokens(tokenizer.tokens(text))
    lengths = corpus.lengths
    counts = corpus.counts(range(len(lengths)))
    if vocabulary is None:
        vocabulary = build_vocabulary(counts, min_count=settings.min_count, max_size=settings.max_vocabulary)
    by_count = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    running = np.cumsum([count for _, count in by_count])
    total = int(lengths.sum())
    if total == 0:
        raise DataError(f"{request.source}: the texts have no tokens")
    known = sum(count for token, count in by_count if token in vocabulary)
    sizes = sorted({min(size, len(by_count)) for size in COVERAGE_SIZES})
    middle, high = np.quantile(lengths, [0.5, 0.95]).astype(int).tolist()
    return tokenizer.unit, FileStatistics(
        len(lengths),
        int((lengths == 0).sum()),
        total,
        (int(lengths.min()), middle, high, int(lengths.max())),
        len(by_count),
        sum(count == 1 for _, count in by_count),
        len(vocabulary.tokens),
        1 - known / total,
        tuple(Coverage(size, float(running[size - 1]) / total) for size in sizes),
        tuple(by_count[:COMMONEST]),
    )
