"""What each task has to say so that its models can be inspected: a module for each, found by the task's name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rnncli.inspection.adapters.adapter import Adapter
from rnncli.tasks import FOLDERS
from rnncli.tasks.model import Model

__all__ = ["Adapter", "adapter_of"]


def adapter_of(model: Model) -> Adapter[Any]:
    """A model as inspection sees it."""
    adapter: type[Adapter[Any]] = import_module(f"{__name__}.{FOLDERS.get(model.task, model.task)}").ADAPTER
    return adapter(model)
