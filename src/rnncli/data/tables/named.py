"""What is said of the columns of a table, done before its layout is recognized.

Columns are found by name or number, the texts of several become one, and the columns of parts and of groups are set
aside: no input is made of them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rnncli.data.formats.advice import command
from rnncli.data.formats.table import Ledger, Row, Table
from rnncli.data.formats.values import NULL, Value, as_text
from rnncli.data.tables.columns import find_column
from rnncli.data.tables.names import Rank, label_rank, text_rank
from rnncli.data.tables.source import Roles, Source, names_in
from rnncli.errors import DataError, UsageError, quoted

_log = logging.getLogger("rnncli.data")
_NAMED = ("text", "label", "features", "time", "id", "split", "group")
_ALONE = ("split", "group")  # roles of a single column
_APART = ("text", "label", "features", "time", "id")  # roles of which a column has one


@dataclass(frozen=True)
class Beside:
    """What stands beside the records: role → line on which a record starts → value."""

    values: dict[str, dict[int, str]] = field(default_factory=dict)

    def of(self, role: str, lines: Iterable[int]) -> Iterator[str]:
        """The values of the records that start on these lines; none where there is no such column."""
        found = self.values.get(role)
        return iter(()) if found is None else map(found.__getitem__, lines)

    def alike(self, rows: Iterable[Row], source: Source, ledger: Ledger, id_at: int | None) -> Iterator[Row]:
        """The rows of sequences, each of which is for one part, and in one group.

        Args:
            id_at: the place of the value that says which sequence a row belongs to; None for a single one.

        Raises:
            DataError: rows of a sequence are for different parts, or in different groups.
        """
        first: dict[tuple[str, str], int] = {}  # role and id → line
        id = ""
        for row in rows:
            # A row without an id is one of the sequence before, or a bad record.
            id = "" if id_at is None else as_text(row.values[id_at]).strip() or id
            for role, values in self.values.items():
                line = first.setdefault((role, id), row.line)
                if values[line] != values[row.line]:
                    raise _divided(source, ledger, role, id, values, line, row.line)
            yield row


def _divided(
    source: Source, ledger: Ledger, role: str, id: str, values: Mapping[int, str], line: int, other: int
) -> DataError:
    """The refusal of a sequence whose rows are for different parts, or in different groups."""
    name = getattr(source, role)
    file = replace(ledger.file, options=tuple(o for o in ledger.file.options if not o.startswith(f"--{role} ")))
    what = f"the sequence {quoted(id)}" if id else "the series"
    before = f"{quoted(values[line])} {f'at {ledger.place(line)}' if file.files else f'on line {line}'}"
    literals = (json.dumps(text, ensure_ascii=False) for text in (name, values[line]))
    only = file.filtered("r[{}]=={}".format(*literals))
    alike = file.command(command("--ignore", name))
    return file.refusal(
        f"{what} has {quoted(values[other])} in {quoted(name)} here, and {before}, but a sequence is on one side alone",
        f"To read all rows alike: {alike}. To make a file of some, and of others one for --test: {only}",
        other,
    )


def columns_named(columns: Sequence[str], names: str, option: str) -> tuple[str, ...]:
    """The columns that an option names, with commas between them; but a name that has commas itself comes first.

    Raises:
        DataError: there is no such column.
        UsageError: one is named twice.
    """
    several = (names,) if names in columns else names_in(names) or (names,)
    several = tuple(one for name in several for one in _range(columns, name, option))
    found = tuple(columns[find_column(columns, name, option)] for name in several)
    twice = next((name for at, name in enumerate(found) if name in found[:at]), None)
    if twice is not None:
        raise UsageError(f"{option} names the column {quoted(twice)} twice")
    return found


def _range(columns: Sequence[str], name: str, option: str) -> tuple[str, ...]:
    """Of ``t0:t99`` all columns from one to the other, in the order of the table; else the name itself."""
    first, colon, last = name.partition(":")
    if name in columns or not (first and colon and last):
        return (name,)
    start, end = (find_column(columns, one.strip(), option) for one in (first, last))
    return tuple(columns[start : end + 1])


def resolved(source: Source, columns: Sequence[str]) -> Source:
    """The source with the names of columns as the table has them.

    Raises:
        DataError: there is no such column.
        UsageError: several are named where there is one, or one for two roles.
    """
    found = {
        role: columns_named(columns, named, f"--{role}")
        for role in _NAMED
        if (named := getattr(source, role)) is not None
    }
    for role in _ALONE:
        if len(found.get(role, ())) > 1:
            raise UsageError(f"--{role} names one column, and not {len(found[role])}")
    roles: dict[str, str] = {}
    for role in _APART:
        for name in found.get(role, ()):
            other = roles.setdefault(name, role)
            if other != role and {other, role} != {"label", "features"}:  # what is forecast is read too
                raise UsageError(f"--{other} and --{role} both name the column {quoted(name)}")
    return source.naming(found)


def as_trained(
    source: Source, roles: Roles, columns: Sequence[str], file: str, labelled: bool
) -> tuple[Source, DataError | None]:
    """The source with the columns that a model was trained on, where the user names no others.

    Args:
        file: its name, for messages.
        labelled: whether labels are read.

    Returns:
        The source, and the refusal of a table that lacks one of them; where it is something else altogether, to say
        that comes first.
    """
    kept = {"text": roles.text, "features": roles.features, "time": (roles.time,), "id": (roles.id,)}
    filled = {role: tuple(name for name in names if name is not None) for role, names in kept.items()}
    if labelled and source.split is None and roles.split in columns:
        source = replace(source, split=roles.split)
    named = any(getattr(source, role) is not None for role in (*filled, "layout"))
    if roles.by_form:
        return (source if named else replace(source, layout=roles.layout)), None
    if not named:
        missing = _missing(columns, [(name, role) for role, names in filled.items() for name in names])
        if missing is None:
            source = replace(source, layout=roles.layout).naming(filled)
        elif not (roles.layout == "texts" and (len(columns) == 1 or _any_named(columns, text_rank))):
            return source, _lacks(file, *missing)
        elif len(columns) > 1:
            _say_guessed(file, *missing)
    if labelled and source.label is None and roles.label:
        missing = _missing(columns, [(name, "label") for name in roles.label])
        if missing is None:
            return source.naming({"label": roles.label}), None
        if not (roles.layout == "texts" and _any_named(columns, label_rank)):
            return source, _lacks(file, *missing)
        _say_guessed(file, *missing)
    return source, None


def _missing(columns: Sequence[str], wanted: Iterable[tuple[str, str]]) -> tuple[str, str] | None:
    """The first column, with its role, that is not there."""
    return next(((name, role) for name, role in wanted if name not in columns), None)


def _any_named(columns: Iterable[str], rank: Rank) -> bool:
    """Whether a name says that its column holds what is looked for, or columns have no names but numbers."""
    return any(rank(name) is not None for name in columns) or all(map(str.isdigit, columns))


def _say_guessed(file: str, name: str, role: str) -> None:
    _log.warning("%s: %s; the column is guessed, and --%s COLUMN names it", file, _no_column(name, role), role)


def _lacks(file: str, name: str, role: str) -> DataError:
    return DataError(f"{file}: {_no_column(name, role)}", f"Name the column that holds it here: --{role} COLUMN")


def _no_column(name: str, role: str) -> str:
    held = "which held the labels in training" if role == "label" else "which the model reads"
    return f"there is no column {quoted(name)}, {held}"


def ignore(table: Table, names: str) -> None:
    """Leaves columns out of a table.

    Raises:
        DataError: there is no such column, or no column is left.
    """
    ignored = columns_named(table.columns, names, "--ignore")
    kept = [at for at, name in enumerate(table.columns) if name not in ignored]
    if not kept:
        raise DataError("--ignore: all columns are left out, and there is nothing to read")
    keep(table, kept)


def set_aside(table: Table, source: Source) -> Beside:
    """Takes the columns of parts and of groups out of a table, and notes what they hold as the rows pass."""
    named = {role: name for role in ("split", "group") if (name := getattr(source, role)) is not None}
    used = {getattr(source, role) for role in _APART}
    beside = Beside({role: {} for role in named})
    if not named:
        return beside
    places = {role: table.columns.index(name) for role, name in named.items()}
    noted = [(at, beside.values[role]) for role, at in places.items()]
    before = table.rows

    def rows() -> Iterator[Row]:
        for row in before:
            for at, values in noted:
                value = row.values[at]
                values[row.line] = "" if value is NULL else as_text(value).strip()
            yield row

    table.rows = rows()
    left_out = [at for role, at in places.items() if named[role] not in used]
    keep(table, [at for at in range(len(table.columns)) if at not in left_out])
    return beside


def keep(
    table: Table, kept: Sequence[int], made: Callable[[Sequence[Value]], str] | None = None, name: str = ""
) -> None:
    """Leaves a table some of its columns, and gives it one that is made of a row's values."""
    before = table.rows

    def rows() -> Iterator[Row]:
        for line, values in before:
            more = () if made is None else (made(values),)
            yield Row(line, (*(values[at] for at in kept), *more))

    table.columns = (*(table.columns[at] for at in kept), *(() if made is None else (name,)))
    table.rows = rows()
