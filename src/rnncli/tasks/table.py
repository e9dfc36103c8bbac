"""The table of tasks: each is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rnncli.config import TASKS


def task_object(name: str) -> Any:
    """The ``TASK`` of a name in :data:`rnncli.config.TASKS`."""
    return import_module(f"{TASKS[name]}.task").TASK
