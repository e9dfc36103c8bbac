"""The shapes that a sequence problem can have. Nothing outside of a task's own file knows it by name.

A task is a module here with a ``TASK`` (see :mod:`rnncli.tasks.task`), and a name in :data:`rnncli.config.TASKS`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rnncli.config import TASKS

FOLDERS = {"lm": "language_model"}  # of tasks whose name is an abbreviation

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset
    from rnncli.tasks.model import Model
    from rnncli.tasks.task import Task


def task_named(name: str) -> Task:
    """The task of a name in :data:`rnncli.config.TASKS`."""
    task: Task = import_module(f"rnncli.tasks.{FOLDERS.get(name, name)}.task").TASK
    return task


def model_class(name: Any) -> type[Model] | None:
    """The kind of model that a task trains; None if there is no such task."""
    return task_named(name).model if name in TASKS else None


def task_for(dataset: Dataset, name: str) -> Task:
    """The task of a name; for "auto" the first one that the records look like."""
    if name != "auto":
        return task_named(name)
    return next(task for task in map(task_named, TASKS) if task.fits(dataset))
