"""Records as they are read: each value in a few bytes, in the type that the inputs have; bad records are left out."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Self, TypeVar, overload

import numpy as np
import numpy.typing as npt

from rnncli.data.formats.missing import HOW_TO_FILL, Gap, Missing
from rnncli.data.formats.numbers import Floats, as_json
from rnncli.data.formats.table import Ledger
from rnncli.data.formats.values import (
    Value,
    as_text,
    features,
    is_whole,
    number,
    parsed,
    sequence_as_written,
    split_words,
)
from rnncli.data.records.label_sets import label_set, shown_labels
from rnncli.data.records.ragged import Ragged
from rnncli.errors import counted, quoted
from rnncli.memory import require_room

T = TypeVar("T")
Rows = npt.NDArray[np.int64]

SKIP_HINT = "leave such records out with --skip-bad"
TOO_MANY = "take fewer records, or shorter texts"
_CHECKED_EVERY, _MUCH = 1 << 16, 1 << 22  # records, and bytes of one, after which memory for more is checked
_AT_A_TIME = 256  # texts that are kept together
_LONG = 1024  # bytes of a value that is kept once, however many records have it: it may be a whole file's numbers


class _Column(Sequence[T], ABC):
    """One value of each record; equal to a list of the same values."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(map(self._same, self, other))

    __hash__ = None  # type: ignore[assignment]

    @overload
    def __getitem__(self, row: int) -> T: ...
    @overload
    def __getitem__(self, row: slice) -> list[T]: ...
    def __getitem__(self, row: int | slice) -> T | list[T]:
        if isinstance(row, slice):
            return [self[k] for k in range(*row.indices(len(self)))]
        return self._at(row)

    @abstractmethod
    def _at(self, row: int) -> T: ...

    @staticmethod
    def _same(mine: T, its: T) -> bool:
        return bool(mine == its)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})"


class Inputs(_Column[T]):
    """Values of one type as consecutive bytes: 12 bytes and its own a value, where a list takes over 60.

    Attributes:
        what: such a value in a message.
        sizes: bytes of each.
    """

    what = "input"

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self._data = bytearray()
        self._starts, self.sizes = array("q"), array("i")
        self._long: dict[int, int] = {}  # hash of a long value → a record that has it
        for value in values:
            self.append(value)

    @abstractmethod
    def append(self, value: Value) -> None:
        """Keeps a value.

        Raises:
            ValueError: it is of another type; the message continues "the sequence " or "the input ".
        """

    def problem(self, value: Value) -> str | None:
        """Why a value cannot be kept, where that shows before it is."""
        return None

    @abstractmethod
    def text(self, row: int) -> str:
        """A value as it is shown."""

    def take(self, rows: Sequence[int]) -> Self:
        """The values of these rows, in their order."""
        made = copy(self)
        made._data, made._starts, made.sizes, made._long = bytearray(), array("q"), array("i"), {}
        for row in rows:
            made._put(bytes(self._bytes(row)))
        return made

    def extend(self, other: Self) -> None:
        """Keeps the values of another column of the same type, after its own."""
        for row in range(len(other)):
            self._put(bytes(other._bytes(row)))

    def _put(self, data: bytes) -> None:
        size = len(data)
        if size >= _LONG:
            known = self._long.setdefault(hash(data), len(self))
            if known < len(self) and self._bytes(known) == data:
                self._starts.append(self._starts[known])
                self.sizes.append(size)
                return
        self._starts.append(len(self._data))
        self.sizes.append(size)
        self._data += data

    def _bytes(self, row: int) -> bytearray:
        start = self._starts[row]
        return self._data[start : start + self.sizes[row]]

    @property
    def nbytes(self) -> int:
        """Bytes that they take."""
        return len(self._data) + 12 * len(self._starts)

    def __len__(self) -> int:
        return len(self._starts)

    def distinct(self) -> tuple[Rows, Rows]:
        """Records whose values are kept apart, and (N,) for each record the index of its own among these.

        Long values that are equal are the same.
        """
        # An empty value begins where the next one does.
        kept = 2 * np.array(self._starts, np.int64) + (np.array(self.sizes) == 0)
        _, rows, of_record = np.unique(kept, return_index=True, return_inverse=True)
        return rows, of_record


class Texts(Inputs[str]):
    """Texts as UTF-8; a value of another type is kept as it is shown."""

    def append(self, value: Value) -> None:
        self._put((value if type(value) is str else as_text(value)).encode("utf-8", "surrogatepass"))

    def append_all(self, texts: Sequence[str]) -> None:
        """Keeps texts, faster than one by one: a table has a million of them."""
        joined = "".join(texts)
        data: Sequence[str] | Sequence[bytes] = texts
        if not joined.isascii():
            data = [text.encode("utf-8", "surrogatepass") for text in texts]
        sizes = list(map(len, data))
        if not sizes or max(sizes) >= _LONG:  # of none, accumulate gives the initial value
            for text in texts:
                self.append(text)
            return
        self._starts.extend(accumulate(sizes[:-1], initial=len(self._data)))
        self.sizes.fromlist(sizes)
        self._data += joined.encode("utf-8", "surrogatepass")

    @classmethod
    def of_nothing(cls, count: int) -> Self:
        """As many empty texts."""
        made = cls()
        made._starts, made.sizes = array("q", bytes(8 * count)), array("i", bytes(4 * count))
        return made

    def _at(self, row: int) -> str:
        return self._bytes(row).decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        for start, length in zip(self._starts, self.sizes, strict=True):
            yield self._data[start : start + length].decode("utf-8", "surrogatepass")

    def text(self, row: int) -> str:
        return self[row]


class Shown(_Column[str]):
    """Inputs as they are shown."""

    def __init__(self, inputs: Inputs[Any]) -> None:
        self._inputs = inputs

    def __len__(self) -> int:
        return len(self._inputs)

    def _at(self, row: int) -> str:
        return self._inputs.text(row)


class _Parsed(Inputs[T]):
    """Words or numbers; a value that came as a text is shown as that text."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self._sources = Texts()  # "" for a value that was no text; empty while none was
        super().__init__(values)

    def _keep_source(self, value: Value) -> None:
        if isinstance(value, str) or self._sources.sizes:
            while len(self._sources) < len(self) - 1:
                self._sources.append("")
            self._sources.append(value if isinstance(value, str) else "")

    @abstractmethod
    def _shown(self, row: int) -> str: ...

    def text(self, row: int) -> str:
        return (self._sources[row] if self._sources else "") or self._shown(row)

    def take(self, rows: Sequence[int]) -> Self:
        made = super().take(rows)
        made._sources = self._sources.take(rows if self._sources else ())
        return made

    def extend(self, other: Self) -> None:
        if other._sources or self._sources:
            for column, count in ((self, len(self)), (other, len(other))):
                while len(column._sources) < count:
                    column._sources.append("")
            self._sources.extend(other._sources)
        super().extend(other)


class _Names(_Parsed[tuple[str, ...]]):
    """Names of which many records have the same ones, 4 bytes each."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self._ids: defaultdict[str, int] = defaultdict()
        self._ids.default_factory = self._ids.__len__  # a new name has the next id
        self._names: list[str] = []  # by id, as many as were looked at
        super().__init__(values)

    def _put_names(self, names: Iterable[str]) -> None:
        self._put(array("i", list(map(self._ids.__getitem__, names))).tobytes())

    def extend(self, other: Self) -> None:
        # The same name has another id there, and the bytes that are kept are ids.
        made = copy(other)
        ids = np.array([self._ids[name] for name in other._ids], np.int32)
        made._data = bytearray(ids[np.frombuffer(other._data, np.int32)].tobytes())
        super().extend(made)

    def _at(self, row: int) -> tuple[str, ...]:
        if len(self._names) < len(self._ids):
            self._names = list(self._ids)
        return tuple([self._names[k] for k in memoryview(self._bytes(row)).cast("i")])


class TokenLists(_Names):
    """Words or tags; a text that is not a list of them is split at its white space.

    Args:
        compact: whether they are shown as JSON lines have them.
    """

    def __init__(self, values: Iterable[Any] = (), compact: bool = False) -> None:
        self._compact = compact
        super().__init__(values)

    def append_split(self, value: Value, tokens: tuple[str, ...]) -> None:
        """Keeps a value that was split before."""
        self._compact |= isinstance(value, list)
        self._put_names(tokens)
        self._keep_source(value)

    def append(self, value: Value) -> None:
        self.append_split(value, split_words(value))

    def extend(self, other: Self) -> None:
        self._compact = self._compact or other._compact
        super().extend(other)

    def _shown(self, row: int) -> str:
        return as_text(list(self[row]) if self._compact else self[row])


class LabelSets(_Names):
    """Any number of labels, none included, each once and sorted.

    Args:
        read: gives the labels of a value; raises ValueError whose message continues "the label ".
    """

    what = "label"

    def __init__(self, values: Iterable[Any] = (), read: Callable[[Value], tuple[str, ...]] = label_set) -> None:
        self._read = read
        super().__init__(values)

    def append(self, value: Value) -> None:
        self._put_names(self._read(value))

    def problem(self, value: Value) -> str | None:
        try:
            self._read(value)
        except ValueError as error:
            return f"the label {error}"
        return None

    def _shown(self, row: int) -> str:
        return shown_labels(self[row])


class NumberArrays(_Parsed[Floats]):
    """Sequences of numbers as float64: (T, D) each, or (T,) where a timestep is one number.

    Args:
        spaced: whether they are shown with spaces after the commas.
        whole: whether whole numbers are shown without a point, however the file has them.
        missing: what is done about numbers that are missing inside a sequence.
    """

    what = "sequence"

    def __init__(
        self, values: Iterable[Any] = (), spaced: bool = False, whole: bool = False, missing: Missing = None
    ) -> None:
        self._widths = array("i")  # 0 where a timestep is one number
        self._whole = bytearray()  # whether whole numbers are shown without a point
        self._spaced, self._all_whole, self._missing = spaced, whole, missing
        super().__init__(values)

    def append(self, value: Value) -> None:
        self._append_array(*self._array_of(value))
        self._keep_source(value)

    def _array_of(self, value: Value) -> tuple[Floats, bool]:
        """The numbers, and whether whole ones of them are shown without a point."""
        return sequence_as_written(value, self._missing)

    def _append_array(self, numbers: Floats, whole: bool) -> None:
        self._widths.append(numbers.shape[1] if numbers.ndim == 2 else 0)
        self._whole.append(whole or self._all_whole)
        self._put(numbers.tobytes())

    def _at(self, row: int) -> Floats:
        numbers, width = np.frombuffer(self._bytes(row)), self._widths[row]
        return numbers.reshape(-1, width) if width else numbers

    @staticmethod
    def _same(mine: Floats, its: Floats) -> bool:
        return np.array_equal(mine, its)

    def _shown(self, row: int) -> str:
        numbers = self[row].tolist()
        numbers = _whole(numbers) if self._whole[row] else numbers
        return json.dumps(numbers) if self._spaced else as_text(numbers)

    def take(self, rows: Sequence[int]) -> Self:
        made = super().take(rows)
        made._widths = array("i", (self._widths[row] for row in rows))
        made._whole = bytearray(self._whole[row] for row in rows)
        return made

    def extend(self, other: Self) -> None:
        super().extend(other)
        self._widths.extend(other._widths)
        self._whole.extend(other._whole)

    @property
    def widths(self) -> npt.NDArray[np.int64]:
        """(N,) numbers of a timestep of each."""
        return np.maximum(np.array(self._widths, np.int64), 1)

    def windows(self, rows: Rows, first: Rows, lengths: Rows) -> NumberArrays:
        """Parts of the sequences, as records of their own that share the numbers of these.

        Args:
            rows: (windows,) the sequence of each.
            first: (windows,) its first timestep there.
            lengths: (windows,) its timesteps.
        """
        made = NumberArrays(whole=True)
        made._data, count = self._data, len(rows)
        if count:
            width = int(self.widths[0])
            starts = np.array(self._starts, np.int64)[rows] + 8 * width * first
            made._starts, made.sizes = array("q", starts.tolist()), array("i", (8 * width * lengths).tolist())
            made._widths, made._whole = array("i", [width]) * count, bytearray(b"\x01") * count
        return made

    def ragged(self, width: int) -> Ragged:
        """The sequences as (T, ``width``) each, which they have to be."""
        size = 8 * width
        starts, sizes = np.array(self._starts, np.int64), np.array(self.sizes, np.int64)
        return Ragged(np.frombuffer(self._data).reshape(-1, width), starts // size, sizes // size)


def _whole(numbers: list[Any]) -> list[Any]:
    """The numbers of a list, or of a list of lists, as JSON lines have them: 3 and not 3.0."""
    return [_whole(number) if isinstance(number, list) else as_json(number) for number in numbers]


@dataclass(frozen=True, eq=False)
class Series:
    """A series whose timesteps are rows of a file.

    Attributes:
        numbers: (T, D).
        lines: (T,) of the rows.
        times: of the timesteps, as the file has them; none where it has none.
    """

    numbers: Floats
    lines: Rows
    times: tuple[str, ...] = ()


class SeriesArrays(NumberArrays):
    """Whole series, with the line of each timestep: what windows are cut from."""

    what = "series"

    def __init__(self, values: Iterable[Any] = (), spaced: bool = False, whole: bool = True) -> None:
        self.lines: list[Rows] = []  # (T,) of each series
        super().__init__(values, spaced, whole)

    def append(self, value: Any) -> None:
        self.lines.append(value.lines)
        super().append(value.numbers)

    def extend(self, other: Self) -> None:
        super().extend(other)
        self.lines += other.lines

    def take(self, rows: Sequence[int]) -> Self:
        made = super().take(rows)
        made.lines = [self.lines[row] for row in rows]
        return made


class Amounts(_Parsed[Floats]):
    """The numbers that are right: (K,) float64 each, shown as the file has them."""

    what = "number"

    def append(self, value: Value) -> None:
        self._put(self.read(value).tobytes())
        self._keep_source(value)

    def read(self, value: Value) -> Floats:
        """(K,) the numbers of a value.

        Raises:
            ValueError: it is something else, or has not as many as the first.
        """
        found: Any = parsed(value) if isinstance(value, str) and value.lstrip().startswith("[") else value
        several = found.tolist() if isinstance(found, np.ndarray) else found if isinstance(found, list) else [found]
        numbers = [number(one) for one in several]
        if not numbers or None in numbers:
            raise ValueError(f"is not a finite number: {quoted(as_text(value))}")
        if self.sizes and self.sizes[0] != 8 * len(numbers):
            raise ValueError(f"is {counted(len(numbers), 'number')}, and the first record has {self.sizes[0] // 8}")
        return np.array(numbers, np.float64)

    def problem(self, value: Value) -> str | None:
        try:
            self.read(value)
        except ValueError as error:
            return f"the number {error}"
        return None

    def _at(self, row: int) -> Floats:
        return np.frombuffer(self._bytes(row))

    @staticmethod
    def _same(mine: Floats, its: Floats) -> bool:
        return np.array_equal(mine, its)

    def _shown(self, row: int) -> str:
        numbers = [as_json(one) for one in self[row].tolist()]
        return as_text(numbers if len(numbers) > 1 else numbers[0])

    def array(self) -> Floats:
        """(N, K) the numbers of all records."""
        if not len(self):
            return np.empty((0, 1))
        at = np.array(self._starts, np.int64) // 8
        return np.asarray(np.frombuffer(self._data)[at[:, None] + np.arange(self.sizes[0] // 8)])


class FeatureRows(NumberArrays):
    """(D,) numbers of each record, which a text describes."""

    what = "input"

    def rows(self) -> tuple[Floats, Rows]:
        """(U, D) the distinct rows, all of one size, and (N,) which of them is each record's."""
        chosen, of_record = self.distinct()
        return np.frombuffer(self._data).reshape(len(chosen), -1), of_record

    def _array_of(self, value: Value) -> tuple[Floats, bool]:
        return features(value), isinstance(value, np.ndarray) and is_whole(value)


def _tags_problem(found: tuple[str, ...], tags: tuple[str, ...]) -> str | None:
    """What is wrong with words and tags that do not go together."""
    if len(found) != len(tags):
        return f"{counted(len(found), 'word')} and {counted(len(tags), 'tag')}; there is a tag for each word"
    if not found:
        return "the sentence has no words"
    if not all(tags) or any(map(str.isspace, set(tags))):
        return f"the tag of word {next(k for k, tag in enumerate(tags, 1) if not tag.strip())} is empty"
    return None


@dataclass
class Records:
    """The records of a file that have been read so far.

    Attributes:
        ledger: of the file, which counts the records that are left out.
        inputs, labels, lines: one entry a record; if labels are not given, words have a tag each, other inputs a text.
        shown: the name of each record, where its input is hard to read; empty otherwise.
    """

    ledger: Ledger
    inputs: Inputs[Any]
    labels: Inputs[Any] = None  # type: ignore[assignment]  # made below
    lines: array[int] = field(default_factory=lambda: array("q"))
    shown: Texts = field(default_factory=Texts)

    def __post_init__(self) -> None:
        if self.labels is None:
            self.labels = TokenLists() if isinstance(self.inputs, TokenLists) else Texts()

    def add_all(self, records: Iterable[tuple[int, Any, Value | None, str | None]]) -> None:
        """As :meth:`add`, of many records; texts and their labels are kept some at a time, which is faster.

        Raises:
            DataError, StorageError: as for one.
        """
        inputs, labels = self.inputs, self.labels
        if not (isinstance(inputs, Texts) and isinstance(labels, Texts)):
            for record in records:
                self.add(*record)
            return
        held: tuple[list[str], list[str]] = ([], [])
        characters = 0

        def keep() -> None:
            if held[0]:
                inputs.append_all(held[0])
                labels.append_all(held[1])
                self._require_room(len(held[0]))
                held[0].clear()
                held[1].clear()

        for line, input, label, name in records:
            if type(input) is not str or not (label is None or type(label) is str) or name is not None:
                keep()
                self.add(line, input, label, name)
                continue
            self.lines.append(line)
            held[0].append(input)
            if label is not None:
                held[1].append(label)
            characters += len(input)
            if len(held[0]) == _AT_A_TIME or characters > _MUCH:
                keep()
                characters = 0
        keep()

    def add(self, line: int, input: Value, label: Value | None, name: str | None = None) -> None:
        """Keeps a record, or leaves it out where its input is of another type, or its tags do not go with its words.

        Args:
            label: None where the file has no labels.

        Raises:
            DataError: that is so, and such records are not to be left out.
            StorageError: the memory does not suffice to train on more records.
        """
        if isinstance(self.inputs, TokenLists) and isinstance(self.labels, TokenLists) and label is not None:
            found = input if type(input) is tuple else split_words(input)
            tags = label if type(label) is tuple else split_words(label)
            problem = _tags_problem(found, tags)
            if problem is not None:
                self.ledger.bad_record(line, problem)
                return
            self.inputs.append_split(input, found)
            self.labels.append_split(label, tags)
        else:
            problem = None if label is None else self.labels.problem(label)
            if problem is not None:
                self.ledger.bad_record(line, problem)
                return
            try:
                self.inputs.append(input)
            except ValueError as error:
                hint = HOW_TO_FILL if isinstance(error, Gap) else None
                self.ledger.bad_record(line, f"the {self.inputs.what} {error}", hint)
                return
            if label is not None:
                self.labels.append(label)
        self.lines.append(line)
        if name is not None:
            self.shown.append(name)
        self._require_room(1)

    def _require_room(self, added: int) -> None:
        """Raises StorageError: the memory does not suffice for more records than these, the last of them just added."""
        count = len(self.lines)
        if count // _CHECKED_EVERY > (count - added) // _CHECKED_EVERY or max(self.inputs.sizes[-added:]) > _MUCH:
            # The next records, while the arrays grow, and all of them encoded, several times over.
            needed = 3 * (self.inputs.nbytes + self.labels.nbytes) + 32 * count
            require_room(needed, f"training on {count:,} records, and there are more,", TOO_MANY)
