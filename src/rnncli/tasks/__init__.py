"""The shapes that a sequence problem can have. Nothing outside of a task's own package knows it by name.

A task is a package with a module ``task`` that has a ``TASK`` (see :mod:`rnncli.tasks.task`), and a row in
:data:`rnncli.config.TASKS`. It is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnncli.config import TASKS
from rnncli.tasks.table import task_object

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset
    from rnncli.tasks.task import Task


def task_named(name: str) -> Task:
    """The task of a name in :data:`rnncli.config.TASKS`."""
    task: Task = task_object(name)
    return task


def task_for(dataset: Dataset, name: str) -> Task:
    """The task of a name; for "auto" the first one that the records look like."""
    if name != "auto":
        return task_named(name)
    return next(task for task in map(task_named, TASKS) if task.fits(dataset))
