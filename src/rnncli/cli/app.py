"""The commands by name, each from its own file."""

from __future__ import annotations

from typing import Annotated

import typer

from rnncli.cli import evaluate, inspect, predict, tokenize, train
from rnncli.cli.arguments.command import command
from rnncli.cli.arguments.options import setting_options
from rnncli.cli.help import PlainCommand, PlainGroup
from rnncli.cli.uses import check_options


def _show_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"rnncli {version('rnncli')}")
        raise typer.Exit


def rnncli(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Train, use and open up small recurrent networks.

    \b
    rnncli train reviews.csv          guesses columns, trains, keeps the best
    rnncli predict "movie was good"   asks the newest model
    rnncli inspect --timesteps        shows its hidden state after every word
    """


def build() -> typer.Typer:
    """The commands, with an option for each setting and each view that there is."""
    app = typer.Typer(
        name="rnncli",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        cls=PlainGroup,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(rnncli)
    for made in (
        command(tokenize.tokenize, tokenize.tokenize_command),
        command(train.train, train.train_command, extra=setting_options(), panels=train.PANELS),
        command(predict.predict, predict.predict_command),
        command(
            inspect.inspect,
            inspect.inspect_command,
            extra=inspect.view_options(),
            panels=inspect.PANELS,
            check=check_options,
        ),
        command(evaluate.evaluate, evaluate.evaluate_command),
    ):
        app.command(cls=PlainCommand)(made)
    return app


app = build()
