"""The rows of a file beside the inputs that are made of them, so that nothing of a table is lost on the way."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rnncli.data.formats.table import Row
from rnncli.data.formats.values import Value


class Kept(NamedTuple):
    """A row as it stands in the file.

    Attributes:
        line: where it starts.
        values: one for each of :attr:`KeptRows.names`.
        problem: why no input was made of it; None if one was.
    """

    line: int
    values: tuple[Value, ...]
    problem: str | None = None


class KeptRows:
    """Rows that were read and have no input yet.

    With it bad records are no errors: see :class:`~rnncli.data.formats.table.Ledger`.

    Args:
        timesteps: whether each timestep of a series is an input.

    Attributes:
        names: of the columns, as the file has them.
        in_order: whether inputs come in the order of their rows.
        grouped: whether an input is made of several rows.
    """

    def __init__(self, timesteps: bool = False) -> None:
        self.names: tuple[str, ...] = ()
        self.in_order = True
        self._timesteps = timesteps
        self._columns: tuple[str, ...] = ()
        self._rows: OrderedDict[int, tuple[Value, ...]] = OrderedDict()
        self._problems: dict[int, str] = {}
        self.grouped = False
        self._names_at: list[int] = []  # the places of the columns that name inputs of several rows each

    def opened(self, names: Sequence[str], columns: Sequence[str]) -> None:
        """A table begins; ``columns`` are its names as options name them, ``names`` as they stand in the file."""
        self.names, self._columns = tuple(names), tuple(columns)

    def row(self, row: Row) -> None:
        """Takes a row as it was read."""
        line, values = row
        self._rows[line] = self._named(values) if self.grouped else values

    def bad(self, line: int, what: str) -> None:
        """Takes note of what is wrong with the row of a line."""
        self._rows.setdefault(line, ())
        self._problems.setdefault(line, what)

    def come_together(self, ids: Iterable[str]) -> None:
        """From here on, several rows make a series; of those all that is kept is the values of columns that name it.

        Where each timestep is an input, all of its row is.
        """
        if self._timesteps:
            self.in_order = False
            return
        self.grouped = True
        self._names_at = [self._columns.index(id) for id in ids if id in self._columns]
        self.names = tuple(self.names[at] for at in self._names_at)
        for line, values in self._rows.items():
            self._rows[line] = self._named(values)

    def up_to(self, line: int) -> Iterator[Kept]:
        """The rows of which no input was made, and then the one of the input of this line."""
        if self.grouped or not self.in_order or line not in self._rows:
            yield Kept(line, self._filled(self._rows.pop(line, ())))
            return
        while True:
            at, values = self._rows.popitem(last=False)
            if at == line:
                self._problems.pop(at, None)
                yield Kept(at, self._filled(values))
                return
            yield Kept(at, self._filled(values), self._problems.pop(at, _NOT_READ))

    def rest(self) -> Iterator[Kept]:
        """The other rows, of which no input was made; of those that are grouped one for each value."""
        seen = set()
        for line, values in self._rows.items():
            problem = self._problems.get(line)
            if not self.grouped:
                yield Kept(line, self._filled(values), problem or _NOT_READ)
            elif problem is not None and values not in seen:
                seen.add(values)
                yield Kept(line, self._filled(values), problem)
        self._rows.clear()

    def _named(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(values[at] for at in self._names_at if at < len(values))

    def _filled(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        width = len(self.names)
        return values if len(values) == width else (*values[:width], *("",) * (width - len(values)))


_NOT_READ = "no input was made of this row"
