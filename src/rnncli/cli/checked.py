"""What is checked of every command line before its command runs: what the options are for, and where output goes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any, get_args

import typer

from rnncli.cli.options import check_environment
from rnncli.cli.paths import Reads, Roles, Writes, check_paths

# Takes the values of all parameters, and the names of those that are on the command line.
Check = Callable[[Mapping[str, Any], Collection[str]], None]


def checked(command: Callable[..., None], check: Check | None = None) -> Callable[..., None]:
    """The command, behind its checks.

    Args:
        check: of options that do not go together.
    """
    parameters = inspect.signature(command, eval_str=True).parameters
    roles = roles_of(command)

    def called(context: typer.Context, **values: Any) -> None:
        check_environment()
        if check is not None:
            sources = {name: context.get_parameter_source(name) for name in values}
            check(values, {name for name, source in sources.items() if source and source.name == "COMMANDLINE"})
        check_paths(roles, values)
        from rnncli.cli.notices import say_no_more  # --help does without it

        try:
            command(**values)
        finally:
            say_no_more()

    called.__doc__, called.__name__ = command.__doc__, command.__name__
    own = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    named = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters.values()]
    called.__signature__ = inspect.Signature([own, *named])  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in (own, *named)}
    return called


def roles_of(command: Callable[..., None]) -> Roles:
    """Of a command's parameters those that name files, and what they are to it."""
    parameters = inspect.signature(command, eval_str=True).parameters
    found = {
        name: role
        for name, parameter in parameters.items()
        for role in get_args(parameter.annotation)
        if isinstance(role, Reads | Writes)
    }
    return found
