"""The views there are, in the order in which they are shown."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from rnncli.cli.arguments.options import AnyModel, AnyPath
    from rnncli.cli.views.view import View


class Views(TypedDict, total=False):
    """Each view by the name of its file, with the type of its value."""

    timesteps: bool
    gates: bool
    bptt: bool
    memory: bool
    why: bool
    by_hand: bool
    check_gradients: bool
    doctor: AnyPath
    diff: AnyModel
    activations: str | int


VIEWS: list[View] = [import_module(f"rnncli.cli.views.{name}").VIEW for name in Views.__annotations__]
