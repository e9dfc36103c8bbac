"""FASTA: letters of DNA, RNA or proteins below a line that names them: ``>id label``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from rnncli.data.formats.decoding import lines_of
from rnncli.data.formats.table import Ledger, Opened, Row
from rnncli.errors import counted

_FIRST_RECORDS = 1000  # by which it is told what their first lines hold
_KEY = re.compile(r"([A-Za-z_]\w*)=(\S+)")


class _Record(NamedTuple):
    line: int
    name: str
    sequence: str


class _Header(NamedTuple):
    """The line that names a sequence: the parts of its id, values with a key, and other words."""

    parts: list[str]
    values: dict[str, str]
    words: list[str]


def open_fasta(chunks: Iterator[bytes], ledger: Ledger) -> Opened:
    """Columns ``id`` and ``sequence``, and one for each thing that all first lines say besides.

    ``>s1 label=coding`` has a column ``label``, ``>s1|coding`` a column ``part 2``, and ``>s1 coding`` one ``word 2``.
    Where the number of words differs, the column ``last word`` is theirs. The line of a record is its first.

    Raises:
        DataError: the file does not begin with ``>``.
    """
    records = _records(lines_of(chunks, ledger), ledger)
    first = list(islice(records, _FIRST_RECORDS))
    if not first:
        raise ledger.no_records()
    form = _Form.of([_header(record.name) for record in first])
    return Opened(("id", "sequence", *form.names), _rows(chain(first, records), form, ledger), first[0].line)


def _records(lines: Iterable[str], ledger: Ledger) -> Iterator[_Record]:
    begun: tuple[int, str] | None = None
    letters: list[str] = []
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if line.startswith(">"):
            if begun is not None:
                yield _Record(*begun, "".join(letters))
            begun, letters = (number, line[1:].strip()), []
        elif line and not line.startswith(";"):  # a comment, of old files
            if begun is None:
                raise ledger.fault(number, "a FASTA file begins with > and the name of a sequence")
            letters += line.split()
    if begun is not None:
        yield _Record(*begun, "".join(letters))


def _header(name: str) -> _Header:
    id, *rest = name.split() or [""]
    values = {found[1]: found[2] for word in rest if (found := _KEY.fullmatch(word))}
    return _Header(id.split("|"), values, [word for word in rest if not _KEY.fullmatch(word)])


class _Form(NamedTuple):
    """What every first line has: so many parts of the id, these keys, and so many words, or any number (-1)."""

    parts: int
    keys: Sequence[str]
    words: int

    @classmethod
    def of(cls, headers: Sequence[_Header]) -> _Form:
        parts = {len(header.parts) for header in headers}
        keys = [key for key in headers[0].values if all(key in header.values for header in headers)]
        words = {len(header.words) for header in headers}
        differing = 0 if 0 in words else -1
        return cls(parts.pop() if len(parts) == 1 else 1, keys, words.pop() if len(words) == 1 else differing)

    @property
    def names(self) -> list[str]:
        """Of the columns beside ``id`` and ``sequence``."""
        parts = [f"part {place}" for place in range(2, self.parts + 1)]
        words = ["last word"] if self.words < 0 else [f"word {place}" for place in range(2, self.words + 2)]
        return [*parts, *self.keys, *words]

    def values(self, header: _Header) -> list[str]:
        """Those of the columns.

        Raises:
            ValueError: the line lacks one.
        """
        if self.parts > 1 and len(header.parts) != self.parts:
            raise ValueError(f"{counted(len(header.parts), 'part')} in its id, and {self.parts} in those before")
        missing = next((key for key in self.keys if key not in header.values), None)
        if missing is not None:
            raise ValueError(f"there is no {missing}= in its first line")
        if len(header.words) != self.words if self.words > 0 else self.words < 0 and not header.words:
            raise ValueError(f"{counted(len(header.words), 'word')} behind its id, unlike those before")
        words = header.words[-1:] if self.words < 0 else header.words[: self.words]
        return [*header.parts[1 : self.parts], *(header.values[key] for key in self.keys), *words]

    def id(self, header: _Header) -> str:
        return header.parts[0] if self.parts > 1 else "|".join(header.parts)


def _rows(records: Iterable[_Record], form: _Form, ledger: Ledger) -> Iterator[Row]:
    for line, name, sequence in records:
        header = _header(name)
        try:
            if not sequence:
                raise ValueError("the sequence is empty")
            values = form.values(header)
        except ValueError as problem:
            ledger.bad_record(line, str(problem))
        else:
            yield Row(line, (form.id(header), sequence.removesuffix("*"), *values))
