"""Which tokens a model knows, and their ids."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rnncli.data.tokenizer import Tokenizer

UNKNOWN = "<unk>"
Ids = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Vocabulary:
    """Known tokens by falling count, equal counts by alphabet; the id is the position.

    Tokens that are not known share one more id, the last: ``unknown``. Its row is trained because the tokens under
    the minimum count have it in the training data.
    """

    tokens: tuple[str, ...]
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", {token: i for i, token in enumerate(self.tokens)})
        if len(self._ids) != len(self.tokens):
            raise ValueError("a token stands twice in the vocabulary")

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    @property
    def unknown(self) -> int:
        return len(self.tokens)

    @property
    def size(self) -> int:
        """V: the known tokens and the unknown one."""
        return len(self.tokens) + 1

    def encode(self, tokens: Sequence[str]) -> Ids:
        """(T,) ids."""
        get, unknown = self._ids.get, self.unknown
        return np.fromiter((get(token, unknown) for token in tokens), np.int32, len(tokens))

    def token(self, token_id: int) -> str:
        """The token of an id; :data:`UNKNOWN` for the last one."""
        return self.tokens[token_id] if token_id < len(self.tokens) else UNKNOWN


class Corpus:
    """Texts as numbers while their vocabulary is still open: each distinct token gets the next free id.

    It holds 4 bytes a token instead of a string, so that 25,000 reviews are read, counted and encoded in one pass.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._ids: dict[str, int] = {}
        self._flat = array("i")
        self._lengths: list[int] = []

    def add(self, text: str) -> int:
        """Takes in one text and returns how many tokens it has."""
        ids = self._ids
        tokens = self.tokenizer.tokens(text)
        self._flat.extend([ids.setdefault(token, len(ids)) for token in tokens])
        self._lengths.append(len(tokens))
        return len(tokens)

    def drop_empty(self) -> None:
        """Forgets the texts without tokens."""
        self._lengths = [length for length in self._lengths if length]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """(rows,) tokens of each text."""
        return np.array(self._lengths, np.int64)

    def texts(self) -> list[Ids]:
        """Each text's provisional ids, as views into one array."""
        flat = np.frombuffer(self._flat, np.int32) if len(self._flat) else np.empty(0, np.int32)
        return np.split(flat, np.cumsum(self._lengths)[:-1]) if self._lengths else []

    def counts(self, rows: Iterable[int]) -> dict[str, int]:
        """How often each token occurs in these rows."""
        texts = self.texts()
        chosen = [texts[row] for row in rows]
        joined = np.concatenate(chosen) if chosen else np.empty(0, np.int32)
        numbers = np.bincount(joined, minlength=len(self._ids)).tolist()
        return dict(zip(self._ids, numbers, strict=True))

    def encode(self, vocabulary: Vocabulary) -> list[Ids]:
        """Each text's ids in a finished vocabulary."""
        final = vocabulary.encode(list(self._ids))
        return [final[ids] for ids in self.texts()]


def build_vocabulary(counts: dict[str, int], *, min_count: int = 1, max_size: int | None = None) -> Vocabulary:
    """Keeps tokens with at least ``min_count`` occurrences, at most ``max_size`` of them: by count, then alphabet."""
    kept = [(-count, token) for token, count in counts.items() if count >= max(1, min_count)]
    kept.sort()
    return Vocabulary(tuple(token for _, token in kept[:max_size]))
