"""What ``train`` and its ``--dry-run`` take: the data, how to read them, and settings."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnncli.cli.arguments import options
from rnncli.cli.arguments.inputs import are_pairs, as_file, found_model, parallel_files, source_of
from rnncli.cli.arguments.options import DATA_FILES, READING, AnyPath, is_given
from rnncli.cli.arguments.paths import Reads
from rnncli.config import Settings, SettingsDict, parse, settings_of_file

if TYPE_CHECKING:
    from rnncli.data.dataset import Source
    from rnncli.training.continuing import Begin
    from rnncli.training.data import Asked

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
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name of the run's folder.")]

Rows = AnyPath | Iterable[tuple[Any, Any]] | None
Test = Annotated[
    Rows,
    Reads(),
    typer.Option("--test", metavar="FILE", help="File of rows on which the best model is scored once, at the end."),
]
From = Annotated[
    options.OtherModel,
    typer.Option("--from", metavar="MODEL", help="Go on with this model; new words and labels are added."),
]
Keep = Annotated[
    Rows,
    Reads(),
    typer.Option("--keep", metavar="DATA", help="With --from: older rows, scored before and after."),
]
Folds = Annotated[
    int | None,
    typer.Option(
        "--folds",
        metavar="K",
        min=2,
        max=100,
        help="Cross-validation: first train K times, each without a fold, which is scored.",
    ),
]
KeepFolds = Annotated[bool, typer.Option("--keep-folds", help="Keep the model of each fold, as NAME-fold1 and so on.")]


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


@dataclass(frozen=True)
class TrainingCall:
    """What train and its dry run are called with, as long as pairs from Python are in a file.

    Attributes:
        source: the data; None where a training is resumed with those that it had.
        given: the settings that are given, and ``settings``: these over those of the settings file.
        files: option → the file that it names, of rows beside the data but those for validation, which are a setting.
        begin: the model that the training begins with.
    """

    source: Source | None
    given: Mapping[str, Any]
    settings: Mapping[str, Any]
    files: Mapping[str, str]
    begin: Begin | None

    def asked(
        self,
        runs: AnyPath,
        name: str | None,
        *,
        folds: int | None,
        keep_folds: bool,
        named: Collection[str] | None,
        usual: Mapping[str, Any] | None = None,
    ) -> Asked:
        """What the training is asked for.

        Args:
            named: names of settings to refuse where they have no effect; None for those that are given.
            usual: settings in the place of those that are absent.
        """
        from rnncli.training.data import Asked

        assert self.source is not None
        return Asked(
            self.source,
            {**(usual or {}), **self.settings},
            Path(runs),
            name,
            begin=self.begin,
            folds=folds or 0,
            keep_folds=keep_folds,
            named=self.given if named is None else named,
            **self.files,
        )


@contextmanager
def training_call(
    data: Any,
    options: Mapping[str, Any],
    *,
    config: AnyPath | None,
    pair: tuple[AnyPath | None, AnyPath | None],
    rows: Mapping[str, Any],
    model: Any,
    runs: AnyPath,
) -> Iterator[TrainingCall]:
    """The arguments of a training, of which pairs from Python are in a file as long as the context is open.

    Args:
        options: how to read the file, and settings.
        pair: the source and the target file in place of the data.
        rows: option → a file of rows, or pairs, beside the data.
        model: that the training begins with.

    Raises:
        RnncliError: of every kind.
    """
    from rnncli.training.continuing import Begin

    data = parallel_files(data, *pair)
    with ExitStack() as opened:
        # Rows may be pairs in Python, which are read from a file as all others are.
        files = {option: _path_of_rows(opened, one) for option, one in rows.items() if one is not None}
        own, options = options.get("validation"), dict(options)
        if own is not None:
            own = _path_of_rows(opened, own)
            options["validation"] = parse("validation", own) if isinstance(own, str) else own
        given, settings = settings_asked(config, options)
        begin = None
        if model is not None:
            found, file, _ = found_model(model, runs)
            begin = Begin.of(found, file)
        path = opened.enter_context(as_file(data))
        read = None
        if path is not None:
            read = source_of(path, reading_of(options), target=pair[1], pairs=are_pairs(path, data))
        yield TrainingCall(read, given, settings, files, begin)


def _path_of_rows(opened: ExitStack, rows: Any) -> Any:
    """The name of a file of rows; pairs are in a file as long as ``opened``. A share of rows is returned as it is."""
    found = rows if isinstance(rows, int | float) else opened.enter_context(as_file(rows))
    return os.fspath(found) if isinstance(found, os.PathLike) else found
