"""A short ``repr`` for objects of many rows: a few of their values, never all."""

from __future__ import annotations

import dataclasses
import reprlib
from typing import Any

_SHORT = reprlib.Repr()
_SHORT.maxtuple = _SHORT.maxlist = _SHORT.maxdict = 2
_SHORT.maxstring = _SHORT.maxother = 40
_SHORT.maxlevel = 2


class ShortRepr:
    """Shows the fields of a dataclass with ``repr=False`` in one line, long ones shortened or counted."""

    def __repr__(self) -> str:
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        shown = ", ".join(f"{field.name}={_shortened(getattr(self, field.name))}" for field in fields if field.repr)
        return f"{type(self).__name__}({shown})"


def _shortened(value: Any) -> str:
    """A small value as it is; of a large one its type and length."""
    if value is None or type(value) in (str, bool, int, float, tuple):
        return _SHORT.repr(value)
    size = f" of {len(value):,}" if hasattr(value, "__len__") else ""
    return f"<{type(value).__name__}{size}>"
