"""The options that several commands share, and those of `train`, made from the settings themselves."""

from __future__ import annotations

import dataclasses
import inspect
import os
import shlex
from collections.abc import Callable, Iterable, Mapping
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
SourceFile = Annotated[
    AnyPath | None,
    Reads(),
    typer.Option("--source", metavar="FILE", help="Text file with a source on each line, in place of DATA."),
]
TargetFile = Annotated[
    AnyPath | None,
    Reads(),
    typer.Option("--target", metavar="FILE", help="Text file with the target of each of these lines."),
]
InputFile = Annotated[AnyPath | None, Reads()]
InputFiles = Annotated[AnyPath | Iterable[AnyPath] | None, Reads(several=True)]
TextsOrFiles = Annotated[list[str], Reads()]
OtherModel = Annotated["AnyModel | None", Reads("model")]
RunAgain = Annotated[AnyPath | None, Writes()]
SvgFile = Annotated[str | None, Writes((".svg",))]
PlotFile = Annotated[AnyPath | None, Writes((".svg", ".png", ".html", ".htm"))]
AnswersFile = Annotated[
    AnyPath | None,
    Writes((".csv", ".tsv", ".jsonl", ".parquet")),
    typer.Option("--output", "-o", metavar="FILE", help="Write inputs and predictions (.csv, .tsv, .jsonl, .parquet)."),
]
VectorsFile = Annotated[
    AnyPath | None,
    Writes((".npy", ".csv")),
    typer.Option(
        "--vectors", metavar="FILE", help="Write the vector that the network makes of each input (.npy, .csv)."
    ),
]
HtmlFile = Annotated[str | None, Writes((".html", ".htm"))]

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Runs = Annotated[AnyPath, typer.Option("--runs", envvar="RNNCLI_RUNS", metavar="DIR", help="Folder of the runs.")]
ModelName = Annotated[
    "AnyModel",
    Reads("model"),
    typer.Option("--model", "-m", envvar="RNNCLI_MODEL", metavar="MODEL", help="latest, RUN, RUN@EPOCH or a file."),
]


def _columns(flag: str, help: str, metavar: str = "COLUMN") -> Any:
    return typer.Option(flag, metavar=metavar, help=help)


TextColumn = Annotated[
    str | None, _columns("--text", "Column of the text; several, as A,B, are joined by a space.", "COLUMNS")
]
LabelColumn = Annotated[
    str | None, _columns("--label", "Column of the label; several columns of 0 and 1 are a label each.", "COLUMNS")
]
TimeColumn = Annotated[
    str | None, _columns("--time", "Column of numbers or dates that orders the timesteps of a sequence.")
]
IdColumn = Annotated[str | None, _columns("--id", "Column that says which sequence a row belongs to.")]
FeatureColumns = Annotated[
    str | None, _columns("--features", "Columns of the numbers of an input, as A,B or t0:t23.", "COLUMNS")
]
SplitColumn = Annotated[
    str | None, _columns("--split", "Column that says whether a row is for training, validation or testing.")
]
GroupColumn = Annotated[
    str | None,
    _columns("--group", "Column of groups, such as patients: all rows of one are on the same side of a split."),
]
LabelSeparator = Annotated[
    str | None,
    typer.Option("--label-separator", metavar="MARK", help="What separates the labels in a cell that holds several."),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        "--delimiter",
        metavar="MARK",
        help="What separates the cells of a line: a character, or comma, semicolon, tab, pipe, space.",
    ),
]
Header = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header", help="Whether the first line names the columns; without names they are numbers from 1"
    ),
]
Decimal = Annotated[str | None, typer.Option("--decimal", metavar=".|,", help="Decimal mark of the numbers.")]
Missing = Annotated[
    str | None,
    typer.Option(
        "--missing", metavar="interpolate", help="Fill missing numbers inside a series along a straight line."
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="NAME", help=f"Format, if the name of the file does not say it: {', '.join(FORMATS)}."
    ),
]
Sheet = Annotated[
    str | int | None,
    typer.Option("--sheet", metavar="NAME|NUMBER", help="Sheet of an Excel workbook, by its name or from 1."),
]
Encoding = Annotated[str | None, typer.Option("--encoding", metavar="NAME", help="Text encoding of the file. [utf-8]")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave out bad records, and count them.")]
Ignore = Annotated[
    str | None, typer.Option("--ignore", metavar="COLUMNS", help="Columns to ignore, separated by commas.")
]


class InputReading(TypedDict, total=False):
    """How a file of inputs is read; see :class:`rnncli.data.tables.source.Source`."""

    text: TextColumn
    time: TimeColumn
    id: IdColumn
    features: FeatureColumns
    format: Format
    sheet: Sheet
    encoding: Encoding
    delimiter: Delimiter
    header: Header
    decimal: Decimal
    missing: Missing
    ignore: Ignore


class _Columns(TypedDict, total=False):
    """The columns that most tables have."""

    text: TextColumn
    label: LabelColumn


class Reading(_Columns, InputReading, total=False):
    """How a file of records is read; see :class:`rnncli.data.tables.source.Source`."""

    split: SplitColumn
    group: GroupColumn
    label_separator: LabelSeparator
    skip_bad: SkipBad


INPUT_READING, READING = tuple(get_type_hints(InputReading)), tuple(get_type_hints(Reading))


def is_given(name: str, value: Any) -> bool:
    """Whether an option was given: a flag is False where it is not, unless there is a ``--no-`` for it."""
    return value is not None and (value is not False or name == "header")


def as_typed(name: str, value: Any) -> str:
    """An option that was given as it is typed."""
    if isinstance(value, bool):
        return flag_of(name) if value else flag_of(f"no_{name}")
    return f"{flag_of(name)} {shlex.quote(str(value))}"


Beam = Annotated[
    int | None, typer.Option("--beam", metavar="N", min=1, max=1000, help="Width of the beam search; 1 is greedy. [4]")
]
Workers = Annotated[
    int | None, typer.Option("--workers", metavar="N", min=1, max=64, help="Number of processes. [auto: all cores]")
]
Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        envvar="RNNCLI_ENGINE",
        metavar="auto|numpy|compiled",
        help="What computes: C that was compiled when rnncli was installed, or NumPy.",
    ),
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
