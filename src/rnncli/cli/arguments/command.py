"""Makes a command of two functions: one does the work and returns its result, the other shows it.

The options of a command are the arguments of the first that carry Typer's annotations, and those of the second, which
only say how the result is shown. So both are stated once, and what the command can do, Python can.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import UnionType
from typing import Annotated, Any, ForwardRef, get_args, get_origin

import typer

from rnncli.cli.arguments import options
from rnncli.cli.arguments.options import check_environment
from rnncli.cli.arguments.paths import Reads, check_paths, roles_of
from rnncli.render.console import Output

Parameter = inspect.Parameter


@dataclass
class Call:
    """One run of the command line.

    Attributes:
        output: where it prints.
        debug: whether a failure shows its traceback.
        typed: the parameters that are on the command line; others may be from the environment.
    """

    output: Output
    debug: bool = False
    typed: frozenset[str] = frozenset()


def _set_debug(context: typer.Context, value: bool) -> bool:
    context.obj.debug |= value
    return value


def _set_quiet(context: typer.Context, value: bool) -> bool:
    if value:
        context.obj.output = replace(context.obj.output, quiet=True)
    return value


QUIET = Annotated[
    bool,
    typer.Option("--quiet", "-q", callback=_set_quiet, is_eager=True, help="Print results, warnings and errors alone."),
]
DEBUG = Annotated[
    bool, typer.Option("--debug", callback=_set_debug, is_eager=True, help="Show a traceback on failure.")
]


def command(
    work: Callable[..., Any],
    show: Callable[..., None],
    *,
    more: Callable[[], Sequence[Parameter]] = list,
    check: Callable[[Mapping[str, Any]], None] | None = None,
) -> Callable[..., None]:
    """Returns the function that Typer is to call: ``show``, with the call and ``work`` ready to be called.

    Args:
        work: its arguments without annotations for Typer are not options.
        show: takes the :class:`Call`, ``work`` with its options filled in, and options of its own; those that both
            have are its own to pass on.
        more: makes the options in the place of the ``**`` argument of either, which reach it where they were given.
        check: refuses options that do not go together, before anything is read.
    """
    extra = more()
    own = parameters_of(show, extra)
    names = {one.name for one in own}
    always = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in (("quiet", QUIET), ("debug", DEBUG))
    ]
    found = {one.name: one for one in (*parameters_of(work, extra), *own, *always)}
    parameters = list(map(_as_typed, found.values()))
    roles, extras = roles_of(parameters), {one.name for one in extra}

    def called(context: typer.Context, *, quiet: bool, debug: bool, **values: Any) -> None:
        check_environment()
        values = {name: None if value == [] else value for name, value in values.items()}  # where several may be given
        if check is not None:
            check(values)
        check_paths(roles, values)
        sources = {name: context.get_parameter_source(name) for name in values}
        context.obj.typed = frozenset(name for name, one in sources.items() if one and one.name == "COMMANDLINE")
        given = {name: value for name, value in values.items() if name not in extras or value is not None}
        ready = partial(work, **{name: value for name, value in given.items() if name not in names})
        show(context.obj, ready, **{name: value for name, value in given.items() if name in names})

    context = Parameter("context", Parameter.KEYWORD_ONLY, annotation=typer.Context)
    called.__doc__, called.__name__ = show.__doc__, work.__name__
    called.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in (context, *parameters)}
    return called


def parameters_of(function: Callable[..., Any], extra: Sequence[Parameter]) -> list[Parameter]:
    """Those that Typer is to know, whose annotations are names in the function's module."""
    found: list[Parameter] = []
    names = inspect.unwrap(function).__globals__
    for one in inspect.signature(function).parameters.values():
        # Looked up, not evaluated: other annotations name what --help does without.
        kind = _named(one.annotation, names)
        if one.kind is Parameter.VAR_KEYWORD:
            found += [*_unpacked(one.annotation, names), *extra]
        elif get_origin(kind) is Annotated:
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
        kind = _named(getattr(reference, "__forward_arg__", ""), names)
        if get_origin(kind) is Annotated:
            default = False if get_args(kind)[0] is bool else None
            found.append(Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind))
    return found


def _as_typed(one: Parameter) -> Parameter:
    """As Typer takes it: by name, and a text where Python takes a text, a path, a model or a list."""
    kind, *marks = get_args(one.annotation)
    if isinstance(kind, ForwardRef):
        kind = str | None if "None" in kind.__forward_arg__ else str
    elif any(isinstance(mark, Reads) and mark.several for mark in marks):
        kind = list[str] | None
    elif isinstance(kind, UnionType) and str in get_args(kind):
        kind = str | None if type(None) in get_args(kind) else str
    return one.replace(kind=Parameter.KEYWORD_ONLY, annotation=Annotated[(kind, *marks)])
