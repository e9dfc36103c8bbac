"""Opens the data of a training, and says what they were taken for before all of them are read."""

from __future__ import annotations

from collections.abc import Collection

from rnncli.config import Settings
from rnncli.data.dataset import OpenedRecords, Source, is_plain_text, open_records
from rnncli.data.description import DataDescription, describe
from rnncli.data.doubts.preview import Purpose
from rnncli.data.layouts.layout import Request
from rnncli.tasks import task_for, task_named


def open_data(source: Source, settings: Settings, named: Collection[str] = ()) -> OpenedRecords:
    """Opens a file that a model is to be trained on.

    Args:
        named: the settings that the user named.

    Raises:
        UsageError, DataError, StorageError: it cannot be read, or is likely something else.
    """
    labelled = not is_plain_text(source) if settings.task == "auto" else task_named(settings.task).model.labelled
    return open_records(Request(source, labelled), settings.task, Purpose(task_named="task" in named))


def described(opened: OpenedRecords, settings: Settings, *, alone: bool = False) -> DataDescription:
    """What the data were taken for, by their first rows.

    Args:
        alone: whether nothing follows that reads all of them: then the first records are doubted as all would be.

    Raises:
        DataError: they are likely something else, or hold no records.
    """
    first = opened.first(doubted=alone)
    task = task_for(first, settings.task)
    why = task.recognized_by if settings.task == "auto" else f"--task {task.name}"
    return describe(opened, first, task.name, why)
