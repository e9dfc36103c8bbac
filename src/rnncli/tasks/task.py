"""What a task has to say so that ``train``, ``predict``, ``inspect`` and ``evaluate`` can do their work with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from rnncli.config import Settings
from rnncli.core.cells.recurrence import Params
from rnncli.core.packed import Array
from rnncli.data.dataset import Dataset
from rnncli.record import Record
from rnncli.tasks.comparison import RowScores
from rnncli.tasks.model import Model
from rnncli.tasks.network import Network


class Examples(Protocol):
    """Encoded rows of a data set."""

    @property
    def size(self) -> int:
        """How many rows there are."""

    @property
    def lengths(self) -> Array:
        """(rows,) timesteps of each."""

    @property
    def weight(self) -> float:
        """How much all of them count together in a loss."""

    def take(self, rows: Array) -> Self: ...

    def batches(self, size: int, seed: int, epoch: int) -> list[Array]:
        """The rows of each step of an epoch: a function of ``(seed, epoch)`` alone."""


@dataclass(frozen=True)
class Baseline:
    """What a network has to beat.

    Attributes:
        name: as in ``bag_of_words``.
        rows: the score of each validation row, as of :meth:`Network.row_scores`.
    """

    name: str
    rows: RowScores

    @property
    def score(self) -> float:
        """On the validation rows, by the model's metric."""
        return self.rows.score


class Report(Protocol):
    """What a data set is like; a dataclass, which ``--json`` prints whole."""

    @property
    def training_rows(self) -> int: ...
    @property
    def validation_rows(self) -> int: ...
    @property
    def labels(self) -> Mapping[str, int]:
        """label → how often it occurs, by falling count."""

    @property
    def warnings(self) -> Sequence[str]: ...

    @property
    def what(self) -> str:
        """What is trained, as a sentence begins: "A classifier of text"."""

    def lines(self) -> list[tuple[str, str]]:
        """The report as ``(what, value)``."""

    def summary(self) -> list[str]:
        """Sentences for the model's card, beside the rows."""


class Prepared(Protocol):
    """Everything a training starts from; ``settings`` has no open choices left but those of the loop."""

    @property
    def settings(self) -> Settings: ...
    @property
    def network(self) -> Network: ...
    @property
    def train(self) -> Examples: ...
    @property
    def validation(self) -> Examples: ...
    @property
    def report(self) -> Report: ...

    def with_settings(self, settings: Settings) -> Self: ...

    def baselines(self) -> tuple[Baseline, ...]:
        """What to beat on the validation rows."""

    def model(self, params: Params, record: Record) -> Model: ...

    def word_tables(self) -> Mapping[str, Sequence[str]]:
        """Flat name of an embedding → the words of its first rows; nothing where timesteps are no words."""


class Task(Protocol):
    """A shape of sequence problem.

    Attributes:
        name: its module here.
        model: the kind of model it trains.
        effort: how many times the usual number of epochs it needs.
    """

    name: str
    model: type[Model]
    effort: float

    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        """Settings that suit this task and these records better than those of :class:`rnncli.config.Settings`.

        Args:
            settings: as the user has chosen them, to see what a timestep will be.
        """

    def fits(self, dataset: Dataset) -> bool:
        """Whether the records look like this task's."""

    def prepare(self, dataset: Dataset, settings: Settings) -> Prepared:
        """Splits, counts and encodes.

        Raises:
            DataError: the rows cannot train such a model; the message says how many of what are needed.
            UsageError: the network that the settings describe does not fit into memory.
        """
