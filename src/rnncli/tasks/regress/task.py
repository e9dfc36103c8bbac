"""Many-to-one: a number for a text, or for a sequence of numbers."""

from __future__ import annotations

from dataclasses import replace

from rnncli.config import Settings
from rnncli.data.dataset import Dataset
from rnncli.data.records import Amounts
from rnncli.tasks.many_to_one.task import ManyToOneTask
from rnncli.tasks.numbers.targets import NumberTargets
from rnncli.tasks.prepare import Prepared
from rnncli.tasks.regress.model import RegressionModel


class Regress(ManyToOneTask, NumberTargets):
    """The task of records that have a number beside each input."""

    model = RegressionModel

    def fits(self, dataset: Dataset) -> bool:
        return isinstance(dataset.labels, Amounts)

    def prepare(self, dataset: Dataset, settings: Settings) -> Prepared:
        prepared = super().prepare(dataset, settings)
        assert isinstance(prepared.untrained, RegressionModel)
        return replace(prepared, untrained=replace(prepared.untrained, target=dataset.source.label or ""))


TASK = Regress()
