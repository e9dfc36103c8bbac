"""The table of tasks: each is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rnncli.config import TASKS


def folder_of(name: str) -> str:
    """The package of a task, within its parent."""
    return TASKS[name].package.rpartition(".")[2]


def task_named(name: str) -> Any:
    """The ``TASK`` (see :mod:`rnncli.tasks.task`) of a name in :data:`rnncli.config.TASKS`."""
    return import_module(f"{TASKS[name].package}.task").TASK
