"""The shapes that a sequence problem can have. Nothing outside of a task's own file knows it by name.

A task is a module here with a ``TASK`` (see :mod:`rnncli.tasks.task`), and a name in :data:`NAMES`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset
    from rnncli.model import Model
    from rnncli.tasks.task import Task

# In the order in which a file is asked what it is for: the last one takes what is left.
NAMES = ("lm", "caption", "tag", "seq2seq", "classify")


def task_named(name: str) -> Task:
    """The task of a name in :data:`NAMES`."""
    task: Task = import_module(f"rnncli.tasks.{name}").TASK
    return task


def model_class(name: Any) -> type[Model] | None:
    """The kind of model that a task trains; None if there is no such task."""
    return task_named(name).model if name in NAMES else None


def task_for(dataset: Dataset, name: str) -> Task:
    """The task of a name; for "auto" the first one that the records look like."""
    if name != "auto":
        return task_named(name)
    return next(task for task in map(task_named, NAMES) if task.fits(dataset))
