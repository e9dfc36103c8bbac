"""Which tokens a model knows, and their ids."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, field
from itertools import islice, repeat

import numpy as np
import numpy.typing as npt

from rnncli.data.records import TOO_MANY
from rnncli.data.records.ragged import Ragged
from rnncli.data.records.short_repr import ShortRepr
from rnncli.memory import require_room

UNKNOWN = "<unk>"
Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, repr=False)
class Vocabulary(ShortRepr):
    """Known tokens by falling count, equal counts by alphabet; the id is the position.

    Tokens that are not known share one more id, the last: ``unknown``. Its row is trained because the training data
    have tokens below the minimum count.
    """

    tokens: tuple[str, ...]
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", {token: i for i, token in enumerate(self.tokens)})
        if len(self._ids) != len(self.tokens):
            raise ValueError("a token appears twice in the vocabulary")

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    @property
    def unknown(self) -> int:
        return len(self.tokens)

    @property
    def size(self) -> int:
        """V: the known tokens and the unknown one."""
        return len(self.tokens) + 1

    def encode(self, tokens: Iterable[str]) -> Ids:
        """(T,) ids."""
        get, unknown = self._ids.get, self.unknown
        length = len(tokens) if isinstance(tokens, Sized) else -1
        return np.fromiter(map(get, tokens, repeat(unknown)), np.int32, length)

    def token(self, token_id: int) -> str:
        """The token of an id; :data:`UNKNOWN` for the last one."""
        return self.tokens[token_id] if token_id < len(self.tokens) else UNKNOWN


# Tokens that are strings at a time, and tokens after which memory for more is checked.
_AT_A_TIME, _CHECKED_EVERY = 1 << 16, 1 << 22


class Corpus:
    """Texts as numbers while their vocabulary is still open: each distinct token gets the next free id.

    It holds 4 bytes a token instead of a string, so that 25,000 reviews are read, counted and encoded in one pass.
    """

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._flat, self._lengths = array("i"), array("i")
        self._checked = _CHECKED_EVERY

    def add(self, tokens: Iterable[str]) -> int:
        """Takes in the tokens of one text and returns how many they are.

        Raises:
            StorageError: the memory does not suffice to encode so many tokens.
        """
        ids, before, rest = self._ids, len(self._flat), iter(tokens)
        short = isinstance(tokens, list) and len(tokens) <= _AT_A_TIME
        for some in (tokens,) if short else iter(lambda: list(islice(rest, _AT_A_TIME)), []):
            self._flat.extend([ids.setdefault(token, len(ids)) for token in some])
            if len(self._flat) > self._checked:
                # To count them and to encode them, and what is still to come.
                what = f"encoding {len(self._flat):,} tokens, and there are more,"
                require_room(16 * len(self._flat), what, TOO_MANY)
                self._checked += _CHECKED_EVERY
        self._lengths.append(len(self._flat) - before)
        return self._lengths[-1]

    def drop_empty(self) -> None:
        """Forgets the texts without tokens."""
        self._lengths = array("i", filter(None, self._lengths))

    @property
    def distinct(self) -> list[str]:
        """The distinct tokens, each at its provisional id."""
        return list(self._ids)

    def tokens(self, rows: npt.NDArray[np.int64]) -> Iterator[list[str]]:
        """The tokens of these rows again, text by text."""
        distinct = self.distinct
        for ids in self.texts().take(rows):
            yield [distinct[k] for k in ids.tolist()]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """(rows,) tokens of each text."""
        return np.array(self._lengths, np.int64)

    def texts(self) -> Ragged:
        """Each text's provisional ids."""
        flat = np.frombuffer(self._flat, np.int32) if self._flat else np.empty(0, np.int32)
        return Ragged.of(flat, self.lengths)

    def counts(self, rows: Iterable[int]) -> dict[str, int]:
        """How often each token occurs in these rows."""
        return self._counted(self.texts().take(np.fromiter(rows, np.int64)).joined())

    def counts_up_to(self, end: int) -> dict[str, int]:
        """How often each token occurs among the first ones of all texts."""
        return self._counted(self.texts().flat[:end])

    def _counted(self, ids: Ids) -> dict[str, int]:
        return dict(zip(self._ids, np.bincount(ids, minlength=len(self._ids)).tolist(), strict=True))

    def encode(self, vocabulary: Vocabulary) -> Ragged:
        """Each text's ids in a finished vocabulary."""
        texts = self.texts()
        return texts.with_flat(vocabulary.encode(self.distinct)[texts.flat])


def build_vocabulary(
    counts: Mapping[str, int], *, min_count: int = 1, max_size: int | None = None, known: Vocabulary | None = None
) -> Vocabulary:
    """Keeps tokens with at least ``min_count`` occurrences, at most ``max_size`` of them: by count, then alphabet.

    Args:
        known: the vocabulary that a training goes on from, all tokens of which stay in their places before the others.
    """
    before = known.tokens if known is not None else ()
    kept = [(-count, token) for token, count in counts.items() if count >= max(1, min_count)]
    if known is not None:
        kept = [(count, token) for count, token in kept if token not in known]
    kept.sort()
    room = None if max_size is None else max(0, max_size - len(before))
    return Vocabulary((*before, *(token for _, token in kept[:room])))
