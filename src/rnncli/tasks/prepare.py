"""What the preparation of records for a training shares among tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from rnncli.config import Settings
from rnncli.core.packed import Array, Params
from rnncli.data.dataset import Dataset
from rnncli.data.short_repr import ShortRepr
from rnncli.data.splits import stratified_split
from rnncli.data.text.vocabulary import Vocabulary, build_vocabulary
from rnncli.errors import DataError, UsageError, counted
from rnncli.machine import available_memory
from rnncli.memory import require_room, size_words
from rnncli.record import Record
from rnncli.tasks.comparison import Baseline
from rnncli.tasks.model import Model
from rnncli.tasks.network import Network
from rnncli.tasks.report import Report
from rnncli.tasks.rows import EncodedRows


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
    """Row numbers for training and for validation."""

    train: Array
    validation: Array

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
        return {"training_rows": len(self.train), "validation_rows": len(self.validation)}


def split(dataset: Dataset, settings: Settings, targets: Array | None = None) -> Split:
    """Sets rows aside for validation.

    Args:
        targets: (rows,) numbers of labels, each of which gives the same share of its rows; None for no labels.

    Raises:
        DataError: there are too few rows to set any aside.
    """
    count = len(dataset.texts)
    if settings.validation == 0:
        return Split(np.arange(count), np.arange(0))
    alike = np.zeros(count, np.int64) if targets is None else targets
    made = Split(*stratified_split(alike, settings.validation, settings.seed))
    if not len(made.validation):
        needed = int(np.ceil(0.5 / settings.validation)) + (settings.validation >= 0.5)
        raise DataError(
            f"{dataset.name}: {counted(count, 'record is', 'records are')} too few "
            f"to set {settings.validation:.0%} aside for validation"
            + ("" if targets is None else f"; some label needs at least {needed}"),
            "train without validation (--validation 0), or set more aside",
        )
    return made


def numbered(labels: Sequence[str]) -> tuple[tuple[str, ...], Array]:
    """The distinct labels, sorted, and (rows,) the number of each row's label."""
    distinct = tuple(sorted(set(labels)))
    number = {label: k for k, label in enumerate(distinct)}
    return distinct, np.fromiter((number[label] for label in labels), np.int64, len(labels))


def vocabulary_of(counts: dict[str, int], settings: Settings) -> Vocabulary:
    """The known tokens, by their counts in the training rows."""
    return build_vocabulary(counts, min_count=settings.min_count, max_size=settings.max_vocabulary)


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
