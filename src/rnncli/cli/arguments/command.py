"""From two functions to a command: one does the work and returns its result, the other shows it.

The options of a command are the arguments of the first that carry Typer's annotations, and those of the second, which
only say how the result is shown. So both are stated once, and what the command can do, Python can.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import UnionType
from typing import Annotated, Any, ForwardRef, get_args, get_origin

from typer import Context

from rnncli.cli.arguments import options
from rnncli.cli.arguments.options import check_environment
from rnncli.cli.arguments.paths import Reads, Roles, Writes, check_paths

Parameter = inspect.Parameter


def command(
    work: Callable[..., Any],
    show: Callable[..., None],
    *,
    more: Callable[[], Sequence[Parameter]] = list,
    check: Callable[[Mapping[str, Any]], None] | None = None,
) -> Callable[..., None]:
    """The function that Typer is to call: ``show``, with ``work`` ready to be called.

    Args:
        work: its arguments without annotations for Typer are no options.
        show: takes ``work`` with the options filled in, and its own; those that both have are its own to pass on.
        more: makes the options in the place of the ``**`` argument of either, which reach it where they were given.
        check: refuses options that do not go together, before anything is read.
    """
    extra = more()
    own = _parameters(show, extra)
    names = {one.name for one in own}
    found = {one.name: one for one in (*_parameters(work, extra), *own)}
    parameters = list(map(_as_typed, found.values()))
    roles, extras = roles_of(parameters), {one.name for one in extra}

    def called(**values: Any) -> None:
        check_environment()
        if check is not None:
            check(values)
        check_paths(roles, values)
        given = {name: value for name, value in values.items() if name not in extras or value is not None}
        ready = partial(work, **{name: value for name, value in given.items() if name not in names})
        show(ready, **{name: value for name, value in given.items() if name in names})

    called.__doc__, called.__name__ = show.__doc__, work.__name__
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    return called


def _parameters(function: Callable[..., Any], extra: Sequence[Parameter]) -> list[Parameter]:
    """Those that Typer is to know, whose annotations are names in the function's module."""
    found: list[Parameter] = []
    for one in inspect.signature(function).parameters.values():
        # Looked up, not evaluated: other annotations name what --help does without.
        kind = _named(one.annotation, function.__globals__)
        if one.kind is Parameter.VAR_KEYWORD:
            found += [*_unpacked(one.annotation, function.__globals__), *extra]
        elif get_origin(kind) is Annotated or kind is Context:
            found.append(one.replace(annotation=kind))
    return found


def _named(annotation: str, names: Mapping[str, Any]) -> Any:
    """What an annotation names: in its module, or as ``options.Json`` among the shared options."""
    name = annotation.removeprefix("options.")
    return names.get(name, vars(options).get(name))


def _unpacked(annotation: str, names: Mapping[str, Any]) -> list[Parameter]:
    """The options among the keys of a TypedDict, of ``**options: Unpack[Reading]``."""
    unpacked = _named(annotation.removeprefix("Unpack[").removesuffix("]"), names)
    found = []
    for name, reference in getattr(unpacked, "__annotations__", {}).items():
        kind = _named(reference.__forward_arg__, names)
        if get_origin(kind) is Annotated:
            default = False if get_args(kind)[0] is bool else None
            found.append(Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind))
    return found


def _as_typed(one: Parameter) -> Parameter:
    """As Typer takes it: by name, and a text where Python takes more than a text."""
    if one.annotation is Context:
        return one.replace(kind=Parameter.KEYWORD_ONLY)
    kind, *marks = get_args(one.annotation)
    return one.replace(kind=Parameter.KEYWORD_ONLY, annotation=Annotated[(_typed(kind), *marks)])


def _typed(kind: Any) -> Any:
    """What is typed for an argument of a type: a text, where it may be a text, a path, a model or a list."""
    if isinstance(kind, ForwardRef):
        return str | None if "None" in kind.__forward_arg__ else str
    if isinstance(kind, UnionType) and str in get_args(kind):
        return str | None if type(None) in get_args(kind) else str
    return kind


def roles_of(parameters: Sequence[Parameter]) -> Roles:
    """Of a command's parameters those that name files, and what they are to it."""
    return {
        one.name: role for one in parameters for role in get_args(one.annotation) if isinstance(role, Reads | Writes)
    }
