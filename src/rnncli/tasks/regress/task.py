"""Many-to-one: a number for a text, for a sequence of numbers, or for each row of a table in order of time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rnncli.config import Settings
from rnncli.data.arrangement import Arrangement, Part
from rnncli.data.records import Amounts, SeriesArrays
from rnncli.data.tables.series_form import SeriesForm
from rnncli.tasks.many_to_one.model import ManyToOneModel
from rnncli.tasks.many_to_one.task import ManyToOneTask
from rnncli.tasks.numbers.targets import NumberTargets
from rnncli.tasks.prepare import Prepared, Split, in_time
from rnncli.tasks.regress.model import RegressionModel
from rnncli.tasks.windows import Windows, usual_window

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset


class Regress(ManyToOneTask, NumberTargets):
    """The task of records that have a number beside each input."""

    model = RegressionModel
    recognized_by = "a number for each input"
    continues = True

    def fits(self, dataset: Dataset) -> bool:
        return isinstance(dataset.labels, Amounts)

    def prepare(self, dataset: Dataset, settings: Settings, begin: ManyToOneModel | None = None) -> Prepared:
        read = dataset
        if isinstance(dataset.inputs, SeriesArrays):
            longest = max(map(len, dataset.inputs))
            length = settings.window or usual_window(longest)
            settings = settings.replace(window=length, max_length=length)
            cut = Windows(length, 0).cut(dataset, chosen=begin is None)
            read = replace(cut.dataset, arrangement=_arranged(in_time(dataset, settings, cut.series), len(cut.series)))
        prepared = super().prepare(read, settings, begin)
        assert isinstance(prepared.untrained, RegressionModel)
        series = dataset.reads if isinstance(dataset.reads, SeriesForm) else None
        model = replace(prepared.untrained, target=dataset.source.label or "", series=series)
        return replace(prepared, untrained=model)


def _arranged(rows: Split, count: int) -> Arrangement:
    """What each of so many windows is for."""
    parts = np.full(count, Part.TRAINING, np.int8)
    if rows.chosen_on is None:
        parts[rows.validation] = Part.VALIDATION
        return Arrangement(parts)
    parts[rows.validation], parts[rows.chosen_on] = Part.TEST, Part.VALIDATION
    return Arrangement(parts, tested=True)


TASK = Regress()
