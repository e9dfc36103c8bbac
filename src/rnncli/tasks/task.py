"""What a task has to say so that ``train``, ``predict``, ``inspect`` and ``evaluate`` can do their work with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from rnncli.config import Settings
from rnncli.data.dataset import Dataset
from rnncli.tasks.model import Model
from rnncli.tasks.prepare import Prepared


class Task(ABC):
    """A shape of sequence problem.

    Attributes:
        model: the kind of model it trains.
        effort: how many times the usual number of epochs it needs.
    """

    model: ClassVar[type[Model]]
    effort: ClassVar[float] = 1.0

    @property
    def name(self) -> str:
        """As in :data:`rnncli.config.TASKS`."""
        return self.model.task

    @abstractmethod
    def fits(self, dataset: Dataset) -> bool:
        """Whether the records look like this task's."""

    @abstractmethod
    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        """Settings that suit this task and these records better than those of :class:`rnncli.config.Settings`.

        Args:
            settings: as the user has chosen them, to see what a timestep will be.
        """

    @abstractmethod
    def prepare(self, dataset: Dataset, settings: Settings) -> Prepared:
        """Splits, counts and encodes.

        Raises:
            DataError: the rows cannot train such a model; the message says how many of what are needed.
            UsageError: the network that the settings describe does not fit into memory.
        """
