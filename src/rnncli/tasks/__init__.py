"""The shapes that a sequence problem can have. Nothing outside of a task's own package knows it by name.

A task is a package with a module ``task`` that has a ``TASK`` (see :mod:`rnncli.tasks.task`), and a row in
:data:`rnncli.config.TASKS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnncli.config import TASKS
from rnncli.tasks.table import task_named

if TYPE_CHECKING:
    from rnncli.data.dataset import Dataset
    from rnncli.tasks.task import Task

__all__ = ["task_for", "task_named"]


def task_for(dataset: Dataset, name: str) -> Task:
    """The task of a name; for "auto" the first one that the records look like."""
    task: Task = task_named(name) if name != "auto" else next(t for t in map(task_named, TASKS) if t.fits(dataset))
    return task
