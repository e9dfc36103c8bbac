"""The options that several commands share, and those of `train`, made from the settings themselves."""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypedDict, get_args, get_origin, get_type_hints

import typer

from rnncli.clean import clean
from rnncli.cli.arguments.paths import Reads, Writes
from rnncli.config import SETTING_NAMES, Settings, parse, setting, settings_of_file
from rnncli.data.formats.registry import FORMATS, PACKED, known_suffixes
from rnncli.errors import UsageError, closest

if TYPE_CHECKING:
    from rnncli.tasks.model import Model

    AnyModel: TypeAlias = Model | str | os.PathLike[str]

AnyPath = str | os.PathLike[str]
# Takes a sentence and its style, as Output.note does.
Note = Callable[..., object]


def quiet(*_: object) -> None:
    """Does nothing; the default of ``note`` and of callbacks in Python."""


def flag_of(name: str) -> str:
    """The flag of a parameter."""
    return "--" + name.replace("_", "-")


DATA_FILES = f"{', '.join(known_suffixes())}, also with {PACKED}"

# Parameters that name files; see :mod:`rnncli.cli.arguments.paths`.
InputFile = Annotated[AnyPath | None, Reads()]
TextsOrFiles = Annotated[list[str], Reads()]
OtherModel = Annotated["AnyModel | None", Reads("model")]
RunAgain = Annotated[AnyPath | None, Writes()]
SvgFile = Annotated[str | None, Writes((".svg",))]
HtmlFile = Annotated[str | None, Writes((".html", ".htm"))]

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Runs = Annotated[AnyPath, typer.Option("--runs", envvar="RNNCLI_RUNS", metavar="DIR", help="Folder of the runs.")]
ModelName = Annotated[
    "AnyModel",
    Reads("model"),
    typer.Option("--model", "-m", envvar="RNNCLI_MODEL", metavar="MODEL", help="latest, RUN, RUN@EPOCH or a file."),
]
TextColumn = Annotated[str | None, typer.Option("--text", metavar="COLUMN", help="Column of the texts.")]
LabelColumn = Annotated[str | None, typer.Option("--label", metavar="COLUMN", help="Column of the labels.")]
Format = Annotated[
    str | None, typer.Option("--format", metavar="NAME", help=f"{', '.join(FORMATS)}; else by its name.")
]
Encoding = Annotated[str | None, typer.Option("--encoding", metavar="NAME", help="Text encoding of the file. [utf-8]")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Skip bad records, and count them.")]
Ignore = Annotated[
    str | None, typer.Option("--ignore", metavar="COLUMNS", help="Columns to ignore, separated by commas.")
]


class InputReading(TypedDict, total=False):
    """How a file of inputs is read: ``text`` names their column; ``format`` is that of its name if None."""

    text: TextColumn
    format: Format
    encoding: Encoding


class Reading(InputReading, total=False):
    """How a data file is read: ``ignore`` names columns to leave out, ``skip_bad`` leaves out bad records."""

    label: LabelColumn
    skip_bad: SkipBad
    ignore: Ignore


READING = ("text", "label", "format", "encoding", "skip_bad", "ignore")
Beam = Annotated[
    int | None, typer.Option("--beam", metavar="N", min=1, max=1000, help="Width of the beam search; 1 is greedy. [4]")
]
Workers = Annotated[
    int | None, typer.Option("--workers", metavar="N", min=1, max=64, help="Number of processes. [auto: all cores]")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")]

DEFAULT_RUNS = "runs"


def setting_options() -> list[inspect.Parameter]:
    """Returns an option for every setting, without its default, which counts after file and environment."""
    hints = get_type_hints(Settings)
    options = []
    for entry in dataclasses.fields(Settings):
        kind, default, help = hints[entry.name], entry.default, entry.metadata["help"]
        flag, optional = flag_of(entry.name), type(None) in get_args(kind)
        metavar: str | None = entry.metadata.get("metavar", "NUMBER")
        typed: Any = str if optional else kind
        if default is None:
            default = entry.metadata.get("absent", "auto")
        if kind is bool:
            flag, metavar, default = f"{flag}/--no-{flag[2:]}", None, "on" if default else "off"
        elif get_origin(kind) is Literal:
            typed, metavar = str, "|".join(get_args(kind))
        text = f"{help[0].upper()}{help[1:]}. [{default}]"
        option = typer.Option(flag, help=text, metavar=metavar, show_default=False)
        named: Any = InputFile if entry.metadata.get("metavar") else typed | None
        kind = Annotated[named, option]
        options.append(inspect.Parameter(entry.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind))
    return options


def resolve_settings(given: Mapping[str, Any], config: AnyPath | None) -> dict[str, Any]:
    """Returns the settings that are given: options over environment (``RNNCLI_LR``) over the settings file.

    Raises:
        UsageError: a name or value is not possible.
    """
    values = {} if config is None else settings_of_file(os.fspath(config))
    for name in SETTING_NAMES:
        variable = _variable(name)
        if variable in os.environ:
            values[name] = setting(name, os.environ[variable], variable)
    return values | {name: parse(name, value) if isinstance(value, str) else value for name, value in given.items()}


# Read from the environment beside the settings.
_VARIABLES = ("RNNCLI_RUNS", "RNNCLI_MODEL")


def check_environment() -> None:
    """Refuses variables whose names are mistyped, which would have no effect.

    Raises:
        UsageError: with the closest name there is.
    """
    known = (*_VARIABLES, *(_variable(name) for name in SETTING_NAMES))
    for name in sorted(os.environ):
        if name.startswith("RNNCLI_") and name not in known:
            near = closest(name, known, "RNNCLI_")
            raise UsageError(f"{name} in the environment is not a setting{near}", f"unset {clean(name)}")


def _variable(setting: str) -> str:
    return f"RNNCLI_{setting.upper()}"
