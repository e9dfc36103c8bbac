"""The files of validation and test rows, read like the data of a training and put beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnncli.data.arrangement import Arrangement, Part
from rnncli.data.dataset import Dataset, Source, read_dataset
from rnncli.data.formats.registry import format_of
from rnncli.data.formats.sources import display_name
from rnncli.data.readers import open_table
from rnncli.errors import DataError, UsageError, listed, quoted
from rnncli.training.starting_point import OtherFile

# Options that name a file of rows beside the data, in the order in which their rows follow.
BESIDE = {"validation": Part.VALIDATION, "test": Part.TEST}


def with_files(dataset: Dataset, others: Mapping[str, Dataset]) -> tuple[Dataset, dict[str, OtherFile]]:
    """The records of the data and of the files beside them, each for its part.

    Args:
        others: option → the records of its file, of those in :data:`BESIDE`.

    Returns:
        The records of all files, and for each option its file.

    Raises:
        UsageError: a file holds the same as another one.
    """
    files = {option: OtherFile(other.source.path, other.digest) for option, other in others.items()}
    there = {option: others[option] for option in BESIDE if option in others}
    if not there:
        return dataset, files
    seen = {dataset.digest: dataset.name}
    for option, other in there.items():
        if other.digest in seen:
            raise UsageError(
                f"--{option} {other.name} holds the same as {seen[other.digest]}: a score on rows that were "
                "learned says nothing about new ones",
                "name a file of other rows",
            )
        seen[other.digest] = other.name
    counts = [len(there[option].lines) if option in there else 0 for option in BESIDE]
    arrangement = Arrangement.of_counts(len(dataset.lines), *counts)
    return dataset.joined(list(there.values()), arrangement), files


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
    if path == "-":
        raise UsageError(f"{option} takes a file, not stdin", "save it first: a resumed training reads it again")
    table = replace(dataset.source, path=path, format=format_of(path) or dataset.source.format)
    try:
        return read_dataset(table, table.label is not None, dataset.reads, task=task, inputs=type(dataset.inputs))
    except DataError:
        _require_columns(dataset, table, option)
        raise


def _require_columns(dataset: Dataset, source: Source, option: str) -> None:
    """Raises DataError: a file lacks a column of the data."""
    roles, columns = dataset.roles, open_table(source.path, format=source.format, encoding=source.encoding).columns
    if roles is None:
        return
    wanted = [*roles.text, *roles.features, *roles.label, roles.id, roles.time]
    missing = [quoted(name) for name in wanted if name is not None and name not in columns]
    if missing:
        raise DataError(
            f"{option} {display_name(source.path)} has no column {listed(missing)}, which {dataset.name} has",
            f"its columns are {', '.join(columns)}; name those that both have with --text and --label",
        ) from None


def without_test(dataset: Dataset) -> Dataset:
    """The records that a training may see."""
    if dataset.arrangement is None or not len(dataset.arrangement.rows(Part.TEST)):
        return dataset
    return dataset.take(np.flatnonzero(dataset.arrangement.parts != Part.TEST).tolist())
