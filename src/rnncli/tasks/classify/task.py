"""Many-to-one: a label for a text, or for a sequence of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.config import Settings
from rnncli.data.dataset import Dataset
from rnncli.data.records import NumberArrays
from rnncli.data.text.tokenizer import looks_like_characters
from rnncli.tasks.classify import numbers, texts
from rnncli.tasks.classify.model import ClassifierModel
from rnncli.tasks.prepare import Prepared
from rnncli.tasks.task import Task

SAMPLE = 200  # texts by which it is decided what a timestep is


class Classify(Task):
    """The task that takes what no other one does."""

    model = ClassifierModel

    def fits(self, dataset: Dataset) -> bool:
        return True

    def defaults(self, dataset: Dataset, settings: Settings) -> Mapping[str, Any]:
        """A character or a number says little by itself, so that more has to be kept in mind of those before it."""
        by_steps = settings.tokens == "char" or (
            settings.tokens == "auto" and looks_like_characters(dataset.texts[:SAMPLE])
        )
        by_steps = by_steps or isinstance(dataset.inputs, NumberArrays)
        return {"hidden": 128, "dropout": 0.4} if by_steps else {}

    def prepare(self, dataset: Dataset, settings: Settings) -> Prepared:
        prepare = numbers.prepare if isinstance(dataset.inputs, NumberArrays) else texts.prepare
        return prepare(dataset, settings)


TASK = Classify()
