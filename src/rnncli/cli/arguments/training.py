"""What ``train`` and its ``--dry-run`` take: the data, how to read them, and settings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from rnncli.cli.arguments import options
from rnncli.cli.arguments.options import DATA_FILES, READING, AnyPath, is_given
from rnncli.cli.arguments.paths import Reads
from rnncli.config import Settings, SettingsDict, parse, settings_of_file

TrainingData = Annotated[
    AnyPath | Iterable[AnyPath | tuple[Any, Any]] | None,
    Reads(),
    typer.Argument(metavar="DATA", help=f"{DATA_FILES}; or - for stdin."),
]
TrainingFiles = Annotated[
    list[str] | None,
    Reads(),
    typer.Argument(metavar="DATA", help="A file, several with the same columns, or a folder; - for stdin."),
]
Config = Annotated[options.InputFile, typer.Option("--config", metavar="FILE", help="Settings as YAML.")]


class TrainingOptions(options.Reading, SettingsDict, total=False):
    """How a data file is read, and any settings."""


def reading_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """How to read a file, of the options that are given."""
    return {field: given[field] for field in READING if field in given and is_given(field, given[field])}


def settings_asked(config: AnyPath | None, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings that are given, and these over those of the settings file.

    Raises:
        UsageError: a value is not possible.
    """
    given = {field: value for field, value in options.items() if field not in READING}
    # As on the command line, where the help gives them as defaults.
    absent = {
        field: parse(field, value)
        for field, value in given.items()
        if isinstance(value, str) and value in ("auto", "none")
    }
    given |= absent
    settings = ({} if config is None else settings_of_file(os.fspath(config))) | given
    if isinstance(settings.get("validation"), os.PathLike):
        settings["validation"] = os.fspath(settings["validation"])
    Settings.from_mapping(settings)  # refuses a value before anything is read
    return given, settings
