"""The options that several commands share, and those of `train`, made from the settings themselves."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from rnncli.clean import clean
from rnncli.cli.paths import Reads, Writes
from rnncli.config import MAX_YAML_BYTES, SETTING_NAMES, Settings, parse, setting, settings_from_yaml
from rnncli.data.formats.registry import FORMATS, PACKED, known_suffixes
from rnncli.errors import UsageError, closest

# Whether a traceback is shown; set by --debug of whichever command runs.
debug_wanted = False


def _remember_debug(value: bool) -> bool:
    global debug_wanted
    debug_wanted = debug_wanted or value
    return value


DATA_FILES = f"{', '.join(known_suffixes())}, also with {PACKED}"

# What a parameter names, for :mod:`rnncli.cli.paths`.
InputFile = Annotated[str | None, Reads()]
TextsOrFiles = Annotated[list[str], Reads()]
OtherModel = Annotated[str | None, Reads("model")]
RunAgain = Annotated[str | None, Writes()]
SvgFile = Annotated[str | None, Writes((".svg",))]
HtmlFile = Annotated[str | None, Writes((".html", ".htm"))]

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Debug = Annotated[
    bool, typer.Option("--debug", callback=_remember_debug, is_eager=True, help="Show a traceback on failure.")
]
Runs = Annotated[str, typer.Option("--runs", envvar="RNNCLI_RUNS", metavar="DIR", help="Where trainings are kept.")]
ModelName = Annotated[
    str,
    Reads("model"),
    typer.Option("--model", "-m", envvar="RNNCLI_MODEL", metavar="MODEL", help="latest, RUN, RUN@EPOCH or a file."),
]
TextColumn = Annotated[str | None, typer.Option("--text", metavar="COLUMN", help="Column of the texts.")]
LabelColumn = Annotated[str | None, typer.Option("--label", metavar="COLUMN", help="Column of the labels.")]
Format = Annotated[
    str | None, typer.Option("--format", metavar="NAME", help=f"{', '.join(FORMATS)}; else by its name.")
]
Encoding = Annotated[str, typer.Option("--encoding", metavar="NAME", help="Text encoding of the file.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave bad records out and count them.")]
Ignore = Annotated[
    str | None, typer.Option("--ignore", metavar="COLUMNS", help="Columns to leave out, with commas between.")
]
# For `train`, where --resume asks whether they were given.
OptionalEncoding = Annotated[
    str | None, typer.Option("--encoding", metavar="NAME", help="Text encoding of the file. [utf-8]")
]
OptionalSkipBad = Annotated[bool | None, typer.Option("--skip-bad", help="Leave bad records out and count them.")]
Beam = Annotated[
    int | None,
    typer.Option("--beam", metavar="N", min=1, max=1000, help="Decode so many targets side by side; 1 is greedy. [4]"),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, max=64, help="Processes that share a file. [auto: all cores]"),
]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that exists.")]

PANELS = {"cell": "Model", "tokens": "Data", "optimizer": "Training"}  # the first setting of each panel
DEFAULT_RUNS = "runs"


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Adds an option for every setting to a Typer command, which gets those that were given as ``given``."""
    hints = get_type_hints(Settings)
    extra: list[inspect.Parameter] = []
    panel = ""
    for entry in dataclasses.fields(Settings):
        panel = PANELS.get(entry.name, panel)
        extra.append(_parameter(entry, hints[entry.name], panel))

    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "given"]

    def called(**values: Any) -> None:
        given = {name: values.pop(name) for name in SETTING_NAMES}
        command(**values, given={name: value for name, value in given.items() if value is not None})

    called.__doc__, called.__name__ = command.__doc__, command.__name__
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*own, *extra)]
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in parameters}
    return called


def _parameter(entry: dataclasses.Field[Any], kind: Any, panel: str) -> inspect.Parameter:
    """One setting as an option without a default: the default comes last, after file and environment."""
    flag = "--" + entry.name.replace("_", "-")
    optional = type(None) in get_args(kind)
    default = entry.metadata.get("absent", "auto") if entry.default is None else entry.default
    if kind is bool:
        default = "on" if entry.default else "off"
    text = f"{_sentence(entry.metadata['help'])} [{default}]"
    base: Any = str
    metavar = None
    if get_origin(kind) is not None and not optional:
        metavar = "|".join(get_args(kind))
    elif optional:
        metavar = entry.metadata.get("metavar", "NUMBER")
    elif kind is bool:
        base, flag = bool, f"{flag}/--no-{flag[2:]}"
    else:
        base, metavar = kind, "NUMBER"
    option = typer.Option(flag, help=text, metavar=metavar, show_default=False, rich_help_panel=panel)
    named: Any = InputFile if metavar == "FILE" else base | None
    annotation: Any = Annotated[named, option]
    return inspect.Parameter(entry.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def resolve_settings(given: Mapping[str, Any], config: str | None) -> dict[str, Any]:
    """The settings that somebody named: options over environment (``RNNCLI_LR``) over the settings file.

    Raises:
        UsageError: a name or value is not possible.
    """
    values: dict[str, Any] = {}
    if config is not None:
        values |= settings_from_yaml(_config_bytes(config), config)
    for name in SETTING_NAMES:
        variable = _variable(name)
        if variable in os.environ:
            values[name] = setting(name, os.environ[variable], variable)
    optional = {name for name, kind in get_type_hints(Settings).items() if type(None) in get_args(kind)}
    return values | {name: parse(name, value) if name in optional else value for name, value in given.items()}


# Read from the environment beside the settings.
_VARIABLES = ("RNNCLI_RUNS", "RNNCLI_MODEL")


def check_environment() -> None:
    """Refuses variables that would have no effect, for their names are mistyped.

    Raises:
        UsageError: with the closest name there is.
    """
    known = (*_VARIABLES, *(_variable(name) for name in SETTING_NAMES))
    for name in sorted(os.environ):
        if name.startswith("RNNCLI_") and name not in known:
            raise UsageError(f"{name} in the environment is no setting{closest(name, known)}", f"unset {clean(name)}")


def _variable(setting: str) -> str:
    return f"RNNCLI_{setting.upper()}"


def _config_bytes(path: str) -> bytes:
    from rnncli import storage

    if os.path.isfile(path) and os.path.getsize(path) > MAX_YAML_BYTES:
        raise UsageError(f"{path}: a settings file has at most {MAX_YAML_BYTES:,} bytes")
    return storage.read_bytes(path, MAX_YAML_BYTES)


def parse_units(text: str, names: tuple[str, ...]) -> list[int]:
    """``0,3-5,←2`` as positions among the units' names; a bare number counts from the first unit on.

    Raises:
        UsageError: no such unit.
    """
    chosen: list[int] = []
    for part in text.split(","):
        part = part.strip()
        matched = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", part)
        if part in names:
            chosen.append(names.index(part))
        elif matched:
            first, last = int(matched[1]), int(matched[2] or matched[1])
            if not first <= last < len(names):
                raise UsageError(f"--units {part}: the units are 0 to {len(names) - 1}")
            chosen.extend(range(first, last + 1))
        else:
            raise UsageError(f"--units takes numbers like 0,3-5, not '{part}'")
    return chosen
