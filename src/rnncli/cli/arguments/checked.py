"""Holds a call from Python to what the options of the command declare: their names, types and ranges."""

from __future__ import annotations

import inspect
import operator
import os
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from numbers import Real
from types import NoneType
from typing import Any, ForwardRef, TypeVar, cast, get_args, get_origin

from rnncli.clean import clean
from rnncli.cli.arguments.command import Parameter, parameters_of
from rnncli.cli.arguments.inputs import shown
from rnncli.errors import UsageError, closest

F = TypeVar("F", bound=Callable[..., Any])

_WANTED: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    os.PathLike: "a path",
    Iterable: "a list",
    ForwardRef: "a model or the name of one",
}


def checked(*, more: Callable[[], Sequence[Parameter]] = list, settings: Sequence[str] = ()) -> Callable[[F], F]:
    """Makes a function raise UsageError, before it begins, for an argument that its command would refuse.

    Args:
        more: makes the options in the place of the function's ``**`` argument, as for its command.
        settings: further names, whose values the function checks itself.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        own = {name: one for name, one in signature.parameters.items() if one.kind is not Parameter.VAR_KEYWORD}

        @wraps(function)
        def call(*args: Any, **given: Any) -> Any:
            options = {one.name: one for one in parameters_of(function, more())}
            known = [*own, *(name for name in (*options, *settings) if name not in own)]
            values = dict(zip(signature.bind_partial(*args).arguments, args, strict=True))
            for name, value in (values | given).items():
                if name not in known:
                    raise UsageError(f"{function.__name__} has no argument '{name}'{closest(name, known)}")
                if name in options:
                    value = _fitting(options[name], value)
                elif name in own:
                    _require_callable(own[name], value)
                (values if name in values else given)[name] = value
            return function(*values.values(), **given)

        return cast(F, call)

    return decorate


def _fitting(parameter: Parameter, value: Any) -> Any:
    """The value in the type of its parameter; None stands for an option that is not given.

    Raises:
        UsageError: it is of another type, or out of range.
    """
    kind, *marks = get_args(parameter.annotation)
    kinds = [get_origin(one) or one for one in get_args(kind) or (kind,)]
    if isinstance(kind, ForwardRef):
        kinds = [ForwardRef, NoneType] if "None" in kind.__forward_arg__ else [ForwardRef]
    if value is None and (NoneType in kinds or bool in kinds):
        return None
    for one in kinds:
        made = _of_kind(one, value)
        if made is not None:
            for mark in marks:
                _require_range(parameter.name, made, getattr(mark, "min", None), getattr(mark, "max", None))
            return made
    words = [_WANTED[one] for one in kinds if one is not NoneType]
    raise _wrong(parameter.name, " or ".join(filter(None, (", ".join(words[:-1]), words[-1]))), value)


def _of_kind(kind: Any, value: Any) -> Any:
    """The value in a type; None where it is of another one."""
    if isinstance(value, bool) or kind is bool:
        return value if isinstance(value, bool) and kind is bool else None
    if kind is int:
        try:
            return operator.index(value)  # NumPy's whole numbers too
        except TypeError:
            return None
    if kind is float:
        return (value if isinstance(value, int) else float(value)) if isinstance(value, Real) else None
    if kind is Iterable:
        return value if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray) else None
    if kind is ForwardRef and not isinstance(value, str | os.PathLike):
        from rnncli.tasks.model import Model  # imports NumPy

        return value if isinstance(value, Model) else None
    return value if kind is ForwardRef or isinstance(value, kind) else None


def _require_range(name: str, value: Any, low: float | None, high: float | None) -> None:
    if (low is None or value >= low) and (high is None or value <= high):
        return
    limits = (f"{word} {limit:,g}" for word, limit in (("at least", low), ("at most", high)) if limit is not None)
    raise UsageError(f"{name} must be {' and '.join(limits)}, not {clean(repr(value), 60)}")


def _require_callable(parameter: Parameter, value: Any) -> None:
    # The text of the annotation, for it may name what is imported for type checkers alone.
    wanted = str(parameter.annotation).startswith(("Note", "Callable["))
    if wanted and not callable(value) and not (value is None and parameter.default is None):
        raise _wrong(parameter.name, "a function", value)


def _wrong(name: str, wanted: str, value: Any) -> UsageError:
    return UsageError(f"{name} must be {wanted}, not {shown(value)}")
