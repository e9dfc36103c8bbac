"""What the preparation of records for a training shares among tasks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from rnncli.config import Settings
from rnncli.core.packed import Array, Params
from rnncli.data.arrangement import Arrangement, Part
from rnncli.data.records.ragged import Ragged, rows_of
from rnncli.data.records.short_repr import ShortRepr
from rnncli.data.splits import fold_numbers, grouped_split, stratified_split
from rnncli.data.text.vocabulary import Vocabulary, build_vocabulary
from rnncli.errors import DataError, UsageError, counted, quoted
from rnncli.machine import available_memory
from rnncli.memory import require_room, size_words
from rnncli.record import Record
from rnncli.tasks.comparison import Baseline
from rnncli.tasks.model import Model
from rnncli.tasks.network import Network
from rnncli.tasks.report import Report
from rnncli.tasks.rows import EncodedRows

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


@dataclass(frozen=True, repr=False)
class Prepared(ShortRepr):
    """Everything a training starts from.

    Attributes:
        untrained: the model without parameters; its settings leave open only choices of the loop.
        train, validation: encoded rows.
        report: what the data set is like.
        baselines: scores the baselines on the validation rows.
        word_tables: flat name of an embedding → the words of its first rows; empty where timesteps are not words.
    """

    untrained: Model
    train: EncodedRows
    validation: EncodedRows
    report: Report
    baselines: Callable[[], tuple[Baseline, ...]] = field(repr=False, kw_only=True)
    word_tables: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False, kw_only=True)

    @property
    def settings(self) -> Settings:
        return self.untrained.settings

    @property
    def network(self) -> Network:
        return self.untrained.network

    def with_settings(self, settings: Settings) -> Prepared:
        return replace(self, untrained=self.untrained.with_training(settings, self.untrained.record))

    def model(self, params: Params, record: Record) -> Model:
        """The trained model."""
        return self.untrained.with_params(params).with_training(self.settings, record)


class Split(NamedTuple):
    """Row numbers for training and for validation.

    Attributes:
        validation: or those for testing, where a model is judged on them.
        chosen_on: the rows that choose the epoch; None where they are those of ``validation``.
        groups: the column of groups, and how many are for training and for validation; None where rows stand alone.
    """

    train: Array
    validation: Array
    chosen_on: Array | None = None
    groups: tuple[str, int, int] | None = None

    @property
    def looked_at(self) -> Array:
        """The rows by which data are described: those for validation, or those for training if there are none."""
        return self.validation if len(self.validation) else self.train

    @property
    def looked_at_are(self) -> str:
        """What the rows of :attr:`looked_at` are for."""
        return "validation" if len(self.validation) else "training"

    @property
    def sizes(self) -> dict[str, Any]:
        """How many rows there are, as fields of a report."""
        return {"training_rows": len(self.train), "validation_rows": len(self.validation), "groups": self.groups}


def split(dataset: Dataset, settings: Settings, targets: Array | None = None) -> Split:
    """Sets rows aside for validation, as the data set's arrangement says or else by chance.

    Args:
        targets: (rows,) numbers of labels, each of which gives the same share of its rows; None for no labels.

    Raises:
        DataError: there are too few rows to set any aside.
    """
    arrangement = dataset.arrangement
    if arrangement is None:
        return _by_chance(dataset, settings, np.arange(len(dataset.lines)), targets)
    learned, validation, test = (arrangement.rows(part) for part in Part)
    if arrangement.folds:
        of_fold = _in_fold(dataset, arrangement, settings, learned, targets)
        learned, test = learned[~of_fold], learned[of_fold]
    made = Split(learned, validation) if len(validation) else _by_chance(dataset, settings, learned, targets)
    if arrangement.tested:
        made = Split(made.train, test, made.validation)
    if arrangement.groups is None:
        return made
    training, judged = (len(np.unique(arrangement.groups[rows])) for rows in (made.train, made.validation))
    return made._replace(groups=(arrangement.grouped_by, training, judged))


def _in_fold(
    dataset: Dataset, arrangement: Arrangement, settings: Settings, rows: Array, targets: Array | None
) -> Array:
    """(rows,) whether each of these rows is of the fold that is for testing.

    Raises:
        DataError: there are fewer rows, or groups, than folds.
    """
    groups = None if arrangement.groups is None else arrangement.groups[rows]
    count = len(rows) if groups is None else len(np.unique(groups))
    if count < arrangement.folds:
        what = "record" if groups is None else f"group of column {quoted(arrangement.grouped_by)}"
        have = counted(count, what, what.replace("record", "records").replace("group ", "groups "))
        raise DataError(
            f"{dataset.name}: {have} cannot be divided into {arrangement.folds} folds", "take fewer --folds"
        )
    alike = np.zeros(len(rows), np.int64) if targets is None else targets[rows]
    return np.asarray(fold_numbers(alike, groups, arrangement.folds, settings.seed) == arrangement.fold)


def _by_chance(dataset: Dataset, settings: Settings, rows: Array, targets: Array | None) -> Split:
    """Sets a share of these rows aside."""
    share, arrangement = settings.validation_share, dataset.arrangement
    if share == 0:
        return Split(rows, rows[:0])
    alike = np.zeros(len(rows), np.int64) if targets is None else targets[rows]
    if arrangement is None or arrangement.groups is None:
        train, validation = stratified_split(alike, share, settings.seed)
    else:
        train, validation = grouped_split(alike, arrangement.groups[rows], share, settings.seed)
        if not len(validation):
            raise DataError(
                f"{dataset.name}: no group of column {quoted(arrangement.grouped_by)} can be set aside for validation: "
                "each holds all rows of some label",
                "train without validation (--validation 0), or without --group",
            )
    if not len(validation):
        needed = int(np.ceil(0.5 / share)) + (share >= 0.5)
        raise DataError(
            f"{dataset.name}: {counted(len(rows), 'record is', 'records are')} too few "
            f"to set {share:.0%} aside for validation"
            + ("" if targets is None else f"; some label needs at least {needed}"),
            "train without validation (--validation 0), or set more aside",
        )
    return Split(rows[train], rows[validation])


T = TypeVar("T", Array, Ragged)
MOST_LABELS = 10_000


def require_few_labels(dataset: Dataset, labels: int, hint: str) -> None:
    """Raises DataError: so many different labels most likely are none."""
    records = len(dataset.lines)
    if labels > MOST_LABELS or (labels > 50 and labels > records / 2):
        raise DataError(
            f"{dataset.name}: column {quoted(dataset.source.label or '')} has {labels:,} different labels in "
            f"{records:,} records",
            hint,
        )


def learned_labels(
    dataset: Dataset,
    rows: Split,
    names: tuple[str, ...],
    numbers: T,
    known: tuple[str, ...] = (),
    what: str = "label",
) -> tuple[tuple[str, ...], T]:
    """The labels that a model learns, and the number of each row's label or labels among them.

    Where the model is judged on rows for testing, a label that only they have is none of the model's: its number is
    that after the last, which no prediction equals, so that it is always counted wrong.

    Args:
        names: all labels of the data set.
        numbers: of the labels of each row, among ``names``.
        known: the labels of the model that the training goes on from, which stay in their places.
        what: a label is called.

    Raises:
        DataError: the user has chosen the validation rows, and one has a label that no training row has.
    """
    if dataset.arrangement is None and not known:
        return names, numbers
    before: frozenset[str] = frozenset(known)
    learned: Array = np.array([name in before for name in names], np.bool_)
    learned[_flat(numbers, rows.train)] = True
    given = [] if dataset.arrangement is None else dataset.arrangement.rows(Part.VALIDATION).tolist()
    for row in given:
        unknown = [k for k in np.atleast_1d(numbers[row]).tolist() if not learned[k]]
        if unknown:
            raise DataError(
                f"{dataset.place(row)}: no training row has the {what} {quoted(names[unknown[0]])}",
                "put such rows among those for training, or leave them out of the validation",
            )
    learned[_flat(numbers, rows.validation if rows.chosen_on is None else rows.chosen_on)] = True
    mine = (
        *known,
        *(name for name, is_learned in zip(names, learned, strict=True) if is_learned and name not in before),
    )
    if len(mine) < 2:
        raise DataError(f"{dataset.name}: all rows for training have the {what} {quoted(mine[0])}")
    place = {name: k for k, name in enumerate(mine)}
    renumbered = np.array([place.get(name, len(mine)) for name in names], np.int64)
    if mine == names:
        return names, numbers
    return mine, numbers.with_flat(renumbered[numbers.flat]) if isinstance(numbers, Ragged) else renumbered[numbers]


def learned_columns(
    dataset: Dataset, rows: Split, names: tuple[str, ...], targets: Array, known: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], Array]:
    """As :func:`learned_labels`, of rows that may have any number of labels.

    Args:
        names: all labels of the data set.
        targets: (rows, K) which of them each row has.
        known: the labels of the model that the training goes on from, which stay in their places.

    Raises:
        DataError: a row that the user has set aside has a label that no training row has.
    """
    arrangement, before = dataset.arrangement, frozenset(known)
    if arrangement is not None:
        learned = targets[rows.train].any(axis=0) | np.array([name in before for name in names], np.bool_)
        aside = np.flatnonzero(arrangement.parts != Part.TRAINING)
        found = np.argwhere(targets[aside] & ~learned)
        if len(found):
            row, label = found[0].tolist()
            raise DataError(
                f"{dataset.place(int(aside[row]))}: no training row has the label {quoted(names[label])}",
                "put such rows among those for training, or leave them out",
            )
    place = {name: k for k, name in enumerate(names)}
    mine = (*known, *(name for name in names if name not in before))
    if mine == names:
        return names, targets
    nothing = np.zeros(len(targets), np.bool_)
    return mine, np.stack([targets[:, place[name]] if name in place else nothing for name in mine], axis=1)


def _flat(numbers: Array | Ragged, rows: Array) -> Array:
    """All numbers of these rows."""
    of_rows = rows_of(numbers, rows)
    return of_rows.joined() if isinstance(of_rows, Ragged) else np.asarray(of_rows)


def in_time(dataset: Dataset, settings: Settings, series: Array, horizon: int = 1) -> Split:
    """Sets the latest windows of each series aside for validation; or those of the series that the user has set aside.

    None of the values that follow a training window is among those that follow one for validation: the windows in
    between are for neither.

    Args:
        dataset: the series; its arrangement is that of whole series.
        series: (windows,) the series of each window, those of one in the order of time.
        horizon: H, how many values follow a window.

    Raises:
        DataError: too few are left to train on, or none can be set aside.
        UsageError: the series have groups.
    """
    arrangement = dataset.arrangement or Arrangement.of_counts(len(dataset.lines), 0, 0)
    if arrangement.groups is not None:
        raise UsageError("--group is not for series of which the latest part is set aside", "leave it out")
    parts = arrangement.parts
    if arrangement.folds:
        parts = parts.copy()
        parts[_series_in_fold(dataset, arrangement, settings)] = Part.TEST
    of_window = parts[series]
    share = settings.validation_share if not (parts == Part.VALIDATION).any() else 0.0
    learned = np.flatnonzero(of_window == Part.TRAINING)
    train, validation = [], [np.flatnonzero(of_window == Part.VALIDATION)]
    for rows in np.split(learned, np.flatnonzero(np.diff(series[learned])) + 1):
        aside = int(share * len(rows) + 0.5)
        begin = len(rows) - aside
        train.append(rows[: max(0, begin - (horizon - 1 if aside else 0))])
        validation.append(rows[begin:])
    made = Split(np.concatenate(train), np.concatenate(validation))
    judged = arrangement.tested and not len(learned)  # by a trained model, and nothing is to be learned
    if not judged and (len(made.train) < 2 or (share and not len(made.validation))):
        windows = counted(len(learned), "window is", "windows are")
        hint = "take a shorter --window or a smaller --horizon, or train without validation (--validation 0)"
        most = int(np.bincount(series[learned]).max(initial=0))
        if len(made.train) > 1 and most > max(1, horizon):  # many short series: none has a window to set aside
            hint = f"set one of each series aside: --validation {math.ceil(100 / most) / 100:g}; or {hint}"
        raise DataError(
            f"{dataset.name}: {windows} too few to train on and to set {share:.0%} aside for validation"
            + (f", at most {most} of a series" if len(series) > most else ""),
            hint,
        )
    if arrangement.tested:
        return Split(made.train, np.flatnonzero(of_window == Part.TEST), made.validation)
    return made


def _series_in_fold(dataset: Dataset, arrangement: Arrangement, settings: Settings) -> Array:
    """The series of the fold that is for testing.

    Raises:
        DataError: there are fewer series than folds.
    """
    learned = arrangement.rows(Part.TRAINING)
    if len(learned) < arrangement.folds:
        raise DataError(
            f"{dataset.name}: each of {arrangement.folds} folds leaves out whole series, and there "
            + ("is one" if len(learned) == 1 else f"are {len(learned):,}"),
            "score the latest part of a series (--validation SHARE), or another file (--test FILE)",
        )
    found = fold_numbers(np.zeros(len(learned), np.int64), None, arrangement.folds, settings.seed)
    return np.asarray(learned[found == arrangement.fold])


def numbered(labels: Sequence[str]) -> tuple[tuple[str, ...], Array]:
    """The distinct labels, sorted, and (rows,) the number of each row's label."""
    distinct = tuple(sorted(set(labels)))
    number = {label: k for k, label in enumerate(distinct)}
    return distinct, np.fromiter((number[label] for label in labels), np.int64, len(labels))


def vocabulary_of(counts: dict[str, int], settings: Settings, known: Vocabulary | None = None) -> Vocabulary:
    """The known tokens, by their counts in the training rows, after those that were known before."""
    return build_vocabulary(counts, min_count=settings.min_count, max_size=settings.max_vocabulary, known=known)


def require_memory(network: Network, longest: int, data: int = 0) -> None:
    """Refuses a network that does not fit into memory, alone or beside the data, before it is made.

    Args:
        longest: timesteps of the longest row.
        data: bytes that the encoded data and the baselines will take.

    Raises:
        UsageError: the network is too large for the machine.
        StorageError: it is too large for what the data leave.
    """
    settings = network.settings
    item = np.dtype(settings.dtype).itemsize
    parameters = sum(int(np.prod(shape, dtype=object)) for shape in network.shapes().values())
    # Parameters, their gradient and two moments; for each timestep of a batch about 24 numbers a unit and layer.
    steps = settings.batch * min(longest, settings.max_length)
    per_step = 24 * settings.hidden * settings.layers * (2 if settings.bidirectional else 1) + 4 * settings.embedding
    needed = item * (4 * parameters + steps * per_step)
    there = available_memory()
    if needed > there:
        raise UsageError(
            f"this network needs about {size_words(needed)} of memory ({parameters:,} parameters), "
            f"and there is room for {size_words(there)}",
            "lower --hidden, --layers, --batch or --max-length",
        )
    require_room(
        needed + data,
        f"a network of {counted(parameters, 'parameter')} beside these data",
        "take fewer records, or lower --hidden, --batch, --max-length or --max-vocabulary",
    )
