"""What a training began with: kept with its saved state, and compared when it is resumed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from rnncli.config import Settings
from rnncli.data.dataset import Source
from rnncli.data.formats.decoding import check_encoding
from rnncli.errors import UsageError
from rnncli.record import Origin
from rnncli.schema import Length, Range


@dataclass(frozen=True)
class OtherFile:
    """A file that a training reads beside its data.

    Attributes:
        path: as ASCII in a saved state.
        digest: SHA-256 of its bytes.
    """

    path: str
    digest: Annotated[str, Length(1, 200)]


MAY_CHANGE = ("epochs", "patience", "workers", "keep_epochs")


@dataclass(frozen=True)
class StartingPoint:
    """What decides a training.

    Attributes:
        settings: with every ``auto`` resolved.
        source: the data file, with the columns and the format that were chosen.
        digest: SHA-256 of its bytes.
        automatic_patience: whether ``settings.patience`` follows from the number of epochs; older states do not say.
        files: option → the file that it names, of those that are read beside the data.
        origin: the model that the training began with; None for a new one.
        folds: how many trainings that leave out a fold come before this one, and whether their runs are kept.
        computed_by: the engine and what else of the machine decides the bits; empty in older states.
    """

    settings: Settings
    source: Source
    digest: Annotated[str, Length(1, 200)]
    automatic_patience: bool = False
    files: dict[str, OtherFile] = field(default_factory=dict)
    origin: Origin | None = None
    folds: Annotated[int, Range(0, 1000)] = 0
    keep_folds: bool = False
    computed_by: Annotated[str, Length(0, 200)] = ""

    def stored(self) -> StartingPoint:
        """As a state keeps it, with the paths of the data as ASCII."""
        return self._with_paths(_stored_path)

    def read(self) -> StartingPoint:
        """The opposite of :meth:`stored`; what an older state says nothing of is as it was then."""
        found = self._with_paths(_path_from_stored)
        if found.settings.engine == "auto":  # there was NumPy alone
            return replace(found, settings=found.settings.replace(engine="numpy"))
        return found

    def _with_paths(self, change: Callable[[str], str]) -> StartingPoint:
        files = {option: replace(file, path=change(file.path)) for option, file in self.files.items()}
        source = self.source
        target = None if source.target is None else change(source.target)
        source = source.of(change(source.path), tuple(map(change, source.more)), target)
        return replace(self, source=source, files=files)

    def settings_again(self, given: Mapping[str, Any]) -> Settings:
        """The settings to go on with; None for patience where it follows from the epochs.

        Raises:
            UsageError: one of those ``given`` differs, and is not among :data:`MAY_CHANGE`.
        """
        wanted = Settings.from_mapping(given)
        for name, value in given.items():
            if name == "validation" and isinstance(value, str) and self.settings.validation_file is not None:
                continue  # the file may have moved; what is in it is compared
            # "auto" has become what it is for these data, and would again.
            if name not in MAY_CHANGE and value != "auto" and getattr(self.settings, name) != getattr(wanted, name):
                raise UsageError(
                    f"the training to resume has {name} {getattr(self.settings, name)}, not {value}",
                    "a resumed training keeps its settings; "
                    "only --epochs, --patience, --workers and --keep-epochs may change",
                )
        changes = {name: given[name] for name in MAY_CHANGE if name in given}
        if changes.get("workers") is None:  # as many as it had
            changes.pop("workers", None)
        return self.settings.replace(**({"patience": None} if self.automatic_patience else {}) | changes)

    def check_reading(self, given: Mapping[str, Any]) -> None:
        """Refuses to read the data differently.

        Args:
            given: the fields of the source that the user named.

        Raises:
            UsageError: one of them differs.
        """
        for name, value in given.items():
            before = getattr(self.source, name)
            if name == "encoding" and check_encoding(value) == check_encoding(before):
                continue  # latin1 is latin-1
            if value != before:
                option = "--" + name.replace("_", "-")
                wanted, had = (option, "") if value is True else (f"{option} {value}", f": {option} {before}")
                raise UsageError(
                    f"{wanted} is not what the training to resume was read with{had}",
                    "a resumed training reads its data as before; leave the option out",
                )


def _stored_path(path: str) -> str:
    """The absolute path as ASCII: a file name may hold bytes that are not text, and a manifest holds nothing else."""
    return path if path == "-" else quote_from_bytes(os.fsencode(os.path.abspath(path)))


def _path_from_stored(stored: str) -> str:
    """The opposite of :func:`_stored_path`."""
    return os.fsdecode(unquote_to_bytes(stored))
