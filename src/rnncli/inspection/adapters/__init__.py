"""How the models of each task are inspected: a module for each, with the name of the task's package."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rnncli.inspection.adapters.adapter import Adapter
from rnncli.tasks.model import Model
from rnncli.tasks.table import folder_of

__all__ = ["Adapter", "adapter_of"]


def adapter_of(model: Model) -> Adapter[Any]:
    """A model as inspection sees it."""
    adapter: type[Adapter[Any]] = import_module(f"{__name__}.{folder_of(model.task)}").ADAPTER
    return adapter(model)
