"""What ``train`` asks of a task; what the other commands do is up to its model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from rnncli.config import Settings
from rnncli.tasks.model import Model
from rnncli.tasks.prepare import Prepared

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


class Task(ABC):
    """A shape of sequence problem.

    Attributes:
        model: the class of the models that it trains.
        effort: how many times the usual number of epochs it needs.
        continues: whether :meth:`prepare` takes a model to go on from.
        recognized_by: what of the records shows that they are for it.
    """

    model: ClassVar[type[Model]]
    effort: ClassVar[float] = 1.0
    continues: ClassVar[bool] = False
    recognized_by: ClassVar[str] = "the data look like those of this task"

    @property
    def name(self) -> str:
        """As in :data:`rnncli.config.TASKS`."""
        return self.model.task

    @abstractmethod
    def fits(self, dataset: Dataset) -> bool:
        """Whether the records look like those of this task."""

    @abstractmethod
    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        """Settings that suit this task and these records better than the defaults.

        Args:
            settings: those that the user has chosen.
        """

    @abstractmethod
    def prepare(self, dataset: Dataset, settings: Settings, begin: Any = None) -> Prepared:
        """Splits, counts and encodes the records.

        Args:
            begin: the model of this task that the training goes on from: what it knows stays known, in its place. Then
                there may be rows for testing alone, which are encoded for this very model. None for a new training.

        Raises:
            DataError: the rows cannot train such a model; the message says what is needed.
            UsageError: the network does not fit into memory.
        """
