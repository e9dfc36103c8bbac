"""The program and its commands, each built from its own file when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from inspect import cleandoc
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rnncli.cli.help import PlainCommand

# In the order of the help, each with its first sentence there, so that none is imported for the list.
COMMANDS = {
    "tokenize": "Show how texts become numbers.",
    "train": "Train a model on a data file and keep the best one.",
    "predict": "Predict with a model, in the order of the inputs.",
    "inspect": "Open a model up: its layers, its training, what it computes.",
    "evaluate": "Score a model on data it has not seen.",
    "compare": "Compare models on the same data, and say which to take.",
    "runs": "List the trained models, or remove some.",
    "samples": "List the sample files, or write them to a folder.",
}


def _show_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"rnncli {version('rnncli')}; engine: {_engine_in_words()}")
        raise typer.Exit


def _engine_in_words() -> str:
    from typing import get_args

    from rnncli.config import Cell
    from rnncli.core.cells.compiled import tested
    from rnncli.core.cells.named import cell_named

    return tested(cell_named(name)(1, 1) for name in get_args(Cell)).in_words


SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")


def _complete(context: typer.Context, parameter: typer.CallbackParam, value: str | None) -> None:
    """Does what Typer's own options of these names do, which take as long to import as all the rest of the help."""
    if value is None:
        return
    if value not in SHELLS:
        raise typer.BadParameter(f"'{value}' is none of {', '.join(SHELLS)}")
    from typer import completion

    done = completion.install_callback if parameter.name == "install_completion" else completion.show_callback
    done(context, parameter, value)


def _completion(flag: str, help: str) -> Any:
    return typer.Option(flag, callback=_complete, is_eager=True, metavar="SHELL", help=f"{help} ({', '.join(SHELLS)})")


def rnncli(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    install_completion: Annotated[
        str | None, _completion("--install-completion", "Make Tab complete in a shell.")
    ] = None,
    show_completion: Annotated[str | None, _completion("--show-completion", "Print the script that does so.")] = None,
) -> None:
    """Train, use and open up small recurrent networks.

    \b
    rnncli train reviews.csv          guesses columns, trains, keeps the best
    rnncli predict "movie was good"   asks the newest model
    rnncli inspect --timesteps        shows its hidden state after every word
    """


def function_of(name: str) -> Callable[..., None]:
    """The function of a command; its arguments are the options."""
    return _module(name).COMMAND()  # type: ignore[no-any-return]


def _module(name: str) -> Any:
    return import_module(f"rnncli.cli.{name}")


def _built(name: str) -> Any:
    function = function_of(name)
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    alone.command(name, cls=PlainCommand, help=f"{COMMANDS[name]}\n\n{cleandoc(function.__doc__ or '')}")(function)
    built: Any = typer.main.get_command(alone)
    built.panels = getattr(_module(name), "PANELS", {})
    built.tables = getattr(_module(name), "TABLES", dict)
    return built


class Program(TyperGroup):
    """Has the names of its commands, and builds the one that runs."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, _, rest = super().resolve_command(ctx, args)
        return name, _built(str(name)), rest


app = typer.Typer(
    name="rnncli",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.callback()(rnncli)
for _name, _sentence in COMMANDS.items():
    app.command(_name, help=_sentence)(lambda: None)
