"""What is asked of a training, and its data: opened, described by their first rows, made ready to train on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rnncli.config import Settings
from rnncli.data.arrangement import Part
from rnncli.data.dataset import Dataset, Source
from rnncli.data.description import DataDescription, RowsDescription, describe
from rnncli.data.doubts.preview import Purpose
from rnncli.data.layouts.layout import Request
from rnncli.data.opening import OpenedRecords, is_plain_text, open_records
from rnncli.errors import DataError, UsageError, quoted
from rnncli.tasks import task_for, task_named
from rnncli.tasks.prepare import Prepared
from rnncli.tasks.task import Task
from rnncli.training import arranging, engines, folds, runs, vectors
from rnncli.training.continuing import Begin
from rnncli.training.starting_point import OtherFile
from rnncli.training.unused import require_used


@dataclass(frozen=True)
class Asked:
    """What a training is asked for.

    Attributes:
        given: settings by name; the others have the defaults of the task that these or the data ask for.
        runs: the folder of the runs, and ``name`` that of this one.
        test: a file of rows on which the best model is scored once, at the end.
        begin: the model that the training begins with; None for a new training.
        keep: a file of rows on which that model and the new one are scored.
        folds: how many trainings that leave out a fold come before; 0 for none.
        keep_folds: whether the runs of the folds are kept.
        named: the settings that the user named for this training: each has to change something.
    """

    source: Source
    given: Mapping[str, Any]
    runs: Path
    name: str | None = None
    test: str | None = None
    begin: Begin | None = None
    keep: str | None = None
    folds: int = 0
    keep_folds: bool = False
    named: Collection[str] = ()

    @property
    def settings(self) -> Settings:
        """Those that are known before the data are."""
        return Settings.from_mapping(self.given if self.begin is None else self.begin.settings(self.given, {}))

    def opened(self) -> OpenedTraining:
        """Opens the data.

        Raises:
            UsageError, DataError, StorageError: options do not go together, or the data cannot be read, or are likely
                something else.
        """
        settings = self.settings
        engines.require(settings.engine)
        if self.keep is not None and self.begin is None:
            raise UsageError(
                "--keep names older rows, which are scored before and after a training that begins with a model",
                "name the model too: --from RUN",
            )
        if self.keep_folds and not self.folds:
            raise UsageError("--keep-folds keeps the runs of folds, and there are none", "say how many: --folds 5")
        runs.require_free(self.runs, self.name)
        if self.keep_folds and self.name is not None:
            folds.require_free(self.runs, self.name, self.folds)
        named_task = "task" in self.named
        records = self._open(settings, named_task) if self.begin is None else self.begin.open(self.source)
        return OpenedTraining(self, settings, records)

    def _open(self, settings: Settings, named: bool) -> OpenedRecords:
        source = self.source
        labelled = not is_plain_text(source) if settings.task == "auto" else task_named(settings.task).model.labelled
        return open_records(Request(source, labelled), settings.task, Purpose(task_named=named))


@dataclass(frozen=True)
class Ready:
    """What a training starts from, once its data are read.

    Attributes:
        dataset: the records of the data and of the files beside them.
        prepared: the rows for training and validation; ``tested`` has those for testing in the place of the latter.
        files: option → the file that it names, of those that are read beside the data.
        warnings: sentences on rows and settings.
    """

    dataset: Dataset
    prepared: Prepared
    tested: Prepared | None
    files: Mapping[str, OtherFile]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class OpenedTraining:
    """The data of a training of which the first rows were read."""

    asked: Asked
    settings: Settings
    records: OpenedRecords

    @property
    def beside(self) -> dict[str, str]:
        """Option → the file that it names, of those whose rows are put beside the data."""
        paths = {"validation": self.settings.validation_file, "test": self.asked.test}
        return {option: path for option, path in paths.items() if path is not None}

    def ready(self, dataset: Dataset, files: Mapping[str, OtherFile], warnings: Sequence[str] = ()) -> Ready:
        """Makes records ready to train on.

        Args:
            dataset: those of the data and of the files beside them, as :func:`rnncli.training.arranging.with_files`
                gives them, and its warnings.

        Raises:
            RnncliError: of every kind.
        """
        asked, begin = self.asked, self.asked.begin
        arranging.require_training_rows(dataset)
        task = task_for(dataset, self.settings.task)
        defaults = task.defaults(dataset, self.settings)
        chosen = {**defaults, **asked.given} if begin is None else begin.settings(asked.given, defaults)
        settings = vectors.with_dimension(Settings.from_mapping({**chosen, "task": task.name}), asked.given)
        prepared, tested = prepare(task, dataset, settings, begin)
        unused = require_used(asked.named, prepared.untrained)
        if asked.folds:
            part = folds.dataset_of(arranging.without_test(dataset), asked.folds, 1)
            prepare(task, part, prepared.settings, begin)
        return Ready(dataset, prepared, tested, files, (*unused, *warnings))

    def described(self, *, alone: bool = False) -> DataDescription:
        """What the data were taken for by their first rows, and what the training is to do with them.

        Args:
            alone: whether nothing follows that reads all rows: then the first ones are doubted as all would be, and
                where they are all, they are made ready to train on.

        Raises:
            RnncliError: as a training would, as far as the first rows show it.
        """
        first = self.records.first(doubted=alone)
        task = task_for(first, self.settings.task)
        begin, keep = self.asked.begin, self.asked.keep
        why = task.recognized_by if self.settings.task == "auto" else f"--task {task.name}"
        if begin is not None and "task" not in self.asked.named:
            why = f"the task of {begin.name}"
        paths = self.beside | ({} if keep is None else {"keep": keep})
        others = {
            option: arranging.open_like(first, path, f"--{option}", self.settings.task)
            for option, path in paths.items()
        }
        found = describe(self.records, first, task.name, why)
        rows = {option: other.first(doubted=alone) for option, other in others.items()}
        dataset, files, warnings = arranging.with_files(first, {option: rows[option] for option in self.beside})
        seen = {option: len(one.lines) for option, one in rows.items() if others[option].all_seen}
        all_seen = self.records.all_seen and len(seen) == len(others)
        ready = None
        if alone:
            try:
                ready = self.ready(dataset, files, warnings)
            except DataError as error:  # of some rows, and all of them may be well
                if all_seen and self._is_arranged:
                    raise
                found = replace(found, refusal=error.message if all_seen else None)
        known = ready if all_seen else None
        if known is not None:
            found = replace(
                found,
                warnings=tuple(dict.fromkeys((*found.warnings, *known.warnings, *known.prepared.report.warnings))),
            )
        return replace(
            found,
            rows=tuple(self._rows(dataset, seen, known)),
            begins_with=self._begins_with(known),
            run=None if self.asked.name is None else str(self.asked.runs / self.asked.name),
        )

    @property
    def _is_arranged(self) -> bool:
        """Whether the user said which rows are for what, or what the training begins with."""
        asked, source = self.asked, self.records.source
        return bool(self.beside or asked.folds or asked.begin or source.group or "validation" in asked.given)

    def _rows(self, dataset: Dataset, seen: Mapping[str, int], ready: Ready | None) -> Iterator[RowsDescription]:
        """What the rows are for.

        Args:
            dataset: the first ones.
            seen: option → how many rows its file has, where that is known.
            ready: all rows, where the first ones are all.
        """
        asked, share, name = self.asked, self.settings.validation_share, self.records.source.name
        split, group = dataset.source.split, dataset.source.group
        report = None if ready is None else ready.prepared.report
        row = "row" if report is None else report.row
        training, validation, test = (
            (None,) * 3
            if report is None
            else (
                report.training_rows,
                report.validation_rows,
                report.test_rows,
            )
        )
        parts = set() if dataset.arrangement is None else set(dataset.arrangement.parts.tolist())
        by_column = "" if split is None else f"by column {quoted(split)}"
        yield RowsDescription("training", name, training, row, by_column)
        if "validation" in self.beside:
            path = self.beside["validation"]
            yield RowsDescription(
                "validation", path, validation or seen.get("validation"), row, "with the same columns"
            )
        elif Part.VALIDATION in parts:
            yield RowsDescription("validation", name, validation, row, by_column)
        elif share:
            unless = f", unless {by_column.removeprefix('by ')} names some" if split and ready is None else ""
            yield RowsDescription("validation", name, validation, row, f"{share:.0%} of them, set aside{unless}")
        once = "scored once, at the end"
        if asked.test is not None:
            yield RowsDescription("test", asked.test, test or seen.get("test"), row, f"with the same columns; {once}")
        elif Part.TEST in parts:
            yield RowsDescription("test", name, test, row, f"{by_column}; {once}")
        if asked.folds:
            said = f"{asked.folds} trainings come first; each leaves out a fold, by which it is scored"
            yield RowsDescription("folds", name, None, row, said)
        if group is not None:
            sides = None if report is None else report.groups
            said = "" if sides is None else f": {sides[1]:,} to train, {sides[2]:,} to validate"
            yield RowsDescription("groups", name, None, row, f"by column {quoted(group)}, each on one side{said}")
        if asked.keep is not None:
            said = "with the same columns; scored before and after the training"
            yield RowsDescription("older rows", asked.keep, seen.get("keep"), row, said)

    def _begins_with(self, ready: Ready | None) -> str | None:
        """The model that the training begins with, and what is added to it."""
        begin = self.asked.begin
        if begin is None:
            return None
        return (
            f"{begin.name}; new words and labels are added"
            if ready is None
            else (begin.origin(ready.prepared.untrained).in_words)
        )


def prepare(
    task: Task, dataset: Dataset, settings: Settings, begin: Begin | None = None
) -> tuple[Prepared, Prepared | None]:
    """What a training starts from; and the rows for testing in the place of those for validation, if there are any.

    These are prepared before the training, so that one that cannot be read is found before it. The former never sees
    them; what the latter has learned is the same, since the rows for training decide it.
    """
    # A task that cannot begin with a model has no argument for it.
    known = {} if begin is None else {"begin": begin.model}
    prepared, arrangement = task.prepare(arranging.without_test(dataset), settings, **known), dataset.arrangement
    # Other files with these columns are read alike.
    prepared = replace(prepared, untrained=replace(prepared.untrained, roles=dataset.lasting_roles))
    if arrangement is None or not arrangement.has_test:
        return prepared, None
    tested = task.prepare(replace(dataset, arrangement=arrangement.testing()), settings, **known)
    report = replace(prepared.report, test_rows=tested.report.validation_rows)
    return replace(prepared, report=report), tested
