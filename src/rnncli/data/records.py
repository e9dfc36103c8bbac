"""Records as they are read: kept, or left out with the reason."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, overload

import numpy as np
import numpy.typing as npt

from rnncli.errors import DataError
from rnncli.memory import require_room

T = TypeVar("T")
Rows = npt.NDArray[np.int64]

# Of how many records that were left out it is kept why.
SKIPPED_SHOWN = 5
SKIP_HINT = "leave such records out with --skip-bad"


TOO_MANY = "take fewer records, or shorter texts"
# It is looked after so many records whether there is room for more, and after each of so many characters.
CHECKED_EVERY, _MUCH = 1 << 16, 1 << 22

# A text of so many characters is kept once, however many records have it: it may be the numbers of a whole file.
_LONG = 1024


class _Compact(Sequence[T]):
    """What is kept of each record, in a few bytes; equal to a list of the same values."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})"


class Texts(_Compact[str]):
    """Texts as UTF-8, one behind the other: 12 bytes and its own a text, where a list and a string take over 60."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._data = bytearray()
        self._starts, self._sizes = array("q"), array("i")
        self._long: dict[int, int] = {}  # hash of a long text → a record that has it
        for text in texts:
            self.append(text)

    def append(self, text: str) -> None:
        if len(text) >= _LONG:
            known = self._long.setdefault(hash(text), len(self))
            if known < len(self) and self[known] == text:
                self._starts.append(self._starts[known])
                self._sizes.append(self._sizes[known])
                return
        data = text.encode("utf-8", "surrogatepass")
        self._starts.append(len(self._data))
        self._sizes.append(len(data))
        self._data += data

    @property
    def nbytes(self) -> int:
        """What they take."""
        return len(self._data) + 12 * len(self._starts)

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self[k] for k in range(*row.indices(len(self)))]
        start = self._starts[row]
        return self._data[start : start + self._sizes[row]].decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        for start, size in zip(self._starts, self._sizes, strict=True):
            yield self._data[start : start + size].decode("utf-8", "surrogatepass")

    def distinct(self) -> tuple[Rows, Rows]:
        """Records whose texts are kept apart, and for each record the place among these of its own.

        Long texts that are equal are the same.
        """
        # An empty text begins where the next one does.
        kept = 2 * np.array(self._starts, np.int64) + (np.array(self._sizes) == 0)
        _, rows, places = np.unique(kept, return_index=True, return_inverse=True)
        return rows, places


def distinct_texts(texts: Sequence[str]) -> tuple[Rows, Rows]:
    """As :meth:`Texts.distinct`, of any texts."""
    return (texts if isinstance(texts, Texts) else Texts(texts)).distinct()


class Lines(_Compact[int]):
    """Numbers of lines, 8 bytes each."""

    def __init__(self, lines: Iterable[int] = ()) -> None:
        self._lines = array("q", lines)

    def append(self, line: int) -> None:
        self._lines.append(line)

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, row: int) -> int: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[int]: ...
    def __getitem__(self, row: int | slice) -> int | Sequence[int]:
        return self._lines[row]

    def __iter__(self) -> Iterator[int]:
        return iter(self._lines)


def require_room_for(*columns: Texts) -> None:
    """Refuses to go on reading where what was read can no longer be worked on.

    Raises:
        StorageError: there is no room.
    """
    # What is read next, while there is room to move it; and the same records encoded, several times over.
    needed = 3 * sum(column.nbytes for column in columns) + 32 * len(columns[0])
    require_room(needed, f"training on {len(columns[0]):,} records, and there are more,", TOO_MANY)


@dataclass
class Records:
    """What was read of a file so far.

    Args:
        name: of the file, in messages.
        skip_bad: leave out what cannot be used.

    Attributes:
        texts, labels, lines: one entry a record.
        shown: what to call each record, where its text is not what anybody wants to see; empty otherwise.
        skipped: messages for the first records that were left out.
        skipped_count: how many were.
    """

    name: str
    skip_bad: bool
    texts: Texts = field(default_factory=Texts)
    labels: Texts = field(default_factory=Texts)
    lines: Lines = field(default_factory=Lines)
    shown: Texts = field(default_factory=Texts)
    skipped: list[str] = field(default_factory=list)
    skipped_count: int = 0

    def add(self, line: int, text: str, label: str, shown: str | None = None) -> None:
        """Keeps a record."""
        self.texts.append(text)
        self.labels.append(label)
        self.lines.append(line)
        if shown is not None:
            self.shown.append(shown)
        if len(self.texts) % CHECKED_EVERY == 0 or len(text) > _MUCH:
            require_room_for(self.texts, self.labels)

    def leave_out(self, line: int, problem: str) -> None:
        """Counts a record that cannot be used.

        Raises:
            DataError: such records are not to be left out.
        """
        message = f"{self.name}:{line}: {problem}"
        if not self.skip_bad:
            raise DataError(message, SKIP_HINT)
        self.skipped_count += 1
        if len(self.skipped) < SKIPPED_SHOWN:
            self.skipped.append(message)

    def require_some(self) -> None:
        """Raises DataError: nothing was kept."""
        if not self.texts:
            raise DataError(f"{self.name}: no records")
