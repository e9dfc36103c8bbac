"""The files of validation and test rows, read like the data of a training and put beside them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.data.arrangement import PART_VALUES, Arrangement, Part, part_of
from rnncli.data.dataset import Dataset, Source
from rnncli.data.formats.folders import is_folder
from rnncli.data.formats.registry import format_of
from rnncli.data.formats.sources import display_name
from rnncli.data.layouts.layout import Request
from rnncli.data.opening import OpenedRecords, open_records, read_opened
from rnncli.data.readers import open_table
from rnncli.data.recognized import with_format
from rnncli.data.several import open_source
from rnncli.data.tables.source import names_in
from rnncli.errors import DataError, UsageError, counted, listed, quoted
from rnncli.storage import identity
from rnncli.training.starting_point import OtherFile

VALUES_SHOWN = 5  # of a column, in a message

# Options that name a file of rows beside the data, in the order in which their rows follow.
BESIDE = {"validation": Part.VALIDATION, "test": Part.TEST}


def with_files(
    dataset: Dataset, others: Mapping[str, Dataset]
) -> tuple[Dataset, dict[str, OtherFile], tuple[str, ...]]:
    """The records of the data and of the files beside them, each for its part.

    Args:
        others: option → the records of its file, of those in :data:`BESIDE`.

    Returns:
        The records of all files, for each option its file, and warnings.

    Raises:
        UsageError: a file holds the same as another one, or the rows are named twice.
        DataError: the column of the split has another value.
    """
    files = {option: OtherFile(other.source.path, other.digest) for option, other in others.items()}
    there = {option: others[option] for option in BESIDE if option in others}
    parts = _parts(dataset)
    if not there and parts is None and not len(dataset.groups):
        return dataset, files, ()
    parts = np.zeros(len(dataset.lines), np.int8) if parts is None else parts
    seen = [dataset]
    for option, other in there.items():
        same = next((one.name for one in seen if _same(one, other)), None)
        if same is not None:
            raise UsageError(
                f"--{option} {other.name} holds the same as {same}: a score on rows that were "
                "learned says nothing about new ones",
                "name a file of other rows",
            )
        if (parts == BESIDE[option]).any():
            rows = f"rows for {BESIDE[option].name.lower()}"
            raise UsageError(
                f"--{option} {other.name}: column {quoted(dataset.source.split or '')} of {dataset.name} "
                f"names the {rows} already",
                f"leave --{option} out, or the column: --ignore {shlex.quote(dataset.source.split or '')}",
            )
        seen.append(other)
    of_others = [np.full(len(other.lines), BESIDE[option], np.int8) for option, other in there.items()]
    groups, warnings = _groups(dataset, there)
    arrangement = Arrangement(np.concatenate([parts, *of_others]), groups, dataset.source.group or "")
    return dataset.joined(list(there.values()), arrangement), files, warnings


def _same(one: Dataset, other: Dataset) -> bool:
    """Whether two data sets hold the same; of those that are not read whole, whether they are one file."""
    if one.digest and other.digest:
        return one.digest == other.digest
    found = identity(other.source.path)
    return found is not None and found in map(identity, one.source.paths)


def _parts(dataset: Dataset) -> npt.NDArray[np.int8] | None:
    """(rows,) the :class:`Part` of each record, by the column of the split; None where there is none.

    Raises:
        DataError: a value means nothing.
    """
    if not len(dataset.splits):
        return None
    parts = [part_of(value) for value in dataset.splits]
    column = quoted(dataset.source.split or "")
    unknown = [row for row, part in enumerate(parts) if part is None]
    if unknown:
        values = list(dict.fromkeys(dataset.splits[row] for row in unknown))
        more = f" and {len(values) - VALUES_SHOWN:,} more" if len(values) > VALUES_SHOWN else ""
        shown = ", ".join(map(quoted, values[:VALUES_SHOWN])) + more
        raise DataError(
            f"{dataset.place(unknown[0])}: column {column} is to say what each row is for, and holds {shown}",
            f"its values are {PART_VALUES}; name another column with --split, or ignore it with --ignore",
        )
    return np.array(parts, np.int8)


def require_training_rows(dataset: Dataset) -> None:
    """Raises DataError: by the column of the split, no record is for training."""
    if dataset.arrangement is not None and not len(dataset.arrangement.rows(Part.TRAINING)):
        raise DataError(f"{dataset.name}: by column {quoted(dataset.source.split or '')} no row is for training")


def _groups(dataset: Dataset, others: Mapping[str, Dataset]) -> tuple[npt.NDArray[np.int64] | None, tuple[str, ...]]:
    """(rows,) the number of each record's group, and warnings; None where rows stand alone.

    Records of a file that has no such column are of no group: each is one of its own.
    """
    if not len(dataset.groups):
        return None, ()
    column, names, warnings = quoted(dataset.source.group or ""), list(dataset.groups), []
    known = set(names) - {""}
    for option, other in others.items():
        both = sorted(known.intersection(other.groups))
        if both:
            shown = ", ".join(map(quoted, both[:VALUES_SHOWN])) + (", …" if len(both) > VALUES_SHOWN else "")
            warnings.append(
                f"{counted(len(both), 'group')} of column {column} {'stands' if len(both) == 1 else 'stand'} both in "
                f"{dataset.name} and in --{option} {other.name}: {shown}; the score is too kind to new groups"
            )
        names += other.groups if len(other.groups) else [""] * len(other.lines)
    alone = sum(name == "" for name in dataset.groups)
    if alone:
        warnings.append(
            f"{counted(alone, 'row has', 'rows have')} no value in column {column}: each is a group of its own"
        )
    numbers: dict[object, int] = {}
    found = (numbers.setdefault(name or row, len(numbers)) for row, name in enumerate(names))
    return np.fromiter(found, np.int64, len(names)), tuple(warnings)


def read_like(dataset: Dataset, path: str, option: str, task: str) -> Dataset:
    """The records of a file, read by the same roles as a data set.

    Args:
        dataset: of which the file has to have the columns.
        option: that names the file.
        task: the name of what is trained, or "auto".

    Raises:
        UsageError: it is stdin.
        DataError: it has other columns, or a record cannot be read.
        StorageError: it cannot be read.
    """
    with _has_columns(dataset, table := _table(dataset, path, option), option):
        return read_opened(_opened(dataset, table, task))


def open_like(dataset: Dataset, path: str, option: str, task: str) -> OpenedRecords:
    """As :func:`read_like`, of which the first rows are read."""
    with _has_columns(dataset, table := _table(dataset, path, option), option):
        return _opened(dataset, table, task)


def _table(dataset: Dataset, path: str, option: str) -> Source:
    if path == "-":
        raise UsageError(f"{option} takes a file, not stdin", "save it first: a resumed training reads it again")
    source = dataset.source.of(path)
    table = with_format(
        replace(source, format=None if is_folder(path) else format_of(path) or source.format, split=None)
    )
    table = replace(table, sheet=None)
    grouped = table.group is None or table.group in _columns(dataset, table)
    return table if grouped else replace(table, group=None)


def _opened(dataset: Dataset, table: Source, task: str) -> OpenedRecords:
    labelled = table.label is not None
    doubted = table.layout is None or not labelled
    reads = dataset.reads if labelled else None
    how: dict[str, Any] = {"inputs": type(dataset.inputs), "sheet": _sheet(dataset), "doubted": doubted}
    return open_records(Request(table, labelled, reads=reads, **how), task)


@contextmanager
def _has_columns(dataset: Dataset, table: Source, option: str) -> Iterator[None]:
    """Inside, a file is read that is to have the columns of a data set."""
    try:
        yield
    except DataError:
        _require_columns(dataset, table, option)
        raise


def _require_columns(dataset: Dataset, source: Source, option: str) -> None:
    """Raises DataError: a file lacks a column of the data."""
    roles, columns = dataset.roles, _columns(dataset, source)
    if roles is None:
        return
    together = (named for named in (roles.id, roles.time) if named is not None)
    several = (part for named in together for part in ((named,) if named in columns else names_in(named)))
    wanted = [*roles.text, *roles.features, *roles.label, *several]
    missing = [quoted(name) for name in wanted if name not in columns]
    if missing:
        raise DataError(
            f"{option} {display_name(source.path)} has no column {listed(missing)}, which {dataset.name} has",
            f"its columns are {', '.join(columns)}; name those that both have with --text and --label",
        ) from None


def _sheet(dataset: Dataset) -> str | None:
    """That of the workbook that was read, of which others may have one of the same name."""
    return None if dataset.roles is None else dataset.roles.sheet


def _columns(dataset: Dataset, source: Source) -> tuple[str, ...]:
    one = partial(open_table, encoding=source.encoding, usual_sheet=_sheet(dataset))
    return open_source(source, lambda path, format: one(path, format=format)).columns


def without_test(dataset: Dataset) -> Dataset:
    """The records that a training may see."""
    if dataset.arrangement is None or not len(dataset.arrangement.rows(Part.TEST)):
        return dataset
    return dataset.take(np.flatnonzero(dataset.arrangement.parts != Part.TEST).tolist())
