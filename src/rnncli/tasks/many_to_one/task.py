"""From records to a training, where the whole input has one answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from rnncli.config import Settings
from rnncli.data.records import NumberArrays
from rnncli.data.text.tokenizer import looks_like_characters
from rnncli.tasks.many_to_one import numbers, texts
from rnncli.tasks.many_to_one.model import ManyToOneModel
from rnncli.tasks.many_to_one.targets import Targets
from rnncli.tasks.prepare import Prepared
from rnncli.tasks.task import Task

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset

SAMPLE = 200  # texts by which it is decided what a timestep is


class ManyToOneTask(Task, Targets):
    """A task with one answer for a text or a sequence of numbers."""

    model: ClassVar[type[ManyToOneModel]]

    def untrained(self, **fields: Any) -> ManyToOneModel:
        return self.model(**fields)

    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        """A character or a number says little by itself, so that more has to be kept in mind of those before it."""
        by_steps = settings.tokens == "char" or (
            settings.tokens == "auto" and looks_like_characters(dataset.texts[:SAMPLE])
        )
        by_steps = by_steps or isinstance(dataset.inputs, NumberArrays)
        return {"hidden": 128, "dropout": 0.4} if by_steps else {}

    def prepare(self, dataset: Dataset, settings: Settings, begin: ManyToOneModel | None = None) -> Prepared:
        prepare = numbers.prepare if isinstance(dataset.inputs, NumberArrays) else texts.prepare
        return prepare(self, dataset, settings, begin)
