"""An example of any task's model worked by hand; what each task has to say of it is in a module of its own."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rnncli.inspection.by_hand.example import WorkedExample, work_out
from rnncli.inspection.loss import Label
from rnncli.results import ByHand
from rnncli.tasks import FOLDERS
from rnncli.tasks.model import Model


def by_hand(model: Model, text: str | None = None, label: Label | str | None = None) -> ByHand:
    """Works one example out, as :func:`rnncli.inspection.by_hand.example.work_out` does."""
    module = import_module(f"{__package__}.{FOLDERS.get(model.task, model.task)}_by_hand")
    example: type[WorkedExample[Any]] = module.EXAMPLE
    return work_out(example(model), text, label)
