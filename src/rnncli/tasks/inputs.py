"""What a timestep is: a token of a text, or a row of numbers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import numpy as np

from rnncli.config import Settings
from rnncli.core.packed import Array
from rnncli.data.formats.missing import Missing
from rnncli.data.formats.values import Value, as_text, place, sequence
from rnncli.data.records.ragged import Ragged
from rnncli.data.text.tokenizer import Tokenizer, looks_like_characters
from rnncli.data.text.vocabulary import Vocabulary
from rnncli.errors import counted
from rnncli.schema import Length, Range

SHOWN_NUMBERS = 4  # of a timestep, in its name
# Standard deviations from the mean. Of n numbers none is further away than √n, so that one beyond this has nothing to
# do with the training data; float32 still computes with what is allowed.
FURTHEST = 1e12
_USUAL_EXPONENTS = 256  # powers of two on either side of 1 whose squares, and sums of them, float64 holds with ease

# In a model's file: the known tokens, and the mean and the spread of each number of a timestep.
Tokens = tuple[str, ...]
Numbers = Annotated[tuple[float, ...], Length(1)]
Spreads = Annotated[tuple[Annotated[float, Range(sys.float_info.min, sys.float_info.max)], ...], Length(1)]


@dataclass(frozen=True)
class StoredTokenizer:
    """A tokenizer in a model's file, which has no defaults."""

    unit: Literal["word", "char", "symbol"]
    lowercase: bool
    normalize: bool


@dataclass(frozen=True)
class Steps:
    """An input as a network reads it.

    Attributes:
        values: (T,) ids, or (T, D) numbers.
        count: timesteps of the whole input, unread ones in its middle included.
        unknown: tokens of the whole input outside the vocabulary, each once.
    """

    values: Array
    count: int
    unknown: tuple[str, ...] = ()


def shorten(steps: Array, limit: int) -> Array:
    """At most ``limit`` timesteps: of a longer input the first quarter and the last three.

    A text begins with what it is about and ends with what its writer thinks of it: the middle is the part to leave out
    (Sun et al. 2019 find the same for longer models).
    """
    if len(steps) <= limit:
        return steps
    head = limit // 4
    return np.concatenate((steps[:head], steps[len(steps) - (limit - head) :]))


def shortened(sequences: Ragged, limit: int) -> Ragged:
    """Each of the sequences as :func:`shorten` leaves it."""
    return sequences.without_middles(limit, limit // 4)


def build_tokenizer(settings: Settings, sample: Sequence[str]) -> Tokenizer:
    """The tokenizer that the settings ask for; ``sample`` decides between words and characters if they do not."""
    unit = settings.tokens
    if unit == "auto":
        unit = "char" if looks_like_characters(sample) else "word"
    return Tokenizer(unit, settings.lowercase, settings.normalize)


def tokens_in_words(reads: str, vocabulary: Vocabulary, unit: str) -> str:
    """``one-hot over 59 known chars and <unk>``, of a network whose setting ``input`` is ``reads``."""
    known = counted(len(vocabulary.tokens), f"known {unit}")
    return f"{reads.replace('onehot', 'one-hot')} over {known} and <unk>"


@dataclass(frozen=True)
class TextInput:
    """Tokens of a text, as ids of a vocabulary."""

    tokenizer: Tokenizer
    vocabulary: Vocabulary

    @property
    def size(self) -> int:
        """V."""
        return self.vocabulary.size

    @property
    def unit(self) -> str:
        return self.tokenizer.unit

    def described(self, reads: str) -> str:
        """As :func:`tokens_in_words` says."""
        return tokens_in_words(reads, self.vocabulary, self.unit)

    def read(self, text: Value, limit: int) -> Steps:
        """The ids of at most ``limit`` tokens."""
        tokens = self.tokenizer.tokens(as_text(text))
        ids = self.vocabulary.encode(tokens)
        unknown = dict.fromkeys(tokens[place] for place in np.flatnonzero(ids == self.vocabulary.unknown).tolist())
        return Steps(shorten(ids, limit), len(tokens), tuple(unknown))

    def names(self, text: Value, limit: int) -> tuple[list[str], list[bool]]:
        """The names of the timesteps that are read, and whether each is in the vocabulary."""
        tokens = self.tokenizer.tokens(as_text(text))
        names = [tokens[place] for place in shorten(np.arange(len(tokens)), limit).tolist()]
        return names, [name in self.vocabulary for name in names]

    def facts(self) -> dict[str, Any]:
        return {"vocabulary_size": self.size}

    def manifest(self) -> dict[str, Any]:
        return {"tokenizer": asdict(self.tokenizer), "vocabulary": list(self.vocabulary.tokens)}


@dataclass(frozen=True)
class NumberInput:
    """D numbers a timestep, standardised by the mean and the spread that each has in the training data.

    Args:
        mean, spread: (D,); a number that never changes has spread 1.
        missing: what is done about numbers that are missing inside a sequence.

    Raises:
        ValueError: mean and spread are not of one length.
    """

    mean: Array
    spread: Array
    missing: Missing = None
    unit = "timestep"

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.spread):
            raise ValueError("mean and spread do not go together")

    @classmethod
    def of(cls, rows: Array, missing: Missing = None) -> tuple[NumberInput, int]:
        """By (S, D) finite numbers of the training data; and how many of the D never change.

        Numbers beyond 1e154 or below 1e-154 have squares that float64 does not hold: columns of such are scaled by a
        power of two first, which loses nothing.
        """
        highest, lowest = rows.max(axis=0), rows.min(axis=0)
        exponent = np.frexp(np.maximum(highest, -lowest))[1]
        exponent = np.where(np.abs(exponent) > _USUAL_EXPONENTS, exponent, 0)
        scaled = np.ldexp(rows, -exponent) if exponent.any() else rows
        mean, spread = np.ldexp(scaled.mean(axis=0), exponent), np.ldexp(scaled.std(axis=0), exponent)
        varies = highest > lowest
        # Numbers are divided by the spread, and the reciprocal of a subnormal number may be infinite.
        spread = np.clip(spread, np.finfo(np.float64).tiny, np.finfo(np.float64).max)
        return cls(np.where(varies, mean, highest), np.where(varies, spread, 1.0), missing), int((~varies).sum())

    @property
    def size(self) -> int:
        """D."""
        return len(self.mean)

    def described(self, reads: str) -> str:
        return f"{counted(self.size, 'number')} a timestep, standardised"

    def standardised(self, sequence: Array) -> Array:
        """(T, D) float64, from numbers that are finite.

        Raises:
            ValueError: a number lies further from the mean than :data:`FURTHEST`; the message goes on after "the
                sequence ".
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # checked below
            made = (sequence - self.mean) / self.spread
            if not np.isfinite(made).all():  # the difference of two finite numbers may not be, that of their halves is
                halves = (sequence / 2 - self.mean / 2) / (self.spread / 2)
                made = np.where(np.isfinite(made), made, halves)
        far = ~(np.abs(made) <= FURTHEST)
        if far.any():
            step, column = (int(at) for at in np.argwhere(far)[0])
            raise ValueError(
                f"has the number {sequence[step, column]:g} {place(far.shape, step, column)}, which has nothing to do "
                f"with those of the training data (mean {self.mean[column]:g}, standard deviation "
                f"{self.spread[column]:g})"
            )
        return np.asarray(made)

    def read(self, numbers: Value, limit: int) -> Steps:
        """The (T, D) numbers of at most ``limit`` timesteps.

        Raises:
            ValueError: they are something else; the message goes on after "the sequence ".
        """
        if isinstance(numbers, str) and not numbers.strip():
            return Steps(np.empty((0, self.size)), 0)
        steps = self.steps(numbers)
        return Steps(shorten(self.standardised(steps), limit), len(steps))

    def steps(self, numbers: Value) -> Array:
        """(T, D), all timesteps as they are.

        Raises:
            ValueError: they are something else; the message goes on after "the sequence ".
        """
        steps = steps_of(numbers, self.missing)
        if steps.shape[1] != self.size:
            raise ValueError(f"has {counted(steps.shape[1], 'number')} a timestep, and the model takes {self.size}")
        return steps

    def names(self, text: Value, limit: int) -> tuple[list[str], list[bool]]:
        """The first numbers of each timestep that is read, all known."""
        return named_steps(shorten(steps_of(text, self.missing), limit))

    def facts(self) -> dict[str, Any]:
        return {"features": self.size}

    def manifest(self) -> dict[str, Any]:
        made: dict[str, Any] = {"mean": self.mean.tolist(), "spread": self.spread.tolist()}
        return made if self.missing is None else made | {"missing": self.missing}


def named_steps(rows: Array) -> tuple[list[str], list[bool]]:
    """The first numbers of each of (T, D) timesteps, and that all are known."""
    more = " …" if rows.shape[1] > SHOWN_NUMBERS else ""
    names = [" ".join(f"{x:g}" for x in row[:SHOWN_NUMBERS]) + more for row in rows.tolist()]
    return names, [True] * len(names)


def steps_of(value: Value, missing: Missing = None) -> Array:
    """(T, D) from a sequence of numbers as :func:`~rnncli.data.formats.values.sequence` reads it.

    Args:
        missing: what is done about numbers that are missing inside it.

    Raises:
        ValueError: it is something else; the message goes on after "the sequence ".
    """
    numbers = sequence(value, missing)
    return numbers if numbers.ndim == 2 else numbers[:, None]
